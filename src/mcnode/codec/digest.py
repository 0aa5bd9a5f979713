"""The structured hash: messages and hand-made shapes into Merlin transcripts.

`digest32` hashes a declared message along its declaration. What has no declaration (enums, maps,
block ids) is put together from the nodes below; a declared message may stand wherever a node may::

    digest32("broadcast", Aggregate("ConsensusMsg", {
        "scp_msg": Aggregate("Msg", {...}),
        "prev_block_id": Primitive("bytes", block_id),
    }))

A member of an `Aggregate` is left out when it is absent (`None`), an empty sequence, empty bytes or
empty text, unless it stands in `NeverOmit`. Everywhere else an absent or empty list is hashed as
such. [docs/protocol/crypto.md#4]
"""

import dataclasses
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from mcnode import _native
from mcnode.codec.engine import schema_for
from mcnode.codec.protobuf import elements_max

Pair: TypeAlias = tuple[bytes, bytes]
_DIGEST_BYTES = 32


@dataclasses.dataclass(frozen=True, slots=True)
class Primitive:
    """A typed byte string: `uint`, `int`, `bool`, `bytes`, `str`, `ristretto`, `scalar`, …"""

    type: str
    data: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class List:
    """Elements in order."""

    elements: Sequence["Node"]


@dataclasses.dataclass(frozen=True, slots=True)
class Aggregate:
    """A struct: its name, and its members in order of declaration."""

    name: str
    members: Mapping[str, "Node"]


@dataclasses.dataclass(frozen=True, slots=True)
class Variant:
    """An enum's value: the enum's name, position and name of the variant, and what it holds."""

    enum: str
    position: int
    variant: str
    child: "Node"


@dataclasses.dataclass(frozen=True, slots=True)
class NeverOmit:
    """A member that is hashed even when it is empty."""

    node: "Node"


@dataclasses.dataclass(frozen=True, slots=True)
class WorkedOut:
    """A node whose transcript messages are known already, for the one context it is used under.

    For parts that come again and again. `appends` makes them.
    """

    pairs: tuple[Pair, ...]


Node: TypeAlias = Primitive | List | Aggregate | Variant | NeverOmit | WorkedOut | Any | None
"""`Any` stands for an instance of a declared message."""


def uint(value: int, bits: int) -> Primitive:
    """An unsigned integer of 16, 32 or 64 bits."""
    return Primitive("uint", value.to_bytes(bits // 8, "little"))


def text(value: str) -> Primitive:
    """A text."""
    return Primitive("str", value.encode())


def mapping(entries: Iterable[tuple["Node", "Node"]]) -> List:
    """A map, given as (key, value) in ascending order of keys."""
    return List([Aggregate("Tuple", {"0": NeverOmit(k), "1": NeverOmit(v)}) for k, v in entries])


def digest32(context: str, node: Node) -> bytes:
    """The 32-byte digest of a declared message or another node, under `context`.

    Raises:
        EncodeError: a value does not fit its field.
    """
    if _is_declared(node):
        return schema_for(type(node)).digest32(context.encode(), node)
    transcript = Transcript("digestible")
    transcript.append_node(context, node)
    return transcript.digest()


def digest32_encoded(cls: type, context: str, data: bytes) -> bytes:
    """`digest32(context, decode(cls, data))`, without making the message.

    Raises:
        DecodeError: `data` is not such a message.
    """
    return schema_for(cls).digest32_encoded(context.encode(), data, elements_max(len(data)))


def decode_and_digest32(cls: type[Any], context: str, data: bytes) -> tuple[Any, bytes]:
    """The message that `data` encodes (prost order), and its digest, for the work of one reading.

    Raises:
        DecodeError: `data` is not such a message.
    """
    return schema_for(cls).decode_and_digest32(context.encode(), data, elements_max(len(data)))


class Transcript:
    """A Merlin transcript. [docs/protocol/crypto.md#3]"""

    __slots__ = ("_native",)

    def __init__(self, label: str) -> None:
        self._native = _native.Transcript(label.encode())

    def append_message(self, label: str, message: bytes) -> None:
        """Bind `message` under `label`."""
        self._native.append_message(label.encode(), message)

    def append_u64(self, label: str, value: int) -> None:
        """Bind an integer as 8 bytes little-endian."""
        self.append_message(label, value.to_bytes(8, "little"))

    def append_node(self, context: str, node: Node) -> None:
        """Bind a node, never omitting it."""
        if _is_declared(node):
            self._native.append_declared(context.encode(), schema_for(type(node)), node)
        else:
            self._native.append_pairs(list(appends(context, node)))

    def append_optional(self, context: str, node: Node) -> None:
        """Bind a node as a member of a struct: left out when absent or empty."""
        if not _is_omitted(node):
            self.append_node(context, node)

    def open_aggregate(self, context: str, name: str) -> None:
        """Begin a struct whose members are appended one after another, by `append_optional`."""
        self._native.append_pairs(_open_aggregate(context, name))

    def close_aggregate(self, context: str, name: str) -> None:
        """End a struct; arguments as when it was opened."""
        self._native.append_pairs(_close_aggregate(context, name))

    def open_list(self, context: str, length: int) -> None:
        """Begin a list of `length` elements, at least one, each appended under context ``""``."""
        self._native.append_pairs(_open_list(context, length))

    def challenge_bytes(self, label: str, length: int) -> bytes:
        """`length` bytes that depend on everything bound so far. The transcript goes on."""
        return self._native.challenge_bytes(label.encode(), length)

    def digest(self) -> bytes:
        """The closing 32 bytes of a digest."""
        return self.challenge_bytes("digest32", _DIGEST_BYTES)

    def copy(self) -> "Transcript":
        """A second transcript in the same state."""
        twin = object.__new__(Transcript)
        twin._native = self._native.copy()
        return twin


def pseudo_merlin(context: str, node: Node, algorithm: str = "sha512") -> "hashlib._Hash":
    """A plain hash fed with the node's appends, each part with its length before it.

    The hash object can be given to Ed25519ph, or its first 32 bytes taken.
    [docs/protocol/crypto.md#4.6]
    """
    state = hashlib.new(algorithm)
    for pair in appends(context, node):
        for part in pair:
            state.update(len(part).to_bytes(4, "little") + part)
    return state


def appends(context: str, node: Node) -> Iterator[Pair]:
    """The transcript messages, (label, data), that a node stands for."""
    match node:
        case None:
            yield context.encode(), b""
        case NeverOmit(inner):
            yield from appends(context, inner)
        case WorkedOut(pairs):
            yield from pairs
        case Primitive(type_, data):
            yield context.encode(), b"prim"
            yield type_.encode(), data
        case List(elements):
            yield from _open_list(context, len(elements))
            for element in elements:
                yield from appends("", element)
        case Aggregate(name, members):
            yield from _open_aggregate(context, name)
            for member, child in members.items():
                if not _is_omitted(child):
                    yield from appends(member, child)
            yield from _close_aggregate(context, name)
        case Variant(enum, position, variant, child):
            yield context.encode(), b"var"
            yield b"name", enum.encode()
            yield b"which", position.to_bytes(4, "little")
            yield from appends(variant, child)
        case _:
            yield from schema_for(type(node)).appends(context.encode(), node)


def _open_aggregate(context: str, name: str) -> list[Pair]:
    return [(context.encode(), b"agg"), (b"name", name.encode())]


def _close_aggregate(context: str, name: str) -> list[Pair]:
    return [(context.encode(), b"agg-end"), (b"name", name.encode())]


def _open_list(context: str, length: int) -> list[Pair]:
    if length == 0:
        return [(context.encode(), b"")]
    return [(context.encode(), b"seq"), (b"len", length.to_bytes(8, "little"))]


def _is_omitted(node: Node) -> bool:
    match node:
        case None:
            return True
        case Primitive("bytes" | "str", data):
            return not data
        case List(elements):
            return not elements
        case _:
            return False


def _is_declared(node: Node) -> bool:
    hand_made = (Primitive, List, Aggregate, Variant, NeverOmit, WorkedOut)
    return node is not None and not isinstance(node, hand_made)
