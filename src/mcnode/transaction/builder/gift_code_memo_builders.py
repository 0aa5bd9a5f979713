"""Memos of a gift code: funded, then redeemed or cancelled. [docs/protocol/transaction.md#16]

Each builder writes one memo, on the output to the own change subaddress, and is closed then: no
other fee, no other output. [docs/protocol/transaction.md#11.1]
"""

from collections.abc import Callable

from mcnode.account.public_address import PublicAddress
from mcnode.transaction.builder.memo_builder import (
    BadInputs,
    DestinationMemoNotAllowed,
    FeeState,
    MissingOutput,
    MultipleChangeOutputs,
    MultipleOutputs,
    OutputsAfterChange,
)
from mcnode.transaction.memo.base import EMPTY_PAYLOAD, MAX_FEE, Memo
from mcnode.transaction.memo.gift_code import (
    FUNDING_NOTE_LENGTH_MAX,
    SENDER_NOTE_LENGTH_MAX,
    GiftCodeCancellationMemo,
    GiftCodeFundingMemo,
    GiftCodeSenderMemo,
)
from mcnode.transaction.messages import Amount


class GiftCodeFundingMemoBuilder:
    """For the transaction that pays to the own gift code subaddress: first the gift, then change.

    Raises:
        BadInputs: the note is above 53 bytes.
    """

    def __init__(self, note: str) -> None:
        _check_note(note, FUNDING_NOTE_LENGTH_MAX)
        self._note = note
        self._fee = FeeState()
        self._gift_public_key: bytes | None = None

    def set_fee(self, fee: Amount) -> None:
        """Learn the fee; raises `FeeAfterChange` or `FeeTooLargeForMemo`."""
        self._fee.set_fee(fee, MAX_FEE)

    def make_memo_for_output(
        self, amount: Amount, recipient: PublicAddress, tx_public_key: bytes
    ) -> bytes:
        """An empty memo; the change will say that this output is the gift."""
        if self._gift_public_key is not None:
            raise MultipleOutputs
        if self._fee.is_stated:
            raise OutputsAfterChange
        self._gift_public_key = tx_public_key
        return EMPTY_PAYLOAD

    def make_memo_for_change_output(
        self, amount: Amount, change: PublicAddress, tx_public_key: bytes
    ) -> bytes:
        """The funding memo."""
        if self._fee.is_stated:
            raise MultipleChangeOutputs
        if tx_public_key == self._gift_public_key:
            raise BadInputs("The change output has the public key of the gift output")
        self._fee.check_token(amount.token_id)
        if self._gift_public_key is None:
            raise MissingOutput
        memo = GiftCodeFundingMemo.create(self._gift_public_key, self._fee.state(), self._note)
        self._gift_public_key = None
        return memo.to_payload()


class _ChangeOnlyMemoBuilder:
    """Writes one memo, made from the fee, on the only output there is."""

    def __init__(self, make: Callable[[int], Memo]) -> None:
        self._make = make
        self._fee = FeeState()

    def set_fee(self, fee: Amount) -> None:
        """Learn the fee; raises `FeeAfterChange` or `FeeTooLargeForMemo`."""
        self._fee.set_fee(fee, MAX_FEE)

    def make_memo_for_output(
        self, amount: Amount, recipient: PublicAddress, tx_public_key: bytes
    ) -> bytes:
        """Always raises `DestinationMemoNotAllowed`."""
        raise DestinationMemoNotAllowed

    def make_memo_for_change_output(
        self, amount: Amount, change: PublicAddress, tx_public_key: bytes
    ) -> bytes:
        """The memo."""
        if self._fee.is_stated:
            raise MultipleChangeOutputs
        self._fee.check_token(amount.token_id)
        return self._make(self._fee.state()).to_payload()


class GiftCodeSenderMemoBuilder(_ChangeOnlyMemoBuilder):
    """For the transaction by which a receiver takes a gift to the own change subaddress.

    Raises:
        BadInputs: the note is above 57 bytes.
    """

    def __init__(self, note: str) -> None:
        _check_note(note, SENDER_NOTE_LENGTH_MAX)
        super().__init__(lambda fee: GiftCodeSenderMemo.create(fee, note))


class GiftCodeCancellationMemoBuilder(_ChangeOnlyMemoBuilder):
    """For the transaction by which a sender takes a gift back; by its output's global index."""

    def __init__(self, global_index: int) -> None:
        super().__init__(lambda fee: GiftCodeCancellationMemo.create(global_index, fee))


def _check_note(note: str, length_max: int) -> None:
    if len(note.encode()) > length_max:
        raise BadInputs(f"Note memo cannot be greater than {length_max} bytes")
