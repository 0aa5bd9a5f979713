"""CBOR as the peers speak it: shapes that read what their software reads and write what it writes.

Written: definite lengths, shortest integers, structs as maps with text keys in order of
declaration, an enum as a map of one entry, an absent option as null. Read: also longer forms of
integers, indefinite lengths, tags (skipped), structs as plain arrays, fields named by position or
by a byte string, unknown fields. Refused: missing and repeated fields, bytes behind the item, more
than 127 containers open at once. [docs/protocol/messages.md#5]

A shape is put together once and used both ways::

    NODE_ID = Struct(NodeID, Member("responder_id", TEXT), Member("public_key", ByteString(32)))

    to_bytes(NODE_ID, node_id)
    from_bytes(NODE_ID, data)
"""

from mcnode.codec.cbor.enums import Enum, TaggedEnum, Variant
from mcnode.codec.cbor.item import CborError, Item, Shape, from_bytes, to_bytes
from mcnode.codec.cbor.scalars import (
    TEXT,
    U32,
    U64,
    ByteString,
    IntArray,
    Later,
    Mapped,
    Option,
    Seq,
    Text,
    UInt,
)
from mcnode.codec.cbor.structs import Member, Struct, TupleStruct

__all__ = [
    "TEXT",
    "U32",
    "U64",
    "ByteString",
    "CborError",
    "Enum",
    "IntArray",
    "Item",
    "Later",
    "Mapped",
    "Member",
    "Option",
    "Seq",
    "Shape",
    "Struct",
    "TaggedEnum",
    "Text",
    "TupleStruct",
    "UInt",
    "Variant",
    "from_bytes",
    "to_bytes",
]
