"""Gift codes: value handed over as one word, without knowing an address.

Whoever has the code can take the gift, and so can the giver, until somebody does.
[docs/protocol/transaction.md#16]
"""

import dataclasses
import secrets

from mcnode.account.account_key import AccountKey
from mcnode.account.mnemonic import account_key_from_mnemonic, mnemonic_from_entropy
from mcnode.account.printable import (
    PrintableGiftCode,
    TransferPayload,
    parse_printable,
    to_printable,
)
from mcnode.account.root_identity import account_key_from_root_entropy
from mcnode.account.subaddress import DEFAULT_SUBADDRESS_INDEX, GIFT_CODE_SUBADDRESS_INDEX
from mcnode.crypto.keys import RistrettoPrivate, RistrettoPublic
from mcnode.crypto.onetime_keys import recover_onetime_private_key, shared_secret_of
from mcnode.crypto.ring_signature import key_image
from mcnode.errors import InvalidError
from mcnode.ledger.db import LedgerDB
from mcnode.ledger.errors import NotFound
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


def parse_gift_code(text: str) -> TxOutGiftCode | TransferPayload:
    """The gift of a printable code; a transfer code of older wallets is one too.

    Raises:
        PrintableError: it is no printable code.
        NotAGiftCode: it is one of something else, or lacks a key.
    """
    value = parse_printable(text)
    if isinstance(value, TransferPayload):
        return value
    if not isinstance(value, PrintableGiftCode):
        raise NotAGiftCode(f"printable code holds a {type(value).__name__}, needs a gift code")
    if value.onetime_private_key is None or value.shared_secret is None:
        raise NotAGiftCode("gift code lacks a key")
    return TxOutGiftCode(value.global_index, value.onetime_private_key, value.shared_secret)


def gift_of_transfer(payload: TransferPayload, ledger: LedgerDB) -> TxOutGiftCode:
    """The gift in a transfer code of older wallets: an account of its own that holds one output.

    Raises:
        NotAGiftCode: it lacks entropy or output, or the output is not that account's, or not in
            the blocks read so far.
    """
    if payload.tx_out_public_key is None:
        raise NotAGiftCode("transfer code names no output")
    try:
        index = ledger.get_tx_out_index_by_public_key(payload.tx_out_public_key)
    except NotFound:
        raise NotAGiftCode("output of the transfer code is in no block read so far: sync") from None
    account, tx_out = _account_of_transfer(payload), ledger.get_tx_out_by_index(index)
    public_key = RistrettoPublic(tx_out.public_key)
    key = recover_onetime_private_key(
        public_key,
        account.view_private,
        account.subaddress_spend_private(DEFAULT_SUBADDRESS_INDEX),
    )
    secret = shared_secret_of(account.view_private, public_key)
    gift = TxOutGiftCode(index, key.to_bytes(), secret.to_bytes())
    _check_key(gift, tx_out)
    return gift


def _account_of_transfer(payload: TransferPayload) -> AccountKey:
    try:
        if payload.bip39_entropy:
            return account_key_from_mnemonic(mnemonic_from_entropy(payload.bip39_entropy))
        return account_key_from_root_entropy(payload.root_entropy)
    except InvalidError as error:
        raise NotAGiftCode(f"transfer code holds no account: {error}") from None


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

    gift: TxOutGiftCode | TransferPayload
    """Of a gift code; of a transfer code once its output is looked up."""
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
        given = self.gift
        if isinstance(given, TransferPayload):
            given = gift_of_transfer(given, context.ledger)
        credentials = _credentials(context.ledger, given)
        key = RistrettoPrivate(given.onetime_private_key)
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


def _credentials(ledger: LedgerDB, gift: TxOutGiftCode) -> InputCredentials:
    index = gift.global_index
    if index >= ledger.num_txos():
        raise NotAGiftCode(f"gift is output {index}, blocks read so far have fewer: sync")
    _check_key(gift, ledger.get_tx_out_by_index(index))
    [ring] = choose_rings([index], ledger.num_txos(), secrets.randbelow)
    return InputCredentials.from_gift_code(
        [ledger.get_tx_out_by_index(each) for each in ring],
        ledger.get_tx_out_proof_of_memberships(ring),
        ring.index(index),
        gift,
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
