"""A transaction that only its signer is missing from. [docs/protocol/transaction.md#15]"""

import dataclasses

from mcnode.crypto.rng import RandomBytes
from mcnode.transaction.amounts import OpenedAmount
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.builder.errors import RingSignatureFailed
from mcnode.transaction.fee_map import FeeMap
from mcnode.transaction.messages import (
    Tx,
    TxOutSummaryUnblindingData,
    TxPrefix,
    TxSummary,
    TxSummaryUnblindingData,
    UnmaskedAmount,
)
from mcnode.transaction.ring_ct.errors import RingCtError
from mcnode.transaction.ring_ct.rings import InputRing, RingSigner
from mcnode.transaction.ring_ct.signing import SigningData, make_signing_data
from mcnode.transaction.summary.tx_summary import ZipExact, make_tx_summary


@dataclasses.dataclass(frozen=True, slots=True)
class UnsignedTx:
    """What a signer gets: everything but the keys."""

    block_version: BlockVersion
    prefix: TxPrefix
    rings: tuple[InputRing, ...]
    outputs: tuple[TxOutSummaryUnblindingData, ...] = dataclasses.field(repr=False)
    """Secrets of the prefix's outputs, in that order."""
    fee_map: FeeMap | None = None

    def make_signing_data(self, random_bytes: RandomBytes) -> SigningData:
        """Hide values and prove ranges; what is left is to sign the rings.

        Raises:
            RingSignatureFailed: the values do not add up.
        """
        amounts = [_opened(output.unmasked_amount) for output in self.outputs]
        try:
            return make_signing_data(
                self.block_version, self.prefix, self.rings, amounts, random_bytes
            )
        except (RingCtError, ZipExact) as error:
            raise RingSignatureFailed(error) from error

    def sign(self, signer: RingSigner, random_bytes: RandomBytes) -> Tx:
        """Prove and sign.

        Raises:
            RingSignatureFailed: the values do not add up, or the signer refuses.
        """
        data = self.make_signing_data(random_bytes)
        try:
            signature = data.sign(self.rings, signer, random_bytes)
        except RingCtError as error:
            raise RingSignatureFailed(error) from error
        digest = b"" if self.fee_map is None else self.fee_map.canonical_digest()
        return Tx(self.prefix, signature, digest)

    def summarize(self, data: SigningData) -> tuple[TxSummary, TxSummaryUnblindingData]:
        """The summary that goes with signing data, and what it takes to check it."""
        inputs = tuple(UnmaskedAmount(a.value, a.token_id, a.blinding) for a in data.pseudo_outputs)
        return (
            make_tx_summary(self.prefix, data.pseudo_output_commitments),
            TxSummaryUnblindingData(self.block_version.value, self.outputs, inputs),
        )


def _opened(amount: UnmaskedAmount) -> OpenedAmount:
    return OpenedAmount(amount.value, amount.token_id, amount.blinding)
