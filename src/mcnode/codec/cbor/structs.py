"""Shapes of structs."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from mcnode.codec.cbor.item import CborError, Item, Shape, identifier, pairs, wrong
from mcnode.codec.cbor.scalars import Option

T = TypeVar("T")


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
        for key, value in pairs(item, "struct"):
            position = self._positions.get(identifier(key))
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
            raise wrong("array", item)
        if len(item) != len(self._members):
            raise CborError(f"array has {len(item)} elements, needs {len(self._members)}")
        parts = zip(self._members, item, strict=True)
        return self._make(**{m.name: m.shape.read(part) for m, part in parts})
