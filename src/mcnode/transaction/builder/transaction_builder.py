"""From inputs and wishes to a signed transaction. [docs/protocol/transaction.md#12]

The builder adds no change by itself and enforces neither limits nor minimum fees: validation does.
"""

import dataclasses
import itertools

from mcnode.account.public_address import PublicAddress
from mcnode.crypto.keys import RistrettoPrivate
from mcnode.crypto.rng import RandomBytes
from mcnode.transaction.amounts import OpenedAmount
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.builder.errors import (
    BuilderMemoError,
    FeatureNotSupportedAtBlockVersion,
    InvalidRingSize,
    MissingMembershipProofs,
    MixedTransactionsNotAllowed,
    NoInputs,
    SignedInputRulesNotAllowed,
)
from mcnode.transaction.builder.fog import FogResolver, no_fog
from mcnode.transaction.builder.input_credentials import InputCredentials
from mcnode.transaction.builder.memo_builder import EmptyMemoBuilder, MemoBuilder, NewMemoError
from mcnode.transaction.builder.output_maker import (
    AddedOutput,
    MadeOutput,
    OutputMaker,
    ReservedSubaddresses,
)
from mcnode.transaction.builder.unsigned_tx import UnsignedTx
from mcnode.transaction.constants import MOB
from mcnode.transaction.fee_map import FeeMap
from mcnode.transaction.messages import (
    Amount,
    InputRules,
    SignedContingentInput,
    Tx,
    TxIn,
    TxOut,
    TxOutSummaryUnblindingData,
    TxPrefix,
)
from mcnode.transaction.ring_ct.rings import (
    InputRing,
    OnetimeKeySigner,
    PresignedRing,
    RingSigner,
)
from mcnode.transaction.ring_ct.signing import amount_of
from mcnode.transaction.sci.consume import (
    FilledOutput,
    check_taken_whole,
    check_usable,
    fill_partially,
)


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
        self._memo_builder = memo_builder or EmptyMemoBuilder()
        self._maker = OutputMaker(
            block_version,
            random_bytes,
            fog_resolver,
            self._memo_builder,
            only_token_id=None if block_version.mixes_token_ids else fee.token_id,
        )
        self._inputs: list[_Input] = []
        self._outputs: list[tuple[TxOut, TxOutSummaryUnblindingData]] = []
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
        return self._maker.tombstone.block

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
        """Limit the life of the transaction. Returns the limit.

        Keys of fog servers and rules of contingent inputs may limit it further.
        """
        return self._maker.tombstone.wish(tombstone_block)

    def add_input(self, credentials: InputCredentials) -> None:
        """Spend an own output."""
        self._inputs.append(_Input(credentials.tx_in(), credentials.signable_ring()))

    def add_presigned_input(self, sci: SignedContingentInput) -> None:
        """Spend somebody else's contingent input whole, with the outputs that its rules require.

        Its membership proofs must have been put back in (`sci.with_membership_proofs`).

        Raises:
            ContingentInputError: the first rule that is broken.
        """
        check_taken_whole(sci)
        self._add_presigned(sci, check_usable(self._block_version, sci), ())

    def add_presigned_partial_fill_input(
        self, sci: SignedContingentInput, change: Amount
    ) -> tuple[Amount, ...]:
        """Spend somebody else's contingent input in part, leaving `change` to them.

        Returns what this pays for, in the order of the rules' partial-fill outputs.

        Raises:
            ContingentInputError: the first rule that is broken.
        """
        fill = fill_partially(self._block_version, sci, change)
        rules = check_usable(self._block_version, sci)
        self._add_presigned(sci, rules, (*fill.outputs, fill.change))
        return fill.amounts

    def add_presigned_input_raw(self, sci: SignedContingentInput) -> None:
        """Spend somebody else's contingent input, without a look at its rules."""
        claimed = sci.pseudo_output_amount
        amount = OpenedAmount(claimed.value, claimed.token_id, claimed.blinding)
        self._inputs.append(_Input(sci.tx_in, PresignedRing(sci.mlsag, amount)))

    def _add_presigned(
        self, sci: SignedContingentInput, rules: InputRules, filled: tuple[FilledOutput, ...]
    ) -> None:
        for tx_out, amount in filled:
            self._outputs.append((tx_out, TxOutSummaryUnblindingData(amount)))
        present = {tx_out for tx_out, _ in self._outputs}
        for tx_out, amount in zip(rules.required_outputs, sci.required_output_amounts, strict=True):
            if tx_out not in present:
                self._outputs.append((tx_out, TxOutSummaryUnblindingData(amount)))
                present.add(tx_out)
        if rules.max_tombstone_block != 0:
            self._maker.tombstone.limit(rules.max_tombstone_block)
        self.add_presigned_input_raw(sci)

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
        return self._add(self._maker.pay(amount, recipient, tx_private_key))

    def add_change_output(
        self,
        amount: Amount,
        account: ReservedSubaddresses,
        *,
        tx_private_key: RistrettoPrivate | None = None,
    ) -> AddedOutput:
        """Pay what is left back to the sender's change subaddress; raises as `add_output`."""
        return self._add(self._maker.pay_change(amount, account, tx_private_key))

    def add_gift_code_output(
        self,
        amount: Amount,
        account: ReservedSubaddresses,
        *,
        tx_private_key: RistrettoPrivate | None = None,
    ) -> AddedOutput:
        """Pay the sender's gift code subaddress, hinted for the primary address as change is.

        Raises as `add_output`.
        """
        return self._add(
            self._maker.pay(
                amount,
                account.gift_code_subaddress(),
                tx_private_key,
                fog_recipient=account.default_subaddress(),
            )
        )

    def _add(self, made: MadeOutput) -> AddedOutput:
        self._outputs.append((made.tx_out, made.unblinding))
        return made.added

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
            self.tombstone_block,
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
