"""Which outputs to spend. [docs/protocol/transaction.md#18]"""

from collections.abc import Sequence

from mcnode.transaction.constants import MAX_INPUTS
from mcnode.wallet.errors import InsufficientFunds, InsufficientFundsFragmentedUtxos
from mcnode.wallet.records import OwnedOutput


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
