"""Transcripts and hand-made nodes. The big oracle is in tests/prop/test_declared_messages.py."""

import hashlib

import pytest

from mcnode.codec import schema as s
from mcnode.codec.digest import (
    Aggregate,
    List,
    NeverOmit,
    Node,
    Primitive,
    Transcript,
    Variant,
    appends,
    decode_and_digest32,
    digest32,
    digest32_encoded,
    mapping,
    pseudo_merlin,
    text,
    uint,
)
from mcnode.codec.errors import DecodeError, EncodeError
from mcnode.codec.protobuf import encode
from mcnode.codec.schema import OPTIONAL, field, message, oneof, repeated


@message(digest_name="Renamed")
class Digested:
    fee: int = field(1, s.UINT64)
    token_id: int = field(2, s.FIXED64, omit_when=0)
    version: int = field(3, s.UINT32)
    flag: bool = field(4, s.BOOL)
    payload: bytes = field(5, s.BYTES)
    kept: bytes = field(6, s.BYTES, never_omit=True)
    maybe: bytes | None = field(7, s.ENCRYPTED_MEMO, presence=OPTIONAL)
    shown: bytes | None = field(8, s.HASH32, presence=OPTIONAL, never_omit=True)
    parts: tuple[bytes, ...] = repeated(9, s.BYTES)
    numbers: tuple[int, ...] = repeated(10, s.UINT32, digest="digits")
    inner: "Digested | None" = field(11, "Digested", presence=OPTIONAL)
    member: "Digested | None" = oneof({12: "Digested"}, digest_enum=("Member", ("Whole",)))
    more: tuple["Digested", ...] = repeated(13, "Digested")


def pairs(context: str, node: Node) -> list[tuple[str, bytes]]:
    return [(label.decode(), data) for label, data in appends(context, node)]


def test_known_challenge() -> None:
    transcript = Transcript("test protocol")
    transcript.append_message("some label", b"some data")
    expected = "d5a21972d0d5fe320c0d263fac7fffb8145aa640af6e9bca177c03c7efcf0615"
    assert transcript.challenge_bytes("challenge", 32).hex() == expected


def test_append_u64_is_eight_bytes() -> None:
    one, two = Transcript("p"), Transcript("p")
    one.append_u64("n", 258)
    two.append_message("n", b"\x02\x01" + bytes(6))
    assert one.digest() == two.digest()


def test_a_copy_goes_its_own_way() -> None:
    transcript = Transcript("p")
    twin = transcript.copy()
    transcript.append_u64("n", 1)
    assert twin.digest() == Transcript("p").digest() != transcript.digest()


def test_nodes_as_appends() -> None:
    assert pairs("c", None) == [("c", b"")]
    assert pairs("c", uint(1, 16)) == [("c", b"prim"), ("uint", b"\x01\x00")]
    assert pairs("c", List([])) == [("c", b"")]
    assert pairs("c", List([text(""), None])) == [
        ("c", b"seq"),
        ("len", b"\x02" + bytes(7)),
        ("", b"prim"),
        ("str", b""),
        ("", b""),
    ]
    assert pairs("c", Variant("E", 3, "V", uint(9, 32))) == [
        ("c", b"var"),
        ("name", b"E"),
        ("which", b"\x03\x00\x00\x00"),
        ("V", b"prim"),
        ("uint", b"\x09\x00\x00\x00"),
    ]


def test_members_are_omitted_when_empty() -> None:
    node = Aggregate(
        "S",
        {
            "none": None,
            "list": List([]),
            "bytes": Primitive("bytes", b""),
            "text": text(""),
            "zero": uint(0, 64),
            "kept": NeverOmit(text("")),
            "kept_none": NeverOmit(None),
        },
    )
    assert pairs("c", node) == [
        ("c", b"agg"),
        ("name", b"S"),
        ("zero", b"prim"),
        ("uint", bytes(8)),
        ("kept", b"prim"),
        ("str", b""),
        ("kept_none", b""),
        ("c", b"agg-end"),
        ("name", b"S"),
    ]


def test_a_map_is_a_list_of_tuples() -> None:
    assert pairs("c", mapping([(uint(1, 64), text(""))])) == [
        ("c", b"seq"),
        ("len", b"\x01" + bytes(7)),
        ("", b"agg"),
        ("name", b"Tuple"),
        ("0", b"prim"),
        ("uint", b"\x01" + bytes(7)),
        ("1", b"prim"),
        ("str", b""),
        ("", b"agg-end"),
        ("name", b"Tuple"),
    ]
    assert pairs("c", mapping([])) == [("c", b"")]


def test_an_empty_declared_message() -> None:
    assert pairs("c", Digested()) == [
        ("c", b"agg"),
        ("name", b"Renamed"),
        ("fee", b"prim"),
        ("uint", bytes(8)),
        ("version", b"prim"),
        ("uint", bytes(4)),
        ("flag", b"prim"),
        ("bool", b"\x00"),
        ("kept", b"prim"),
        ("bytes", b""),
        ("shown", b""),
        ("c", b"agg-end"),
        ("name", b"Renamed"),
    ]


def test_a_full_declared_message_shows_each_rule() -> None:
    found = pairs(
        "c",
        Digested(
            token_id=5,
            maybe=bytes(66),
            shown=bytes(32),
            parts=(b"", b"x"),
            numbers=(7,),
            member=Digested(),
        ),
    )
    assert ("token_id", b"prim") in found
    start = found.index(("maybe", b"agg"))
    assert found[start : start + 5] == [
        ("maybe", b"agg"),
        ("name", b"EncryptedMemo"),
        ("0", b"prim"),
        ("bytes", bytes(66)),
        ("maybe", b"agg-end"),
    ]
    start = found.index(("parts", b"seq"))
    assert found[start + 1 : start + 6] == [
        ("len", b"\x02" + bytes(7)),
        ("", b"prim"),
        ("bytes", b""),
        ("", b"prim"),
        ("bytes", b"x"),
    ]
    start = found.index(("digits", b"seq"))
    assert found[start + 2 : start + 4] == [("", b"prim"), ("uint", b"\x07\x00\x00\x00")]
    start = found.index(("member", b"var"))
    assert found[start + 1 : start + 4] == [
        ("name", b"Member"),
        ("which", bytes(4)),
        ("Whole", b"agg"),
    ]


def test_declared_messages_stand_among_hand_made_nodes() -> None:
    inner = Digested(fee=3)
    node = Aggregate("Outer", {"first": inner, "rest": List([inner, Digested()])})
    transcript = Transcript("digestible")
    transcript.open_aggregate("c", "Outer")
    transcript.append_optional("first", inner)
    transcript.append_optional("absent", None)
    transcript.open_list("rest", 2)
    transcript.append_node("", inner)
    transcript.append_node("", Digested())
    transcript.close_aggregate("c", "Outer")
    assert transcript.digest() == digest32("c", node)


def test_hash_of_bytes_is_the_hash_of_the_message() -> None:
    value = Digested(fee=3, payload=b"x" * 5000, more=(Digested(), Digested(fee=1)))
    digest = digest32("c", value)
    assert digest32_encoded(Digested, "c", encode(value)) == digest
    assert decode_and_digest32(Digested, "c", encode(value)) == (value, digest)
    assert digest32("d", value) != digest


def test_hashing_refuses_what_decoding_and_encoding_refuse() -> None:
    with pytest.raises(DecodeError, match="buffer underflow"):
        digest32_encoded(Digested, "c", b"\x2a\x05")
    with pytest.raises(DecodeError, match="buffer underflow"):
        decode_and_digest32(Digested, "c", b"\x2a\x05")
    for hashing in (digest32, Transcript("p").append_node):
        with pytest.raises(EncodeError, match=r"Digested\.fee"):
            hashing("c", Digested(fee=-1))


def test_pseudo_merlin_feeds_lengths_and_parts_to_a_plain_hash() -> None:
    node = Aggregate("S", {"n": uint(1, 32)})
    stream = b"".join(
        len(part).to_bytes(4, "little") + part for pair in appends("c", node) for part in pair
    )
    assert pseudo_merlin("c", node).digest() == hashlib.sha512(stream).digest()
    assert pseudo_merlin("c", node, "sha256").digest() == hashlib.sha256(stream).digest()
