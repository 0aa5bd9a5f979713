"""Shapes of enums."""

import dataclasses
from typing import Any, Generic, TypeVar

from mcnode.codec.cbor.item import CborError, Item, Shape, identifier, pairs, wrong

T = TypeVar("T")


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
        variant = self._by_name.get(identifier(name))
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
            raise wrong("map of one variant", item)
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
            for key, value in pairs(item, "tagged enum"):
                name = key.decode(errors="replace") if isinstance(key, bytes) else key
                if name in ("type", "args"):
                    if name in found:
                        raise CborError(f"field {name} occurs twice")
                    found[name] = value
        if len(found) != 2:
            raise CborError(f"tagged enum has {len(found)} of the fields type and args, needs 2")
        payload: T = self._variants.named(found["type"]).shape.read(found["args"])
        return payload
