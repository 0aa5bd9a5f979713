"""Between generated classes and ours, through bytes: no field is copied by hand.

Works wherever a declared message has the wire form of its `proto/` counterpart, which a test checks
field by field. [docs/protocol/ledger.md#0]
"""

from typing import Any, TypeVar

from google.protobuf.message import Message as ProtobufMessage

from mcnode.codec.protobuf import Order, decode, encode

T = TypeVar("T")
G = TypeVar("G", bound=ProtobufMessage)


def to_generated(value: Any, cls: type[G]) -> G:
    """A declared message as a generated one.

    Raises:
        EncodeError: a value does not fit its field.
    """
    return cls.FromString(encode(value, Order.RUST_PROTOBUF))


def from_generated(message: ProtobufMessage, cls: type[T]) -> T:
    """A generated message as a declared one.

    Raises:
        DecodeError: a fixed-size value has another length, or a key is no key.
    """
    return decode(cls, message.SerializeToString(), Order.RUST_PROTOBUF)
