"""CBOR as the peers speak it: shapes that read what their software reads and write what it writes.

Written: definite lengths, shortest integers, structs as maps with text keys in order of
declaration, an enum as a map of one entry, an absent option as null. Read: also longer forms of
integers, indefinite lengths, tags (skipped), structs as plain arrays, fields named by position or
by a byte string, unknown fields. Refused: missing and repeated fields, bytes behind the item, more
than 127 containers open at once. [docs/protocol/scp.md#4.3]

A shape is put together once and used both ways::

    NODE_ID = Struct(NodeID, Member("responder_id", TEXT), Member("public_key", ByteString(32)))

    to_bytes(NODE_ID, node_id)
    from_bytes(NODE_ID, data)
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from mcnode import _native
from mcnode.errors import InvalidError

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

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
        CborError: it nests deeper than 127 containers.
    """
    try:
        return _native.cbor_write(shape.write(value), DEPTH_MAX)
    except ValueError as error:
        raise CborError(f"{error}, limit {DEPTH_MAX}") from None


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


def _wrong(expected: str, item: Item) -> CborError:
    found = {list: "array", tuple: "map", type(None): "null", type(...): "undefined"}
    return CborError(f"found {found.get(type(item), type(item).__name__)}, needs {expected}")


@dataclasses.dataclass(frozen=True, slots=True)
class UInt:
    """An unsigned integer of `bits` bits."""

    bits: int

    def write(self, value: int) -> Item:
        """The integer itself."""
        return value

    def read(self, item: Item) -> int:
        """An integer from 0 to 2^bits - 1."""
        if type(item) is not int:
            raise _wrong("integer", item)
        if not 0 <= item < 1 << self.bits:
            raise CborError(f"integer {item} is outside of {self.bits} unsigned bits")
        return item


U32 = UInt(32)
U64 = UInt(64)


@dataclasses.dataclass(frozen=True, slots=True)
class Text:
    """A text; on input also a byte string of UTF-8."""

    def write(self, value: str) -> Item:
        """The text itself."""
        return value

    def read(self, item: Item) -> str:
        """The text."""
        if isinstance(item, bytes):
            try:
                return item.decode()
            except UnicodeDecodeError:
                raise CborError("text is not UTF-8") from None
        if not isinstance(item, str):
            raise _wrong("text", item)
        return item


TEXT = Text()


@dataclasses.dataclass(frozen=True, slots=True)
class ByteString:
    """A byte string of fixed length; on input also an array of integers."""

    length: int

    def write(self, value: bytes) -> Item:
        """The bytes themselves."""
        return value

    def read(self, item: Item) -> bytes:
        """The bytes."""
        return _exact(item if isinstance(item, bytes) else _small_integers(item), self.length)


@dataclasses.dataclass(frozen=True, slots=True)
class IntArray:
    """Bytes as an array of integers; `length` is free when `None`.

    With `or_byte_string` a byte string is read too: signatures are lenient, hashes are not.
    """

    length: int | None = None
    or_byte_string: bool = False

    def write(self, value: bytes) -> Item:
        """The bytes as integers."""
        return list(value)

    def read(self, item: Item) -> bytes:
        """The bytes."""
        if self.or_byte_string and isinstance(item, bytes):
            return _exact(item, self.length)
        return _exact(_small_integers(item), self.length)


def _small_integers(item: Item) -> bytes:
    if not isinstance(item, list) or not all(type(element) is int for element in item):
        raise _wrong("array of integers", item)
    try:
        return bytes(item)
    except ValueError:
        raise CborError("array has an integer outside of 8 unsigned bits") from None


def _exact(value: bytes, length: int | None) -> bytes:
    if length is not None and len(value) != length:
        raise CborError(f"found {len(value)} bytes, needs {length}")
    return value


@dataclasses.dataclass(frozen=True, slots=True)
class Seq(Generic[T]):
    """A list, held as a tuple."""

    element: Shape[T]

    def write(self, value: Sequence[T]) -> Item:
        """An array."""
        return [self.element.write(each) for each in value]

    def read(self, item: Item) -> tuple[T, ...]:
        """The elements in their order."""
        if not isinstance(item, list):
            raise _wrong("array", item)
        return tuple(self.element.read(each) for each in item)


@dataclasses.dataclass(frozen=True, slots=True)
class Option(Generic[T]):
    """A value or null. As a struct's member it may be missing."""

    some: Shape[T]

    def write(self, value: T | None) -> Item:
        """The value's item, or null."""
        return None if value is None else self.some.write(value)

    def read(self, item: Item) -> T | None:
        """The value, or None."""
        return None if item is None else self.some.read(item)


@dataclasses.dataclass(frozen=True, slots=True)
class Mapped(Generic[T]):
    """Another shape's value, converted: `make` after reading (it may check), `take` before writing.

    An `InvalidError` of `make` is passed on as a `CborError`.
    """

    inner: Shape[Any]
    make: Callable[[Any], T]
    take: Callable[[T], Any]

    def write(self, value: T) -> Item:
        """The inner shape's item."""
        return self.inner.write(self.take(value))

    def read(self, item: Item) -> T:
        """The converted value."""
        value = self.inner.read(item)
        try:
            return self.make(value)
        except InvalidError as error:
            raise CborError(str(error)) from error


@dataclasses.dataclass(frozen=True, slots=True)
class Later(Generic[T]):
    """A shape defined further down, for shapes that hold themselves."""

    shape: Callable[[], Shape[T]]

    def write(self, value: T) -> Item:
        """As the shape itself."""
        return self.shape().write(value)

    def read(self, item: Item) -> T:
        """As the shape itself."""
        return self.shape().read(item)


@dataclasses.dataclass(frozen=True, slots=True)
class Member:
    """A struct's field: its key, its shape, and the attribute where that is not the key."""

    key: str
    shape: Shape[Any]
    attribute: str | None = None

    @property
    def name(self) -> str:
        """The attribute's name."""
        return self.attribute or self.key


class Struct(Generic[T]):
    """A class by its fields: `make` is called with them as keyword arguments."""

    def __init__(self, make: Callable[..., T], *members: Member) -> None:
        self._make = make
        self._members = members
        self._positions: dict[Item, int] = {}
        for position, member in enumerate(members):
            for key in (member.key, member.key.encode(), position):
                self._positions[key] = position

    def write(self, value: T) -> Item:
        """A map."""
        return tuple((m.key, m.shape.write(getattr(value, m.name))) for m in self._members)

    def read(self, item: Item) -> T:
        """From a map in any order, or from an array of exactly the fields."""
        if isinstance(item, list):
            if len(item) != len(self._members):
                raise CborError(f"struct has {len(item)} members, needs {len(self._members)}")
            found = dict(enumerate(item))
        else:
            found = self._by_position(item)
        return self._make(**{m.name: self._member(p, found) for p, m in enumerate(self._members)})

    def _by_position(self, item: Item) -> dict[int, Item]:
        found: dict[int, Item] = {}
        for key, value in _pairs(item, "struct"):
            position = self._positions.get(_identifier(key))
            if position is None:
                continue
            if position in found:
                raise CborError(f"field {self._members[position].key} occurs twice")
            found[position] = value
        return found

    def _member(self, position: int, found: Mapping[int, Item]) -> Any:
        member = self._members[position]
        if position not in found:
            if isinstance(member.shape, Option):
                return None
            raise CborError(f"field {member.key} is missing")
        try:
            return member.shape.read(found[position])
        except CborError as error:
            raise CborError(f"{member.key}: {error}") from error


class TupleStruct(Generic[T]):
    """A class by its fields in order, as an array of exactly these; the members' keys are the
    attributes."""

    def __init__(self, make: Callable[..., T], *members: Member) -> None:
        self._make = make
        self._members = members

    def write(self, value: T) -> Item:
        """An array."""
        return [m.shape.write(getattr(value, m.name)) for m in self._members]

    def read(self, item: Item) -> T:
        """From an array."""
        if not isinstance(item, list):
            raise _wrong("array", item)
        if len(item) != len(self._members):
            raise CborError(f"array has {len(item)} elements, needs {len(self._members)}")
        parts = zip(self._members, item, strict=True)
        return self._make(**{m.name: m.shape.read(part) for m, part in parts})


@dataclasses.dataclass(frozen=True, slots=True)
class Variant:
    """One kind of an enum's values: the name on the wire, the class, the shape."""

    name: str
    cls: type
    shape: Shape[Any]


class Variants:
    """The variants of an enum, found by class when writing, by name or position when reading."""

    def __init__(self, *variants: Variant) -> None:
        self._by_class = {variant.cls: variant for variant in variants}
        self._by_name: dict[Item, Variant] = {}
        for position, variant in enumerate(variants):
            for key in (variant.name, variant.name.encode(), position):
                self._by_name[key] = variant

    def of(self, value: Any) -> Variant:
        """The variant of a value."""
        return self._by_class[type(value)]

    def named(self, name: Item) -> Variant:
        """The variant of a name, or of a position.

        Raises:
            CborError: there is none.
        """
        variant = self._by_name.get(_identifier(name))
        if variant is None:
            raise CborError(f"unknown variant {name!r}")
        return variant


class Enum(Generic[T]):
    """A map of one entry, {variant: payload}; on input also an array of the two."""

    def __init__(self, *variants: Variant) -> None:
        self._variants = Variants(*variants)

    def write(self, value: T) -> Item:
        """A map of one entry."""
        variant = self._variants.of(value)
        return ((variant.name, variant.shape.write(value)),)

    def read(self, item: Item) -> T:
        """The payload."""
        if isinstance(item, list) and len(item) == 2:
            name, payload = item
        elif isinstance(item, tuple) and len(item) == 1:
            name, payload = item[0]
        else:
            raise _wrong("map of one variant", item)
        value: T = self._variants.named(name).shape.read(payload)
        return value


class TaggedEnum(Generic[T]):
    """A map {`type`: variant, `args`: payload} in any order; other keys are passed over."""

    def __init__(self, *variants: Variant) -> None:
        self._variants = Variants(*variants)

    def write(self, value: T) -> Item:
        """A map of two entries."""
        variant = self._variants.of(value)
        return (("type", variant.name), ("args", variant.shape.write(value)))

    def read(self, item: Item) -> T:
        """The payload."""
        found: dict[str, Item] = {}
        if isinstance(item, list) and len(item) == 2:
            found = {"type": item[0], "args": item[1]}
        else:
            for key, value in _pairs(item, "tagged enum"):
                name = key.decode(errors="replace") if isinstance(key, bytes) else key
                if name in ("type", "args"):
                    if name in found:
                        raise CborError(f"field {name} occurs twice")
                    found[name] = value
        if len(found) != 2:
            raise CborError(f"tagged enum has {len(found)} of the fields type and args, needs 2")
        payload: T = self._variants.named(found["type"]).shape.read(found["args"])
        return payload


def _pairs(item: Item, what: str) -> Sequence[tuple[Item, Item]]:
    if not isinstance(item, tuple):
        raise _wrong(what, item)
    return item


def _identifier(key: Item) -> Item:
    """A key that can name a field: text, byte string or unsigned integer."""
    if isinstance(key, str | bytes) or (type(key) is int and key >= 0):
        return key
    raise _wrong("name or position", key)
