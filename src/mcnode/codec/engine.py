"""Compiled declarations: one native schema for each message class, made when first used."""

from collections.abc import Iterator

from mcnode import _native
from mcnode.codec.schema import FieldSpec, Kind, MessageRef, MessageSpec, spec_of

_schemas: dict[type, _native.MessageSchema] = {}


def schema_for(cls: type) -> _native.MessageSchema:
    """The native schema whose root is `cls`; it holds every message that `cls` reaches.

    Raises:
        TypeError: `cls`, or a message that it refers to, is not declared.
    """
    found = _schemas.get(cls)
    if found is None:
        found = _schemas[cls] = _native.MessageSchema(_reachable(spec_of(cls)))
    return found


def _reachable(root: MessageSpec) -> list[MessageSpec]:
    specs = [root]
    for spec in specs:  # grows while it is walked
        for field in spec.fields.values():
            specs += [s for s in map(spec_of, _references(field)) if s not in specs]
    return specs


def _references(field: FieldSpec) -> Iterator[MessageRef]:
    for _, reference in field.alternatives:
        yield reference
    if field.kind is not None and not isinstance(field.kind, Kind):
        yield field.kind
