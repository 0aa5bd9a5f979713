"""Checked transactions by hash, as ciphertext, and what the ledger says about them now.

A transaction enters once, after the trusted process has checked it against the ledger; from then on
the node knows it by its hash. Which of them may go into the next block changes with every block, so
`check` asks the ledger each time. [docs/protocol/service.md#12]
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Protocol

from mcnode.enclave.errors import MalformedTx
from mcnode.enclave.interface import (
    ConsensusEnclave,
    EncryptedTxWithProofs,
    TxContext,
    WellFormedTx,
    WellFormedTxContext,
)
from mcnode.errors import InvalidError, UnavailableError
from mcnode.transaction.constants import MAX_TOMBSTONE_BLOCKS, MAX_TRANSACTIONS_PER_BLOCK
from mcnode.transaction.messages import TxOutMembershipProof
from mcnode.transaction.validation.errors import (
    ContainsExistingOutputPublicKey,
    ContainsSpentKeyImage,
    TombstoneBlockExceeded,
    TombstoneBlockTooFar,
)

TX_CACHE_BYTES_MAX = 64 << 20
"""Ciphertext kept in memory: about 3,000 small payments or 200 of the largest transactions."""


class TxLedger(Protocol):
    """What the transaction manager reads of the ledger."""

    def num_blocks(self) -> int:
        """Number of blocks."""
        ...

    def contains_key_image(self, key_image: bytes) -> bool:
        """Whether it was spent."""
        ...

    def contains_tx_out_public_key(self, public_key: bytes) -> bool:
        """Whether an output with this public key exists."""
        ...

    def get_tx_out_proof_of_memberships(self, indices: Sequence[int]) -> list[TxOutMembershipProof]:
        """Membership proofs against the ledger as it is now, in the order asked for."""
        ...


class NotInCache(InvalidError):
    """Transactions that nobody has brought here."""

    def __init__(self, tx_hashes: Sequence[bytes]) -> None:
        super().__init__(f"Tx(s) not in cache [{', '.join(h.hex() for h in tx_hashes)}]")
        self.tx_hashes = tuple(tx_hashes)


class TxCacheFull(UnavailableError):
    """No room for another transaction until blocks are made of those that wait."""

    def __init__(self, used_bytes: int) -> None:
        super().__init__(f"transaction cache holds {used_bytes} bytes, limit {TX_CACHE_BYTES_MAX}")


class TxManager:
    """See the module's text. Used from one event loop."""

    def __init__(self, enclave: ConsensusEnclave, ledger: TxLedger) -> None:
        self._enclave = enclave
        self._ledger = ledger
        self._cache: OrderedDict[bytes, WellFormedTx] = OrderedDict()
        self._cache_bytes = 0
        self._under_check: dict[bytes, asyncio.Task[None]] = {}

    def __len__(self) -> int:
        return len(self._cache)

    def __contains__(self, tx_hash: bytes) -> bool:
        return tx_hash in self._cache

    async def insert(self, tx: TxContext) -> bytes:
        """Check a transaction against the ledger and keep it; returns its hash.

        Callers that bring the same transaction at the same time share one check.

        Raises:
            MalformedTx: it breaks a rule.
            LedgerTxOutIndexOutOfBounds: one of its proofs is of a longer ledger.
            TxCacheFull: there is no room.
        """
        if tx.tx_hash in self._cache:
            return tx.tx_hash
        check = self._under_check.get(tx.tx_hash)
        if check is None:
            check = asyncio.ensure_future(self._check_and_keep(tx))
            self._under_check[tx.tx_hash] = check
            check.add_done_callback(lambda _: self._under_check.pop(tx.tx_hash, None))
        await asyncio.shield(check)
        return tx.tx_hash

    async def _check_and_keep(self, tx: TxContext) -> None:
        if self._cache_bytes + len(tx.locally_encrypted_tx) > TX_CACHE_BYTES_MAX:
            self._drop_spent()
            if self._cache_bytes + len(tx.locally_encrypted_tx) > TX_CACHE_BYTES_MAX:
                raise TxCacheFull(self._cache_bytes)
        proofs = await asyncio.to_thread(
            self._ledger.get_tx_out_proof_of_memberships, tx.highest_indices
        )
        well_formed = await self._enclave.tx_is_well_formed(
            tx.locally_encrypted_tx, self._ledger.num_blocks() - 1, proofs
        )
        self._cache[tx.tx_hash] = well_formed
        self._cache_bytes += len(well_formed.well_formed_encrypted_tx)

    def check(self, tx_hash: bytes) -> None:
        """Whether a cached transaction could be in the next block, by what the ledger holds.

        Raises:
            NotInCache: unknown.
            TombstoneBlockExceeded, TombstoneBlockTooFar, ContainsSpentKeyImage,
            ContainsExistingOutputPublicKey: in this order.
        """
        context = self._context(tx_hash)
        num_blocks = self._ledger.num_blocks()
        if num_blocks >= context.tombstone_block:
            raise TombstoneBlockExceeded(context.tombstone_block, num_blocks)
        if context.tombstone_block > num_blocks + MAX_TOMBSTONE_BLOCKS:
            raise TombstoneBlockTooFar(context.tombstone_block, num_blocks + MAX_TOMBSTONE_BLOCKS)
        for key_image in context.key_images:
            if self._ledger.contains_key_image(key_image):
                raise ContainsSpentKeyImage(key_image)
        for public_key in context.output_public_keys:
            if self._ledger.contains_tx_out_public_key(public_key):
                raise ContainsExistingOutputPublicKey(public_key)

    def is_valid(self, tx_hash: bytes) -> bool:
        """Whether `check` passes."""
        try:
            self.check(tx_hash)
        except InvalidError:
            return False
        return True

    def missing(self, tx_hashes: Iterable[bytes]) -> list[bytes]:
        """Those that are not cached, in the order given."""
        return [tx_hash for tx_hash in tx_hashes if tx_hash not in self._cache]

    def combine(self, tx_hashes: Iterable[bytes]) -> list[bytes]:
        """Order transactions as a block takes them and leave out what conflicts.

        Highest priority first; of two that share a key image or an output key the first stays; at
        most 5,000. Depends on the set of hashes only, so every node gets the same list.

        Raises:
            NotInCache: names every missing one.
        """
        distinct = set(tx_hashes)
        absent = self.missing(sorted(distinct))
        if absent:
            raise NotInCache(absent)
        contexts = sorted((self._context(h) for h in distinct), key=lambda c: c.sort_key)
        chosen: list[bytes] = []
        key_images: set[bytes] = set()
        output_keys: set[bytes] = set()
        for context in contexts:
            if len(chosen) >= MAX_TRANSACTIONS_PER_BLOCK:
                break
            conflicts = not (
                key_images.isdisjoint(context.key_images)
                and output_keys.isdisjoint(context.output_public_keys)
            )
            if conflicts:
                continue
            chosen.append(context.tx_hash)
            key_images.update(context.key_images)
            output_keys.update(context.output_public_keys)
        return chosen

    def with_proofs(self, tx_hashes: Sequence[bytes]) -> tuple[EncryptedTxWithProofs, ...]:
        """What a block is formed of: the ciphertexts with proofs against the present ledger.

        Raises:
            NotInCache: names every missing one.
        """
        result = []
        for tx in self.well_formed(tx_hashes):
            proofs = self._ledger.get_tx_out_proof_of_memberships(tx.context.highest_indices)
            result.append(EncryptedTxWithProofs(tx.well_formed_encrypted_tx, proofs))
        return tuple(result)

    def well_formed(self, tx_hashes: Sequence[bytes]) -> list[WellFormedTx]:
        """The cached transactions, in the order asked for.

        Raises:
            NotInCache: names every missing one.
        """
        absent = self.missing(tx_hashes)
        if absent:
            raise NotInCache(absent)
        return [self._cache[tx_hash] for tx_hash in tx_hashes]

    def tombstone_block(self, tx_hash: bytes) -> int:
        """The block index from which on it can be in no block."""
        return self._context(tx_hash).tombstone_block

    def remove_expired(self, block_index: int) -> None:
        """Forget transactions whose tombstone is at or before `block_index`."""
        for tx_hash, tx in list(self._cache.items()):
            if tx.context.tombstone_block <= block_index:
                self._remove(tx_hash)

    def _drop_spent(self) -> None:
        """Make room: transactions that a block holds already are kept for slow peers only."""
        for tx_hash, tx in list(self._cache.items()):
            if any(self._ledger.contains_key_image(image) for image in tx.context.key_images):
                self._remove(tx_hash)

    def _remove(self, tx_hash: bytes) -> None:
        tx = self._cache.pop(tx_hash)
        self._cache_bytes -= len(tx.well_formed_encrypted_tx)

    def _context(self, tx_hash: bytes) -> WellFormedTxContext:
        tx = self._cache.get(tx_hash)
        if tx is None:
            raise NotInCache([tx_hash])
        return tx.context


def transaction_error(error: InvalidError) -> InvalidError:
    """The rule that a transaction broke, without the trusted process's wrapping."""
    return error.error if isinstance(error, MalformedTx) else error
