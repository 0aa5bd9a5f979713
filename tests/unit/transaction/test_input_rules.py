"""Rules of one input, against a prefix with four outputs of 1000 to one recipient."""

import dataclasses

import pytest

from mcnode.account.account_key import AccountKey
from mcnode.crypto.keys import RistrettoPrivate
from mcnode.crypto.rng import ChaCha12Rng
from mcnode.transaction import input_rules
from mcnode.transaction.amounts import (
    derive_amount_shared_secret,
    make_masked_amount_v2,
)
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.errors import network_name
from mcnode.transaction.input_rules import InputRuleError, check_input_rules
from mcnode.transaction.messages import Amount, InputRules, RevealedTxOut, TxPrefix
from mcnode.transaction.revealed_tx_out import reveal_amount
from mcnode.transaction.tx_out import create_tx_out

TOMBSTONE = 50


@pytest.fixture(scope="module")
def made():
    random_bytes = ChaCha12Rng(bytes(32))
    recipient = AccountKey.random(random_bytes).default_subaddress()
    return [
        create_tx_out(
            BlockVersion(3),
            Amount(1000, 0),
            recipient,
            RistrettoPrivate.random(random_bytes),
            bytes(84),
        )
        for _ in range(4)
    ]


@pytest.fixture
def prefix(made):
    return TxPrefix(outputs=tuple(tx_out for tx_out, _ in made), tombstone_block=TOMBSTONE)


@pytest.fixture
def reveal(made):
    def reveal(position, value, token_id=0):
        tx_out, secret = made[position]
        amount = make_masked_amount_v2(Amount(value, token_id), secret.to_bytes())
        return RevealedTxOut(
            dataclasses.replace(tx_out, masked_amount=amount),
            derive_amount_shared_secret(secret.to_bytes()),
        )

    return reveal


def outcome(rules, prefix):
    try:
        check_input_rules(rules, prefix)
    except InputRuleError as error:
        return network_name(error)
    return "ok"


def test_empty_rules_hold(prefix):
    assert outcome(InputRules(), prefix) == "ok"


@pytest.mark.parametrize(
    ("limit", "expected"),
    [(0, "ok"), (49, "MaxTombstoneBlockExceeded"), (50, "ok"), (51, "ok")],
)
def test_tombstone(prefix, limit, expected):
    assert outcome(InputRules(max_tombstone_block=limit), prefix) == expected


def test_required_outputs_compare_all_fields(prefix):
    required = prefix.outputs[0]
    assert outcome(InputRules(required_outputs=(required,)), prefix) == "ok"
    other = dataclasses.replace(required, e_fog_hint=b"\x01" * 84)
    assert (
        outcome(InputRules(required_outputs=(required, other)), prefix) == "MissingRequiredOutput"
    )


def test_partial_fill_needs_change(prefix, reveal):
    rules = InputRules(partial_fill_outputs=(reveal(1, 2000),))
    assert outcome(rules, prefix) == "PartialFillOutputsNotExpected"
    assert outcome(InputRules(min_partial_fill_value=1), prefix) == "MinPartialFillValueNotExpected"


@pytest.mark.parametrize(
    ("outputs", "change", "minimum", "expected"),
    [
        ([(1, 2000)], (0, 2000), 0, "ok"),
        ([(1, 2000)], (0, 2000), 1000, "ok"),
        ([(1, 2000)], (0, 2000), 1001, "FractionalChangeOutputAmountExceedsLimit"),
        ([(1, 2000)], (0, 2000), 2001, "MinPartialFillValueExceedsPartialFillChange"),
        ([(1, 2000)], (0, 0), 0, "ZeroPartialFillChange"),
        ([(1, 2000)], (0, 500), 0, "FractionalChangeOutputAmountExceedsLimit"),
        ([(1, 2000)], (0, 3000), 0, "FractionalOutputAmountDoesNotRespectFillFraction"),
        ([(1, 3000)], (0, 1500), 0, "ok"),
        ([(1, 3000)], (0, 1501), 0, "FractionalOutputAmountDoesNotRespectFillFraction"),
        ([(1, 2997)], (0, 1501), 0, "FractionalOutputAmountDoesNotRespectFillFraction"),
        ([(1, 0)], (0, 2000), 0, "FractionalOutputAmountDoesNotRespectFillFraction"),
        ([(1, 2000), (2, 1500)], (3, 2000), 0, "ok"),
        ([(1, 2000), (2, 1500)], (2, 1500), 0, "ok"),
        ([(1, 2000), (3, 3000)], (0, 1500), 0, "ok"),
        ([(1, 2**64 - 1)], (0, 2**64 - 1), 0, "FractionalOutputAmountDoesNotRespectFillFraction"),
    ],
)
def test_fill_fraction(prefix, reveal, outputs, change, minimum, expected):
    rules = InputRules(
        partial_fill_outputs=tuple(reveal(*output) for output in outputs),
        partial_fill_change=reveal(*change),
        min_partial_fill_value=minimum,
    )
    assert outcome(rules, prefix) == expected


def test_tokens_must_agree(prefix, reveal):
    rules = InputRules(partial_fill_change=reveal(0, 2000, token_id=1))
    assert outcome(rules, prefix) == "FractionalOutputTokenIdMismatch"
    rules = InputRules(
        partial_fill_outputs=(reveal(1, 2000, token_id=1),), partial_fill_change=reveal(0, 2000)
    )
    assert outcome(rules, prefix) == "FractionalOutputTokenIdMismatch"


def test_outputs_must_be_there(prefix, reveal):
    def moved(revealed):
        tx_out = dataclasses.replace(revealed.tx_out, target_key=b"\x05" * 32)
        return dataclasses.replace(revealed, tx_out=tx_out)

    rules = InputRules(partial_fill_change=moved(reveal(0, 2000)))
    assert outcome(rules, prefix) == "MissingFractionalChangeOutput"
    rules = InputRules(
        partial_fill_outputs=(reveal(1, 2000), moved(reveal(2, 2000))),
        partial_fill_change=reveal(3, 2000),
    )
    assert outcome(rules, prefix) == "MissingFractionalOutput"


def test_secrets_must_open(prefix, reveal):
    change = reveal(0, 2000)
    for secret, expected in (
        (b"", "InvalidAmountSharedSecret"),
        (bytes(31), "InvalidAmountSharedSecret"),
        (b"\x09" * 32, "Amount(InconsistentCommitment)"),
    ):
        rules = InputRules(
            partial_fill_change=dataclasses.replace(change, amount_shared_secret=secret)
        )
        assert outcome(rules, prefix) == f"RevealedTxOut({expected})"
    without = dataclasses.replace(change.tx_out, masked_amount=None)
    rules = InputRules(partial_fill_change=dataclasses.replace(change, tx_out=without))
    assert outcome(rules, prefix) == "RevealedTxOut(TxOutConversion(UnknownMaskedAmountVersion))"


def test_rules_that_say_the_same_are_opened_once(prefix, reveal, monkeypatch):
    """Only the size of a transaction limits the number of rules."""
    opened = []

    def counting(revealed):
        opened.append(revealed)
        return reveal_amount(revealed)

    monkeypatch.setattr(input_rules, "reveal_amount", counting)
    rules = InputRules(
        partial_fill_outputs=(reveal(1, 2000),) * 500, partial_fill_change=reveal(0, 2000)
    )
    assert outcome(rules, prefix) == "ok"
    assert len(opened) == len(set(opened)) <= 4
