"""Proof of payment: the sender shows a receipt, the recipient checks it with the own view key.

A receipt holds a confirmation number, which only the sender and the recipient of an output can
compute: who has it made the payment. [docs/protocol/transaction.md#18]
"""

import dataclasses
import enum
import hmac
from collections.abc import Sequence
from typing import Final

from mcnode.codec import protobuf
from mcnode.crypto.errors import KeyFormatError
from mcnode.crypto.keys import RistrettoPublic
from mcnode.crypto.masked_amount import AmountError
from mcnode.crypto.onetime_keys import confirmation_number, shared_secret_of
from mcnode.errors import InvalidError
from mcnode.ledger.db import LedgerDB
from mcnode.transaction.amounts import open_masked_amount
from mcnode.transaction.messages import Amount, Receipt
from mcnode.wallet.draft import Account
from mcnode.wallet.records import OwnedOutput, Payment

CODE_NAME: Final = "receipt"


class NoReceipt(InvalidError):
    """A payment without a recipient, or made before receipts were kept, cannot be proved."""

    def __init__(self, tx_hash: bytes) -> None:
        super().__init__(f"there is no receipt of transaction {tx_hash.hex()}")


class ReceiptRefused(InvalidError):
    """A receipt proves nothing to this account."""


class ReceiptState(enum.Enum):
    """What became of the payment that a receipt is about."""

    FINAL = "final"
    PENDING = "pending"
    """Not in a block yet; it may still come."""
    EXPIRED = "expired"
    """It never came, and cannot come any more."""


@dataclasses.dataclass(frozen=True, slots=True)
class CheckedReceipt:
    """A receipt that holds."""

    state: ReceiptState
    amount: Amount
    block_index: int | None
    subaddress_index: int | None


def receipt_of(payment: Payment) -> bytes:
    """The encoded receipt of a payment. Raises `NoReceipt`."""
    if not payment.receipt:
        raise NoReceipt(payment.tx_hash)
    return payment.receipt


def check_receipt(
    payload: bytes, account: Account, outputs: Sequence[OwnedOutput], ledger: LedgerDB
) -> CheckedReceipt:
    """Check that who made a receipt paid this account, and see where the payment is.

    Args:
        payload: an encoded `Receipt`.
        outputs: all of the account, as far as `ledger` goes.

    Raises:
        InvalidError: the bytes are no receipt.
        ReceiptRefused: it is not about a payment to this account, or not by who made it.
    """
    receipt = protobuf.decode(Receipt, payload)
    amount = _open(receipt, account)
    [*found] = (output for output in outputs if output.public_key == receipt.public_key)
    if found:
        output = found[0]
        if (output.value, output.token_id) != (amount.value, amount.token_id):
            raise ReceiptRefused(
                f"receipt says {amount.value} of token {amount.token_id}, the ledger "
                f"{output.value} of token {output.token_id}"
            )
        return CheckedReceipt(
            ReceiptState.FINAL, amount, output.block_index, output.subaddress_index
        )
    if ledger.contains_tx_out_public_key(receipt.public_key):
        raise ReceiptRefused("the output of the receipt is somebody else's")
    is_over = receipt.tombstone_block <= ledger.num_blocks()
    state = ReceiptState.EXPIRED if is_over else ReceiptState.PENDING
    return CheckedReceipt(state, amount, None, None)


def _open(receipt: Receipt, account: Account) -> Amount:
    try:
        public_key = RistrettoPublic(receipt.public_key)
    except KeyFormatError as error:
        raise ReceiptRefused(f"public key of the receipt: {error}") from error
    secret = shared_secret_of(account.view_private, public_key).to_bytes()
    if not hmac.compare_digest(confirmation_number(secret), receipt.confirmation):
        raise ReceiptRefused(
            "confirmation number is not that of a payment to this account: it is about another "
            "recipient, or by somebody who did not pay"
        )
    if receipt.masked_amount is None:
        raise ReceiptRefused("receipt has no amount")
    try:
        opened = open_masked_amount(receipt.masked_amount, secret)
    except AmountError as error:
        raise ReceiptRefused(f"amount of the receipt does not open: {error}") from error
    return Amount(opened.value, opened.token_id)
