"""Masking and opening the amounts of outputs. [docs/protocol/transaction.md#4]

The arithmetic is `mcnode.crypto.masked_amount`; here is which version is made and read when.
"""

from mcnode.crypto.masked_amount import (
    MaskedAmountVersion,
    MaskedFields,
    OpenedAmount,
    mask_amount,
    mask_amount_with_amount_shared_secret,
    open_amount,
    open_amount_with_amount_shared_secret,
)
from mcnode.crypto.masked_amount import (
    amount_shared_secret as derive_amount_shared_secret,
)
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.constants import MOB
from mcnode.transaction.errors import TransactionError
from mcnode.transaction.messages import Amount, MaskedAmount, MaskedAmountV1, MaskedAmountV2

__all__ = [
    "Amount",
    "OpenedAmount",
    "TokenIdNotSupportedAtBlockVersion",
    "derive_amount_shared_secret",
    "make_masked_amount",
    "make_masked_amount_v2",
    "make_masked_amount_with_amount_shared_secret",
    "open_masked_amount",
    "open_masked_amount_with_amount_shared_secret",
]


class TokenIdNotSupportedAtBlockVersion(TransactionError):
    """A token other than 0 is used below block version 2."""

    def __init__(self, token_id: int, block_version: BlockVersion) -> None:
        super().__init__(f"token is {token_id}, limit 0 at block version {block_version}")
        self.token_id = token_id


def make_masked_amount(
    block_version: BlockVersion, amount: Amount, shared_secret: bytes
) -> MaskedAmount:
    """Hide an amount under the 32-byte shared secret of its output.

    Raises:
        TokenIdNotSupportedAtBlockVersion: not token 0 below block version 2.
    """
    if block_version.masks_amounts_v2:
        return make_masked_amount_v2(amount, shared_secret)
    if not block_version.has_masked_token_ids and amount.token_id != MOB:
        raise TokenIdNotSupportedAtBlockVersion(amount.token_id, block_version)
    fields, _ = mask_amount(MaskedAmountVersion.V1, amount.value, amount.token_id, shared_secret)
    masked_token_id = fields.masked_token_id if block_version.has_masked_token_ids else b""
    return MaskedAmountV1(fields.commitment, fields.masked_value, masked_token_id)


def make_masked_amount_v2(amount: Amount, shared_secret: bytes) -> MaskedAmountV2:
    """Hide an amount in the form of block versions 3 and above."""
    fields, _ = mask_amount(MaskedAmountVersion.V2, amount.value, amount.token_id, shared_secret)
    return MaskedAmountV2(fields.commitment, fields.masked_value, fields.masked_token_id)


def make_masked_amount_with_amount_shared_secret(amount: Amount, secret: bytes) -> MaskedAmountV2:
    """Hide an amount under the 32-byte secret that opens this amount only."""
    fields, _ = mask_amount_with_amount_shared_secret(amount.value, amount.token_id, secret)
    return MaskedAmountV2(fields.commitment, fields.masked_value, fields.masked_token_id)


def open_masked_amount(masked: MaskedAmount, shared_secret: bytes) -> OpenedAmount:
    """Value, token and blinding of an amount, with the output's 32-byte shared secret.

    Raises:
        AmountError: another secret, or a masked token id of wrong length.
    """
    return open_amount(_version_of(masked), _fields_of(masked), shared_secret)


def open_masked_amount_with_amount_shared_secret(
    masked: MaskedAmount, secret: bytes
) -> OpenedAmount:
    """As `open_masked_amount`, with the 32-byte secret that opens this amount only.

    Raises:
        AmountError: a version 1 amount, another secret, or a masked token id of wrong length.
    """
    return open_amount_with_amount_shared_secret(_version_of(masked), _fields_of(masked), secret)


def _version_of(masked: MaskedAmount) -> MaskedAmountVersion:
    is_v1 = isinstance(masked, MaskedAmountV1)
    return MaskedAmountVersion.V1 if is_v1 else MaskedAmountVersion.V2


def _fields_of(masked: MaskedAmount) -> MaskedFields:
    return MaskedFields(masked.commitment, masked.masked_value, masked.masked_token_id)
