"""Gift codes: value handed over as one word, without knowing an address.

Whoever has the code can take the gift, and so can the giver, until somebody does.
[docs/protocol/transaction.md#16]
"""

import dataclasses
import secrets

from mcnode.account.account_key import AccountKey
from mcnode.account.printable import PrintableGiftCode, parse_printable, to_printable
from mcnode.account.subaddress import GIFT_CODE_SUBADDRESS_INDEX
from mcnode.crypto.keys import RistrettoPrivate
from mcnode.crypto.ring_signature import key_image
from mcnode.errors import InvalidError
from mcnode.ledger.db import LedgerDB
from mcnode.transaction.builder import (
    GiftCodeCancellationMemoBuilder,
    GiftCodeFundingMemoBuilder,
    GiftCodeSenderMemoBuilder,
    InputCredentials,
)
from mcnode.transaction.builder.errors import BuilderFogError
from mcnode.transaction.constants import MOB
from mcnode.transaction.gift_code import make_gift_code
from mcnode.transaction.messages import Amount, TxOut, TxOutGiftCode
from mcnode.wallet.draft import BuildContext, BuiltPayment, Draft
from mcnode.wallet.errors import FogNotSupported
from mcnode.wallet.payments import check_value
from mcnode.wallet.records import OwnedOutput, PaymentKind
from mcnode.wallet.rings import choose_rings
from mcnode.wallet.selection import InputChoice, SmallestFirst


class NotAGiftCode(InvalidError):
    """The code is no gift code, or gives no output of this ledger."""


class GiftTaken(InvalidError):
    """Somebody took the gift, or its giver took it back."""

    def __init__(self, block_index: int) -> None:
        super().__init__(f"gift was taken or taken back in block {block_index}")


class GiftBelowFee(InvalidError):
    """Nothing would be left of the gift."""

    def __init__(self, value: int, fee: int) -> None:
        super().__init__(f"gift is worth {value}, needs more than the fee of {fee}")


class NoSuchGift(InvalidError):
    """This account gave no gift there."""

    def __init__(self, global_index: int) -> None:
        super().__init__(f"no gift of this account at output {global_index}")


@dataclasses.dataclass(frozen=True, slots=True)
class GivenGift:
    """A gift of this account."""

    output: OwnedOutput
    code: str = dataclasses.field(repr=False)
    """Printable."""


def list_gifts(
    account: AccountKey, outputs: list[OwnedOutput], ledger: LedgerDB
) -> list[GivenGift]:
    """Every gift of an account, oldest first; all of it is in the ledger and the account's keys."""
    gifts = []
    for output in outputs:
        if output.subaddress_index == GIFT_CODE_SUBADDRESS_INDEX:
            tx_out = ledger.get_tx_out_by_index(output.tx_out_index)
            code = make_gift_code(account, tx_out, output.tx_out_index)
            printable = PrintableGiftCode(
                code.global_index, code.onetime_private_key, code.shared_secret
            )
            gifts.append(GivenGift(output, to_printable(printable)))
    return gifts


def parse_gift_code(text: str) -> TxOutGiftCode:
    """The gift of a printable code.

    Raises:
        PrintableError: it is no printable code.
        NotAGiftCode: it is one of something else, or lacks a key.
    """
    value = parse_printable(text)
    if not isinstance(value, PrintableGiftCode):
        raise NotAGiftCode(f"printable code holds a {type(value).__name__}, needs a gift code")
    if value.onetime_private_key is None or value.shared_secret is None:
        raise NotAGiftCode("gift code lacks a key")
    return TxOutGiftCode(value.global_index, value.onetime_private_key, value.shared_secret)


@dataclasses.dataclass(frozen=True, slots=True)
class FundGiftOrder:
    """Put value aside for a gift; the code is known when it is in a block."""

    value: int
    token_id: int = MOB
    fee: int | None = None
    note: str = ""
    """At most 53 bytes, for the giver's own history."""
    choice: InputChoice = dataclasses.field(default_factory=SmallestFirst)

    def __post_init__(self) -> None:
        check_value(self.value)

    def build(self, context: BuildContext) -> BuiltPayment:
        """Sign.

        Raises:
            GiftBelowFee: nobody could take it, nor take it back.
            BadInputs: the note is too long.
            As `PaymentOrder.build`.
        """
        account = context.spender
        fee = context.terms.fee_of(self.token_id, self.fee)
        least_fee = context.terms.minimum_fees[self.token_id]
        if self.value <= least_fee:
            raise GiftBelowFee(self.value, least_fee)
        draft = Draft(context, Amount(fee, self.token_id), GiftCodeFundingMemoBuilder(self.note))
        needed = self.value + fee
        inputs = self.choice.choose(context.store.spendable(self.token_id), needed, self.token_id)
        draft.spend(inputs)
        amount = Amount(self.value, self.token_id)
        try:
            gift = draft.builder.add_gift_code_output(amount, account)
        except BuilderFogError as error:
            raise FogNotSupported from error
        change = sum(output.value for output in inputs) - needed
        draft.pay_self(Amount(change, self.token_id))  # also of 0: it carries the memo
        draft.note_own(gift)
        return draft.finish(PaymentKind.GIFT_FUND, amount, gift)


@dataclasses.dataclass(frozen=True, slots=True)
class RedeemGiftOrder:
    """Take a gift; the fee comes out of it."""

    gift: TxOutGiftCode
    fee: int | None = None
    note: str = ""
    """At most 57 bytes, for the own history."""

    def build(self, context: BuildContext) -> BuiltPayment:
        """Sign with the key of the code.

        Raises:
            NotAGiftCode: the code does not open its output, or the ledger has none there.
            GiftTaken: it is too late.
            GiftBelowFee: nothing would be left.
            As `PaymentOrder.build`.
        """
        _ = context.spender
        credentials = self._credentials(context)
        key = RistrettoPrivate(self.gift.onetime_private_key)
        taken = context.ledger.check_key_image(key_image(key))
        if taken is not None:
            raise GiftTaken(taken)
        gift = credentials.amount
        fee = context.terms.fee_of(gift.token_id, self.fee)
        if gift.value <= fee:
            raise GiftBelowFee(gift.value, fee)
        memos = GiftCodeSenderMemoBuilder(self.note)
        draft = Draft(context, Amount(fee, gift.token_id), memos)
        draft.add(credentials, key_image(key))
        amount = Amount(gift.value - fee, gift.token_id)
        return draft.finish(PaymentKind.GIFT_REDEEM, amount, draft.pay_self(amount))

    def _credentials(self, context: BuildContext) -> InputCredentials:
        ledger, index = context.ledger, self.gift.global_index
        if index >= ledger.num_txos():
            raise NotAGiftCode(f"gift is output {index}, blocks read so far have fewer: sync")
        _check_key(self.gift, ledger.get_tx_out_by_index(index))
        [ring] = choose_rings([index], ledger.num_txos(), secrets.randbelow)
        return InputCredentials.from_gift_code(
            [ledger.get_tx_out_by_index(each) for each in ring],
            ledger.get_tx_out_proof_of_memberships(ring),
            ring.index(index),
            self.gift,
        )


def _check_key(gift: TxOutGiftCode, tx_out: TxOut) -> None:
    public = RistrettoPrivate(gift.onetime_private_key).public_key()
    if public.to_bytes() != tx_out.target_key:
        raise NotAGiftCode(
            f"gift code does not open output {gift.global_index}: it is of another network"
        )


@dataclasses.dataclass(frozen=True, slots=True)
class CancelGiftOrder:
    """Take an own gift back, by its output's index in the ledger."""

    global_index: int
    fee: int | None = None

    def build(self, context: BuildContext) -> BuiltPayment:
        """Sign; raises `NoSuchGift`, `GiftTaken`, `GiftBelowFee`, and as `PaymentOrder.build`."""
        _ = context.spender
        output = self._output(context)
        if output.spent_in_block is not None:
            raise GiftTaken(output.spent_in_block)
        fee = context.terms.fee_of(output.token_id, self.fee)
        if output.value <= fee:
            raise GiftBelowFee(output.value, fee)
        memos = GiftCodeCancellationMemoBuilder(self.global_index)
        draft = Draft(context, Amount(fee, output.token_id), memos)
        draft.spend([output])
        amount = Amount(output.value - fee, output.token_id)
        return draft.finish(PaymentKind.GIFT_CANCEL, amount, draft.pay_self(amount))

    def _output(self, context: BuildContext) -> OwnedOutput:
        for output in context.store.outputs():
            if (output.subaddress_index, output.tx_out_index) == (
                GIFT_CODE_SUBADDRESS_INDEX,
                self.global_index,
            ):
                return output
        raise NoSuchGift(self.global_index)
