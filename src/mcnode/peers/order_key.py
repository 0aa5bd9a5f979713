"""The network's order of mint transactions: field by field, in order of declaration.

Every node must order them alike, because the order decides what a block holds. An absent optional
field sorts before a present one; lists compare element by element. [docs/protocol/scp.md#2.2]
"""

from typing import Any

from mcnode.codec.schema import OPTIONAL, spec_of


def order_key(message: object) -> tuple[Any, ...]:
    """A nested tuple that compares and hashes as the declared message does on the network."""
    spec = spec_of(type(message))
    return tuple(
        _optional(getattr(message, name))
        if field.presence is OPTIONAL
        else _part(getattr(message, name))
        for name, field in spec.fields.items()
    )


def _optional(value: object) -> tuple[Any, ...]:
    return () if value is None else (_part(value),)


def _part(value: object) -> Any:
    match value:
        case int() | str() | bytes():
            return value
        case tuple():
            return tuple(_part(element) for element in value)
        case _:
            return order_key(value)
