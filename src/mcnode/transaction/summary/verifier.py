"""Checking a summary piece by piece, as a device with little memory does.

The digest that comes out is what the ring signatures sign, so a signer that only ever sees the
summary knows what it signs. [docs/protocol/transaction.md#14]
"""

from mcnode.account.public_address import PublicAddress, short_address_hash
from mcnode.codec.digest import Primitive, Transcript, uint
from mcnode.crypto.commitment import commit
from mcnode.crypto.errors import KeyFormatError
from mcnode.crypto.keys import RistrettoPrivate, RistrettoPublic
from mcnode.crypto.masked_amount import AmountError, InconsistentCommitment
from mcnode.crypto.onetime_keys import create_output_keys, shared_secret_of
from mcnode.transaction.amounts import (
    TokenIdNotSupportedAtBlockVersion,
    make_masked_amount,
    open_masked_amount,
)
from mcnode.transaction.block_version import BlockVersion, UnsupportedBlockVersion
from mcnode.transaction.messages import (
    Amount,
    TxInSummary,
    TxOutSummary,
    TxOutSummaryUnblindingData,
    TxSummary,
    TxSummaryUnblindingData,
    UnmaskedAmount,
)
from mcnode.transaction.summary.errors import (
    AddressVerificationFailed,
    AmountVerificationFailed,
    MissingDataRequiredToVerifyTxOutRecipient,
    MissingMaskedAmount,
    MissingTxPrivateKey,
    StillExpectingMoreInputs,
    StillExpectingMoreOutputs,
    SummaryAmountError,
    SummaryBlockVersion,
    SummaryKeyError,
    UnexpectedInput,
    UnexpectedOutput,
)
from mcnode.transaction.summary.report import OURSELF, SWAP, Entity, Party, SummaryReport
from mcnode.transaction.summary.tx_summary import ZipExact


def verify_tx_summary(
    extended_message_digest: bytes,
    summary: TxSummary,
    unblinding: TxSummaryUnblindingData,
    view_private: RistrettoPrivate,
) -> tuple[bytes, SummaryReport]:
    """The 32-byte digest that the ring signatures sign, and what the transaction changes.

    Raises:
        SummaryError, ZipExact: the first thing that does not fit.
    """
    try:
        version = BlockVersion(unblinding.block_version)
    except UnsupportedBlockVersion as error:
        raise SummaryBlockVersion(error.value, error.limit) from error
    verifier = TxSummaryVerifier(
        extended_message_digest, version, len(summary.outputs), len(summary.inputs), view_private
    )
    if len(summary.outputs) != len(unblinding.outputs):
        raise ZipExact(len(summary.outputs), len(unblinding.outputs))
    for output, data in zip(summary.outputs, unblinding.outputs, strict=True):
        verifier.digest_output(output, data)
    if len(summary.inputs) != len(unblinding.inputs):
        raise ZipExact(len(summary.inputs), len(unblinding.inputs))
    for tx_in, amount in zip(summary.inputs, unblinding.inputs, strict=True):
        verifier.digest_input(tx_in, amount)
    return verifier.finalize(summary.fee, summary.fee_token_id, summary.tombstone_block)


class TxSummaryVerifier:
    """First all outputs, then all inputs, then the end; any other order is refused."""

    def __init__(
        self,
        extended_message_digest: bytes,
        block_version: BlockVersion,
        output_count: int,
        input_count: int,
        view_private: RistrettoPrivate,
    ) -> None:
        self._block_version = block_version
        self._output_count = output_count
        self._input_count = input_count
        self._view_private = view_private
        self._outputs_seen = 0
        self._inputs_seen = 0
        self._report = SummaryReport()
        self._transcript = Transcript("mc_extended_message_and_tx_summary")
        extended_message = Primitive("bytes", extended_message_digest)
        self._transcript.append_node("extended_message", extended_message)
        self._transcript.open_aggregate("tx_summary", "TxSummary")
        if output_count:
            self._transcript.open_list("outputs", output_count)
        elif input_count:
            self._transcript.open_list("inputs", input_count)

    def digest_output(self, output: TxOutSummary, data: TxOutSummaryUnblindingData) -> None:
        """Find out to whom an output goes and check what it is worth; raises `SummaryError`."""
        if self._outputs_seen == self._output_count:
            raise UnexpectedOutput(self._output_count)
        entity, amount = self._identify(output, data)
        self._report.add(entity, amount.token_id, amount.value)
        self._transcript.append_node("", output)
        self._outputs_seen += 1
        if self._outputs_seen == self._output_count and self._input_count:
            self._transcript.open_list("inputs", self._input_count)

    def digest_input(self, tx_in: TxInSummary, amount: UnmaskedAmount) -> None:
        """Check what an input is worth; raises `SummaryError`."""
        if self._outputs_seen != self._output_count:
            raise StillExpectingMoreOutputs(self._outputs_seen, self._output_count)
        if self._inputs_seen == self._input_count:
            raise UnexpectedInput(self._input_count)
        _check_commitment(tx_in.pseudo_output_commitment, amount)
        entity = SWAP if tx_in.input_rules_digest else OURSELF
        self._report.add(entity, amount.token_id, -amount.value)
        self._transcript.append_node("", tx_in)
        self._inputs_seen += 1

    def finalize(
        self, fee: int, fee_token_id: int, tombstone_block: int
    ) -> tuple[bytes, SummaryReport]:
        """The digest and the report; raises `SummaryError` if something is missing."""
        if self._outputs_seen != self._output_count:
            raise StillExpectingMoreOutputs(self._outputs_seen, self._output_count)
        if self._inputs_seen != self._input_count:
            raise StillExpectingMoreInputs(self._inputs_seen, self._input_count)
        self._report.network_fee = fee
        self._report.fee_token_id = fee_token_id
        self._report.tombstone_block = tombstone_block
        self._transcript.append_node("fee", uint(fee, 64))
        self._transcript.append_node("fee_token_id", uint(fee_token_id, 64))
        self._transcript.append_node("tombstone_block", uint(tombstone_block, 64))
        self._transcript.close_aggregate("tx_summary", "TxSummary")
        return self._transcript.digest(), self._report

    def _identify(
        self, output: TxOutSummary, data: TxOutSummaryUnblindingData
    ) -> tuple[Entity, Amount]:
        own = self._own_amount(output)
        if own is not None:
            return OURSELF, own
        amount = Amount(data.unmasked_amount.value, data.unmasked_amount.token_id)
        if data.address is not None:
            if data.tx_private_key is None:
                raise MissingTxPrivateKey
            key = RistrettoPrivate(data.tx_private_key)
            if output != self._expected_output(amount, data.address, key):
                raise AddressVerificationFailed
            return Entity(Party.ADDRESS, short_address_hash(data.address)), amount
        if not output.associated_to_input_rules:
            raise MissingDataRequiredToVerifyTxOutRecipient
        assert output.masked_amount is not None
        _check_commitment(output.masked_amount.commitment, data.unmasked_amount)
        return SWAP, amount

    def _own_amount(self, output: TxOutSummary) -> Amount | None:
        if output.masked_amount is None:
            raise MissingMaskedAmount
        try:
            public_key = RistrettoPublic(output.public_key)
        except KeyFormatError as error:
            raise SummaryKeyError(error) from error
        secret = shared_secret_of(self._view_private, public_key).to_bytes()
        try:
            opened = open_masked_amount(output.masked_amount, secret)
        except InconsistentCommitment:
            return None
        except AmountError as error:
            raise SummaryAmountError(error) from error
        return Amount(opened.value, opened.token_id)

    def _expected_output(
        self, amount: Amount, address: PublicAddress, tx_private_key: RistrettoPrivate
    ) -> TxOutSummary:
        keys = create_output_keys(tx_private_key, address.view_public, address.spend_public)
        secret = keys.shared_secret.to_bytes()
        try:
            masked_amount = make_masked_amount(self._block_version, amount, secret)
        except TokenIdNotSupportedAtBlockVersion as error:
            raise SummaryAmountError(error) from error
        return TxOutSummary(
            masked_amount,
            keys.target_key.to_bytes(),
            keys.public_key.to_bytes(),
            associated_to_input_rules=False,
        )


def _check_commitment(commitment: bytes, amount: UnmaskedAmount) -> None:
    if commit(amount.value, amount.blinding, amount.token_id) != commitment:
        raise AmountVerificationFailed
