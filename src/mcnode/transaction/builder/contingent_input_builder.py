"""Offering an output for whatever its owner asks in return. [docs/protocol/transaction.md#13]

The result commits to the whole ring and to all rules, but not to who takes the offer, to the fee,
or to anything else of the transaction it ends in. To take an offer back, spend the output.
"""

from mcnode.account.public_address import PublicAddress
from mcnode.crypto.ring_errors import RingSignatureError
from mcnode.crypto.rng import RandomBytes, random_scalar
from mcnode.transaction.amounts import derive_amount_shared_secret
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.builder.errors import (
    AlreadyHavePartialFillChange,
    BlockVersionTooOld,
    BuilderMemoError,
    BuilderSignerError,
    FeatureNotSupportedAtBlockVersion,
    MissingProofs,
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
from mcnode.transaction.constants import MOB, U64_MAX
from mcnode.transaction.hashing import tx_in_signed_digest
from mcnode.transaction.messages import (
    Amount,
    InputRules,
    RevealedTxOut,
    SignedContingentInput,
    TxIn,
    UnmaskedAmount,
)
from mcnode.transaction.ring_ct.rings import OnetimeKeySigner, RingSigner, SignerError

_RULES_SINCE = 3


class SignedContingentInputBuilder:
    """Collects what the owner of an output asks for, then signs.

    Args:
        block_version: of the block that shall hold the transaction; 3 or above.
        credentials: of the output that is offered.
        random_bytes: source of randomness; `os.urandom` outside of tests.
        fog_resolver: knows the keys of fog servers.
        memo_builder: writes the memos of the required outputs.

    Raises:
        MissingProofs: there is not one proof for each ring member.
        BuilderMemoError: the memo builder refuses a fee of 0.
    """

    def __init__(
        self,
        block_version: BlockVersion,
        credentials: InputCredentials,
        random_bytes: RandomBytes,
        *,
        fog_resolver: FogResolver = no_fog,
        memo_builder: MemoBuilder | None = None,
    ) -> None:
        if len(credentials.ring) != len(credentials.proofs):
            raise MissingProofs(len(credentials.ring), len(credentials.proofs))
        memo_builder = memo_builder or EmptyMemoBuilder()
        try:
            memo_builder.set_fee(Amount(0, MOB))
        except NewMemoError as error:
            raise BuilderMemoError(error) from error
        self._block_version = block_version
        self._credentials = credentials
        self._random_bytes = random_bytes
        self._maker = OutputMaker(block_version, random_bytes, fog_resolver, memo_builder)
        self._required: list[MadeOutput] = []
        self._partial: list[RevealedTxOut] = []
        self._partial_change: RevealedTxOut | None = None
        self._min_partial_fill_value = 0

    @property
    def tombstone_block(self) -> int:
        """The last tombstone block of a transaction with this input; 2**64 - 1 for no limit."""
        return self._maker.tombstone.block

    def set_tombstone_block(self, tombstone_block: int) -> int:
        """Limit the life of the offer; fog keys may limit it further. Returns the limit."""
        return self._maker.tombstone.wish(tombstone_block)

    def set_min_partial_fill_value(self, value: int) -> None:
        """Refuse to have less than this filled, in the smallest unit of the change's token.

        Raises:
            FeatureNotSupportedAtBlockVersion: below block version 3.
        """
        self._check_partial_fills()
        self._min_partial_fill_value = value

    def add_required_output(self, amount: Amount, recipient: PublicAddress) -> AddedOutput:
        """Ask for an output of exactly this amount.

        Raises:
            BuilderFogError: the recipient's fog server has no good key.
            NewTx: amount or memo cannot be made.
        """
        return self._require(self._maker.pay(amount, recipient))

    def add_required_change_output(
        self, amount: Amount, account: ReservedSubaddresses
    ) -> AddedOutput:
        """Ask for an output to the own change subaddress; raises as `add_required_output`."""
        return self._require(self._maker.pay_change(amount, account))

    def add_partial_fill_output(self, amount: Amount, recipient: PublicAddress) -> AddedOutput:
        """Ask for this amount if the whole input is taken, and for its share if a part is.

        Raises:
            FeatureNotSupportedAtBlockVersion: below block version 3.
            BuilderFogError, NewTx: as `add_required_output`.
        """
        self._check_partial_fills()
        made = self._maker.pay(amount, recipient)
        self._partial.append(_revealed(made))
        return made.added

    def add_partial_fill_change_output(
        self, amount: Amount, account: ReservedSubaddresses
    ) -> AddedOutput:
        """Say how much of the input comes back if nothing of it is taken.

        Raises:
            FeatureNotSupportedAtBlockVersion: below block version 3.
            AlreadyHavePartialFillChange: there is one already.
            BuilderFogError, NewTx: as `add_required_output`.
        """
        self._check_partial_fills()
        if self._partial_change is not None:
            raise AlreadyHavePartialFillChange
        made = self._maker.pay_change(amount, account)
        self._partial_change = _revealed(made)
        return made.added

    def build(self, signer: RingSigner | None = None) -> SignedContingentInput:
        """Sign the input with its rules, by default with the one-time key of the credentials.

        Raises:
            BlockVersionTooOld: below block version 3.
            BuilderSignerError: the holder of the keys refuses.
        """
        if not self._block_version.has_input_rules:
            raise BlockVersionTooOld(self._block_version.value, _RULES_SINCE)
        required = sorted(self._required, key=lambda made: made.tx_out.public_key)
        tombstone_block = self.tombstone_block
        rules = InputRules(
            tuple(made.tx_out for made in required),
            0 if tombstone_block == U64_MAX else tombstone_block,
            tuple(sorted(self._partial, key=lambda revealed: revealed.tx_out.public_key)),
            self._partial_change,
            self._min_partial_fill_value,
        )
        tx_in = TxIn(self._credentials.ring, (), rules)
        ring = self._credentials.signable_ring()
        blinding = random_scalar(self._random_bytes)
        message = tx_in_signed_digest(tx_in)
        assert message is not None
        try:
            mlsag = (signer or OnetimeKeySigner()).sign(message, ring, blinding, self._random_bytes)
        except (SignerError, RingSignatureError) as error:
            raise BuilderSignerError(error) from error
        return SignedContingentInput(
            self._block_version.value,
            tx_in,
            mlsag,
            UnmaskedAmount(ring.amount.value, ring.amount.token_id, blinding),
            tuple(made.unblinding.unmasked_amount for made in required),
            tuple(proof.index for proof in self._credentials.proofs),
        )

    def _require(self, made: MadeOutput) -> AddedOutput:
        self._required.append(made)
        return made.added

    def _check_partial_fills(self) -> None:
        if not self._block_version.masks_amounts_v2:
            raise FeatureNotSupportedAtBlockVersion(self._block_version.value, "partial fills")


def _revealed(made: MadeOutput) -> RevealedTxOut:
    secret = derive_amount_shared_secret(made.added.shared_secret.to_bytes())
    return RevealedTxOut(made.tx_out, secret)
