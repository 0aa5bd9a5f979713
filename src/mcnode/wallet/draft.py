"""A transaction of this account in the making. [docs/protocol/transaction.md#18]"""

import dataclasses
import os
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from mcnode.account.account_key import AccountKey, ViewAccountKey
from mcnode.account.printable import to_printable
from mcnode.account.public_address import PublicAddress
from mcnode.codec import protobuf
from mcnode.crypto.rng import RandomBytes
from mcnode.ledger.db import LedgerDB
from mcnode.transaction.builder import (
    AddedOutput,
    InputCredentials,
    MemoBuilder,
    TransactionBuilder,
)
from mcnode.transaction.builder.errors import BuilderFogError
from mcnode.transaction.hashing import tx_hash
from mcnode.transaction.messages import Amount, Receipt, Tx
from mcnode.wallet.errors import FogNotSupported, ViewOnlyWallet
from mcnode.wallet.records import OwnedOutput, Payment, PaymentKind
from mcnode.wallet.rings import make_credentials
from mcnode.wallet.selection import InputChoice
from mcnode.wallet.store import WalletStore
from mcnode.wallet.terms import Terms

Account = AccountKey | ViewAccountKey
"""With a spend key, or without."""


@dataclasses.dataclass(frozen=True, slots=True)
class BuildContext:
    """What a transaction is built from. Building takes some tens of milliseconds of one core."""

    account: Account
    ledger: LedgerDB
    store: WalletStore
    terms: Terms
    made_at: int
    random_bytes: RandomBytes = os.urandom

    @property
    def spender(self) -> AccountKey:
        """The account with its spend key. Raises `ViewOnlyWallet`."""
        return require_spender(self.account)


def require_spender(account: Account) -> AccountKey:
    """The account if it can spend. Raises `ViewOnlyWallet`."""
    if isinstance(account, ViewAccountKey):
        raise ViewOnlyWallet
    return account


@dataclasses.dataclass(frozen=True, slots=True)
class BuiltPayment:
    """A signed transaction, and how the wallet remembers it."""

    tx: Tx = dataclasses.field(repr=False)
    payment: Payment
    key_images: tuple[bytes, ...]
    own_outputs: tuple[bytes, ...] = ()
    """Public keys of the outputs that come back."""


class Draft:
    """Inputs and outputs so far, and what the wallet will remember.

    Args:
        fee: and its token.
        memo_builder: new; it writes the memos.
    """

    def __init__(self, context: BuildContext, fee: Amount, memo_builder: MemoBuilder) -> None:
        self._context = context
        self._fee = fee
        self.builder = TransactionBuilder(
            context.terms.block_version, fee, context.random_bytes, memo_builder=memo_builder
        )
        self.builder.set_fee_map(context.terms.minimum_fees)
        self.builder.set_tombstone_block(context.terms.tombstone_block)
        self._key_images: list[bytes] = []
        self._own_outputs: list[bytes] = []

    def spend(self, inputs: Sequence[OwnedOutput], *, avoid: Collection[int] = ()) -> None:
        """Add inputs, all at once, or their rings might overlap; `avoid` are in others' rings.

        Raises:
            InsufficientTxOuts: the ledger is too small.
        """
        context = self._context
        for credentials in make_credentials(context.account, inputs, context.ledger, avoid=avoid):
            self.builder.add_input(credentials)
        self._key_images += [output.key_image for output in inputs if output.key_image is not None]

    def add(self, credentials: InputCredentials, key_image: bytes) -> None:
        """Add an input that is not the account's own."""
        self.builder.add_input(credentials)
        self._key_images.append(key_image)

    def pay(self, amount: Amount, recipient: PublicAddress) -> AddedOutput:
        """Pay somebody. Raises `FogNotSupported`, or `TxBuilderError`."""
        try:
            return self.builder.add_output(amount, recipient)
        except BuilderFogError as error:
            raise FogNotSupported from error

    def pay_self(self, amount: Amount) -> AddedOutput:
        """Pay the own change subaddress; raises as `pay`."""
        try:
            added = self.builder.add_change_output(amount, self._context.account)
        except BuilderFogError as error:
            raise FogNotSupported from error
        self.note_own(added)
        return added

    def settle(
        self,
        needs: Mapping[int, int],
        choice: InputChoice,
        *,
        spending: Sequence[OwnedOutput] = (),
        avoid: Collection[int] = (),
    ) -> AddedOutput:
        """Balance every token: spend where it lacks, take what is left; one output at least.

        Args:
            needs: by token, how much the transaction lacks (negative: has too much).
            spending: outputs to spend in any case, counted in `needs`.
            avoid: outputs of the ledger that are in others' rings.

        Raises:
            InsufficientFunds, InsufficientFundsFragmentedUtxos, InsufficientTxOuts: as they say.
            FogNotSupported: the account has a fog server.
        """
        inputs = list(spending)
        left: dict[int, int] = {}
        for token_id, needed in needs.items():
            left[token_id] = -needed
            if needed > 0:
                spendable = self._context.store.spendable(token_id)
                chosen = choice.choose(spendable, needed, token_id)
                inputs += chosen
                left[token_id] += sum(output.value for output in chosen)
        self.spend(inputs, avoid=avoid)
        back = [self.pay_self(Amount(value, token)) for token, value in left.items() if value]
        return back[0] if back else self.pay_self(Amount(0, self._fee.token_id))

    def note_own(self, added: AddedOutput) -> None:
        """Remember that an output comes back to the account."""
        self._own_outputs.append(added.tx_out.public_key)

    def finish(
        self,
        kind: PaymentKind,
        amount: Amount,
        found_by: AddedOutput,
        *,
        recipient: PublicAddress | None = None,
        received: Amount | None = None,
    ) -> BuiltPayment:
        """Prove and sign; the payment is final where `found_by` is in a block.

        Raises:
            TxBuilderError: the parts do not make a transaction.
        """
        tx = self.builder.build()
        tombstone_block = self.builder.tombstone_block
        payment = Payment(
            tx_hash=tx_hash(tx),
            recipient="" if recipient is None else to_printable(recipient),
            value=amount.value,
            token_id=amount.token_id,
            fee=self._fee.value,
            tombstone_block=tombstone_block,
            output_public_key=found_by.tx_out.public_key,
            change_public_key=self._own_outputs[0] if self._own_outputs else None,
            made_at=self._context.made_at,
            kind=kind,
            fee_token_id=None if self._fee.token_id == amount.token_id else self._fee.token_id,
            received=received,
            receipt=make_receipt(found_by, tombstone_block) if recipient is not None else b"",
        )
        return BuiltPayment(tx, payment, tuple(self._key_images), tuple(self._own_outputs))


def make_receipt(paid: AddedOutput, tombstone_block: int) -> bytes:
    """The encoded receipt of an output: only its sender and its owner can make it."""
    tx_out = paid.tx_out
    return protobuf.encode(
        Receipt(tx_out.masked_amount, tx_out.public_key, paid.confirmation, tombstone_block)
    )


class Order(Protocol):
    """Something the wallet can be asked to do by one transaction."""

    def build(self, context: BuildContext) -> BuiltPayment:
        """Choose inputs and rings, add outputs and memos, prove and sign."""
        ...
