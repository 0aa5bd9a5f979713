"""Whatever is built validates and conserves value; whatever is changed afterwards does not."""

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcnode.codec.errors import DecodeError
from mcnode.codec.protobuf import decode, encode
from mcnode.conformance.tx_fixture import TxFixture
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.messages import Amount, Tx
from mcnode.transaction.tx_out import view_key_match
from mcnode.transaction.validation import validate
from mcnode.transaction.validation.errors import TransactionValidationError

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


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_flipped_bit_passes(payment, data):
    """Each bit of a transaction matters, but those of `fee_map_digest`, which is absent here.

    A flip that only changes how the same message is encoded, or makes an unknown field, is none.
    """
    encoded, roots = payment
    position = data.draw(st.integers(0, len(encoded) - 1), label="byte")
    flipped = bytearray(encoded)
    flipped[position] ^= 1 << data.draw(st.integers(0, 7), label="bit")
    try:
        tx = decode(Tx, bytes(flipped))
    except DecodeError:
        return
    if encode(tx) == encoded or tx.fee_map_digest:
        return
    with pytest.raises(TransactionValidationError):
        validate(tx, 1, 4, roots, FEE)
