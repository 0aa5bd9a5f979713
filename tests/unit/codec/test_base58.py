"""Printable codes."""

import binascii

import base58 as library
import pytest

from mcnode.codec.base58 import (
    B58,
    TEXT_CHARS_MAX,
    ChecksumMismatch,
    InsufficientBytes,
    decode_checked,
    encode_checked,
)


@pytest.mark.parametrize("payload", [b"\x00", b"payload", bytes(300)])
def test_round_trip(payload: bytes) -> None:
    code = encode_checked(payload)
    assert decode_checked(code) == payload
    framed = binascii.crc32(payload).to_bytes(4, "little") + payload
    assert library.b58decode(code) == framed


@pytest.mark.parametrize("text", ["0", "O0Il", "ü", "abc def", " 2g", "2g\n"])
def test_other_characters(text: str) -> None:
    with pytest.raises(B58, match="not base58"):
        decode_checked(text)


def test_too_long() -> None:
    with pytest.raises(B58, match=f"{TEXT_CHARS_MAX + 1} characters, limit {TEXT_CHARS_MAX}"):
        decode_checked("2" * (TEXT_CHARS_MAX + 1))


@pytest.mark.parametrize("text", ["", "2", encode_checked(b"")])
def test_nothing_beside_the_checksum(text: str) -> None:
    with pytest.raises(InsufficientBytes, match="needs at least 5"):
        decode_checked(text)


def test_a_mistyped_character() -> None:
    code = encode_checked(b"payload")
    wrong = code[:-1] + ("2" if code[-1] != "2" else "3")
    with pytest.raises(ChecksumMismatch, match="checksum is"):
        decode_checked(wrong)
