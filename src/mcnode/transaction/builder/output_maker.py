"""Making the outputs of a transaction or of a contingent input. [docs/protocol/transaction.md#12]

Fog keys expire, so each output with a fog hint may shorten the life of what it goes into.
"""

import dataclasses
from collections.abc import Callable
from typing import Protocol

from mcnode.account.public_address import PublicAddress
from mcnode.crypto.keys import RistrettoPrivate, RistrettoPublic
from mcnode.crypto.onetime_keys import confirmation_number
from mcnode.crypto.rng import RandomBytes
from mcnode.transaction.amounts import TokenIdNotSupportedAtBlockVersion, open_masked_amount
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.builder.errors import (
    MixedTransactionsNotAllowed,
    NewTx,
    NewTxAmount,
    NewTxMemo,
)
from mcnode.transaction.builder.fog import FogResolver, make_fog_hint
from mcnode.transaction.builder.memo_builder import MemoBuilder, NewMemoError
from mcnode.transaction.constants import U64_MAX
from mcnode.transaction.messages import (
    Amount,
    TxOut,
    TxOutSummaryUnblindingData,
    UnmaskedAmount,
)
from mcnode.transaction.tx_out import create_tx_out

MakeMemo = Callable[[Amount, PublicAddress, bytes], bytes]


class ReservedSubaddresses(Protocol):
    """The addresses of an account that its own software pays to: any kind of account key."""

    def default_subaddress(self) -> PublicAddress:
        """Where others pay to."""
        ...

    def change_subaddress(self) -> PublicAddress:
        """Where change goes."""
        ...

    def gift_code_subaddress(self) -> PublicAddress:
        """Where the outputs behind gift codes lie."""
        ...


@dataclasses.dataclass(frozen=True, slots=True)
class AddedOutput:
    """An output as it will be in the transaction, and what its sender may keep."""

    tx_out: TxOut
    shared_secret: RistrettoPublic = dataclasses.field(repr=False)

    @property
    def confirmation(self) -> bytes:
        """32 bytes by which the recipient believes that this sender made the output."""
        return confirmation_number(self.shared_secret.to_bytes())


@dataclasses.dataclass(frozen=True, slots=True)
class MadeOutput:
    """A new output with the secrets that whoever signs must know."""

    added: AddedOutput
    unblinding: TxOutSummaryUnblindingData = dataclasses.field(repr=False)

    @property
    def tx_out(self) -> TxOut:
        """The output itself."""
        return self.added.tx_out


class TombstoneLimit:
    """A wished tombstone block and the latest one that all keys and rules allow."""

    def __init__(self) -> None:
        self._limit = U64_MAX
        self.block = U64_MAX
        """The tombstone block as it stands; 2**64 - 1 is none."""

    def wish(self, tombstone_block: int) -> int:
        """Set the tombstone block, no later than the limit; returns it."""
        self.block = min(tombstone_block, self._limit)
        return self.block

    def limit(self, tombstone_block: int) -> None:
        """Allow none later than this."""
        self._limit = min(self._limit, tombstone_block)
        self.block = min(self.block, self._limit)


class OutputMaker:
    """Makes outputs of one block version and keeps track of how long they may live.

    With `only_token_id` every output must be in that token.
    """

    def __init__(
        self,
        block_version: BlockVersion,
        random_bytes: RandomBytes,
        fog_resolver: FogResolver,
        memo_builder: MemoBuilder,
        *,
        only_token_id: int | None = None,
    ) -> None:
        self._block_version = block_version
        self._random_bytes = random_bytes
        self._fog_resolver = fog_resolver
        self._memo_builder = memo_builder
        self._only_token_id = only_token_id
        self.tombstone = TombstoneLimit()

    def pay(
        self,
        amount: Amount,
        recipient: PublicAddress,
        tx_private_key: RistrettoPrivate | None = None,
        *,
        fog_recipient: PublicAddress | None = None,
    ) -> MadeOutput:
        """An output to an address, hinted for `fog_recipient` if that is another.

        Raises:
            BuilderFogError: the recipient's fog server has no good key.
            MixedTransactionsNotAllowed: another token than the only one.
            NewTx: amount or memo cannot be made.
        """
        make_memo = self._memo_builder.make_memo_for_output
        return self._make(amount, recipient, fog_recipient or recipient, make_memo, tx_private_key)

    def pay_change(
        self,
        amount: Amount,
        account: ReservedSubaddresses,
        tx_private_key: RistrettoPrivate | None = None,
    ) -> MadeOutput:
        """An output to the own change subaddress; raises as `pay`.

        Change is hinted as for the primary address: to its fog server both are one user.
        """
        make_memo = self._memo_builder.make_memo_for_change_output
        change, primary = account.change_subaddress(), account.default_subaddress()
        return self._make(amount, change, primary, make_memo, tx_private_key)

    def _make(
        self,
        amount: Amount,
        recipient: PublicAddress,
        fog_recipient: PublicAddress,
        make_memo: MakeMemo,
        tx_private_key: RistrettoPrivate | None,
    ) -> MadeOutput:
        hint, limit = make_fog_hint(fog_recipient, self._fog_resolver, self._random_bytes)
        if self._only_token_id not in (None, amount.token_id):
            raise MixedTransactionsNotAllowed(self._only_token_id or 0, amount.token_id)
        key = tx_private_key or RistrettoPrivate.random(self._random_bytes)
        try:
            tx_out, shared_secret = create_tx_out(
                self._block_version,
                amount,
                recipient,
                key,
                hint,
                make_memo=lambda public_key: make_memo(amount, recipient, public_key),
            )
        except TokenIdNotSupportedAtBlockVersion as error:
            raise NewTx(NewTxAmount(error)) from error
        except NewMemoError as error:
            raise NewTx(NewTxMemo(error)) from error
        self.tombstone.limit(limit)
        assert tx_out.masked_amount is not None
        opened = open_masked_amount(tx_out.masked_amount, shared_secret.to_bytes())
        unmasked = UnmaskedAmount(opened.value, opened.token_id, opened.blinding)
        unblinding = TxOutSummaryUnblindingData(unmasked, recipient, key.to_bytes())
        return MadeOutput(AddedOutput(tx_out, shared_secret), unblinding)
