"""Whatever is built validates and conserves value; whatever is changed afterwards does not."""

import dataclasses
import itertools
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcnode.codec.errors import DecodeError
from mcnode.codec.protobuf import decode, encode
from mcnode.codec.schema import FIXED64, OPTIONAL, spec_of
from mcnode.conformance.tx_fixture import TxFixture
from mcnode.conformance.vectors import read_unpacked
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.builder import SignedContingentInputBuilder
from mcnode.transaction.errors import network_name
from mcnode.transaction.explanation import explain
from mcnode.transaction.messages import Amount, Tx, TxOutMembershipProof
from mcnode.transaction.sci import with_membership_proofs
from mcnode.transaction.tx_out import view_key_match
from mcnode.transaction.validation import (
    Candidate,
    membership_proof_highest_indices,
    validate,
    validate_batch,
)
from mcnode.transaction.validation.errors import TransactionValidationError

VECTORS = Path(__file__).parents[1] / "vectors/transaction/genuine"
FEE = 400_000_000
VALUE = 10 * FEE


@pytest.fixture(scope="module")
def fixtures():
    return {v: TxFixture(BlockVersion(v), tx_out_count=33) for v in range(5)}


@st.composite
def shares(draw, total):
    """1 to 4 values that sum to `total`."""
    cuts = sorted(draw(st.lists(st.integers(0, total), max_size=3)))
    edges = [0, *cuts, total]
    return [end - begin for begin, end in itertools.pairwise(edges)]


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_built_transactions_validate_and_conserve_value(fixtures, data):
    version = data.draw(st.integers(0, 4), label="block version")
    input_count = data.draw(st.integers(1, 3), label="inputs")
    fee = data.draw(st.integers(FEE, 2 * FEE), label="fee")
    values = data.draw(shares(input_count * VALUE - fee), label="values")
    fixture = fixtures[version]
    builder = fixture.builder(fee=fee)
    for number in range(input_count):
        ring = list(range(11 * number, 11 * number + 11))
        builder.add_input(fixture.credentials(data.draw(st.sampled_from(ring)), ring))
    for value in values:
        builder.add_output(Amount(value, 0), fixture.recipient.default_subaddress())
    tx = builder.build()
    assert decode(Tx, encode(tx)) == tx
    validate(tx, 1, version, fixture.root_proofs(tx), FEE)
    view = fixture.recipient.view_private
    found = [view_key_match(tx_out, view).amount.value for tx_out in tx.prefix.outputs]
    assert sum(found) + tx.prefix.fee == input_count * VALUE
    assert sorted(found) == sorted(values)


@pytest.fixture(scope="module")
def payment(fixtures):
    fixture = fixtures[4]
    tx = fixture.payment()
    return encode(tx), fixture.root_proofs(tx)


def passes_changed(encoded, position, difference, judge):
    """Whether a transaction with one byte changed is still taken, as another one.

    A change that only affects how the same message is encoded, or makes an unknown field, is none.
    """
    changed = bytearray(encoded)
    changed[position] ^= difference
    try:
        tx = decode(Tx, bytes(changed))
    except DecodeError:
        return False
    if encode(tx) == encoded:
        return False
    try:
        judge(tx)
    except TransactionValidationError:
        return False
    return True


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_changed_byte_passes(payment, data):
    """Each byte of a transaction matters; this one has nothing in the places of `UNSIGNED`."""
    encoded, roots = payment
    position = data.draw(st.integers(0, len(encoded) - 1), label="byte")
    difference = data.draw(st.integers(1, 255), label="difference")
    assert not passes_changed(
        encoded, position, difference, lambda tx: validate(tx, 1, 4, roots, FEE)
    )


def genuine_payment(name):
    """A transaction of the network's own software, and its judge."""
    [path] = VECTORS.glob("transactions.jsonl*")
    cases = map(json.loads, read_unpacked(path).splitlines())
    case = next(case for case in cases if case["id"] == name)
    proofs = {
        index: decode(TxOutMembershipProof, bytes.fromhex(proof))
        for index, proof in case["root_proofs"].items()
    }
    last = proofs[max(proofs, key=int)]

    def judge(tx):
        roots = [proofs.get(str(i), last) for i in membership_proof_highest_indices(tx)]
        validate(tx, int(case["current_block_index"]), case["block_version"], roots, FEE)

    return bytes.fromhex(case["tx"]), judge


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", ["v0-1x2-mob-rth", "v3-1x2-mob-rth"])
def test_every_byte_of_a_genuine_transaction(name):
    """Of all bytes only those of the fee map digest may change."""
    encoded, judge = genuine_payment(name)
    judge(decode(Tx, encoded))
    digest = decode(Tx, encoded).fee_map_digest
    begin = encoded.rindex(digest)
    passed = {place for place in range(len(encoded)) if passes_changed(encoded, place, 1, judge)}
    assert passed == set(range(begin, begin + len(digest)))


UNSIGNED = {"fee_map_digest"}
"""Members that may change without notice. [docs/protocol/transaction.md#6.5]"""


def variants(value, kind, field):
    """Other values of one member."""
    if field is not None and field.repeated:
        elements = tuple(value)
        yield (*elements, elements[-1]) if elements else (default_element(field),)
        if elements:
            yield elements[:-1]
        if len(elements) > 1:
            yield (elements[1], elements[0], *elements[2:])
        for place, element in enumerate(elements):
            for other in variants(element, kind, None):
                yield (*elements[:place], other, *elements[place + 1 :])
    elif value is None:
        if isinstance(kind, type):
            yield kind()
    elif isinstance(value, bytes):
        yield bytes([value[0] ^ 1, *value[1:]]) if value else b"\x01" * 8
        if value:
            yield bytes([*value[:-1], value[-1] ^ 1])
    elif isinstance(value, int):
        yield value ^ 1
        yield value ^ (1 << 63)
    else:
        if field is not None and field.presence is OPTIONAL:
            yield None
        yield from (other for _, other in changed_messages(value))


def default_element(field):
    if isinstance(field.kind, type):
        return field.kind()
    return 1 if field.kind is FIXED64 else bytes(32)


def changed_messages(message):
    """Each message that differs in one place, with the name of its outermost member there."""
    for attribute, field in spec_of(type(message)).fields.items():
        value = getattr(message, attribute)
        for other in variants(value, field.kind, field):
            yield attribute, dataclasses.replace(message, **{attribute: other})


def roots_of(fixture, tx):
    """Root proofs of whatever the transaction asks for; outside of the ledger the last ones."""
    last = len(fixture.tree) - 1
    return [fixture.tree.proof(min(index, last)) for index in membership_proof_highest_indices(tx)]


def swap(fixture):
    """A transaction that fills somebody's contingent input in part."""
    offer = SignedContingentInputBuilder(
        fixture.block_version, fixture.credentials(0, range(11)), fixture.random_bytes
    )
    offer.add_required_output(Amount(7, 0), fixture.recipient.default_subaddress())
    offer.add_partial_fill_output(Amount(99, 0), fixture.recipient.default_subaddress())
    offer.add_partial_fill_change_output(Amount(VALUE // 2, 0), fixture.sender)
    sci = offer.build()
    proofs = [fixture.tree.proof(index) for index in sci.tx_out_global_indices]
    builder = fixture.builder()
    builder.add_input(fixture.credentials(11, range(11, 22)))
    change = VALUE // 4
    (paid,) = builder.add_presigned_partial_fill_input(
        with_membership_proofs(sci, proofs), Amount(change, 0)
    )
    left = 2 * VALUE - FEE - 7 - paid.value - change
    builder.add_change_output(Amount(left, 0), fixture.sender)
    return builder.build()


@pytest.mark.parametrize("name", ["v0", "v1", "v2", "v3", "v4", "swap"])
def test_no_changed_member_passes(fixtures, name):
    """Every member of every message of a transaction, changed, dropped, doubled or swapped."""
    version = 4 if name == "swap" else int(name[1:])
    fixture = fixtures[version]
    tx = swap(fixture) if name == "swap" else fixture.payment()
    validate(tx, 1, version, fixture.root_proofs(tx), FEE)
    passed, count = set(), 0
    for member, changed in changed_messages(tx):
        if changed == tx:  # equal elements swapped
            continue
        count += 1
        try:
            validate(changed, 1, version, roots_of(fixture, changed), FEE)
        except TransactionValidationError:
            continue
        passed.add(member)
    assert passed == UNSIGNED
    assert count > 500


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_explanations_agree_with_validation(payment, data):
    """The first failed check is the error of `validate`; nothing that decodes breaks either."""
    encoded, roots = payment
    changed = bytearray(encoded)
    for _ in range(data.draw(st.integers(1, 4), label="changes")):
        position = data.draw(st.integers(0, len(encoded) - 1), label="byte")
        changed[position] = data.draw(st.integers(0, 255), label="value")
    try:
        tx = decode(Tx, bytes(changed[: data.draw(st.integers(0, len(encoded)), label="length")]))
    except DecodeError:
        return
    version = data.draw(st.integers(0, 4), label="block version")
    candidate = Candidate(tx, 1, version, roots, FEE)
    (verdict,) = validate_batch([candidate])
    expected = "ok" if verdict is None else network_name(verdict)
    assert explain(candidate.subject()).answer == expected
