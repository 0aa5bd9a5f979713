"""Building transactions. [docs/protocol/transaction.md#12]"""

from mcnode.transaction.builder.burn_redemption_memo_builder import BurnRedemptionMemoBuilder
from mcnode.transaction.builder.contingent_input_builder import SignedContingentInputBuilder
from mcnode.transaction.builder.defragmentation_memo_builder import DefragmentationMemoBuilder
from mcnode.transaction.builder.fog import FogPublicKey, FogResolver, no_fog
from mcnode.transaction.builder.gift_code_memo_builders import (
    GiftCodeCancellationMemoBuilder,
    GiftCodeFundingMemoBuilder,
    GiftCodeSenderMemoBuilder,
)
from mcnode.transaction.builder.input_credentials import InputCredentials
from mcnode.transaction.builder.memo_builder import EmptyMemoBuilder, MemoBuilder
from mcnode.transaction.builder.output_maker import AddedOutput, ReservedSubaddresses
from mcnode.transaction.builder.rth_memo_builder import RthMemoBuilder
from mcnode.transaction.builder.transaction_builder import TransactionBuilder

__all__ = [
    "AddedOutput",
    "BurnRedemptionMemoBuilder",
    "DefragmentationMemoBuilder",
    "EmptyMemoBuilder",
    "FogPublicKey",
    "FogResolver",
    "GiftCodeCancellationMemoBuilder",
    "GiftCodeFundingMemoBuilder",
    "GiftCodeSenderMemoBuilder",
    "InputCredentials",
    "MemoBuilder",
    "ReservedSubaddresses",
    "RthMemoBuilder",
    "SignedContingentInputBuilder",
    "TransactionBuilder",
    "no_fog",
]
