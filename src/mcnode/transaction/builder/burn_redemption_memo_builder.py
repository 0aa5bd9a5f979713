"""Memos of a transaction that burns tokens for somebody to redeem elsewhere.

[docs/protocol/transaction.md#11.1]
"""

from mcnode.account.public_address import PublicAddress, burn_address, short_address_hash
from mcnode.transaction.builder.memo_builder import (
    FeeState,
    InvalidRecipient,
    MissingOutput,
    MixedTokenIds,
    MultipleChangeOutputs,
    MultipleOutputs,
    OutputsAfterChange,
)
from mcnode.transaction.memo.base import EMPTY_PAYLOAD
from mcnode.transaction.memo.destination import DestinationMemo
from mcnode.transaction.memo.special import BurnRedemptionMemo
from mcnode.transaction.messages import Amount


class BurnRedemptionMemoBuilder:
    """Writes 64 free bytes on one burnt output, and a destination memo on the change, if it is on.

    States: no output; burnt; closed, once a destination memo is written.

    Raises:
        BadLength: `data` has not 64 bytes.
    """

    def __init__(self, data: bytes, *, has_destination_memo: bool = False) -> None:
        self._memo = BurnRedemptionMemo.create(data)
        self._has_destination_memo = has_destination_memo
        self._fee = FeeState()
        self._burnt: Amount | None = None

    def set_fee(self, fee: Amount) -> None:
        """Learn the fee; raises `FeeAfterChange` once it is in a memo."""
        self._fee.set_fee(fee)

    def make_memo_for_output(
        self, amount: Amount, recipient: PublicAddress, tx_public_key: bytes
    ) -> bytes:
        """The burn redemption memo; the recipient must be the burn address."""
        if recipient != burn_address():
            raise InvalidRecipient
        if self._burnt is not None:
            raise MultipleOutputs
        if self._fee.is_stated:
            raise OutputsAfterChange
        self._burnt = amount
        return self._memo.to_payload()

    def make_memo_for_change_output(
        self, amount: Amount, change: PublicAddress, tx_public_key: bytes
    ) -> bytes:
        """A destination memo about the burnt output, or an empty one when they are off."""
        if not self._has_destination_memo:
            return EMPTY_PAYLOAD
        if self._fee.is_stated:
            raise MultipleChangeOutputs
        if self._burnt is None:
            raise MissingOutput
        if amount.token_id != self._burnt.token_id:
            raise MixedTokenIds(amount.token_id, self._burnt.token_id)
        self._fee.check_token(amount.token_id)
        total_outlay = self._fee.total_with(self._burnt.value)
        recipient = short_address_hash(burn_address())
        return DestinationMemo.create(recipient, self._fee.state(), total_outlay).to_payload()
