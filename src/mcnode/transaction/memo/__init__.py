"""Memos: 66 bytes that only the recipient of an output can read. [docs/protocol/transaction.md#11]

The first two bytes say the type, the other 64 are its data. Integers are big-endian. Reading never
fails on content: what a memo says is only as good as its proof.
"""

from mcnode.transaction.memo.authenticated import AuthenticatedSenderMemo, SenderCredential
from mcnode.transaction.memo.base import (
    EMPTY_PAYLOAD,
    Memo,
    MemoError,
    UnknownMemoType,
    UnusedMemo,
    parse_memo,
)
from mcnode.transaction.memo.destination import DestinationMemo
from mcnode.transaction.memo.gift_code import (
    GiftCodeCancellationMemo,
    GiftCodeFundingMemo,
    GiftCodeSenderMemo,
)
from mcnode.transaction.memo.special import BurnRedemptionMemo, DefragmentationMemo

__all__ = [
    "EMPTY_PAYLOAD",
    "AuthenticatedSenderMemo",
    "BurnRedemptionMemo",
    "DefragmentationMemo",
    "DestinationMemo",
    "GiftCodeCancellationMemo",
    "GiftCodeFundingMemo",
    "GiftCodeSenderMemo",
    "Memo",
    "MemoError",
    "SenderCredential",
    "UnknownMemoType",
    "UnusedMemo",
    "parse_memo",
]
