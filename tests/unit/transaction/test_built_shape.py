"""What our builder makes has the field order and the sizes of what the network's builder makes.

The genuine transactions are also built again from their secrets, byte by byte; that is a matter of
the conformance run. Here everything is drawn anew, so nothing but the form can agree.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mcnode.codec.protobuf import decode, encode
from mcnode.conformance.tx_fixture import TxFixture
from mcnode.conformance.vectors import read_unpacked
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.builder import RthMemoBuilder
from mcnode.transaction.fee_map import FeeMap
from mcnode.transaction.memo import SenderCredential
from mcnode.transaction.messages import Amount, Tx
from mcnode.transaction.validation import validate

VECTORS = Path(__file__).parents[2] / "vectors/transaction/genuine"
LEDGER_OUTPUTS = 231
"""So many had the ledger of the genuine transactions: proofs then have nine elements."""
NESTED = {
    "": {1: "prefix", 2: "signature"},
    "prefix": {1: "input", 2: "output"},
    "input": {1: "member", 2: "proof"},
    "member": {1: "amount", 6: "amount"},
    "output": {1: "amount", 2: "key", 3: "key", 6: "amount"},
    "amount": {1: "key"},
    "proof": {3: "element"},
    "element": {1: "range", 2: "hash"},
    "signature": {1: "ring", 2: "key"},
    "ring": {1: "scalar", 2: "scalar", 3: "key"},
}
VARINT, FIXED64, DELIMITED = 0, 1, 2


def varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, position


def shape(data: bytes, kind: str = "") -> Iterator[Any]:
    """Field numbers in order with the lengths of bytes; what is nested, nested.

    Numbers depend on where an output stands in the ledger, and are absent when they are 0: those
    of membership proofs are left out.
    """
    position = 0
    while position < len(data):
        tag, position = varint(data, position)
        number, wire = tag >> 3, tag & 7
        if wire == VARINT:
            _, position = varint(data, position)
            if kind not in ("proof", "range"):
                yield number, "varint"
        elif wire == FIXED64:
            position += 8
            yield number, "fixed64"
        else:
            assert wire == DELIMITED
            length, position = varint(data, position)
            part = data[position : position + length]
            position += length
            inner = NESTED.get(kind, {}).get(number)
            yield number, tuple(shape(part, inner)) if inner else length


@pytest.fixture(scope="module")
def genuine() -> dict[str, dict[str, Any]]:
    """The network's transactions by name."""
    [path] = VECTORS.glob("transactions.jsonl*")
    cases = map(json.loads, read_unpacked(path).splitlines())
    return {case["id"]: case for case in cases}


def without_ring_members(parts: tuple[Any, ...]) -> tuple[tuple[Any, ...], set[Any]]:
    """The shape of a transaction less those of its ring members, and these.

    The genuine ledger has outputs of all block versions; each ring draws its own.
    """
    (_, prefix), *rest = parts
    members, fields = set(), []
    for number, inner in prefix:
        if number != 1:  # not an input
            fields.append((number, inner))
            continue
        members |= {of_part for part, of_part in inner if part == 1}
        fields.append((number, tuple((p, "member" if p == 1 else of) for p, of in inner)))
    return (tuple(fields), *rest), members


@pytest.mark.parametrize("version", range(5))
def test_form_and_sizes_are_the_genuine_ones(
    genuine: dict[str, dict[str, Any]], version: int
) -> None:
    case = genuine[f"v{version}-1x2-mob-rth"]
    data = bytes.fromhex(case["tx"])
    fixture = TxFixture(BlockVersion(version), tx_out_count=LEDGER_OUTPUTS)
    memos = RthMemoBuilder(SenderCredential.from_account(fixture.sender), has_destination_memo=True)
    builder = fixture.builder(fee=int(case["fee"]), memo_builder=memos)
    builder.set_tombstone_block(int(case["tombstone_block"]))
    builder.set_fee_map(FeeMap())
    builder.add_input(fixture.credentials(5))
    left = fixture.owned[5].amount.value - builder.fee.value - 1000
    builder.add_output(Amount(1000, 0), fixture.recipient.default_subaddress())
    builder.add_change_output(Amount(left, 0), fixture.sender)
    tx = builder.build()
    validate(tx, 1000, version, fixture.root_proofs(tx), builder.fee.value)

    made = encode(tx)
    assert decode(Tx, made) == tx
    assert encode(decode(Tx, data)) == data
    ours, our_members = without_ring_members(tuple(shape(made)))
    theirs, _ = without_ring_members(tuple(shape(data)))
    assert ours == theirs
    their_members: set[Any] = set()
    for other in genuine.values():
        parts = tuple(shape(bytes.fromhex(other["tx"])))
        their_members |= without_ring_members(parts)[1]
    assert our_members <= their_members
