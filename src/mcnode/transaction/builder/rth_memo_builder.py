"""Memos from which a wallet can rebuild its history: recoverable transaction history.

Recipients learn who sent, if a credential is given; the change says to whom it went and what it
cost, if destination memos are on. [docs/protocol/transaction.md#11.1]
"""

from mcnode.account.public_address import PublicAddress, short_address_hash
from mcnode.transaction.builder.memo_builder import (
    FeeState,
    LimitsExceeded,
    MixedTokenIds,
    MultipleChangeOutputs,
    OutputsAfterChange,
    RequestAndIntentIdSet,
)
from mcnode.transaction.constants import U64_MAX
from mcnode.transaction.memo.authenticated import AuthenticatedSenderMemo, SenderCredential
from mcnode.transaction.memo.base import EMPTY_PAYLOAD
from mcnode.transaction.memo.destination import DestinationMemo
from mcnode.transaction.messages import Amount

_RECIPIENTS_MAX = 255
"""The count is one byte of the memo."""


class RthMemoBuilder:
    """Writes authenticated sender and destination memos.

    States: collecting outputs, then, once a destination memo is written, closed: neither outputs,
    nor change, nor another fee.
    """

    def __init__(
        self,
        sender_credential: SenderCredential | None = None,
        *,
        has_destination_memo: bool = False,
        payment_request_id: int | None = None,
        payment_intent_id: int | None = None,
    ) -> None:
        self._credential = sender_credential
        self._has_destination_memo = has_destination_memo
        self._payment_request_id = payment_request_id
        self._payment_intent_id = payment_intent_id
        self._fee = FeeState()
        self._last_recipient_hash = bytes(16)
        self._outlay = 0
        self._outlay_token_id: int | None = None
        self._recipient_count = 0

    def set_fee(self, fee: Amount) -> None:
        """Learn the fee; raises `FeeAfterChange` once it is in a memo."""
        self._fee.set_fee(fee)

    def make_memo_for_output(
        self, amount: Amount, recipient: PublicAddress, tx_public_key: bytes
    ) -> bytes:
        """An authenticated sender memo, or an empty one without a credential."""
        if self._fee.is_stated:
            raise OutputsAfterChange
        if self._outlay_token_id not in (None, amount.token_id):
            raise MixedTokenIds(amount.token_id, self._outlay_token_id or 0)
        if self._outlay + amount.value > U64_MAX:
            raise LimitsExceeded("total_outlay")
        if self._recipient_count == _RECIPIENTS_MAX:
            raise LimitsExceeded("num_recipients")
        self._outlay += amount.value
        self._outlay_token_id = amount.token_id
        self._recipient_count += 1
        self._last_recipient_hash = short_address_hash(recipient)
        if self._credential is None:
            return EMPTY_PAYLOAD
        self._check_ids()
        return AuthenticatedSenderMemo.create(
            self._credential,
            recipient.view_public,
            tx_public_key,
            payment_request_id=self._payment_request_id,
            payment_intent_id=self._payment_intent_id,
        ).to_payload()

    def make_memo_for_change_output(
        self, amount: Amount, change: PublicAddress, tx_public_key: bytes
    ) -> bytes:
        """A destination memo about the outputs so far, or an empty one when they are off."""
        if not self._has_destination_memo:
            return EMPTY_PAYLOAD
        if self._fee.is_stated:
            raise MultipleChangeOutputs
        if self._outlay_token_id not in (None, amount.token_id):
            raise MixedTokenIds(amount.token_id, self._outlay_token_id or 0)
        self._fee.check_token(amount.token_id)
        total_outlay = self._fee.total_with(self._outlay)
        self._check_ids()
        return DestinationMemo.create(
            self._last_recipient_hash,
            self._fee.state(),
            total_outlay,
            number_of_recipients=self._recipient_count,
            payment_request_id=self._payment_request_id,
            payment_intent_id=self._payment_intent_id,
        ).to_payload()

    def _check_ids(self) -> None:
        if self._payment_request_id is not None and self._payment_intent_id is not None:
            raise RequestAndIntentIdSet
