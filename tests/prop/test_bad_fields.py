"""Bad input, field by field: missing, of another length, out of range, nested, trailing.

Whatever comes, the answer is a typed refusal or a message that passes for a reason listed here.
"""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mcnode.codec.errors import DecodeError
from mcnode.codec.protobuf import decode, encode
from mcnode.codec.schema import (
    OPTIONAL,
    Check,
    FieldSpec,
    Kind,
    MessageSpec,
    Wire,
    declared_messages,
    spec_of,
)
from mcnode.conformance.tx_fixture import TxFixture
from mcnode.crypto.keys import Ed25519Private, RistrettoPrivate
from mcnode.crypto.multisig import MultiSig, SignerSet
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.builder import SignedContingentInputBuilder
from mcnode.transaction.errors import TransactionError
from mcnode.transaction.fee_map import FeeMap
from mcnode.transaction.hashing import mint_config_tx_prefix_hash, mint_tx_prefix_hash
from mcnode.transaction.messages import (
    Amount,
    MintConfig,
    MintConfigTx,
    MintConfigTxPrefix,
    MintTx,
    MintTxPrefix,
    SignedContingentInput,
    Tx,
)
from mcnode.transaction.mint import validate_mint_config_tx, validate_mint_tx
from mcnode.transaction.sci import validate_contingent_input, with_membership_proofs
from mcnode.transaction.validation import membership_proof_highest_indices, validate

# --- an encoded message with one field gone bad ---

GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493
"""Of ristretto255: the least scalar that is not canonical."""
VARINT, FIXED64, DELIMITED, GROUP_BEGIN, FIXED32 = 0, 1, 2, 3, 5
UNKNOWN_TAG = 1000
DEEP = 300
MANY = 60_000

Path = tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Bad:
    """An encoded message with one fault."""

    path: Path
    """Names of members down to the field."""
    fault: str
    data: bytes
    must_not_decode: bool
    """Whatever the other fields are: these bytes are no such message."""


def varint(value: int) -> bytes:
    """A base-128 number."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def read_varint(data: bytes, position: int) -> tuple[int, int]:
    """A number, and where it ends."""
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, position


def field_bytes(tag: int, wire: int, payload: bytes) -> bytes:
    """Key, length where there is one, payload."""
    key = varint(tag << 3 | wire)
    return key + (varint(len(payload)) if wire == DELIMITED else b"") + payload


def split(data: bytes) -> list[tuple[int, int, bytes]]:
    """Tag, wire type and payload of each field of an honest message."""
    fields, position = [], 0
    while position < len(data):
        key, position = read_varint(data, position)
        tag, wire = key >> 3, key & 7
        if wire == VARINT:
            _, end = read_varint(data, position)
        elif wire == FIXED64:
            end = position + 8
        else:
            assert wire == DELIMITED
            length, position = read_varint(data, position)
            end = position + length
        fields.append((tag, wire, data[position:end]))
        position = end
    return fields


def join(fields: list[tuple[int, int, bytes]]) -> bytes:
    """The message of these fields."""
    return b"".join(field_bytes(*each) for each in fields)


def bad_messages(data: bytes, spec: MessageSpec, path: Path = ()) -> Iterator[Bad]:
    """Every fault of every field; of a list, in its first and its last element."""
    fields = split(data)
    by_tag = {tag: named for named in spec.fields.items() for tag in _tags(named[1])}
    places: dict[int, list[int]] = {}
    for place, (tag, _, _) in enumerate(fields):
        places.setdefault(tag, []).append(place)
    for tag, found in places.items():
        name, declared = by_tag[tag]
        for place in sorted({found[0], found[-1]}):
            for each in _bad_field(fields[place], declared, (*path, name)):
                fault = dataclasses.replace(
                    each, data=join(fields[:place]) + each.data + join(fields[place + 1 :])
                )
                yield fault
    yield from _bad_ends(data, path)


def _tags(declared: FieldSpec) -> list[int]:
    return [tag for tag, _ in declared.alternatives] or [declared.tag]


def _bad_ends(data: bytes, path: Path) -> Iterator[Bad]:
    """What may stand behind the last field."""
    deep = varint(UNKNOWN_TAG << 3 | GROUP_BEGIN) * DEEP
    yield Bad(path, "unknown field behind it", data + field_bytes(UNKNOWN_TAG, 2, b"x"), False)
    yield Bad(path, "half a key behind it", data + b"\x80", True)
    yield Bad(path, "tag 0 behind it", data + b"\x00\x00", True)
    yield Bad(path, "groups nested deep", data + deep, True)
    yield Bad(
        path, "a length beyond the end", data + field_bytes(UNKNOWN_TAG, 2, bytes(9))[:-4], True
    )


def _bad_field(field: tuple[int, int, bytes], declared: FieldSpec, path: Path) -> Iterator[Bad]:
    tag, wire, payload = field
    whole = field_bytes(tag, wire, payload)
    yield Bad(path, "missing", b"", False)
    yield Bad(path, "doubled", whole * 2, False)
    for other in {VARINT, FIXED64, DELIMITED, FIXED32} - {wire}:
        # Lists of numbers may be packed, so there bytes are no fault of their own.
        if not (declared.packed and DELIMITED in (wire, other)):
            yield Bad(path, f"wire type {other}", _of_wire(tag, other), True)
    if wire == DELIMITED:
        yield from _bad_delimited(tag, payload, declared, path)
    elif wire == VARINT:
        yield Bad(path, "above 64 bits", field_bytes(tag, wire, b"\xff" * 9 + b"\x02"), True)
        yield Bad(path, "eleven bytes", field_bytes(tag, wire, b"\x80" * 10 + b"\x00"), True)
        for value in (0, 1, 2**31, 2**32, 2**63, 2**64 - 1):
            yield Bad(path, f"{value}", field_bytes(tag, wire, varint(value)), False)
    else:
        for value in (0, 1, 2**63, 2**64 - 1):
            yield Bad(path, f"{value}", field_bytes(tag, wire, value.to_bytes(8, "little")), False)


def _of_wire(tag: int, wire: int) -> bytes:
    payload = {VARINT: b"\x01", FIXED64: bytes(8), DELIMITED: b"x", FIXED32: bytes(4)}[wire]
    return field_bytes(tag, wire, payload)


def _bad_delimited(tag: int, payload: bytes, declared: FieldSpec, path: Path) -> Iterator[Bad]:
    kind = declared.kind
    if not isinstance(kind, Kind):
        reference = dict(declared.alternatives).get(tag, kind)
        assert reference is not None
        yield Bad(path, "empty", field_bytes(tag, DELIMITED, b""), False)
        if declared.repeated:
            yield Bad(path, "too many", field_bytes(tag, DELIMITED, b"") * MANY, True)
        for each in bad_messages(payload, spec_of(reference), path):
            yield dataclasses.replace(each, data=field_bytes(tag, DELIMITED, each.data))
    elif kind.wire is Wire.WRAPPER:
        [(_, _, value)] = split(payload)
        for fault, other, refused in _bad_values(value, kind):
            data = field_bytes(tag, DELIMITED, field_bytes(1, DELIMITED, other))
            yield Bad(path, fault, data, refused)
        for each in _bad_ends(payload, path):
            yield dataclasses.replace(each, data=field_bytes(tag, DELIMITED, each.data))
    else:
        for fault, other, _ in _bad_values(payload, kind):
            yield Bad(path, fault, field_bytes(tag, DELIMITED, other), False)


def _bad_values(value: bytes, kind: Kind) -> Iterator[tuple[str, bytes, bool]]:
    """Fault, bytes, and whether no message may hold them."""
    has_length = kind.length is not None
    yield "no bytes", b"", False
    yield "a byte short", value[:-1], has_length
    yield "a byte long", value + b"\x00", has_length
    yield "first bit", bytes([value[0] ^ 1, *value[1:]]) if value else b"\x01", False
    yield "last byte", bytes([*value[:-1], value[-1] ^ 1]), False
    yield "all zero", bytes(len(value)), False
    refused = kind.check in (Check.RISTRETTO_POINT, Check.SCALAR_CANONICAL)
    yield "all ones", b"\xff" * len(value), refused
    if len(value) == 32:
        no_point = b"\x02" + bytes(31)
        yield "no point", no_point, kind.check is Check.EDWARDS_POINT
        canonical = int.from_bytes(value, "little") % GROUP_ORDER
        above = (canonical + GROUP_ORDER).to_bytes(32, "little")
        yield "group order added", above, kind.check is Check.SCALAR_CANONICAL


# --- the messages and their judges ---

FEE = 400_000_000
VALUE = 10 * FEE


@dataclasses.dataclass(frozen=True)
class Case:
    """A sound message, its judge, and the members that the judge does not look at."""

    message: Any
    judge: Callable[[Any], None]
    unlooked: frozenset[Path] = frozenset()


def offer(fixture: TxFixture) -> SignedContingentInput:
    """An offer with everything that an offer may have."""
    builder = SignedContingentInputBuilder(
        fixture.block_version, fixture.credentials(0, range(11)), fixture.random_bytes
    )
    own = fixture.recipient.default_subaddress()
    builder.add_required_output(Amount(7, 0), own)
    builder.add_partial_fill_output(Amount(99, 0), own)
    builder.add_partial_fill_change_output(Amount(VALUE // 2, 0), fixture.sender)
    builder.set_tombstone_block(90)
    return builder.build()


def filled(fixture: TxFixture) -> Tx:
    """A transaction that fills an offer in part."""
    sci = offer(fixture)
    proofs = [fixture.tree.proof(index) for index in sci.tx_out_global_indices]
    builder = fixture.builder()
    builder.add_input(fixture.credentials(11, range(11, 22)))
    change = VALUE // 4
    (paid,) = builder.add_presigned_partial_fill_input(
        with_membership_proofs(sci, proofs), Amount(change, 0)
    )
    builder.add_change_output(Amount(2 * VALUE - FEE - 7 - paid.value - change, 0), fixture.sender)
    return builder.build()


def transaction(version: int, make: Callable[[TxFixture], Tx]) -> Case:
    fixture = TxFixture(BlockVersion(version))
    last = len(fixture.tree) - 1

    def judge(tx: Tx) -> None:
        indices = membership_proof_highest_indices(tx)
        validate(tx, 1, version, [fixture.tree.proof(min(i, last)) for i in indices], FEE)

    tx = dataclasses.replace(make(fixture), fee_map_digest=FeeMap().canonical_digest())
    return Case(tx, judge, frozenset({("fee_map_digest",)}))


def contingent() -> Case:
    # Whoever fills an offer looks up indices and block version; they are signed by nobody.
    unlooked = frozenset({("tx_out_global_indices",), ("block_version",)})
    return Case(offer(TxFixture()), validate_contingent_input, unlooked)


# A multi-signature may hold up to ten signatures, whoever's, as long as enough are right.
MORE_SIGNATURES = frozenset({("signature",), ("signature", "signatures")})
KEY = Ed25519Private(bytes(32))
SIGNERS = SignerSet((KEY.public_key().to_bytes(),), (), 1)


def minting() -> Case:
    view = TxFixture(tx_out_count=1).recipient.default_subaddress().view_public.to_bytes()
    prefix = MintTxPrefix(1, 100, view, view, bytes(64), 20)
    tx = MintTx(prefix, MultiSig((KEY.sign(mint_tx_prefix_hash(prefix)),)))
    config = MintConfig(1, SIGNERS, 100)
    return Case(tx, lambda each: validate_mint_tx(each, 10, 3, config), MORE_SIGNATURES)


def configuring() -> Case:
    nested = SignerSet((), (SIGNERS,), 1)
    prefix = MintConfigTxPrefix(
        1, (MintConfig(1, nested, 100), MintConfig(1, SIGNERS, 7)), bytes(64), 20, 500
    )
    tx = MintConfigTx(prefix, MultiSig((KEY.sign(mint_config_tx_prefix_hash(prefix)),)))
    return Case(tx, lambda each: validate_mint_config_tx(each, 10, 3, SIGNERS), MORE_SIGNATURES)


CASES: dict[str, Callable[[], Case]] = {
    "payment at version 0": lambda: transaction(0, TxFixture.payment),
    "payment at version 4": lambda: transaction(4, TxFixture.payment),
    "swap": lambda: transaction(4, filled),
    "offer": contingent,
    "mint": minting,
    "mint configuration": configuring,
}


def faults(message: Any) -> Iterator[Bad]:
    return bad_messages(encode(message), spec_of(type(message)))


@pytest.mark.parametrize("name", CASES)
def test_each_bad_field_is_refused(name: str) -> None:
    case = CASES[name]()
    case.judge(case.message)
    passed: set[Path] = set()
    seen = set()
    for bad in faults(case.message):
        seen.add(bad.fault)
        where = f"{'.'.join(bad.path)}: {bad.fault}"
        try:
            message = decode(type(case.message), bad.data)
        except DecodeError as error:
            assert "\n" not in str(error), where
            continue
        assert not bad.must_not_decode, where
        if message == case.message:
            continue
        try:
            case.judge(message)
        except TransactionError as error:
            assert "\n" not in str(error), where
        else:
            passed.add(bad.path)
    assert passed == case.unlooked
    assert {"missing", "doubled", "all zero", "a byte short", "groups nested deep"} <= seen


ROOM_MESSAGES = [
    spec for spec in declared_messages() if spec.cls.__module__.startswith("mcnode.transaction.")
]


@pytest.mark.parametrize("spec", ROOM_MESSAGES, ids=lambda spec: spec.cls.__name__)
def test_each_message_refuses_what_its_fields_cannot_hold(spec: MessageSpec) -> None:
    """The same faults in a message with nothing but defaults and one element in every list."""
    message = one_of_each(spec)
    for bad in bad_messages(encode(message), spec):
        try:
            decode(spec.cls, bad.data)
        except DecodeError as error:
            assert "\n" not in str(error)
        else:
            assert not bad.must_not_decode, f"{'.'.join(bad.path)}: {bad.fault}"


def one_of_each(spec: MessageSpec, depth: int = 4) -> Any:
    """A message with every member set, lists and options of one element, down to a depth."""
    changes = {}
    for name, declared in spec.fields.items():
        kind = declared.alternatives[-1][1] if declared.alternatives else declared.kind
        if isinstance(kind, Kind):
            value: Any = one_value(kind)
        elif depth == 0 and (declared.repeated or declared.presence is OPTIONAL):
            continue
        else:
            assert kind is not None
            value = one_of_each(spec_of(kind), depth - 1)
        changes[name] = (value,) if declared.repeated else value
    return spec.cls(**changes)


def one_value(kind: Kind) -> Any:
    match kind.wire:
        case Wire.VARINT32 | Wire.VARINT64 | Wire.FIXED64:
            return 1
        case Wire.BOOL:
            return True
        case Wire.TEXT | Wire.TEXT_WRAPPER:
            return "text"
    if kind.check is Check.EDWARDS_POINT:
        return KEY.public_key().to_bytes()
    if kind.check is Check.RISTRETTO_POINT:
        return RistrettoPrivate(b"\x07" + bytes(31)).public_key().to_bytes()
    return b"\x07" + bytes((kind.length or 32) - 1)
