"""Which outputs to spend. [docs/protocol/transaction.md#18]"""

import dataclasses
from collections.abc import Sequence
from typing import Protocol

from mcnode.transaction.constants import MAX_INPUTS
from mcnode.wallet.errors import (
    InsufficientFunds,
    InsufficientFundsFragmentedUtxos,
    OptimizationNotBeneficial,
    OutputNotSpendable,
)
from mcnode.wallet.records import OwnedOutput


class InputChoice(Protocol):
    """A way to choose what a payment spends."""

    def choose(
        self, spendable: Sequence[OwnedOutput], needed: int, token_id: int
    ) -> list[OwnedOutput]:
        """At most 16 outputs worth at least `needed`; raises as `select_inputs`."""
        ...


@dataclasses.dataclass(frozen=True, slots=True)
class SmallestFirst:
    """Use up small outputs; as `select_inputs`."""

    def choose(
        self, spendable: Sequence[OwnedOutput], needed: int, token_id: int
    ) -> list[OwnedOutput]:
        """As `select_inputs`."""
        return select_inputs(spendable, needed, token_id)


@dataclasses.dataclass(frozen=True, slots=True)
class FewestInputs:
    """Spend as few outputs as will do, large ones first: a small transaction, quickly made."""

    def choose(
        self, spendable: Sequence[OwnedOutput], needed: int, token_id: int
    ) -> list[OwnedOutput]:
        """Raises as `select_inputs`."""
        select_inputs(spendable, needed, token_id)  # so that errors are the same
        chosen: list[OwnedOutput] = []
        for output in sorted(spendable, key=lambda each: (-each.value, each.tx_out_index)):
            if chosen and sum(each.value for each in chosen) >= needed:
                break
            chosen.append(output)
        return chosen


@dataclasses.dataclass(frozen=True, slots=True)
class TheseInputs:
    """Spend exactly these outputs, by their public keys of 32 bytes."""

    public_keys: tuple[bytes, ...]

    def choose(
        self, spendable: Sequence[OwnedOutput], needed: int, token_id: int
    ) -> list[OwnedOutput]:
        """All of them.

        Raises:
            OutputNotSpendable: one is not the account's, of another token, reserved or spent.
            InsufficientFunds: they are not enough.
            InsufficientFundsFragmentedUtxos: they are more than 16.
        """
        by_key = {output.public_key: output for output in spendable}
        for key in self.public_keys:
            if key not in by_key:
                raise OutputNotSpendable(key, token_id)
        chosen = [by_key[key] for key in dict.fromkeys(self.public_keys)]
        total = sum(output.value for output in chosen)
        if total < needed:
            raise InsufficientFunds(needed, total, token_id)
        if len(chosen) > MAX_INPUTS:
            raise InsufficientFundsFragmentedUtxos(needed, total, MAX_INPUTS)
        return chosen


def select_to_merge(spendable: Sequence[OwnedOutput], fee: int, token_id: int) -> list[OwnedOutput]:
    """The largest output and the 15 smallest that are together worth more than the fee.

    Raises:
        OptimizationNotBeneficial: there are fewer than 16 outputs, or merging costs more than it
            brings.
    """
    ascending = sorted(
        (output for output in spendable if output.value),
        key=lambda output: (output.value, output.tx_out_index),
    )
    if len(ascending) < MAX_INPUTS:
        raise OptimizationNotBeneficial(len(ascending), MAX_INPUTS, token_id)
    *others, largest = ascending
    for first in range(len(others) - (MAX_INPUTS - 1) + 1):
        window = others[first : first + MAX_INPUTS - 1]
        if sum(output.value for output in window) > fee:
            return [*window, largest]
    raise OptimizationNotBeneficial(len(ascending), MAX_INPUTS, token_id)


def select_inputs(
    spendable: Sequence[OwnedOutput], needed: int, token_id: int
) -> list[OwnedOutput]:
    """At most 16 outputs worth at least `needed` (amount and fee), small ones first.

    Small outputs are used up as long as they fit, which keeps the account from falling to dust.

    Raises:
        InsufficientFunds: all of them together are not enough.
        InsufficientFundsFragmentedUtxos: they are, but not the 16 largest.
    """
    worth = [output for output in spendable if output.value]
    ascending = sorted(worth, key=lambda output: (output.value, output.tx_out_index))
    total = sum(output.value for output in ascending)
    if total < needed:
        raise InsufficientFunds(needed, total, token_id)
    largest = sum(output.value for output in ascending[-MAX_INPUTS:])
    if largest < needed:
        raise InsufficientFundsFragmentedUtxos(needed, largest, MAX_INPUTS)
    chosen: list[OwnedOutput] = []
    for output in ascending:
        chosen.append(output)
        if len(chosen) > MAX_INPUTS:
            chosen.pop(0)
        if sum(each.value for each in chosen) >= needed:
            break
    return chosen
