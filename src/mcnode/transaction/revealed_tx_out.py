"""Outputs whose amount is known to everyone. [docs/protocol/transaction.md#9]"""

import dataclasses

from mcnode.crypto.masked_amount import SECRET_BYTES, AmountError
from mcnode.transaction.amounts import (
    OpenedAmount,
    make_masked_amount_with_amount_shared_secret,
    open_masked_amount_with_amount_shared_secret,
)
from mcnode.transaction.errors import TransactionError
from mcnode.transaction.messages import Amount, RevealedTxOut, TxOut


class RevealedTxOutError(TransactionError):
    """The amount of a revealed output does not open."""


class InvalidAmountSharedSecret(RevealedTxOutError):
    """The secret is not 32 bytes."""

    def __init__(self, length: int) -> None:
        super().__init__(f"amount shared secret has {length} bytes, needs {SECRET_BYTES}")


class RevealedTxOutConversion(RevealedTxOutError):
    """The output has no masked amount."""

    name = "TxOutConversion"

    def __init__(self) -> None:
        super().__init__("revealed output has no masked amount", "UnknownMaskedAmountVersion")


class RevealedAmountError(RevealedTxOutError):
    """The amount does not open with the secret."""

    name = "Amount"

    def __init__(self, reason: AmountError) -> None:
        super().__init__(f"amount does not open: {reason}", reason)
        self.reason = reason


def reveal(revealed: RevealedTxOut) -> OpenedAmount:
    """Value, token and blinding of a revealed output.

    Raises:
        RevealedTxOutError: the output or the secret is no good.
    """
    if len(revealed.amount_shared_secret) != SECRET_BYTES:
        raise InvalidAmountSharedSecret(len(revealed.amount_shared_secret))
    if revealed.tx_out.masked_amount is None:
        raise RevealedTxOutConversion
    try:
        return open_masked_amount_with_amount_shared_secret(
            revealed.tx_out.masked_amount, revealed.amount_shared_secret
        )
    except AmountError as error:
        raise RevealedAmountError(error) from error


def reveal_amount(revealed: RevealedTxOut) -> tuple[int, int]:
    """Value and token id of a revealed output; raises as `reveal`."""
    opened = reveal(revealed)
    return opened.value, opened.token_id


def change_committed_amount(revealed: RevealedTxOut, amount: Amount) -> TxOut:
    """The same output, worth something else; blinding and masks stay.

    Raises:
        RevealedTxOutError: the secret is not 32 bytes.
    """
    secret = revealed.amount_shared_secret
    if len(secret) != SECRET_BYTES:
        raise InvalidAmountSharedSecret(len(secret))
    masked_amount = make_masked_amount_with_amount_shared_secret(amount, secret)
    return dataclasses.replace(revealed.tx_out, masked_amount=masked_amount)
