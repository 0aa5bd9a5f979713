"""Shapes of integers, texts, byte strings, lists and options."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from mcnode.codec.cbor.item import CborError, Item, Shape, wrong
from mcnode.errors import InvalidError

T = TypeVar("T")


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
            raise wrong("integer", item)
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
            raise wrong("text", item)
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
        raise wrong("array of integers", item)
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
            raise wrong("array", item)
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
