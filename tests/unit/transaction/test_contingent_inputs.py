"""Contingent inputs: accepted, refused, and counted."""

import dataclasses

import pytest

from mcnode.crypto.commitment import commit
from mcnode.crypto.keys import RistrettoPrivate
from mcnode.crypto.rng import random_scalar
from mcnode.transaction.amounts import derive_amount_shared_secret
from mcnode.transaction.errors import TransactionError, network_name
from mcnode.transaction.hashing import tx_in_signed_digest
from mcnode.transaction.messages import (
    Amount,
    InputRules,
    RevealedTxOut,
    SignedContingentInput,
    TxIn,
    UnmaskedAmount,
)
from mcnode.transaction.ring_ct.rings import OnetimeKeySigner
from mcnode.transaction.sci import balance_sheet, validate_contingent_input
from mcnode.transaction.tx_out import create_tx_out

VALUE = 4_000_000_000


def output(fixture, value, token_id=0):
    return create_tx_out(
        fixture.block_version,
        Amount(value, token_id),
        fixture.sender.default_subaddress(),
        RistrettoPrivate.random(fixture.random_bytes),
        bytes(84),
    )


def revealed(fixture, value, token_id=0):
    tx_out, secret = output(fixture, value, token_id)
    return RevealedTxOut(tx_out, derive_amount_shared_secret(secret.to_bytes()))


def sign(fixture, rules, **changes):
    """Output 0 of the ledger, spendable by whoever meets the rules."""
    credentials = fixture.credentials(0)
    tx_in = TxIn(credentials.ring, (), rules)
    blinding = random_scalar(fixture.random_bytes)
    mlsag = OnetimeKeySigner().sign(
        tx_in_signed_digest(tx_in), credentials.signable_ring(), blinding, fixture.random_bytes
    )
    amount = UnmaskedAmount(VALUE, 0, blinding)
    made = SignedContingentInput(4, tx_in, mlsag, amount, (), tuple(range(11)))
    return dataclasses.replace(made, **changes)


def outcome(sci):
    try:
        validate_contingent_input(sci)
    except TransactionError as error:
        return network_name(error)
    return "ok"


def test_amounts_and_balance(fixture):
    rules = InputRules(
        partial_fill_outputs=(revealed(fixture, 7, 1),), partial_fill_change=revealed(fixture, 3)
    )
    amounts = validate_contingent_input(sign(fixture, rules))
    assert amounts.pseudo_output == Amount(VALUE, 0)
    assert amounts.partial_fill_outputs == (Amount(7, 1),)
    assert amounts.partial_fill_change == Amount(3, 0)
    assert balance_sheet(amounts, 0) == {0: 3 - VALUE, 1: 0}
    assert balance_sheet(amounts, 1) == {0: 2 - VALUE, 1: 3}
    assert balance_sheet(amounts, 2) == {0: 1 - VALUE, 1: 5}
    assert balance_sheet(amounts, 3) == {0: -VALUE, 1: 7}
    with pytest.raises(TransactionError, match="fill value is 4, limit 3"):
        balance_sheet(amounts, 4)


def test_required_outputs(fixture):
    tx_out, _ = output(fixture, 5, 1)
    sci = sign(fixture, InputRules(required_outputs=(tx_out,)))
    assert outcome(sci) == "WrongNumberOfRequiredOutputAmounts"
    blinding = random_scalar(fixture.random_bytes)
    claimed = UnmaskedAmount(5, 1, blinding)
    sci = dataclasses.replace(sci, required_output_amounts=(claimed,))
    assert outcome(sci) == "RequiredOutputMismatch"
    amount = dataclasses.replace(tx_out.masked_amount, commitment=commit(5, blinding, 1))
    matching = dataclasses.replace(tx_out, masked_amount=amount)
    sci = sign(
        fixture, InputRules(required_outputs=(matching,)), required_output_amounts=(claimed,)
    )
    assert outcome(sci) == "ok"
    assert balance_sheet(validate_contingent_input(sci), 0) == {0: -VALUE, 1: 5}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda s: {"tx_out_global_indices": tuple(range(10))}, "WrongNumberOfGlobalIndices"),
        (lambda s: {"tx_in": dataclasses.replace(s.tx_in, input_rules=None)}, "MissingRules"),
        (
            lambda s: {
                "tx_in": dataclasses.replace(s.tx_in, input_rules=InputRules(max_tombstone_block=9))
            },
            "RingSignature(InvalidSignature)",
        ),
        (
            lambda s: {
                "pseudo_output_amount": dataclasses.replace(s.pseudo_output_amount, value=1)
            },
            "RingSignature(InvalidSignature)",
        ),
        (
            lambda s: {
                "tx_in": dataclasses.replace(
                    s.tx_in,
                    ring=(
                        dataclasses.replace(s.tx_in.ring[0], masked_amount=None),
                        *s.tx_in.ring[1:],
                    ),
                )
            },
            "TxOutConversion(UnknownMaskedAmountVersion)",
        ),
    ],
)
def test_changed_after_signing(fixture, change, expected):
    sci = sign(fixture, InputRules())
    assert outcome(sci) == "ok"
    assert outcome(dataclasses.replace(sci, **change(sci))) == expected


def test_partial_fill_rules(fixture):
    some, zero = revealed(fixture, 5), revealed(fixture, 0)
    no_secret = dataclasses.replace(some, amount_shared_secret=b"")
    for rules, expected in (
        (InputRules(min_partial_fill_value=1), "MissingPartialFillChange"),
        (InputRules(partial_fill_outputs=(some,)), "MissingPartialFillChange"),
        (InputRules(partial_fill_change=zero), "ZeroPartialFillChange"),
        (
            InputRules(partial_fill_change=some, min_partial_fill_value=6),
            "MinPartialFillValueExceedsPartialChange",
        ),
        (
            InputRules(partial_fill_change=some, partial_fill_outputs=(zero,)),
            "ZeroPartialFillOutput",
        ),
        (InputRules(partial_fill_change=no_secret), "RevealedTxOut(InvalidAmountSharedSecret)"),
        (InputRules(partial_fill_change=some, min_partial_fill_value=5), "ok"),
    ):
        assert outcome(sign(fixture, rules)) == expected
