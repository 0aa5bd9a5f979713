"""Checked transactions by hash, and what the ledger says about them now. Pure.

Which of them may go into the next block changes with every block, so `check` asks the ledger each
time. `mcnode.consensus.tx_manager` puts the trusted process before it.
[docs/protocol/service.md#12]
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

from mcnode.enclave.interface import WellFormedTx, WellFormedTxContext
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
TX_CACHE_NAMED_BYTES_MAX = 256 << 20
"""The same while transactions come in that statements name: whatever clients and their nodes have
filled the cache with, a node must be able to follow the block that is being agreed on."""


class TxLedger(Protocol):
    """What the cache and the manager read of the ledger."""

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

    def __init__(self, used_bytes: int, limit_bytes: int) -> None:
        super().__init__(f"transaction cache holds {used_bytes} bytes, limit {limit_bytes}")


class TxCache:
    """Well-formed transactions, bounded in bytes."""

    def __init__(self, ledger: TxLedger) -> None:
        self._ledger = ledger
        self._cache: dict[bytes, WellFormedTx] = {}
        self._cache_bytes = 0
        self._cleaned_at_num_blocks = 0

    def __len__(self) -> int:
        return len(self._cache)

    def __contains__(self, tx_hash: bytes) -> bool:
        return tx_hash in self._cache

    def keep(self, tx_hash: bytes, well_formed: WellFormedTx, *, is_named: bool = False) -> None:
        """Keep a transaction that the trusted process has found well formed.

        `is_named`: a statement votes for it, so it finds room even in a cache that is full
        otherwise.

        Raises:
            TxCacheFull: there is no room.
        """
        if tx_hash in self._cache:
            return
        size = len(well_formed.well_formed_encrypted_tx)
        self._make_room(size, is_named)
        self._cache[tx_hash] = well_formed
        self._cache_bytes += size

    def _make_room(self, size: int, is_named: bool) -> None:
        limit = TX_CACHE_NAMED_BYTES_MAX if is_named else TX_CACHE_BYTES_MAX
        if self._cache_bytes + size > limit:
            self._drop_invalid()
            if self._cache_bytes + size > limit:
                raise TxCacheFull(self._cache_bytes, limit)

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

    def well_formed(self, tx_hashes: Sequence[bytes]) -> list[WellFormedTx]:
        """The cached transactions, in the order asked for.

        Raises:
            NotInCache: names every missing one.
        """
        absent = self.missing(tx_hashes)
        if absent:
            raise NotInCache(absent)
        return [self._cache[tx_hash] for tx_hash in tx_hashes]

    def remove_expired(self, block_index: int) -> None:
        """Forget transactions whose tombstone is at or before `block_index`."""
        for tx_hash, tx in list(self._cache.items()):
            if tx.context.tombstone_block <= block_index:
                self._remove(tx_hash)

    def _drop_invalid(self) -> None:
        """Make room, once per block: what can be in no later block is kept for slow peers only."""
        num_blocks = self._ledger.num_blocks()
        if num_blocks == self._cleaned_at_num_blocks:
            return
        self._cleaned_at_num_blocks = num_blocks
        for tx_hash in [tx_hash for tx_hash in self._cache if not self.is_valid(tx_hash)]:
            self._remove(tx_hash)

    def _remove(self, tx_hash: bytes) -> None:
        tx = self._cache.pop(tx_hash)
        self._cache_bytes -= len(tx.well_formed_encrypted_tx)

    def _context(self, tx_hash: bytes) -> WellFormedTxContext:
        tx = self._cache.get(tx_hash)
        if tx is None:
            raise NotInCache([tx_hash])
        return tx.context
