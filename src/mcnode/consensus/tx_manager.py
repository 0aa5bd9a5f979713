"""Checked transactions by hash, as ciphertext, and what the ledger says about them now.

A transaction enters once, after the trusted process has checked it against the ledger; from then on
the node knows it by its hash. Which of them may go into the next block changes with every block, so
`check` asks the ledger each time. [docs/protocol/service.md#12]
"""

import asyncio
from collections.abc import Sequence

from mcnode.consensus.tx_cache import NotInCache, TxCache, TxCacheFull, TxLedger
from mcnode.enclave.errors import MalformedTx
from mcnode.enclave.interface import (
    ConsensusEnclave,
    EncryptedTxWithProofs,
    TxContext,
    WellFormedTx,
)
from mcnode.errors import InvalidError
from mcnode.ledger.errors import LedgerError, TxOutIndexOutOfBounds
from mcnode.transaction.messages import TxOutMembershipProof
from mcnode.transaction.validation.errors import Ledger, LedgerTxOutIndexOutOfBounds

__all__ = ["NotInCache", "TxCacheFull", "TxLedger", "TxManager", "transaction_error"]


class TxManager(TxCache):
    """See the module's text. Used from one event loop."""

    def __init__(self, enclave: ConsensusEnclave, ledger: TxLedger) -> None:
        super().__init__(ledger)
        self._enclave = enclave
        self._under_check: dict[bytes, asyncio.Task[None]] = {}

    async def insert(self, tx: TxContext, *, is_named: bool = False) -> bytes:
        """Check a transaction against the ledger and keep it; returns its hash.

        Callers that bring the same transaction at the same time share one check. `is_named`: a
        statement votes for it, so it finds room even when the cache is full otherwise.

        Raises:
            MalformedTx: it breaks a rule.
            LedgerTxOutIndexOutOfBounds: one of its proofs is of a longer ledger.
            Ledger: the ledger cannot be read.
            TxCacheFull: there is no room.
        """
        if tx.tx_hash in self._cache:
            return tx.tx_hash
        check = self._under_check.get(tx.tx_hash)
        if check is None:
            check = asyncio.create_task(self._check_and_keep(tx, is_named))
            self._under_check[tx.tx_hash] = check
            check.add_done_callback(lambda done: self._checked(tx.tx_hash, done))
        await asyncio.shield(check)
        return tx.tx_hash

    async def close(self) -> None:
        """Give up the checks under way."""
        checks = list(self._under_check.values())
        for check in checks:
            check.cancel()
        await asyncio.gather(*checks, return_exceptions=True)

    def _checked(self, tx_hash: bytes, check: asyncio.Task[None]) -> None:
        """A check ended; its error is read here too, as every caller may have gone meanwhile."""
        del self._under_check[tx_hash]
        if not check.cancelled():
            check.exception()

    async def _check_and_keep(self, tx: TxContext, is_named: bool) -> None:
        self._make_room(len(tx.locally_encrypted_tx), is_named)
        proofs = await asyncio.to_thread(self._current_proofs, tx.highest_indices)
        well_formed = await self._enclave.tx_is_well_formed(
            tx.locally_encrypted_tx, self._ledger.num_blocks() - 1, proofs
        )
        self.keep(tx.tx_hash, well_formed, is_named=is_named)

    def _current_proofs(self, indices: Sequence[int]) -> list[TxOutMembershipProof]:
        try:
            return self._ledger.get_tx_out_proof_of_memberships(indices)
        except TxOutIndexOutOfBounds as error:
            raise LedgerTxOutIndexOutOfBounds(error.index) from error
        except LedgerError as error:
            raise Ledger(str(error)) from error

    async def with_proofs(self, tx_hashes: Sequence[bytes]) -> tuple[EncryptedTxWithProofs, ...]:
        """What a block is formed of: the ciphertexts with proofs against the present ledger.

        Raises:
            NotInCache: names every missing one.
        """
        return await asyncio.to_thread(self._prove, self.well_formed(tx_hashes))

    def _prove(self, txs: Sequence[WellFormedTx]) -> tuple[EncryptedTxWithProofs, ...]:
        return tuple(
            EncryptedTxWithProofs(
                tx.well_formed_encrypted_tx,
                self._ledger.get_tx_out_proof_of_memberships(tx.context.highest_indices),
            )
            for tx in txs
        )


def transaction_error(error: InvalidError) -> InvalidError:
    """The rule that a transaction broke, without the trusted process's wrapping."""
    return error.error if isinstance(error, MalformedTx) else error
