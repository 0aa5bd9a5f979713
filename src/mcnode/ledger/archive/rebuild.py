"""A ledger from archives alone. [docs/protocol/ledger.md#7]"""

from collections.abc import Callable

from mcnode.blockchain.block_data import BlockData
from mcnode.errors import UnavailableError
from mcnode.ledger.archive.fetcher import BlockFetcher
from mcnode.ledger.db import LedgerDB

BATCH_BLOCKS = 100
"""Blocks per transaction: about as many as one merged file holds."""


def rebuild_ledger(
    ledger: LedgerDB,
    fetcher: BlockFetcher,
    num_blocks_max: int | None = None,
    report: Callable[[int], None] = lambda _: None,
) -> tuple[int, UnavailableError | None]:
    """Append what the archives hold after the ledger's last block, signatures and metadata too.

    Returns how many blocks were appended, and why it ended: the error of the first block that no
    archive gave, or None when `num_blocks_max` blocks are there. `report` is told the number of
    blocks after every batch.

    Raises:
        LedgerError: a fetched block does not fit the ledger; what came before it is kept.
    """
    first = ledger.num_blocks()
    appended = 0
    while True:
        batch: list[BlockData] = []
        failure: UnavailableError | None = None
        while len(batch) < BATCH_BLOCKS and failure is None:
            index = first + appended + len(batch)
            if num_blocks_max is not None and index >= num_blocks_max:
                break
            try:
                batch.append(_fetch_from_any(fetcher, index))
            except UnavailableError as error:
                failure = error
        ledger.append_longest_prefix(batch)
        appended += len(batch)
        report(first + appended)
        if failure is not None or len(batch) < BATCH_BLOCKS:
            return appended, failure


def _fetch_from_any(fetcher: BlockFetcher, index: int) -> BlockData:
    """The block from the first archive in turn that has it; else the last one's error."""
    for _ in range(fetcher.source_count - 1):
        try:
            return fetcher.fetch_block_data(index)
        except UnavailableError:
            continue
    return fetcher.fetch_block_data(index)
