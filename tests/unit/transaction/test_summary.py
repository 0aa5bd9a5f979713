"""Summaries: what a signer is told, and what it refuses."""

import dataclasses

import pytest

from mcnode.account.public_address import short_address_hash
from mcnode.transaction.errors import TransactionError, network_name
from mcnode.transaction.hashing import tx_prefix_hash
from mcnode.transaction.messages import Amount, TxSummary
from mcnode.transaction.ring_ct.signing_digest import (
    extended_message_and_tx_summary_digest,
    extended_message_digest,
)
from mcnode.transaction.summary.errors import BufferOverflow, NumericOverflow
from mcnode.transaction.summary.report import OURSELF, SWAP, Entity, Party, SummaryReport
from mcnode.transaction.summary.verifier import TxSummaryVerifier, verify_tx_summary

FEE = 400_000_000
VALUE = 10 * FEE


@pytest.fixture(scope="module")
def summarized(fixture):
    """A payment of 77 with change: extended message, what rings sign, summary, unblinding."""
    builder = fixture.builder()
    builder.add_input(fixture.credentials(2))
    builder.add_output(Amount(77, 0), fixture.recipient.default_subaddress())
    builder.add_change_output(Amount(VALUE - FEE - 77, 0), fixture.sender)
    unsigned = builder.build_unsigned()
    data = unsigned.make_signing_data(fixture.random_bytes)
    extended = extended_message_digest(
        tx_prefix_hash(unsigned.prefix),
        data.pseudo_output_commitments,
        data.range_proof_bytes,
        data.range_proofs,
    )
    return extended, data.message, *unsigned.summarize(data)


def refusal(call, *args):
    with pytest.raises(TransactionError) as caught:
        call(*args)
    return network_name(caught.value)


def test_digest_is_what_the_rings_sign(fixture, summarized):
    extended, message, summary, unblinding = summarized
    digest, report = verify_tx_summary(extended, summary, unblinding, fixture.sender.view_private)
    assert digest == message == extended_message_and_tx_summary_digest(extended, summary)
    recipient = short_address_hash(fixture.recipient.default_subaddress())
    assert report.balance_changes == [
        (OURSELF, 0, -(FEE + 77)),
        (Entity(Party.ADDRESS, recipient), 0, 77),
    ]
    assert (report.network_fee, report.fee_token_id, report.tombstone_block) == (FEE, 0, 100)
    assert str(report) == (
        f"Self:\n\t0: -{FEE + 77}\nAddress hash {recipient.hex()}:\n\t0: 77\n"
        f"Network fee: 0: {FEE}\nTombstone block: 100\n"
    )


def changed(items, position, **changes):
    items = list(items)
    items[position] = dataclasses.replace(items[position], **changes)
    return tuple(items)


def place_of_payment(unblinding):
    return next(n for n, o in enumerate(unblinding.outputs) if o.unmasked_amount.value == 77)


def other_amount(amount):
    return dataclasses.replace(amount, value=amount.value + 1)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            lambda o: {"unmasked_amount": other_amount(o.unmasked_amount)},
            "AddressVerificationFailed",
        ),
        (lambda o: {"tx_private_key": None}, "MissingTxPrivateKey"),
        (lambda o: {"address": None}, "MissingDataRequiredToVerifyTxOutRecipient"),
    ],
)
def test_wrong_unblinding_data(fixture, summarized, change, expected):
    extended, _, summary, unblinding = summarized
    place = place_of_payment(unblinding)
    outputs = changed(unblinding.outputs, place, **change(unblinding.outputs[place]))
    wrong = dataclasses.replace(unblinding, outputs=outputs)
    view_private = fixture.sender.view_private
    assert refusal(verify_tx_summary, extended, summary, wrong, view_private) == expected


def test_counts_must_match(fixture, summarized):
    extended, _, summary, unblinding = summarized
    view_private = fixture.sender.view_private
    for name, expected in (("outputs", "(2, 1)"), ("inputs", "(1, 0)")):
        wrong = dataclasses.replace(unblinding, **{name: getattr(unblinding, name)[1:]})
        found = refusal(verify_tx_summary, extended, summary, wrong, view_private)
        assert found == f"ZipExact(ZipExactError{expected})"


def test_an_input_worth_something_else(fixture, summarized):
    extended, _, summary, unblinding = summarized
    wrong = dataclasses.replace(unblinding, inputs=(other_amount(unblinding.inputs[0]),))
    found = refusal(verify_tx_summary, extended, summary, wrong, fixture.sender.view_private)
    assert found == "AmountVerificationFailed"


def test_unknown_block_version(fixture, summarized):
    extended, _, summary, unblinding = summarized
    wrong = dataclasses.replace(unblinding, block_version=9)
    found = refusal(verify_tx_summary, extended, summary, wrong, fixture.sender.view_private)
    assert found == "BlockVersion(UnsupportedBlockVersion(9, 4))"


def test_pieces_come_in_order(fixture, summarized):
    _, _, summary, unblinding = summarized
    version, view_private = fixture.block_version, fixture.sender.view_private
    pairs = list(zip(summary.outputs, unblinding.outputs, strict=True))
    verifier = TxSummaryVerifier(bytes(32), version, 2, 1, view_private)
    one_input = (summary.inputs[0], unblinding.inputs[0])
    assert refusal(verifier.digest_input, *one_input) == "StillExpectingMoreOutputs"
    assert refusal(verifier.finalize, 0, 0, 0) == "StillExpectingMoreOutputs"
    for pair in pairs:
        verifier.digest_output(*pair)
    assert refusal(verifier.digest_output, *pairs[0]) == "UnexpectedOutput"
    assert refusal(verifier.finalize, 0, 0, 0) == "StillExpectingMoreInputs"
    verifier.digest_input(*one_input)
    assert refusal(verifier.digest_input, *one_input) == "UnexpectedInput"
    digest, _ = verifier.finalize(summary.fee, summary.fee_token_id, summary.tombstone_block)
    assert digest == extended_message_and_tx_summary_digest(bytes(32), summary)


def test_an_empty_summary(fixture):
    version, view_private = fixture.block_version, fixture.sender.view_private
    digest, report = TxSummaryVerifier(bytes(32), version, 0, 0, view_private).finalize(0, 0, 0)
    assert digest == extended_message_and_tx_summary_digest(bytes(32), TxSummary())
    assert report.balance_changes == []


def test_limits_of_the_report():
    report = SummaryReport()
    for token_id in range(32):
        report.add(SWAP, token_id, 2**63 - 1)
    with pytest.raises(BufferOverflow, match="32"):
        report.add(OURSELF, 0, 1)
    for value in (1, 2**63, -(2**63)):
        with pytest.raises(NumericOverflow):
            report.add(SWAP, 0, value)
    assert report.balance_changes[0] == (SWAP, 0, 2**63 - 1)
