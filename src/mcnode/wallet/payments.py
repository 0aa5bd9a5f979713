"""Paying, burning, merging. [docs/protocol/transaction.md#18]

An order says what is wanted; `build` makes the transaction. All values are in the token's smallest
unit; without a fee, the minimum is paid.
"""

import dataclasses
from typing import Final

from mcnode.account.public_address import PublicAddress, burn_address
from mcnode.transaction.builder import (
    AddedOutput,
    BurnRedemptionMemoBuilder,
    DefragmentationMemoBuilder,
    RthMemoBuilder,
)
from mcnode.transaction.builder.unsigned_tx import UnsignedTx
from mcnode.transaction.constants import MOB, U64_MAX
from mcnode.transaction.memo import SenderCredential
from mcnode.transaction.memo.base import DATA_LENGTH
from mcnode.transaction.messages import Amount
from mcnode.wallet.draft import BuildContext, BuiltPayment, Draft
from mcnode.wallet.errors import InvalidAmount
from mcnode.wallet.records import PaymentKind
from mcnode.wallet.selection import InputChoice, SmallestFirst, select_to_merge

NO_REDEMPTION_DATA: Final = bytes(DATA_LENGTH)


@dataclasses.dataclass(frozen=True, slots=True)
class PaymentOrder:
    """Pay somebody."""

    recipient: PublicAddress
    value: int
    token_id: int = MOB
    fee: int | None = None
    payment_request_id: int | None = None
    """Of the request that is paid; the recipient reads it in the memo."""
    choice: InputChoice = dataclasses.field(default_factory=SmallestFirst)
    payment_intent_id: int | None = None
    """What the payer calls it; the recipient reads it in the memo. Not with a request."""

    def __post_init__(self) -> None:
        check_value(self.value)

    def build(self, context: BuildContext) -> BuiltPayment:
        """Sign the payment.

        Raises:
            ViewOnlyWallet: the account's spend key is elsewhere.
            TokenCannotPayFees, FeeBelowMinimum, MinimumFeeTooHigh: as `Terms.fee_of`.
            InsufficientFunds, InsufficientFundsFragmentedUtxos, InsufficientTxOuts: as they say.
            FogNotSupported: recipient or sender has a fog server.
            TxBuilderError: the parts do not make a transaction.
        """
        credential = SenderCredential.from_account(context.spender)
        draft, paid = self._draft(context, credential)
        return draft.finish(
            PaymentKind.SEND, Amount(self.value, self.token_id), paid, recipient=self.recipient
        )

    def build_unsigned(self, context: BuildContext) -> UnsignedTx:
        """The payment for somebody else to sign: no sender memo, that needs the spend key.

        Raises as `build`, but for `ViewOnlyWallet`.
        """
        return self._draft(context, None)[0].builder.build_unsigned()

    def _draft(
        self, context: BuildContext, credential: SenderCredential | None
    ) -> tuple[Draft, AddedOutput]:
        fee = context.terms.fee_of(self.token_id, self.fee)
        memos = RthMemoBuilder(
            credential,
            has_destination_memo=True,
            payment_request_id=self.payment_request_id,
            payment_intent_id=self.payment_intent_id,
        )
        draft = Draft(context, Amount(fee, self.token_id), memos)
        change = _spend(draft, context, self.choice, self.value + fee, self.token_id)
        paid = draft.pay(Amount(self.value, self.token_id), self.recipient)
        if change:
            draft.pay_self(Amount(change, self.token_id))
        return draft, paid


@dataclasses.dataclass(frozen=True, slots=True)
class BurnOrder:
    """Destroy value, with 64 bytes that tell who may redeem it elsewhere."""

    value: int
    token_id: int
    fee: int | None = None
    redemption_data: bytes = NO_REDEMPTION_DATA
    choice: InputChoice = dataclasses.field(default_factory=SmallestFirst)

    def __post_init__(self) -> None:
        check_value(self.value)

    def build(self, context: BuildContext) -> BuiltPayment:
        """Sign; raises as `PaymentOrder.build`, and `BadLength` for other than 64 bytes."""
        _ = context.spender
        fee = context.terms.fee_of(self.token_id, self.fee)
        memos = BurnRedemptionMemoBuilder(self.redemption_data, has_destination_memo=True)
        draft = Draft(context, Amount(fee, self.token_id), memos)
        change = _spend(draft, context, self.choice, self.value + fee, self.token_id)
        amount, nobody = Amount(self.value, self.token_id), burn_address()
        burnt = draft.pay(amount, nobody)
        if change:
            draft.pay_self(Amount(change, self.token_id))
        return draft.finish(PaymentKind.BURN, amount, burnt, recipient=nobody)


@dataclasses.dataclass(frozen=True, slots=True)
class MergeOrder:
    """Put the largest output together with the 15 smallest, so that larger payments fit again."""

    token_id: int = MOB
    fee: int | None = None

    def build(self, context: BuildContext) -> BuiltPayment:
        """Sign; raises as `PaymentOrder.build`, and `OptimizationNotBeneficial`."""
        account = context.spender
        fee = context.terms.fee_of(self.token_id, self.fee)
        inputs = select_to_merge(context.store.spendable(self.token_id), fee, self.token_id)
        draft = Draft(context, Amount(fee, self.token_id), DefragmentationMemoBuilder())
        draft.spend(inputs)
        merged = Amount(sum(output.value for output in inputs) - fee, self.token_id)
        main = draft.pay(merged, account.change_subaddress())
        draft.note_own(main)
        draft.pay_self(Amount(0, self.token_id))  # so that it looks like any payment
        return draft.finish(PaymentKind.MERGE, merged, main)


def check_value(value: int) -> None:
    """Raise `InvalidAmount` for zero, and for what 64 bits do not hold."""
    if not 0 < value <= U64_MAX:
        raise InvalidAmount(f"amount is {value}, must be 1 to {U64_MAX}")


def _spend(
    draft: Draft, context: BuildContext, choice: InputChoice, needed: int, token_id: int
) -> int:
    """Add inputs worth at least `needed`; returns what is left over."""
    inputs = choice.choose(context.store.spendable(token_id), needed, token_id)
    draft.spend(inputs)
    return sum(output.value for output in inputs) - needed
