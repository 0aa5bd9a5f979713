"""Memos of a transaction that merges own outputs into one. [docs/protocol/transaction.md#11.1]"""

from mcnode.account.public_address import PublicAddress
from mcnode.transaction.builder.memo_builder import (
    DefragWithChange,
    FeeState,
    MissingOutput,
    MultipleOutputs,
)
from mcnode.transaction.memo.special import DefragmentationMemo
from mcnode.transaction.messages import Amount


class DefragmentationMemoBuilder:
    """Writes what merging cost on the merged output, and zeros on change outputs worth nothing.

    States: no output; merged, after which the fee is fixed and only empty change may follow.
    `defragmentation_id` is the same on all transactions of one merge.
    """

    def __init__(self, defragmentation_id: int = 0) -> None:
        self._id = defragmentation_id
        self._fee = FeeState()

    def set_fee(self, fee: Amount) -> None:
        """Learn the fee; raises `FeeAfterChange` once it is in a memo."""
        self._fee.set_fee(fee)

    def make_memo_for_output(
        self, amount: Amount, recipient: PublicAddress, tx_public_key: bytes
    ) -> bytes:
        """The memo of the merged output."""
        if self._fee.is_stated:
            raise MultipleOutputs
        self._fee.check_token(amount.token_id)
        total_outlay = self._fee.total_with(amount.value)
        return DefragmentationMemo.create(self._fee.state(), total_outlay, self._id).to_payload()

    def make_memo_for_change_output(
        self, amount: Amount, change: PublicAddress, tx_public_key: bytes
    ) -> bytes:
        """The memo of the change, which must be worth nothing: it only hides what this is."""
        if not self._fee.is_stated:
            raise MissingOutput
        self._fee.check_token(amount.token_id)
        if amount.value != 0:
            raise DefragWithChange(amount.value)
        return DefragmentationMemo.create(0, 0, self._id).to_payload()
