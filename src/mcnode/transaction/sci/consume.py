"""What goes into a transaction along with a contingent input. [docs/protocol/transaction.md#13]

Whoever fills an input in part says how much change c is left of C. Every partial output becomes
V * (C - c) / C, rounded up in favour of who made the offer.
"""

import dataclasses
from collections.abc import Sequence

from mcnode.transaction.amounts import OpenedAmount
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.messages import (
    Amount,
    InputRules,
    RevealedTxOut,
    SignedContingentInput,
    TxOut,
    TxOutMembershipProof,
    UnmaskedAmount,
)
from mcnode.transaction.revealed_tx_out import (
    RevealedTxOutError,
    change_committed_amount,
    reveal,
)
from mcnode.transaction.sci.balance_sheet import fraction_of
from mcnode.transaction.sci.errors import (
    BlockVersionMismatch,
    ChangeLimitExceeded,
    ContingentFeatureNotSupported,
    ContingentRevealedTxOut,
    MinPartialFillValueExceedsPartialChange,
    MissingPartialFillChange,
    MissingProofs,
    MissingRules,
    PartialFillInputNotAllowedHere,
    TokenIdMismatch,
    WrongNumberOfRequiredOutputAmounts,
    ZeroPartialFillChange,
)

FilledOutput = tuple[TxOut, UnmaskedAmount]
"""An output that rules ask for, and what it is worth."""


@dataclasses.dataclass(frozen=True, slots=True)
class PartialFill:
    """The outputs by which an input is filled in part."""

    outputs: tuple[FilledOutput, ...]
    """In the order of the rules."""
    change: FilledOutput

    @property
    def amounts(self) -> tuple[Amount, ...]:
        """What whoever fills the input pays, in the order of the rules."""
        return tuple(Amount(opened.value, opened.token_id) for _, opened in self.outputs)


def with_membership_proofs(
    sci: SignedContingentInput, proofs: Sequence[TxOutMembershipProof]
) -> SignedContingentInput:
    """The same input with fresh proofs, in the order of its `tx_out_global_indices`."""
    tx_in = dataclasses.replace(sci.tx_in, proofs=tuple(proofs))
    return dataclasses.replace(sci, tx_in=tx_in)


def check_usable(block_version: BlockVersion, sci: SignedContingentInput) -> InputRules:
    """Check that a transaction of this version can take an input; returns its rules.

    Raises:
        BlockVersionMismatch, MissingProofs, MissingRules, WrongNumberOfRequiredOutputAmounts.
    """
    if sci.block_version != block_version.value:
        raise BlockVersionMismatch(block_version.value, sci.block_version)
    _check_proofs(sci)
    rules = _rules_of(sci)
    if len(rules.required_outputs) != len(sci.required_output_amounts):
        raise WrongNumberOfRequiredOutputAmounts(
            len(sci.required_output_amounts), len(rules.required_outputs)
        )
    return rules


def check_taken_whole(sci: SignedContingentInput) -> None:
    """Raise `PartialFillInputNotAllowedHere` for an input with partial-fill rules."""
    rules = sci.tx_in.input_rules
    if rules is not None and (
        rules.partial_fill_outputs
        or rules.partial_fill_change is not None
        or rules.min_partial_fill_value
    ):
        raise PartialFillInputNotAllowedHere


def fill_partially(
    block_version: BlockVersion, sci: SignedContingentInput, change: Amount
) -> PartialFill:
    """The outputs that fill an input, leaving `change` to who made the offer.

    Raises:
        ContingentInputError: the first rule that is broken.
    """
    if not block_version.masks_amounts_v2:
        raise ContingentFeatureNotSupported(block_version.value, "partial fills")
    _check_proofs(sci)
    rules = _rules_of(sci)
    if rules.partial_fill_change is None:
        raise MissingPartialFillChange
    full = _reveal(rules.partial_fill_change)
    if full.value == 0:
        raise ZeroPartialFillChange
    if rules.min_partial_fill_value > full.value:
        raise MinPartialFillValueExceedsPartialChange(rules.min_partial_fill_value, full.value)
    if change.token_id != full.token_id:
        raise TokenIdMismatch(change.token_id, full.token_id)
    limit = full.value - rules.min_partial_fill_value
    if change.value > limit:
        raise ChangeLimitExceeded(change.value, limit)
    filled = full.value - change.value
    outputs = tuple(
        _fraction(revealed, filled, full.value) for revealed in rules.partial_fill_outputs
    )
    return PartialFill(outputs, _worth(rules.partial_fill_change, full, change.value))


def _check_proofs(sci: SignedContingentInput) -> None:
    ring_size, found = len(sci.tx_in.ring), len(sci.tx_in.proofs)
    if ring_size != found:
        raise MissingProofs(ring_size, found)


def _rules_of(sci: SignedContingentInput) -> InputRules:
    if sci.tx_in.input_rules is None:
        raise MissingRules
    return sci.tx_in.input_rules


def _fraction(revealed: RevealedTxOut, filled: int, full: int) -> FilledOutput:
    opened = _reveal(revealed)
    return _worth(revealed, opened, fraction_of(opened.value, filled, full))


def _worth(revealed: RevealedTxOut, opened: OpenedAmount, value: int) -> FilledOutput:
    tx_out = change_committed_amount(revealed, Amount(value, opened.token_id))
    return tx_out, UnmaskedAmount(value, opened.token_id, opened.blinding)


def _reveal(revealed: RevealedTxOut) -> OpenedAmount:
    try:
        return reveal(revealed)
    except RevealedTxOutError as error:
        raise ContingentRevealedTxOut(error) from error
