"""Declared messages to protobuf bytes and back.

Two encoders exist in the network and their bytes differ, so every encoding names its `Order`. Any
order of fields is read. [docs/protocol/messages.md#2]
"""

import enum
from collections.abc import Iterable
from typing import Any, TypeVar

from mcnode import _native
from mcnode.codec.engine import schema_for
from mcnode.codec.schema import Kind

M = TypeVar("M")

ELEMENTS_FREE = 4096
"""Sub-messages and list elements that any message may have, however short it is."""
BYTES_PER_ELEMENT = 8
"""Beyond those, one for each 8 bytes. Real messages use 20 bytes and more for each; an empty
sub-message of 2 bytes becomes an object of a hundred, and this keeps a hostile message from growing
fiftyfold in memory."""


class Order(enum.Enum):
    """Whose encoding is spoken."""

    PROST = "prost"
    """Stored values, hashed and signed messages, everything inside attested channels. Fields
    ascend by tag, a oneof stands at its lowest tag, required fields are always written, and a
    responder id is a nested message."""
    RUST_PROTOBUF = "rust_protobuf"
    """Archive files and gRPC. Fields in the order of the .proto file, oneofs behind them, scalars
    left out when default, and a responder id is plain text."""


def elements_max(size: int) -> int:
    """How many sub-messages and list elements a message of `size` bytes may have."""
    return ELEMENTS_FREE + size // BYTES_PER_ELEMENT


def encode(message: Any, order: Order = Order.PROST) -> bytes:
    """The bytes of a declared message.

    Raises:
        EncodeError: a value does not fit its field.
    """
    return schema_for(type(message)).encode(message, order is Order.RUST_PROTOBUF)


def decode(cls: type[M], data: bytes, order: Order = Order.PROST) -> M:
    """The message that `data` encodes.

    Absent fields read as defaults, unknown ones are skipped, a repeated sub-message is merged, of
    a repeated scalar the last counts. [docs/protocol/messages.md#3]

    Raises:
        DecodeError: `data` is not such a message, or has more elements than `elements_max` allows.
    """
    schema = schema_for(cls)
    message: M = schema.decode(data, order is Order.RUST_PROTOBUF, elements_max(len(data)))
    return message


def encode_wrapper(kind: Kind, value: Any) -> bytes:
    """The bytes of a fixed-size type (a key, a scalar, a hash) as a message of its own.

    Raises:
        EncodeError: `value` has another type or length.
    """
    return _native.encode_wrapper(kind, value)


def decode_wrapper(kind: Kind, data: bytes) -> bytes:
    """The value in the message of a fixed-size type.

    Raises:
        DecodeError: `data` is not such a message, or the value's length or contents are wrong.
    """
    return _native.decode_wrapper(kind, data)


def packed_rows(sequence: Iterable[Any], *paths: str) -> bytes:
    """Fixed-size values of each element, row after row, for native code.

    `paths` lead from an element to a value, such as `"range.to"`. Integers are 8 bytes
    little-endian, byte strings as they are.

    Raises:
        TypeError: a path does not lead to an integer or to a value of fixed size.
    """
    if isinstance(sequence, _native.LazySequence):
        return sequence.packed(list(paths))
    return b"".join(_packed_value(element, path) for element in sequence for path in paths)


def unpack_rows(cls: type[M], rows: bytes, *paths: str) -> tuple[M, ...]:
    """The inverse of `packed_rows`: messages from rows that this program made, made when asked for.

    Fields that no path leads to have their defaults.

    Raises:
        TypeError: a path does not lead to an integer or to a value of fixed size.
        ValueError: `rows` are not whole rows.
    """
    messages: tuple[M, ...] = schema_for(cls).unpacked(rows, list(paths))
    return messages


def _packed_value(element: Any, path: str) -> bytes:
    for name in path.split("."):
        element = getattr(element, name)
    if isinstance(element, bytes):
        return element
    if isinstance(element, int):
        return element.to_bytes(8, "little")
    raise TypeError(f"{path} is not a path to a fixed-size value")
