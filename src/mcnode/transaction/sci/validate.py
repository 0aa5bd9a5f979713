"""Checking a contingent input before it is used. [docs/protocol/transaction.md#13]

Membership proofs, tombstone and whether the input is spent already are not looked at.
"""

import dataclasses
from collections.abc import Sequence

from mcnode.crypto.commitment import commit
from mcnode.crypto.ring_errors import RingSignatureError
from mcnode.crypto.ring_signature import check_ring_signature
from mcnode.transaction.hashing import tx_in_signed_digest
from mcnode.transaction.messages import (
    Amount,
    InputRules,
    RevealedTxOut,
    SignedContingentInput,
    UnmaskedAmount,
)
from mcnode.transaction.revealed_tx_out import RevealedTxOutError, reveal_amount
from mcnode.transaction.ring_ct.verification import ring_members
from mcnode.transaction.sci.errors import (
    ContingentRevealedTxOut,
    ContingentRingSignature,
    ContingentTxOutConversion,
    MinPartialFillValueExceedsPartialChange,
    MissingPartialFillChange,
    MissingRules,
    RequiredOutputMismatch,
    WrongNumberOfGlobalIndices,
    WrongNumberOfRequiredOutputAmounts,
    ZeroPartialFillChange,
    ZeroPartialFillOutput,
)
from mcnode.transaction.tx_out import MissingMaskedAmount, commitment_of


@dataclasses.dataclass(frozen=True, slots=True)
class ContingentAmounts:
    """What a contingent input gives and what it asks for."""

    pseudo_output: Amount
    required_outputs: tuple[Amount, ...]
    partial_fill_outputs: tuple[Amount, ...]
    """At their full value."""
    partial_fill_change: Amount | None
    """What comes back if nothing is filled."""


def validate_contingent_input(sci: SignedContingentInput) -> ContingentAmounts:
    """Check a contingent input, and open all its amounts.

    Raises:
        ContingentInputError: the first rule that is broken.
    """
    ring, rules = sci.tx_in.ring, sci.tx_in.input_rules
    if len(sci.tx_out_global_indices) != len(ring):
        raise WrongNumberOfGlobalIndices(len(sci.tx_out_global_indices), len(ring))
    if rules is None:
        raise MissingRules
    _check_signature(sci)
    _check_required_outputs(rules, sci.required_output_amounts)
    outputs, change = _check_partial_fill(rules)
    claimed = sci.pseudo_output_amount
    return ContingentAmounts(
        Amount(claimed.value, claimed.token_id),
        tuple(Amount(a.value, a.token_id) for a in sci.required_output_amounts),
        outputs,
        change,
    )


def _check_signature(sci: SignedContingentInput) -> None:
    try:
        members = ring_members(sci.tx_in.ring)
    except MissingMaskedAmount as error:
        raise ContingentTxOutConversion from error
    message = tx_in_signed_digest(sci.tx_in)
    assert message is not None
    try:
        check_ring_signature(message, members, commitment_to(sci.pseudo_output_amount), sci.mlsag)
    except RingSignatureError as error:
        raise ContingentRingSignature(error) from error


def commitment_to(amount: UnmaskedAmount) -> bytes:
    """The 32-byte commitment that an unmasked amount makes."""
    return commit(amount.value, amount.blinding, amount.token_id)


def _check_required_outputs(rules: InputRules, amounts: Sequence[UnmaskedAmount]) -> None:
    required = rules.required_outputs
    if len(amounts) != len(required):
        raise WrongNumberOfRequiredOutputAmounts(len(amounts), len(required))
    for position, (tx_out, amount) in enumerate(zip(required, amounts, strict=True)):
        try:
            commitment = commitment_of(tx_out)
        except MissingMaskedAmount as error:
            raise ContingentTxOutConversion from error
        if commitment != commitment_to(amount):
            raise RequiredOutputMismatch(position)


def _check_partial_fill(rules: InputRules) -> tuple[tuple[Amount, ...], Amount | None]:
    if rules.partial_fill_change is None:
        if rules.partial_fill_outputs or rules.min_partial_fill_value != 0:
            raise MissingPartialFillChange
        return (), None
    change = _reveal(rules.partial_fill_change)
    if rules.min_partial_fill_value > change.value:
        raise MinPartialFillValueExceedsPartialChange(rules.min_partial_fill_value, change.value)
    if change.value == 0:
        raise ZeroPartialFillChange
    outputs = []
    for position, revealed in enumerate(rules.partial_fill_outputs):
        output = _reveal(revealed)
        if output.value == 0:
            raise ZeroPartialFillOutput(position)
        outputs.append(output)
    return tuple(outputs), change


def _reveal(revealed: RevealedTxOut) -> Amount:
    try:
        return Amount(*reveal_amount(revealed))
    except RevealedTxOutError as error:
        raise ContingentRevealedTxOut(error) from error
