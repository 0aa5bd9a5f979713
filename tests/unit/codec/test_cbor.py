"""Shapes of CBOR: what they write, what they read, what they refuse."""

import dataclasses
from typing import Any

import pytest

from mcnode.codec.cbor import (
    TEXT,
    U32,
    U64,
    ByteString,
    CborError,
    Enum,
    IntArray,
    Later,
    Mapped,
    Member,
    Option,
    Seq,
    Shape,
    Struct,
    TaggedEnum,
    TupleStruct,
    Variant,
    from_bytes,
    to_bytes,
)
from mcnode.errors import InvalidError


@dataclasses.dataclass(frozen=True)
class Node:
    name: str
    key: bytes


@dataclasses.dataclass(frozen=True)
class Group:
    threshold: int
    members: tuple[Any, ...]


@dataclasses.dataclass(frozen=True)
class Pair:
    left: int
    right: int | None


NODE = Struct(Node, Member("name", TEXT), Member("key", ByteString(2)))
GROUP: Struct[Group] = Struct(
    Group,
    Member("threshold", U32),
    Member(
        "members",
        Seq(
            Option(
                TaggedEnum(
                    Variant("Node", Node, NODE),
                    Variant("InnerSet", Group, Later(lambda: GROUP)),
                )
            )
        ),
    ),
)
PAIR = Struct(Pair, Member("L", U64, "left"), Member("R", Option(U64), "right"))
TUPLE = TupleStruct(Pair, Member("left", U64), Member("right", Option(U64)))
ENUM: Enum[Node | Pair] = Enum(Variant("Node", Node, NODE), Variant("Pair", Pair, PAIR))


@pytest.mark.parametrize(
    ("shape", "value", "data"),
    [
        (U64, 0, "00"),
        (U64, 23, "17"),
        (U64, 24, "1818"),
        (U64, 255, "18ff"),
        (U64, 256, "190100"),
        (U64, 65_535, "19ffff"),
        (U64, 65_536, "1a00010000"),
        (U64, 2**32, "1b0000000100000000"),
        (U64, 2**64 - 1, "1bffffffffffffffff"),
        (TEXT, "ü", "62c3bc"),
        (ByteString(2), b"\x01\x02", "420102"),
        (IntArray(2), b"\x01\xff", "820118ff"),
        (IntArray(), b"", "80"),
        (Seq(U32), (1, 2), "820102"),
        (Option(U32), None, "f6"),
        (Option(U32), 5, "05"),
        (NODE, Node("a", b"\x01\x02"), "a2646e616d656161636b6579420102"),
        (PAIR, Pair(1, None), "a2614c016152f6"),
        (TUPLE, Pair(1, 2), "820102"),
        (ENUM, Pair(1, 2), "a16450616972a2614c01615202"),
        (
            GROUP,
            Group(1, (None, Group(0, ()))),
            "a2697468726573686f6c6401676d656d6265727382f6a2647479706568496e6e6572536574"
            "6461726773a2697468726573686f6c6400676d656d6265727380",
        ),
        (Seq(Mapped(U32, str, int)), ("7", "8"), "820708"),
    ],
)
def test_written_and_read_back(shape: Shape[Any], value: Any, data: str) -> None:
    assert to_bytes(shape, value).hex() == data
    assert from_bytes(shape, bytes.fromhex(data)) == value


@pytest.mark.parametrize(
    ("shape", "data", "value"),
    [
        (U32, "1b0000000000000005", 5),
        (U32, "d9d9f705", 5),
        (U32, "c1d81805", 5),
        (TEXT, "62c3bc", "ü"),
        (TEXT, "42c3bc", "ü"),
        (TEXT, "7f6161626262ff", "abb"),
        (TEXT, "7fff", ""),
        (ByteString(2), "820102", b"\x01\x02"),
        (ByteString(2), "5f41014102ff", b"\x01\x02"),
        (IntArray(2, or_byte_string=True), "420102", b"\x01\x02"),
        (IntArray(2, or_byte_string=True), "820102", b"\x01\x02"),
        (Seq(U32), "9f0102ff", (1, 2)),
        (PAIR, "a1614c01", Pair(1, None)),
        (PAIR, "bf615202614c01ff", Pair(1, 2)),
        (PAIR, "a3614c01615202617afb0000000000000000", Pair(1, 2)),
        (PAIR, "a201020001", Pair(1, 2)),
        (PAIR, "a2414c01415202", Pair(1, 2)),
        (PAIR, "a3614c0161520218ff20", Pair(1, 2)),
        (PAIR, "8201f6", Pair(1, None)),
        (ENUM, "a101a1614c01", Pair(1, None)),
        (ENUM, "a14450616972a1614c01", Pair(1, None)),
        (ENUM, "826450616972820102", Pair(1, 2)),
        (ENUM, "8201820102", Pair(1, 2)),
        (GROUP, "8201818200826161420102", Group(1, (Node("a", b"\x01\x02"),))),
        (
            GROUP,
            "820181a364617267738261614201026474797065006178f5",
            Group(1, (Node("a", b"\x01\x02"),)),
        ),
        (
            GROUP,
            "820181a244617267738261614201024474797065644e6f6465",
            Group(1, (Node("a", b"\x01\x02"),)),
        ),
        (GROUP, "820180", Group(1, ())),
    ],
)
def test_other_forms_are_read(shape: Shape[Any], data: str, value: Any) -> None:
    assert from_bytes(shape, bytes.fromhex(data)) == value


@pytest.mark.parametrize(
    ("shape", "data", "text"),
    [
        (U32, "", "not a CBOR item: needs 1 bytes, 0 are left"),
        (U32, "0505", "not a CBOR item: 1 bytes follow the item"),
        (U32, "19ff", "needs 2 bytes, 1 are left"),
        (U32, "1c", "reserved length 28"),
        (U32, "1f", "reserved length 31"),
        (U32, "e0", "unassigned simple value 0"),
        (U32, "f8ff", "unassigned simple value 24"),
        (U32, "ff", "unassigned simple value 31"),
        (U32, "fa00", "needs 4 bytes, 1 are left"),
        (U32, "c1", "needs 1 bytes, 0 are left"),
        (U32, "f5", "found bool, needs integer"),
        (U32, "f93c00", "found float, needs integer"),
        (U32, "f6", "found null, needs integer"),
        (U32, "f7", "found undefined, needs integer"),
        (U32, "20", "integer -1 is outside of 32 unsigned bits"),
        (U32, "1a" + "ff" * 4 + "00", "1 bytes follow"),
        (U32, "1b0000000100000000", "integer 4294967296 is outside of 32 unsigned bits"),
        (U64, "3bffffffffffffffff", "integer -18446744073709551616 is outside of 64"),
        (TEXT, "05", "found int, needs text"),
        (TEXT, "61ff", "text is not UTF-8"),
        (TEXT, "41ff", "text is not UTF-8"),
        (TEXT, "7f4161ff", "chunk of another type"),
        (TEXT, "7f7f6161ffff", "reserved length 31"),
        (TEXT, "7f6161", "needs 1 bytes, 0 are left"),
        (TEXT, "7bffffffffffffffff", "needs 18446744073709551615 bytes, 0 are left"),
        (ByteString(2), "43010203", "found 3 bytes, needs 2"),
        (ByteString(2), "8101", "found 1 bytes, needs 2"),
        (ByteString(2), "826161f5", "found array, needs array of integers"),
        (ByteString(2), "626161", "found str, needs array of integers"),
        (IntArray(2), "420102", "found bytes, needs array of integers"),
        (IntArray(2), "8201f5", "needs array of integers"),
        (IntArray(2), "8201190100", "outside of 8 unsigned bits"),
        (IntArray(2), "820120", "outside of 8 unsigned bits"),
        (IntArray(2), "83010203", "found 3 bytes, needs 2"),
        (IntArray(2, or_byte_string=True), "43010203", "found 3 bytes, needs 2"),
        (Seq(U32), "a0", "found map, needs array"),
        (Seq(U32), "9bffffffffffffffff", "needs 1 bytes, 0 are left"),
        (Seq(U32), "9f01", "needs 1 bytes, 0 are left"),
        (Option(U32), "f7", "found undefined, needs integer"),
        (PAIR, "a0", "field L is missing"),
        (PAIR, "a2614c01614c01", "field L occurs twice"),
        (PAIR, "a2614c010002", "field L occurs twice"),
        (PAIR, "a1614c6161", "L: found str, needs integer"),
        (PAIR, "a1f601", "found null, needs name or position"),
        (PAIR, "a12001", "found int, needs name or position"),
        (PAIR, "a1f501", "found bool, needs name or position"),
        (PAIR, "8101", "struct has 1 members, needs 2"),
        (PAIR, "05", "found int, needs struct"),
        (TUPLE, "a0", "found map, needs array"),
        (TUPLE, "83010203", "array has 3 elements, needs 2"),
        (ENUM, "6450616972", "found str, needs map of one variant"),
        (ENUM, "a0", "found map, needs map of one variant"),
        (ENUM, "8101", "found array, needs map of one variant"),
        (ENUM, "a16350616900", "unknown variant 'Pai'"),
        (ENUM, "a10200", "unknown variant 2"),
        (ENUM, "a1f500", "found bool, needs name or position"),
        (GROUP, "82018101", "found int, needs tagged enum"),
        (GROUP, "820181a0", "tagged enum has 0 of the fields type and args, needs 2"),
        (GROUP, "820181a1647479706500", "tagged enum has 1 of the fields"),
        (GROUP, "820181a2647479706500647479706500", "field type occurs twice"),
        (GROUP, "820181820500", "unknown variant 5"),
    ],
)
def test_refused(shape: Shape[Any], data: str, text: str) -> None:
    with pytest.raises(CborError) as caught:
        from_bytes(shape, bytes.fromhex(data))
    assert text in str(caught.value)


def test_a_converter_may_refuse() -> None:
    def even(value: int) -> int:
        if value % 2:
            raise InvalidError(f"{value} is odd")
        return value

    shape = Struct(Pair, Member("left", Mapped(U32, even, int)), Member("right", Option(U32)))
    assert from_bytes(shape, b"\x82\x04\xf6") == Pair(4, None)
    with pytest.raises(CborError, match="5 is odd"):
        from_bytes(shape, b"\x82\x05\xf6")


def test_at_most_127_containers_are_open_at_once() -> None:
    assert from_bytes(PAIR, b"\xa2\x61L\x01\x61z" + b"\x81" * 126 + b"\x00") == Pair(1, None)
    with pytest.raises(CborError, match="nested too deep"):
        from_bytes(PAIR, b"\xa2\x61L\x01\x61z" + b"\x81" * 127 + b"\x00")
    with pytest.raises(CborError):
        from_bytes(U32, b"\x81" * 1_000_000)
    group = Group(1, ())
    for _ in range(41):
        group = Group(1, (group,))
    assert from_bytes(GROUP, to_bytes(GROUP, group)) == group
    with pytest.raises(CborError, match="nested too deep"):
        to_bytes(GROUP, Group(1, (group,)))


@pytest.mark.parametrize("value", [-1, 2**64])
def test_integers_of_other_sizes_are_not_written(value: int) -> None:
    with pytest.raises(CborError, match="integer outside of 64 unsigned bits"):
        to_bytes(U64, value)


def test_many_empty_containers_are_refused() -> None:
    with pytest.raises(CborError, match="too many items for its size"):
        from_bytes(U32, b"\x99\xff\xff" + b"\x80" * 65_535)
    with pytest.raises(CborError, match="found array"):
        from_bytes(U32, b"\x99\xff\xff" + b"\x00" * 65_535)


def test_many_tags_are_skipped() -> None:
    assert from_bytes(U32, b"\xc1" * 100_000 + b"\x05") == 5
