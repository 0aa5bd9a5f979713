"""The same bytes that the Rust library prost 0.12.3 was given, and what it answered.

`prost_cases.jsonl.gz` has 1,600 encodings of the messages below (declared with prost's derive),
most of them damaged at a few places: what they encode to again, or the error's text.
"""

import gzip
import json
from pathlib import Path

import pytest

from mcnode.codec.errors import DecodeError
from mcnode.codec.protobuf import decode, encode
from mcnode.codec.schema import (
    BOOL,
    BYTES,
    FIXED64,
    OPTIONAL,
    REQUIRED,
    TEXT,
    UINT32,
    UINT64,
    field,
    message,
    oneof,
    repeated,
)


@message
class DiffInner:
    a: int = field(1, UINT64)
    b: int = field(2, FIXED64, presence=REQUIRED)
    c: bytes = field(3, BYTES)


@message
class DiffOther:
    s: str = field(1, TEXT)
    f: bool = field(2, BOOL)


@message
class DiffOuter:
    choice: DiffInner | DiffOther | None = oneof({1: DiffInner, 6: DiffOther})
    m: DiffInner = field(2, DiffInner)
    opt: DiffInner | None = field(3, DiffInner, presence=OPTIONAL)
    rep: tuple[DiffInner, ...] = repeated(4, DiffInner)
    ints: tuple[int, ...] = repeated(5, FIXED64)
    words: tuple[int, ...] = repeated(7, UINT32)
    s: str = field(8, TEXT)
    bs: tuple[bytes, ...] = repeated(9, BYTES)
    flag: bool = field(10, BOOL)
    word: int = field(11, UINT32)
    rec: "DiffOuter | None" = field(12, "DiffOuter", presence=OPTIONAL)
    req: bytes = field(13, BYTES, presence=REQUIRED)
    flags: tuple[bool, ...] = repeated(16, BOOL)


CASES = [
    json.loads(line)
    for line in gzip.decompress(
        Path(__file__).with_name("prost_cases.jsonl.gz").read_bytes()
    ).splitlines()
]


def test_there_are_cases_of_both_kinds() -> None:
    assert len([case for case in CASES if "ok" in case]) > 500
    assert len({case["error"].rsplit(": ")[-1] for case in CASES if "error" in case}) > 20


def test_decodes_and_refuses_like_prost() -> None:
    for case in CASES:
        data = bytes.fromhex(case["bytes"])
        if "ok" in case:
            assert encode(decode(DiffOuter, data)).hex() == case["ok"], case
        else:
            with pytest.raises(DecodeError) as caught:
                decode(DiffOuter, data)
            assert str(caught.value) == case["error"], case
