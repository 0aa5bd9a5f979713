"""Making and reading outputs. [docs/protocol/transaction.md#4]"""

import dataclasses
from collections.abc import Callable

from mcnode.account.account_key import AccountKey
from mcnode.account.public_address import PublicAddress
from mcnode.crypto.errors import KeyFormatError
from mcnode.crypto.keys import RistrettoPrivate, RistrettoPublic
from mcnode.crypto.masked_amount import AmountError
from mcnode.crypto.memo import apply_memo_cipher
from mcnode.crypto.onetime_keys import create_output_keys, recover_spend_public, shared_secret_of
from mcnode.transaction.amounts import OpenedAmount, make_masked_amount, open_masked_amount
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.errors import TransactionError
from mcnode.transaction.memo.base import EMPTY_PAYLOAD
from mcnode.transaction.messages import Amount, TxOut

MemoCallback = Callable[[bytes], bytes]
"""From the 32-byte public key of a new output to the 66-byte payload of its memo."""


class ViewKeyMatchError(TransactionError):
    """An output cannot be read with a view key."""


class MissingMaskedAmount(ViewKeyMatchError):
    """The output has no masked amount of a known version."""

    name = "UnknownMaskedAmountVersion"

    def __init__(self) -> None:
        super().__init__("output has no masked amount of a known version")


class UnreadableKey(ViewKeyMatchError):
    """The public key of the output is no point."""

    name = "Key"

    def __init__(self, reason: KeyFormatError) -> None:
        super().__init__(f"public key of the output: {reason}", reason)
        self.reason = reason


class UnreadableAmount(ViewKeyMatchError):
    """The amount does not open: the output is somebody else's."""

    name = "Amount"

    def __init__(self, reason: AmountError) -> None:
        super().__init__(f"amount does not open: {reason}", reason)
        self.reason = reason


def create_tx_out(
    block_version: BlockVersion,
    amount: Amount,
    recipient: PublicAddress,
    tx_private_key: RistrettoPrivate,
    e_fog_hint: bytes,
    *,
    make_memo: MemoCallback | None = None,
) -> tuple[TxOut, RistrettoPublic]:
    """An output and its shared secret, from a private key that must never be used twice.

    `make_memo` is asked for the memo from block version 1 on; without it the memo is all zero.

    Raises:
        TokenIdNotSupportedAtBlockVersion: not token 0 below block version 2.
    """
    keys = create_output_keys(tx_private_key, recipient.view_public, recipient.spend_public)
    secret = keys.shared_secret.to_bytes()
    masked_amount = make_masked_amount(block_version, amount, secret)
    public_key = keys.public_key.to_bytes()
    e_memo = None
    if block_version.has_memos:
        payload = EMPTY_PAYLOAD if make_memo is None else make_memo(public_key)
        e_memo = apply_memo_cipher(secret, payload)
    tx_out = TxOut(masked_amount, keys.target_key.to_bytes(), public_key, e_fog_hint, e_memo)
    return tx_out, keys.shared_secret


@dataclasses.dataclass(frozen=True, slots=True)
class ViewedTxOut:
    """What the owner of a view key reads in an output."""

    amount: OpenedAmount
    shared_secret: RistrettoPublic = dataclasses.field(repr=False)


def view_key_match(tx_out: TxOut, view_private: RistrettoPrivate) -> ViewedTxOut:
    """Open an output with an account's view key.

    Raises:
        UnreadableKey: the public key is no point.
        MissingMaskedAmount: there is no amount.
        UnreadableAmount: the output is not this account's.
    """
    shared_secret = _shared_secret(tx_out, view_private)
    return ViewedTxOut(open_with_shared_secret(tx_out, shared_secret), shared_secret)


def open_with_shared_secret(tx_out: TxOut, shared_secret: RistrettoPublic) -> OpenedAmount:
    """Open an output with the secret that its sender and its owner share.

    Raises:
        MissingMaskedAmount: there is no amount.
        UnreadableAmount: the secret is another output's.
    """
    if tx_out.masked_amount is None:
        raise MissingMaskedAmount
    try:
        return open_masked_amount(tx_out.masked_amount, shared_secret.to_bytes())
    except AmountError as error:
        raise UnreadableAmount(error) from error


def _shared_secret(tx_out: TxOut, view_private: RistrettoPrivate) -> RistrettoPublic:
    try:
        public_key = RistrettoPublic(tx_out.public_key)
    except KeyFormatError as error:
        raise UnreadableKey(error) from error
    return shared_secret_of(view_private, public_key)


def decrypt_memo(tx_out: TxOut, shared_secret: RistrettoPublic) -> bytes:
    """The 66-byte payload of an output's memo; all zero when it has none."""
    if tx_out.e_memo is None:
        return EMPTY_PAYLOAD
    return apply_memo_cipher(shared_secret.to_bytes(), tx_out.e_memo)


def is_subaddress_match(account: AccountKey, subaddress_index: int, tx_out: TxOut) -> bool:
    """Whether an output belongs to a subaddress.

    Raises:
        KeyFormatError: a key of the output is no point.
    """
    spend_public = recover_spend_public(
        account.view_private,
        RistrettoPublic(tx_out.target_key),
        RistrettoPublic(tx_out.public_key),
    )
    return spend_public == RistrettoPublic(account.subaddress(subaddress_index).spend_public_key)


def is_equal_ignoring_amount(left: TxOut, right: TxOut) -> bool:
    """Whether two outputs are the same but for their masked amounts."""
    return (
        left.target_key == right.target_key
        and left.public_key == right.public_key
        and left.e_fog_hint == right.e_fog_hint
        and left.e_memo == right.e_memo
    )


def commitment_of(tx_out: TxOut) -> bytes:
    """The 32-byte commitment of an output's amount.

    Raises:
        MissingMaskedAmount: there is no amount.
    """
    if tx_out.masked_amount is None:
        raise MissingMaskedAmount
    return tx_out.masked_amount.commitment
