"""Who writes the memos of a transaction. [docs/protocol/transaction.md#11.1]"""

from typing import Protocol

from mcnode.account.public_address import PublicAddress
from mcnode.transaction.errors import TransactionError
from mcnode.transaction.memo.base import EMPTY_PAYLOAD
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
