"""Who writes the memos of a transaction. [docs/protocol/transaction.md#11.1]"""

import dataclasses
from typing import Protocol

from mcnode.account.public_address import PublicAddress
from mcnode.transaction.constants import MINIMUM_FEE_MOB, MOB, U64_MAX
from mcnode.transaction.errors import TransactionError
from mcnode.transaction.memo.base import EMPTY_PAYLOAD, MAX_FEE
from mcnode.transaction.messages import Amount


class NewMemoError(TransactionError):
    """A memo cannot be written."""


class FeeAfterChange(NewMemoError):
    """The fee is in a memo already and cannot change."""

    def __init__(self) -> None:
        super().__init__("fee set after the memo that states it")


class OutputsAfterChange(NewMemoError):
    """The memo on the change has been written and cannot count more outputs."""

    def __init__(self) -> None:
        super().__init__("output added after the change")


class MultipleChangeOutputs(NewMemoError):
    """There may be one change output."""

    def __init__(self) -> None:
        super().__init__("second change output, limit 1")


class MixedTokenIds(NewMemoError):
    """The memo can speak of one token only."""

    def __init__(self, found: int, expected: int) -> None:
        super().__init__(f"memos speak of one token: found {found}, must be {expected}")


class LimitsExceeded(NewMemoError):
    """A number does not fit into its place in the memo."""

    def __init__(self, what: str) -> None:
        super().__init__(f"does not fit into a memo: {what}", f'"{what}"')


class RequestAndIntentIdSet(NewMemoError):
    """A payment can answer a request or an intent, not both."""

    def __init__(self) -> None:
        super().__init__("both payment request id and payment intent id are set")


class MultipleOutputs(NewMemoError):
    """There may be one output besides the change."""

    def __init__(self) -> None:
        super().__init__("second output, limit 1")


class MissingOutput(NewMemoError):
    """The memo on the change speaks of an output that has not been added."""

    def __init__(self) -> None:
        super().__init__("change added before the output that its memo is about")


class InvalidRecipient(NewMemoError):
    """The output has to go to the burn address."""

    def __init__(self) -> None:
        super().__init__("output does not go to the burn address")


class DefragWithChange(NewMemoError):
    """Merging outputs must leave nothing over."""

    def __init__(self, value: int) -> None:
        super().__init__(f"change of a merge is {value}, limit 0")


class DestinationMemoNotAllowed(NewMemoError):
    """All goes to the own change subaddress; there is no other output."""

    def __init__(self) -> None:
        super().__init__("output besides the change, limit 0")


class BadInputs(NewMemoError):
    """A note does not fit, or an output is named that cannot be meant."""

    def __init__(self, text: str) -> None:
        super().__init__(text[:1].lower() + text[1:], f'"{text}"')


class FeeTooLargeForMemo(NewMemoError):
    """The fee does not fit into the 56 bits of a gift code memo."""

    name = "MaxFeeExceeded"

    def __init__(self, fee: int) -> None:
        super().__init__(f"fee is {fee}, limit {MAX_FEE}", MAX_FEE, fee)


@dataclasses.dataclass(slots=True)
class FeeState:
    """The fee of a transaction, which may change until a memo states it."""

    fee: Amount = dataclasses.field(default_factory=lambda: Amount(MINIMUM_FEE_MOB, MOB))
    is_stated: bool = False

    def set_fee(self, fee: Amount, value_max: int = U64_MAX) -> None:
        """Learn the fee.

        Raises:
            FeeAfterChange: a memo states another already.
            FeeTooLargeForMemo: it is above `value_max`.
        """
        if self.is_stated:
            raise FeeAfterChange
        if fee.value > value_max:
            raise FeeTooLargeForMemo(fee.value)
        self.fee = fee

    def total_with(self, outlay: int) -> int:
        """All that leaves the sender; raises `LimitsExceeded` above 64 bits."""
        total = outlay + self.fee.value
        if total > U64_MAX:
            raise LimitsExceeded("total_outlay")
        return total

    def state(self) -> int:
        """The fee's value, for a memo, after which it may not change.

        Raises:
            LimitsExceeded: it exceeds the 56 bits it has there.
        """
        if self.fee.value > MAX_FEE:
            raise LimitsExceeded("fee")
        self.is_stated = True
        return self.fee.value

    def check_token(self, token_id: int) -> None:
        """Raise `MixedTokenIds` for another token than the fee's."""
        if token_id != self.fee.token_id:
            raise MixedTokenIds(token_id, self.fee.token_id)


class MemoBuilder(Protocol):
    """Asked for each output of a transaction, in the order in which they are added."""

    def set_fee(self, fee: Amount) -> None:
        """Learn the fee; raises `NewMemoError` when it is too late."""
        ...

    def make_memo_for_output(
        self, amount: Amount, recipient: PublicAddress, tx_public_key: bytes
    ) -> bytes:
        """The 66-byte payload for a payment; raises `NewMemoError`."""
        ...

    def make_memo_for_change_output(
        self, amount: Amount, change: PublicAddress, tx_public_key: bytes
    ) -> bytes:
        """The 66-byte payload for the change; raises `NewMemoError`."""
        ...


class EmptyMemoBuilder:
    """Leaves every memo empty."""

    def set_fee(self, fee: Amount) -> None:
        """Nothing to remember."""

    def make_memo_for_output(
        self, amount: Amount, recipient: PublicAddress, tx_public_key: bytes
    ) -> bytes:
        """66 zero bytes."""
        return EMPTY_PAYLOAD

    def make_memo_for_change_output(
        self, amount: Amount, change: PublicAddress, tx_public_key: bytes
    ) -> bytes:
        """66 zero bytes."""
        return EMPTY_PAYLOAD
