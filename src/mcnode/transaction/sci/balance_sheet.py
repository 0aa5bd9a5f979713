"""What adding a contingent input to a transaction costs. [docs/protocol/transaction.md#13]"""

from mcnode.transaction.sci.errors import PartialFillValueTooLarge
from mcnode.transaction.sci.validate import ContingentAmounts


def balance_sheet(amounts: ContingentAmounts, fill_value: int) -> dict[int, int]:
    """By token, how much the rest of the transaction must bring (negative: gains).

    `fill_value` is how much of a partial-fill input is taken, in its smallest unit; 0 for one that
    can only be taken whole.

    Raises:
        PartialFillValueTooLarge: more than the partial-fill change, or the input has none.
    """
    sheet: dict[int, int] = {}

    def add(token_id: int, value: int) -> None:
        sheet[token_id] = sheet.get(token_id, 0) + value

    add(amounts.pseudo_output.token_id, -amounts.pseudo_output.value)
    for output in amounts.required_outputs:
        add(output.token_id, output.value)
    change = amounts.partial_fill_change
    full = 0 if change is None else change.value
    if fill_value > full:
        raise PartialFillValueTooLarge(fill_value, full)
    if change is not None:
        add(change.token_id, full - fill_value)
        for output in amounts.partial_fill_outputs:
            add(output.token_id, fraction_of(output.value, fill_value, full))
    return dict(sorted(sheet.items()))


def fraction_of(value: int, numerator: int, denominator: int) -> int:
    """`value * numerator / denominator`, rounded up."""
    return -(-value * numerator // denominator)
