"""Transactions as JSON, in the layout of the network's offline signers.

Member names are the wire's; integers are numbers, also above 2**53; byte strings are arrays of
numbers, some of them inside an object of one member. [docs/protocol/transaction.md#15]
"""

from typing import Any, TypeVar

from mcnode.codec.schema import CURVE_SCALAR, ENCRYPTED_FOG_HINT, FieldSpec, Kind, Wire, spec_of
from mcnode.crypto.keys import RistrettoPrivate
from mcnode.errors import InvalidError
from mcnode.transaction.amounts import OpenedAmount
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.builder.unsigned_tx import UnsignedTx
from mcnode.transaction.messages import (
    MaskedAmountV1,
    MaskedAmountV2,
    RingMLSAG,
    TxOutSummaryUnblindingData,
    TxPrefix,
)
from mcnode.transaction.ring_ct.rings import (
    InputRing,
    PresignedRing,
    ReducedTxOut,
    SignableRing,
)

M = TypeVar("M")
Json = Any

_VARIANTS = {"V1": MaskedAmountV1, "V2": MaskedAmountV2}
_POINTS = {"commitment", "key_image", "pseudo_output_commitment", "pseudo_output_commitments"}
"""Fields of compressed points that stand in an object; public keys do not."""


class JsonLayoutError(InvalidError):
    """JSON that is no transaction."""

    def __init__(self, path: str, expected: str) -> None:
        super().__init__(f"{path or 'value'} is not {expected}")


def message_to_json(message: Any) -> Json:
    """A declared message as JSON."""
    spec = spec_of(type(message))
    return {
        field.name or attribute: _field_to_json(attribute, field, getattr(message, attribute))
        for attribute, field in spec.fields.items()
    }


def message_from_json(cls: type[M], value: Json, path: str = "") -> M:
    """A declared message from JSON; every member must be there.

    Raises:
        JsonLayoutError: names the place that is wrong.
    """
    if not isinstance(value, dict):
        raise JsonLayoutError(path, "an object")
    members: dict[str, Any] = {}
    for attribute, field in spec_of(cls).fields.items():
        name = field.name or attribute
        where = f"{path}.{name}" if path else name
        if name not in value:
            raise JsonLayoutError(where, "there")
        members[attribute] = _field_from_json(attribute, field, value[name], where)
    return cls(**members)


def unsigned_tx_to_json(unsigned: UnsignedTx) -> Json:
    """An unsigned transaction as JSON; its fee map is not part of it."""
    return {
        "block_version": unsigned.block_version.value,
        "rings": [_ring_to_json(ring) for ring in unsigned.rings],
        "tx_out_unblinding_data": [message_to_json(output) for output in unsigned.outputs],
        "tx_prefix": message_to_json(unsigned.prefix),
    }


def unsigned_tx_from_json(value: Json) -> UnsignedTx:
    """An unsigned transaction from JSON.

    Raises:
        InvalidError: names the place that is wrong.
    """
    rings = _list(_member(value, "rings", ""), "rings")
    outputs = _list(_member(value, "tx_out_unblinding_data", ""), "tx_out_unblinding_data")
    return UnsignedTx(
        BlockVersion(_integer(_member(value, "block_version", ""), 32, "block_version")),
        message_from_json(TxPrefix, _member(value, "tx_prefix", ""), "tx_prefix"),
        tuple(_ring_from_json(ring, f"rings[{n}]") for n, ring in enumerate(rings)),
        tuple(
            message_from_json(TxOutSummaryUnblindingData, output, f"tx_out_unblinding_data[{n}]")
            for n, output in enumerate(outputs)
        ),
    )


def _field_to_json(attribute: str, field: FieldSpec, value: Any) -> Json:
    if field.repeated:
        return [_value_to_json(attribute, field, element) for element in value]
    if value is None:
        return None
    if field.alternatives:
        (variant,) = (name for name, cls in _VARIANTS.items() if type(value) is cls)
        return {variant: message_to_json(value)}
    return _value_to_json(attribute, field, value)


def _value_to_json(attribute: str, field: FieldSpec, value: Any) -> Json:
    if not isinstance(field.kind, Kind):
        return message_to_json(value)
    if not isinstance(value, bytes):
        return value
    wrapper = _wrapper(attribute, field.kind)
    return list(value) if wrapper is None else {wrapper: list(value)}


def _wrapper(attribute: str, kind: Kind) -> str | None:
    if kind == CURVE_SCALAR:
        return "scalar"
    if kind == ENCRYPTED_FOG_HINT:
        return "bytes"
    return "point" if attribute in _POINTS else None


def _field_from_json(attribute: str, field: FieldSpec, value: Json, path: str) -> Any:
    if field.repeated:
        return tuple(
            _value_from_json(attribute, field, element, f"{path}[{number}]")
            for number, element in enumerate(_list(value, path))
        )
    if value is None:
        if field.alternatives or field.presence.value == "optional":
            return None
        raise JsonLayoutError(path, "a value")
    if field.alternatives:
        if not isinstance(value, dict) or len(value) != 1 or next(iter(value)) not in _VARIANTS:
            raise JsonLayoutError(path, "an amount V1 or V2")
        ((variant, inner),) = value.items()
        return message_from_json(_VARIANTS[variant], inner, f"{path}.{variant}")
    return _value_from_json(attribute, field, value, path)


def _value_from_json(attribute: str, field: FieldSpec, value: Json, path: str) -> Any:
    kind = field.kind
    if not isinstance(kind, Kind):
        assert kind is not None
        return message_from_json(spec_of(kind).cls, value, path)
    match kind.wire:
        case Wire.BOOL | Wire.TEXT:
            expected = bool if kind.wire is Wire.BOOL else str
            if not isinstance(value, expected):
                raise JsonLayoutError(path, f"a {expected.__name__}")
            return value
        case Wire.VARINT32:
            return _integer(value, 32, path)
        case Wire.VARINT64 | Wire.FIXED64:
            return _integer(value, 64, path)
    wrapper = _wrapper(attribute, kind)
    if wrapper is not None:
        value = _member(value, wrapper, path)
    return _bytes(value, kind.length, path)


def _ring_to_json(ring: InputRing) -> Json:
    if isinstance(ring, PresignedRing):
        secret = {
            "amount": _amount_to_json(ring.pseudo_output),
            "blinding": list(ring.pseudo_output.blinding),
        }
        return {"Presigned": {"mlsag": message_to_json(ring.mlsag), "pseudo_output_secret": secret}}
    if isinstance(ring.key, int):
        key: Json = {"SubaddressIndex": ring.key}
    else:
        key = {"OneTimeKey": list(ring.key.to_bytes())}
    return {
        "Signable": {
            "members": [_member_to_json(member) for member in ring.members],
            "real_input_index": ring.real_input_index,
            "input_secret": {
                "onetime_key_derive_data": key,
                "amount": _amount_to_json(ring.amount),
                "blinding": list(ring.amount.blinding),
            },
        }
    }


def _amount_to_json(amount: OpenedAmount) -> Json:
    return {"value": amount.value, "token_id": amount.token_id}


def _member_to_json(member: ReducedTxOut) -> Json:
    return {
        "public_key": list(member.public_key),
        "target_key": list(member.target_key),
        "commitment": {"point": list(member.commitment)},
    }


def _ring_from_json(value: Json, path: str) -> InputRing:
    if isinstance(value, dict) and "Presigned" in value:
        inner = value["Presigned"]
        mlsag = message_from_json(RingMLSAG, _member(inner, "mlsag", path), f"{path}.mlsag")
        secret = _member(inner, "pseudo_output_secret", path)
        return PresignedRing(mlsag, _amount_from_json(secret, path))
    inner = _member(value, "Signable", path)
    secret = _member(inner, "input_secret", path)
    members = _list(_member(inner, "members", path), f"{path}.members")
    return SignableRing(
        tuple(_member_from_json(m, f"{path}.members[{n}]") for n, m in enumerate(members)),
        _integer(_member(inner, "real_input_index", path), 64, f"{path}.real_input_index"),
        _key_from_json(_member(secret, "onetime_key_derive_data", path), path),
        _amount_from_json(secret, path),
    )


def _key_from_json(value: Json, path: str) -> RistrettoPrivate | int:
    if isinstance(value, dict) and "SubaddressIndex" in value:
        return _integer(value["SubaddressIndex"], 64, f"{path}.SubaddressIndex")
    return RistrettoPrivate(_bytes(_member(value, "OneTimeKey", path), 32, path))


def _amount_from_json(secret: Json, path: str) -> OpenedAmount:
    amount = _member(secret, "amount", path)
    return OpenedAmount(
        _integer(_member(amount, "value", path), 64, f"{path}.value"),
        _integer(_member(amount, "token_id", path), 64, f"{path}.token_id"),
        _bytes(_member(secret, "blinding", path), 32, f"{path}.blinding"),
    )


def _member_from_json(value: Json, path: str) -> ReducedTxOut:
    point = _member(_member(value, "commitment", path), "point", path)
    return ReducedTxOut(
        _bytes(_member(value, "public_key", path), 32, path),
        _bytes(_member(value, "target_key", path), 32, path),
        _bytes(point, 32, path),
    )


def _member(value: Json, name: str, path: str) -> Json:
    if not isinstance(value, dict) or name not in value:
        raise JsonLayoutError(path, f"an object with {name}")
    return value[name]


def _list(value: Json, path: str) -> list[Json]:
    if not isinstance(value, list):
        raise JsonLayoutError(path, "an array")
    return value


def _integer(value: Json, bits: int, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << bits:
        raise JsonLayoutError(path, f"a number of {bits} bits")
    return value


def _bytes(value: Json, length: int | None, path: str) -> bytes:
    numbers = _list(value, path)
    if length is not None and len(numbers) != length:
        raise JsonLayoutError(path, f"{length} bytes, but {len(numbers)}")
    return bytes(_integer(number, 8, path) for number in numbers)
