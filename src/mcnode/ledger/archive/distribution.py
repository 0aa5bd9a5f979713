"""Writing a ledger to an archive, block by block, from where the archive ends.

[docs/protocol/ledger.md#6]

There is no state file: the archive itself says how far it is. Starting again after a stop between
a block's own file and its merged files writes the missing merged files first.
"""

from collections.abc import Sequence

from mcnode.blockchain.block_data import (
    BlockData,
    archive_block_bytes,
    archive_blocks_bytes,
)
from mcnode.ledger.archive.destination import ArchiveDestination
from mcnode.ledger.archive.paths import MERGE_BUCKETS, block_path, merged_path
from mcnode.ledger.db import LedgerDB


class Distribution:
    """Publishes one ledger to one destination."""

    def __init__(
        self,
        ledger: LedgerDB,
        destination: ArchiveDestination,
        merge_buckets: Sequence[int] = MERGE_BUCKETS,
    ) -> None:
        """`merge_buckets` of 0 and 1 are ignored."""
        self._ledger = ledger
        self._destination = destination
        self._buckets = tuple(bucket for bucket in merge_buckets if bucket > 1)
        self._next: int | None = None

    def find_next_block(self) -> int:
        """One above the highest block the destination holds; 0 when it holds none.

        Merged files of that highest block that a stop has left out are written here.
        """
        highest = next(
            (
                index
                for index in range(self._ledger.num_blocks() - 1, -1, -1)
                if self._destination.exists(block_path(index))
            ),
            None,
        )
        if highest is None:
            return 0
        for bucket in self._buckets:
            first = highest + 1 - bucket
            if (highest + 1) % bucket == 0 and not self._destination.exists(
                merged_path(bucket, first)
            ):
                self._save_merged(bucket, first)
        return highest + 1

    def publish_next(self) -> BlockData | None:
        """Write the next block and the merged files it completes; None when there is none yet.

        Raises:
            StorageUnavailable: the destination cannot be written now; the next call tries again.
        """
        if self._next is None:
            self._next = self.find_next_block()
        index = self._next
        if index >= self._ledger.num_blocks():
            return None
        block_data = self._ledger.get_block_data(index)
        self._destination.save(block_path(index), archive_block_bytes(block_data))
        for bucket in self._buckets:
            if (index + 1) % bucket == 0:
                self._save_merged(bucket, index + 1 - bucket)
        self._next = index + 1
        return block_data

    def _save_merged(self, bucket: int, first: int) -> None:
        blocks = tuple(self._ledger.get_block_data(index) for index in range(first, first + bucket))
        self._destination.save(merged_path(bucket, first), archive_blocks_bytes(blocks))
