"""Items: bytes to plain Python values within limits, and the contract of a shape."""

from collections.abc import Sequence
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from mcnode import _native
from mcnode.errors import InvalidError

T = TypeVar("T")

Item: TypeAlias = Any
"""A CBOR item as a Python value: `int`, `bytes`, `str`, `bool`, `None`, `float`, a `list` for an
array, a `tuple` of (key, value) pairs for a map, `...` for undefined."""

DEPTH_MAX = 127
"""Arrays and maps open at once, the outermost included; the peers' own limit."""
OBJECTS_FREE = 1024
"""Strings, arrays and maps that any item may hold, however short."""
BYTES_PER_OBJECT = 4
"""Beyond those, one for each 4 bytes. Real messages use 8 and more for each; an empty array of one
byte becomes an object of 64."""


class CborError(InvalidError):
    """Bytes are not CBOR, or not of the shape that was asked for."""


class Shape(Protocol, Generic[T]):
    """Both ways between a value and its item. `read` raises `CborError`."""

    def write(self, value: T) -> Item:
        """The item of a value."""

    def read(self, item: Item) -> T:
        """The value of an item."""


def to_bytes(shape: Shape[T], value: T) -> bytes:
    """The bytes of `value`.

    Raises:
        CborError: it nests deeper than 127 containers, or an integer is not of 64 unsigned bits.
    """
    try:
        return _native.cbor_write(shape.write(value), DEPTH_MAX)
    except ValueError as error:
        raise CborError(f"value cannot be written as CBOR: {error}") from None


def from_bytes(shape: Shape[T], data: bytes) -> T:
    """The value in `data`.

    Raises:
        CborError: not CBOR, not this shape, or over a limit.
    """
    objects_max = OBJECTS_FREE + len(data) // BYTES_PER_OBJECT
    try:
        item = _native.cbor_read(data, DEPTH_MAX, objects_max)
    except ValueError as error:
        raise CborError(f"not a CBOR item: {error}") from None
    return shape.read(item)


def wrong(expected: str, item: Item) -> CborError:
    """The error for an item of another type."""
    found = {list: "array", tuple: "map", type(None): "null", type(...): "undefined"}
    return CborError(f"found {found.get(type(item), type(item).__name__)}, needs {expected}")


def pairs(item: Item, what: str) -> Sequence[tuple[Item, Item]]:
    """The entries of a map.

    Raises:
        CborError: it is none.
    """
    if not isinstance(item, tuple):
        raise wrong(what, item)
    return item


def identifier(key: Item) -> Item:
    """A key that can name a field: text, byte string or unsigned integer."""
    if isinstance(key, str | bytes) or (type(key) is int and key >= 0):
        return key
    raise wrong("name or position", key)
