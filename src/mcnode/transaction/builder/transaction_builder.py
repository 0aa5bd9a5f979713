"""From inputs and wishes to a signed transaction. [docs/protocol/transaction.md#12]

The builder adds no change by itself and enforces neither limits nor minimum fees: validation does.
"""

import dataclasses
import itertools
from collections.abc import Callable

from mcnode.account.account_key import AccountKey
from mcnode.account.public_address import PublicAddress
from mcnode.crypto.keys import RistrettoPrivate, RistrettoPublic
from mcnode.crypto.onetime_keys import confirmation_number
from mcnode.crypto.rng import RandomBytes
from mcnode.transaction.amounts import (
    OpenedAmount,
    TokenIdNotSupportedAtBlockVersion,
    open_masked_amount,
)
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.builder.errors import (
    BuilderMemoError,
    FeatureNotSupportedAtBlockVersion,
    InvalidRingSize,
    MissingMembershipProofs,
    MixedTransactionsNotAllowed,
    NewTx,
    NewTxAmount,
    NewTxMemo,
    NoInputs,
    SignedInputRulesNotAllowed,
)
from mcnode.transaction.builder.fog import FogResolver, make_fog_hint, no_fog
from mcnode.transaction.builder.input_credentials import InputCredentials
from mcnode.transaction.builder.memo_builder import EmptyMemoBuilder, MemoBuilder, NewMemoError
from mcnode.transaction.builder.unsigned_tx import UnsignedTx
from mcnode.transaction.constants import MOB, U64_MAX
from mcnode.transaction.fee_map import FeeMap
from mcnode.transaction.messages import (
    Amount,
    SignedContingentInput,
    Tx,
    TxIn,
    TxOut,
    TxOutSummaryUnblindingData,
    TxPrefix,
    UnmaskedAmount,
)
from mcnode.transaction.ring_ct.rings import (
    InputRing,
    OnetimeKeySigner,
    PresignedRing,
    RingSigner,
)
from mcnode.transaction.ring_ct.signing import amount_of
from mcnode.transaction.tx_out import create_tx_out

MakeMemo = Callable[[Amount, PublicAddress, bytes], bytes]


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
class _Input:
    tx_in: TxIn
    ring: InputRing


class TransactionBuilder:
    """Collects inputs and outputs, then builds.

    Args:
        block_version: of the block that shall hold the transaction.
        fee: in the smallest unit of the fee token.
        random_bytes: source of randomness; `os.urandom` outside of tests.
        fog_resolver: knows the keys of fog servers.
        memo_builder: writes the memos.

    Raises:
        BuilderMemoError: the memo builder refuses the fee.
    """

    def __init__(
        self,
        block_version: BlockVersion,
        fee: Amount,
        random_bytes: RandomBytes,
        *,
        fog_resolver: FogResolver = no_fog,
        memo_builder: MemoBuilder | None = None,
    ) -> None:
        self._block_version = block_version
        self._random_bytes = random_bytes
        self._fog_resolver = fog_resolver
        self._memo_builder = memo_builder or EmptyMemoBuilder()
        self._inputs: list[_Input] = []
        self._outputs: list[tuple[TxOut, TxOutSummaryUnblindingData]] = []
        self._tombstone_block = U64_MAX
        self._fog_tombstone_limit = U64_MAX
        self._fee_map: FeeMap | None = None
        self._fee = fee
        self.set_fee(fee.value)

    @property
    def fee(self) -> Amount:
        """The fee as it stands."""
        return self._fee

    @property
    def tombstone_block(self) -> int:
        """The tombstone block as it stands."""
        return self._tombstone_block

    def set_fee(self, value: int) -> None:
        """Change the fee, in the smallest unit of its token.

        Raises:
            BuilderMemoError: a memo states the fee already.
        """
        fee = Amount(value, self._fee.token_id)
        try:
            self._memo_builder.set_fee(fee)
        except NewMemoError as error:
            raise BuilderMemoError(error) from error
        self._fee = fee

    def set_fee_map(self, fee_map: FeeMap) -> None:
        """Say in the transaction which minimum fees it assumes."""
        self._fee_map = fee_map

    def set_tombstone_block(self, tombstone_block: int) -> int:
        """Limit the life of the transaction; fog keys may limit it further. Returns the limit."""
        self._tombstone_block = min(tombstone_block, self._fog_tombstone_limit)
        return self._tombstone_block

    def add_input(self, credentials: InputCredentials) -> None:
        """Spend an own output."""
        self._inputs.append(_Input(credentials.tx_in(), credentials.signable_ring()))

    def add_presigned_input_raw(self, sci: SignedContingentInput) -> None:
        """Spend somebody else's contingent input, without adding what its rules ask for."""
        claimed = sci.pseudo_output_amount
        amount = OpenedAmount(claimed.value, claimed.token_id, claimed.blinding)
        self._inputs.append(_Input(sci.tx_in, PresignedRing(sci.mlsag, amount)))

    def add_output(
        self,
        amount: Amount,
        recipient: PublicAddress,
        *,
        tx_private_key: RistrettoPrivate | None = None,
    ) -> AddedOutput:
        """Pay an address; a given `tx_private_key` must never have been used.

        Raises:
            MixedTransactionsNotAllowed: another token than the fee's, below block version 3.
            BuilderFogError: the recipient's fog server has no good key.
            NewTx: amount or memo cannot be made.
        """
        make_memo = self._memo_builder.make_memo_for_output
        return self._add(amount, recipient, recipient, make_memo, tx_private_key)

    def add_change_output(
        self,
        amount: Amount,
        account: AccountKey,
        *,
        tx_private_key: RistrettoPrivate | None = None,
    ) -> AddedOutput:
        """Pay what is left back to the sender's change subaddress; raises as `add_output`."""
        make_memo = self._memo_builder.make_memo_for_change_output
        change = account.change_subaddress()
        return self._add(amount, change, account.default_subaddress(), make_memo, tx_private_key)

    def _add(
        self,
        amount: Amount,
        recipient: PublicAddress,
        fog_recipient: PublicAddress,
        make_memo: MakeMemo,
        tx_private_key: RistrettoPrivate | None,
    ) -> AddedOutput:
        """Make an output whose fog hint is for `fog_recipient`.

        Change is hinted as for the primary address: to its fog server both are one user.
        """
        hint, limit = make_fog_hint(fog_recipient, self._fog_resolver, self._random_bytes)
        if not self._block_version.mixes_token_ids and amount.token_id != self._fee.token_id:
            raise MixedTransactionsNotAllowed(self._fee.token_id, amount.token_id)
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
        self._fog_tombstone_limit = min(self._fog_tombstone_limit, limit)
        self._tombstone_block = min(self._tombstone_block, self._fog_tombstone_limit)
        assert tx_out.masked_amount is not None
        opened = open_masked_amount(tx_out.masked_amount, shared_secret.to_bytes())
        unmasked = UnmaskedAmount(opened.value, opened.token_id, opened.blinding)
        unblinding = TxOutSummaryUnblindingData(unmasked, recipient, key.to_bytes())
        self._outputs.append((tx_out, unblinding))
        return AddedOutput(tx_out, shared_secret)

    def build_unsigned(self) -> UnsignedTx:
        """Sort inputs and outputs and close the prefix.

        Raises:
            TxBuilderError: the first rule that is broken.
        """
        version = self._block_version
        if not version.has_masked_token_ids and self._fee.token_id != MOB:
            raise FeatureNotSupportedAtBlockVersion(version.value, "nonzero token id")
        self._check_inputs()
        inputs = sorted(self._inputs, key=_first_public_key)
        outputs = sorted(self._outputs, key=lambda pair: pair[0].public_key)
        prefix = TxPrefix(
            tuple(item.tx_in for item in inputs),
            tuple(tx_out for tx_out, _ in outputs),
            self._fee.value,
            self._tombstone_block,
            self._fee.token_id,
        )
        return UnsignedTx(
            version,
            prefix,
            tuple(item.ring for item in inputs),
            tuple(unblinding for _, unblinding in outputs),
            self._fee_map,
        )

    def build(self, signer: RingSigner | None = None) -> Tx:
        """Build and sign, by default with the one-time keys of the inputs.

        Raises:
            TxBuilderError: the first rule that is broken.
        """
        return self.build_unsigned().sign(signer or OnetimeKeySigner(), self._random_bytes)

    def _check_inputs(self) -> None:
        if not self._inputs:
            raise NoInputs
        sizes = [len(item.tx_in.ring) for item in self._inputs]
        for size, next_size in itertools.pairwise(sizes):
            if size != next_size:
                raise InvalidRingSize(next_size)
        for item in self._inputs:
            if not self._block_version.mixes_token_ids:
                token_id = amount_of(item.ring).token_id
                if token_id != self._fee.token_id:
                    raise MixedTransactionsNotAllowed(self._fee.token_id, token_id)
                if isinstance(item.ring, PresignedRing):
                    raise SignedInputRulesNotAllowed
            if len(item.tx_in.ring) != len(item.tx_in.proofs):
                raise MissingMembershipProofs(len(item.tx_in.proofs), len(item.tx_in.ring))


def _first_public_key(item: _Input) -> bytes:
    return item.tx_in.ring[0].public_key if item.tx_in.ring else b""
