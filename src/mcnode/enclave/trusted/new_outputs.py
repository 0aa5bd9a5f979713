"""Outputs that a block adds by itself: fees and minted tokens.

[docs/protocol/enclave.md#2.8] [docs/protocol/enclave.md#2.9]

They have no sender who could draw randomness, and every node must make the same bytes. So an
output's private key is derived from the parent block and the transactions that give rise to it.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Final, Self

from mcnode.account.public_address import PublicAddress
from mcnode.codec.digest import Primitive, Transcript, uint
from mcnode.crypto.keys import RistrettoPrivate
from mcnode.enclave.errors import BlockVersionError
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.constants import ENCRYPTED_FOG_HINT_LENGTH, MOB, U64_MAX
from mcnode.transaction.messages import Amount, MintTx, Tx, TxOut
from mcnode.transaction.tx_out import create_tx_out

FEES_TAG: Final = "mc_fees_output_private_key"
MINTED_TAG: Final = "mc_minted_output_private_key"
NO_FOG_HINT: Final = bytes(ENCRYPTED_FOG_HINT_LENGTH)


@dataclasses.dataclass(frozen=True, slots=True)
class OutputMaker:
    """Makes all outputs of one kind for one block; the transactions are hashed once for all."""

    block_version: BlockVersion
    _transcript: Transcript = dataclasses.field(repr=False)

    @classmethod
    def create(
        cls,
        tag: str,
        block_version: BlockVersion,
        parent_block_id: bytes,
        transactions: Sequence[Tx] | Sequence[MintTx],
    ) -> Self:
        """For a block on top of a parent, made of these transactions in this order."""
        transcript = Transcript(tag)
        transcript.append_node("parent_block_id", Primitive("bytes", parent_block_id))
        transcript.open_list("transactions", len(transactions))
        for transaction in transactions:
            transcript.append_node("", transaction)
        return cls(block_version, transcript)

    def make(
        self, amount: Amount, counter: int, recipient: PublicAddress, e_fog_hint: bytes | None
    ) -> TxOut:
        """The output of that number.

        Raises:
            BlockVersionError: only token 0 exists at this block version.
        """
        if amount.token_id != MOB and not self.block_version.has_masked_token_ids:
            raise BlockVersionError(
                "Cannot mint outputs for non-MOB tokens at this block version: "
                f"token {amount.token_id}, block version {self.block_version}"
            )
        transcript = self._transcript.copy()
        transcript.append_node("amount", amount)
        transcript.append_node("counter", uint(counter, 64))
        private_key = RistrettoPrivate.from_wide(transcript.digest() + bytes(32))
        tx_out, _ = create_tx_out(
            self.block_version, amount, recipient, private_key, e_fog_hint or NO_FOG_HINT
        )
        return tx_out


def sort_zeroes_to_end(totals: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Pairs of (token id, total) with the zero totals last, in the network's own exchange order.

    Neither group keeps its order; which zeroes come first decides which tokens get an output of
    value zero, so the order of exchanges is part of the protocol.
    """
    pairs = list(totals)
    for slow in range(len(pairs) - 1, 0, -1):
        for fast in range(slow):
            if pairs[fast][1] == 0 and pairs[slow][1] != 0:
                pairs[fast], pairs[slow] = pairs[slow], pairs[fast]
    return pairs


def fee_totals(txs: Sequence[Tx], fee_map: Mapping[int, int]) -> list[tuple[int, int]]:
    """(token id, total fee) of the outputs that a block adds.

    As many as there are tokens or transactions, whichever are fewer.
    """
    totals = dict.fromkeys(sorted(fee_map), 0)
    for tx in txs:
        totals[tx.prefix.fee_token_id] += tx.prefix.fee
    return sort_zeroes_to_end(list(totals.items()))[: min(len(totals), len(txs))]


def make_fee_outputs(
    maker: OutputMaker, totals: Sequence[tuple[int, int]], recipient: PublicAddress
) -> list[TxOut]:
    """One output for each token's total, more where it exceeds 64 bits, one of zero for zero.

    Raises:
        BlockVersionError: another token than 0 at a block version that knows no others.
    """
    outputs = []
    for token_id, total in totals:
        for counter, value in enumerate(_in_parts(total)):
            outputs.append(maker.make(Amount(value, token_id), counter, recipient, None))
    return outputs


def _in_parts(total: int) -> list[int]:
    full, rest = divmod(total, U64_MAX)
    parts = [U64_MAX] * full
    return parts if parts and not rest else [*parts, rest]
