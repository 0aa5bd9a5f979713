"""Protobuf in both orders, and what is refused with which words."""

import copy
import pickle
from typing import Any

import pytest

from mcnode import _native
from mcnode.codec import schema as s
from mcnode.codec.errors import DecodeError, EncodeError
from mcnode.codec.protobuf import (
    BYTES_PER_ELEMENT,
    ELEMENTS_FREE,
    Order,
    decode,
    decode_wrapper,
    elements_max,
    encode,
    encode_wrapper,
    packed_rows,
    unpack_rows,
)
from mcnode.codec.schema import OPTIONAL, REQUIRED, field, message, oneof, repeated

PROST, RUST_PROTOBUF = Order.PROST, Order.RUST_PROTOBUF


@message
class Point:
    x: int = field(1, s.UINT64)
    y: int = field(2, s.FIXED64, presence=REQUIRED)


@message
class Everything:
    """One field of each kind and presence."""

    low_choice: "Point | Everything | None" = oneof({1: Point, 9: "Everything"})
    key: bytes = field(2, s.COMPRESSED_RISTRETTO)
    memo: bytes | None = field(3, s.ENCRYPTED_MEMO, presence=OPTIONAL)
    points: tuple[Point, ...] = repeated(4, Point, lazy=True)
    packed: tuple[int, ...] = repeated(5, s.UINT32)
    unpacked: tuple[int, ...] = repeated(6, s.UINT64, packed=False)
    number: int = field(7, s.UINT32)
    text: str = field(8, s.TEXT)
    responder_id: str = field(10, s.RESPONDER_ID)
    signature: bytes = field(11, s.VERIFICATION_SIGNATURE)
    maybe: int | None = field(12, s.UINT64, presence=OPTIONAL)
    always_text: str = field(13, s.TEXT, presence=REQUIRED)
    keys: tuple[bytes, ...] = repeated(14, s.HASH32)
    texts: tuple[str, ...] = repeated(15, s.TEXT)
    nested: Point = field(16, Point)
    scalar: bytes = field(17, s.CURVE_SCALAR)


@message(rust_protobuf_order=(1, 3, 2))
class Shuffled:
    third: int = field(3, s.UINT32)
    first: int = field(1, s.UINT32)
    second: int = field(2, s.UINT32)


KEY = bytes(range(32))
FULL = Everything(
    low_choice=Everything(low_choice=Point(1, 2), maybe=0),
    key=KEY,
    memo=bytes(66),
    points=(Point(1, 2), Point(), Point(3, 4)),
    packed=(0, 1, 300),
    unpacked=(0, 2**64 - 1),
    number=7,
    text="füße",
    responder_id="node:1",
    signature=b"sig",
    maybe=0,
    always_text="",
    keys=(KEY, bytes(32)),
    texts=("", "a"),
    nested=Point(5, 6),
    scalar=b"\x05" + bytes(31),
)


@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize("value", [FULL, Everything(), Shuffled(1, 2, 3)])
def test_round_trip(order: Order, value: Any) -> None:
    assert decode(type(value), encode(value, order), order) == value


def test_a_oneof_stands_at_its_lowest_tag_for_prost_and_last_for_rust_protobuf() -> None:
    value = Everything(low_choice=Everything(), key=KEY)
    assert encode(value, PROST).startswith(b"\x4a")
    assert encode(value, RUST_PROTOBUF).startswith(b"\x12\x22\x0a\x20" + KEY)
    assert encode(value, RUST_PROTOBUF).index(b"\x4a") > 36


def test_declared_order_of_rust_protobuf() -> None:
    value = Shuffled(third=3, first=1, second=2)
    assert encode(value, PROST) == bytes.fromhex("080110021803")
    assert encode(value, RUST_PROTOBUF) == bytes.fromhex("080118031002")


def test_required_scalars_are_written_by_prost_alone() -> None:
    assert encode(Point(), PROST) == b"\x11" + bytes(8)
    assert encode(Point(), RUST_PROTOBUF) == b""
    assert encode(Point(0, 1), RUST_PROTOBUF) == b"\x11\x01" + bytes(7)


def test_a_responder_id_is_a_message_for_prost_and_text_for_rust_protobuf() -> None:
    @message
    class WithResponderId:
        responder_id: str = field(1, s.RESPONDER_ID)

    value = WithResponderId("a:1")
    assert encode(value, PROST) == b"\x0a\x05\x0a\x03a:1"
    assert encode(value, RUST_PROTOBUF) == b"\x0a\x03a:1"
    assert encode(WithResponderId(), PROST) == b"\x0a\x00"
    assert encode(WithResponderId(), RUST_PROTOBUF) == b""
    with pytest.raises(DecodeError):
        decode(WithResponderId, b"\x0a\x03a:1", PROST)


def test_absent_fields_are_defaults_and_unknown_ones_skipped() -> None:
    assert decode(Everything, b"") == Everything()
    unknown = bytes.fromhex("a80601a9060102030405060708aa0600ad0601020304ab060801ac06")
    assert decode(Everything, unknown + encode(FULL) + unknown) == FULL


def test_sub_messages_merge_and_scalars_are_replaced() -> None:
    data = encode(Everything(nested=Point(1, 2), number=1)) + bytes.fromhex("82010208093802")
    merged = decode(Everything, data)
    assert (merged.nested, merged.number) == (Point(9, 2), 2)


def test_the_same_alternative_merges_and_another_replaces() -> None:
    first, same, other = b"\x0a\x02\x08\x01", b"\x0a\x09\x11" + bytes([7] + [0] * 7), b"\x4a\x00"
    assert decode(Everything, first + same).low_choice == Point(1, 7)
    assert decode(Everything, first + other).low_choice == Everything()
    assert decode(Everything, other + first).low_choice == Point(1, 0)


def test_a_wrapper_written_without_its_bytes_is_there_with_its_default() -> None:
    assert decode(Everything, b"\x1a\x00").memo == bytes(66)
    assert decode(Everything, b"\x72\x00\x72\x00").keys == (bytes(32),) * 2
    again = b"\x12\x22\x0a\x20" + KEY + b"\x12\x00"
    assert decode(Everything, again).key == KEY


def test_integers_come_packed_or_not() -> None:
    assert decode(Everything, bytes.fromhex("2a0301ac0228052a00")).packed == (1, 300, 5)
    assert decode(Everything, bytes.fromhex("32020102")).unpacked == (1, 2)


def test_a_scalar_is_reduced() -> None:
    order = 2**252 + 27742317777372353535851937790883648493
    data = b"\x8a\x01\x22\x0a\x20" + (order + 5).to_bytes(32, "little")
    assert decode(Everything, data).scalar == b"\x05" + bytes(31)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("0805", "Everything.low_choice: invalid wire type: Varint (expected LengthDelimited)"),
        ("120204", "Everything.key: buffer underflow"),
        ("12020a01", "Everything.key: buffer underflow"),
        ("12030a0101", "Everything.key: Expected exactly 32 bytes, got 1"),
        ("12020801", "Everything.key: invalid wire type: Varint (expected LengthDelimited)"),
        ("1a020a00", "Everything.memo: Expected exactly 66 bytes, got 0"),
        ("22031101", "Everything.points: buffer underflow"),
        ("2203110100", "Point.y: Everything.points: buffer underflow"),
        ("38ffffffffffffffffff7f", "Everything.number: invalid varint"),
        ("420180", "Everything.text: invalid string value: data is not UTF-8 encoded"),
        ("720080", "invalid varint"),
        ("7203", "Everything.keys: buffer underflow"),
        ("4a020a0a", "Everything.low_choice: Everything.low_choice: buffer underflow"),
        ("2a02800180", "invalid varint"),
        ("2a018001", "Everything.packed: delimited length exceeded"),
        ("2a02ff80", "Everything.packed: invalid varint"),
        ("00", "invalid tag value: 0"),
        ("0f", "invalid wire type value: 7"),
        ("feffffffff7f", "invalid key value: 4398046511102"),
        ("ab06b406", "unexpected end group tag"),
        ("ab06ac07", "unexpected end group tag"),
        ("ac06", "unexpected end group tag"),
        ("aa0605", "buffer underflow"),
        ("ad06010203", "buffer underflow"),
    ],
)
def test_refusals(data: str, text: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(Everything, bytes.fromhex(data))
    assert str(caught.value) == f"failed to decode Protobuf message: {text}"


def test_a_refusal_keeps_path_and_description_apart() -> None:
    with pytest.raises(DecodeError) as caught:
        decode(Everything, bytes.fromhex("2203110100"))
    error = caught.value
    assert error.path == ("Point.y", "Everything.points")
    assert error.description == "buffer underflow"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def nested(levels: int) -> bytes:
    data = b""
    for _ in range(levels):
        length = len(data)
        prefix = bytearray()
        while length > 0x7F:
            prefix.append(length & 0x7F | 0x80)
            length >>= 7
        data = b"\x4a" + bytes(prefix) + bytes([length]) + data
    return data


def test_messages_and_groups_nest_a_hundred_deep() -> None:
    deep = decode(Everything, nested(100))
    assert repr(deep).count("Everything(") == 101
    with pytest.raises(DecodeError, match="recursion limit reached"):
        decode(Everything, nested(101))
    decode(Everything, b"\xab\x06" * 99 + b"\xac\x06" * 99)
    with pytest.raises(DecodeError, match="recursion limit reached"):
        decode(Everything, b"\xab\x06" * 101 + b"\xac\x06" * 101)
    with pytest.raises(DecodeError, match="recursion limit reached"):
        decode(Everything, nested(5_000))


def test_what_was_read_at_the_limit_can_be_written() -> None:
    @message
    class Deep:
        inner: "Deep | None" = field(9, "Deep", presence=OPTIONAL)
        always: Point = field(1, Point)

    deep = decode(Deep, nested(100))
    assert encode(deep) == encode(deep, PROST)
    too_deep = Deep()
    for _ in range(201):
        too_deep = Deep(too_deep)
    with pytest.raises(EncodeError, match="recursion limit reached"):
        encode(too_deep)


def test_a_short_message_cannot_have_many_elements() -> None:
    count = ELEMENTS_FREE + 10
    assert elements_max(2 * count) == ELEMENTS_FREE + 2 * count // BYTES_PER_ELEMENT
    assert len(decode(Everything, b"\x22\x00" * 1000).points) == 1000
    hostile = b"\x22\x00" * 100_000
    with pytest.raises(DecodeError, match=f"more than {elements_max(len(hostile))} elements"):
        decode(Everything, hostile)
    with pytest.raises(DecodeError, match="elements"):
        decode(Everything, b"\x7a\x00" * 100_000)


def test_a_claimed_length_sets_nothing_aside() -> None:
    for start in ("12", "22", "2a", "42", "72", "7a", "0a"):
        with pytest.raises(DecodeError, match="buffer underflow"):
            decode(Everything, bytes.fromhex(start + "ffffffffffffffffff01"))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"key": bytes(31)}, "Everything.key: expected 32 bytes, found 31"),
        ({"key": "text"}, "Everything.key: expected bytes, found str"),
        ({"key": None}, "Everything.key: expected bytes, found NoneType"),
        ({"number": 2**32}, "Everything.number: expected int from 0 to 4294967295, found int"),
        ({"maybe": -1}, "Everything.maybe: expected int from 0 to 18446744073709551615, found int"),
        ({"text": b""}, "Everything.text: expected str, found bytes"),
        ({"text": "\ud800"}, "Everything.text: expected text without surrogates"),
        ({"points": {}}, "Everything.points: expected tuple, found dict"),
        ({"points": (1,)}, "Everything.points: expected Point, found int"),
        ({"points": (Point(-1),)}, "Point.x: Everything.points: expected int from 0 to "),
        ({"low_choice": Shuffled()}, "low_choice: expected Point or Everything, found Shuffled"),
        ({"low_choice": Point(y=-1)}, "Point.y: Everything.low_choice: expected int"),
        ({"nested": None}, "Everything.nested: expected Point, found NoneType"),
        ({"packed": (-1,)}, "Everything.packed: expected int from 0 to 4294967295, found int"),
        ({"keys": (b"",)}, "Everything.keys: expected 32 bytes, found 0"),
    ],
)
def test_values_that_do_not_fit(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(EncodeError) as caught:
        encode(Everything(**changes))
    assert str(caught.value).startswith("message cannot be written: ")
    assert text in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_a_bool_field_takes_bools_alone() -> None:
    @message
    class WithFlag:
        flag: bool = field(1, s.BOOL)
        flags: tuple[bool, ...] = repeated(2, s.BOOL)

    value = WithFlag(True, (True, False))
    assert decode(WithFlag, encode(value)) == value
    assert decode(WithFlag, b"\x08\x02").flag is True
    with pytest.raises(EncodeError, match="expected bool, found int"):
        encode(WithFlag(1))  # type: ignore[arg-type]


def test_a_half_made_object_is_refused() -> None:
    with pytest.raises(EncodeError, match=r"Point\.x: "):
        encode(object.__new__(Point))


def test_lists_serve_as_tuples() -> None:
    value = Everything(points=[Point(1, 2)], packed=[1])  # type: ignore[arg-type]
    assert decode(Everything, encode(value)).points == (Point(1, 2),)


def test_subclasses_serve_as_their_base() -> None:
    class Named(Point):
        pass

    assert encode(Everything(nested=Named(1, 2))) == encode(Everything(nested=Point(1, 2)))


@pytest.mark.parametrize(
    ("kind", "value"),
    [(s.COMPRESSED_RISTRETTO, KEY), (s.ENCRYPTED_FOG_HINT, bytes(84)), (s.RESPONDER_ID, "a:1")],
)
def test_wrappers_alone(kind: s.Kind, value: Any) -> None:
    data = encode_wrapper(kind, value)
    raw = value if isinstance(value, bytes) else value.encode()
    assert data == b"\x0a" + bytes([len(raw)]) + raw
    assert decode_wrapper(kind, data) == raw
    assert decode_wrapper(kind, data + b"\x10\x05") == raw


def test_wrappers_refuse() -> None:
    with pytest.raises(DecodeError, match="EncryptedFogHint: expected 84 bytes, got 1"):
        decode_wrapper(s.ENCRYPTED_FOG_HINT, b"\x0a\x01\x00")
    with pytest.raises(DecodeError, match="The provided public key is invalid"):
        decode_wrapper(s.RISTRETTO_PUBLIC, b"\x0a\x20" + b"\xff" * 32)
    with pytest.raises(DecodeError, match="The provided private key is invalid"):
        decode_wrapper(s.RISTRETTO_PRIVATE, b"\x0a\x20" + b"\xff" * 32)
    with pytest.raises(DecodeError, match="The provided public key is invalid"):
        decode_wrapper(s.ED25519_PUBLIC, b"\x0a\x20\x02" + bytes(31))
    with pytest.raises(EncodeError, match="expected 32 bytes, found 3"):
        encode_wrapper(s.HASH32, b"abc")


def test_checked_values_pass() -> None:
    base = _native.base_multiply(b"\x01" + bytes(31))
    assert decode_wrapper(s.RISTRETTO_PUBLIC, b"\x0a\x20" + base) == base
    assert decode_wrapper(s.RISTRETTO_PRIVATE, b"\x0a\x20\x07" + bytes(31)) == b"\x07" + bytes(31)
    below_order = (2**252 + 27742317777372353535851937790883648492).to_bytes(32, "little")
    assert decode_wrapper(s.RISTRETTO_PRIVATE, b"\x0a\x20" + below_order) == below_order


# --- lazy sequences ---


@pytest.fixture
def lazy() -> Any:
    return decode(Everything, encode(FULL)).points


def test_a_lazy_sequence_behaves_like_the_tuple(lazy: Any) -> None:
    points = FULL.points
    assert isinstance(lazy, _native.LazySequence)
    assert len(lazy) == 3
    assert (lazy[0], lazy[-1], lazy[1:], lazy[::-2]) == (
        points[0],
        points[-1],
        points[1:],
        points[::-2],
    )
    assert tuple(lazy) == points
    assert lazy == points
    assert points == lazy
    assert lazy == decode(Everything, encode(FULL)).points
    assert lazy != points[:2]
    assert lazy != list(points)
    assert hash(lazy) == hash(points)
    assert repr(lazy) == repr(points)
    assert points[2] in lazy
    assert (lazy.count(Point()), lazy.index(Point())) == (1, 1)
    assert (copy.deepcopy(lazy), pickle.loads(pickle.dumps(lazy))) == (points, points)


def test_a_lazy_sequence_has_an_end(lazy: Any) -> None:
    for index in (3, -4):
        with pytest.raises(IndexError, match=f"index {index} is outside of 3 elements"):
            lazy[index]
    with pytest.raises(TypeError):
        lazy["x"]


def test_a_lazy_sequence_goes_back_as_it_came(lazy: Any) -> None:
    assert encode(Everything(points=lazy)) == encode(Everything(points=FULL.points))


def test_a_lazy_sequence_of_something_else_is_refused(lazy: Any) -> None:
    @message
    class OtherPoints:
        points: tuple[Shuffled, ...] = repeated(1, Shuffled)

    with pytest.raises(EncodeError, match="expected Shuffled, found Point"):
        encode(OtherPoints(lazy))


@message
class Row:
    point: Point = field(1, Point)
    key: bytes = field(2, s.HASH32)
    note: str = field(3, s.TEXT)
    many: tuple[int, ...] = repeated(4, s.UINT64)


@message
class Rows:
    rows: tuple[Row, ...] = repeated(1, Row, lazy=True)


ROWS = (Row(Point(1, 2), KEY), Row(), Row(Point(2**64 - 1, 0), bytes(32)))


def test_packed_rows_are_the_same_for_both_kinds_of_sequence() -> None:
    lazy_rows = decode(Rows, encode(Rows(ROWS))).rows
    paths = ("point.y", "key", "point.x")
    expected = b"".join(
        row.point.y.to_bytes(8, "little") + row.key + row.point.x.to_bytes(8, "little")
        for row in ROWS
    )
    assert packed_rows(lazy_rows, *paths) == packed_rows(ROWS, *paths) == expected


@pytest.mark.parametrize("path", ["note", "point", "many", "nothing", "key.deeper", "point.z"])
def test_packed_rows_refuse_other_paths(path: str) -> None:
    lazy_rows = decode(Rows, encode(Rows(ROWS))).rows
    with pytest.raises(TypeError, match=f"{path} is not a path to a fixed-size value"):
        packed_rows(lazy_rows, path)
    with pytest.raises((TypeError, AttributeError)):
        packed_rows(ROWS, path)


def test_rows_become_messages_again() -> None:
    paths = ("point.y", "key", "point.x")
    rows = unpack_rows(Row, packed_rows(ROWS, *paths), *paths)
    assert rows == ROWS
    assert encode(Rows(rows)) == encode(Rows(ROWS))
    assert unpack_rows(Row, KEY, "key") == (Row(key=KEY),)
    assert unpack_rows(Row, b"", "key") == ()


def test_only_whole_rows_become_messages() -> None:
    with pytest.raises(ValueError, match="31 bytes are not rows of 32"):
        unpack_rows(Row, bytes(31), "key")
    with pytest.raises(ValueError, match="0 bytes are not rows of 0"):
        unpack_rows(Row, b"")
    with pytest.raises(TypeError, match="note is not a path to a fixed-size value"):
        unpack_rows(Row, b"", "note")
