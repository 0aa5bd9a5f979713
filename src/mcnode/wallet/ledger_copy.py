"""A wallet's own copy of the ledger, filled from archives. [docs/protocol/ledger.md#5.3]

Every block is checked when it is appended: it follows its parent, its contents hash to its header,
its id is that of its header, nothing is spent twice; its signature and metadata were checked when
it was read. The copy is not durable: what a power cut takes away is read again.
"""

import dataclasses
import threading
from collections.abc import Callable
from pathlib import Path

from mcnode.blockchain.block_data import BlockData
from mcnode.errors import UnavailableError
from mcnode.ledger.archive.fetcher import BlockFetcher, InvalidBlockReceived
from mcnode.ledger.db import LedgerDB
from mcnode.ledger.errors import InvalidParentBlockID, LedgerError, ReadOnlyLedger
from mcnode.ledger.in_use import check_unused
from mcnode.wallet.errors import AnotherNetwork, ArchivesUnavailable

BATCH_BLOCKS = 100
"""Blocks per transaction: about as many as the smallest merged file holds."""
BATCH_OUTPUTS = 20_000
"""A batch ends early when its blocks have this many outputs: it is held in memory, and no stop is
looked at meanwhile. One block may have more."""


@dataclasses.dataclass(frozen=True, slots=True)
class Progress:
    """How far a synchronisation is. `total` is None while the archives' end is not known."""

    step: str
    done: int
    total: int | None


ReportProgress = Callable[[Progress], None]
"""Called from a thread; must be quick."""


def open_copy(directory: Path) -> LedgerDB:
    """Open the copy in `directory`, or begin one; several wallets may do so at once.

    Raises:
        NotALedger, VersionIncompatible, StorageUnavailable: something else is there.
        ReadOnlyLedger: the directory cannot be made or written.
        LedgerInUse: it is a node's own, and the node is running.
    """
    check_unused(directory)
    try:
        return LedgerDB.open_or_create(directory, durable=False)
    except OSError as error:
        raise ReadOnlyLedger(f"cannot write to {directory}: {error.strerror}") from error


def check_same_network(ledger: LedgerDB, fetcher: BlockFetcher) -> None:
    """Check that an archive holds the copy's last block: it answers, and it is this network's.

    Raises:
        ArchivesUnavailable: no archive has the block.
        AnotherNetwork: some have another one, and none has this one.
    """
    if not ledger.num_blocks():
        return
    head = ledger.get_latest_block()
    errors: list[UnavailableError] = []
    for _ in range(fetcher.source_count):
        try:
            fetcher.fetch_block_data(head.index, expected=head)
        except UnavailableError as error:
            errors.append(error)
        else:
            return
    if any(isinstance(error, InvalidBlockReceived) for error in errors):
        raise AnotherNetwork(head.index, f"the copy in {ledger.path}", "the archives")
    raise ArchivesUnavailable(head.index, errors[-1])


def fetch_new_blocks(
    ledger: LedgerDB,
    fetcher: BlockFetcher,
    report: ReportProgress,
    stop: threading.Event,
) -> None:
    """Append what the archives hold beyond the copy, until they end or `stop` is set.

    Several processes may do this with one copy at once.

    Raises:
        ArchivesUnavailable: the copy is empty and no archive has the first block.
        InvalidBlockReceived: the next block is broken in some archive, and good in none.
        AnotherNetwork: the next block follows another one than the copy's last.
        LedgerError: the next block breaks another rule.
    """
    while not stop.is_set():
        batch, failure = _fetch_batch(fetcher, ledger.num_blocks(), stop)
        _append(ledger, batch)
        if batch:
            report(Progress("blocks", ledger.num_blocks(), None))
        if failure is None:
            continue
        if isinstance(failure, InvalidBlockReceived):
            raise failure
        if not ledger.num_blocks():
            raise ArchivesUnavailable(0, failure)
        break
    ledger.flush()


def _fetch_batch(
    fetcher: BlockFetcher, first: int, stop: threading.Event
) -> tuple[list[BlockData], UnavailableError | None]:
    """Blocks from `first` on, and why there are not more, if there are fewer than a whole batch."""
    batch: list[BlockData] = []
    outputs = 0
    for index in range(first, first + BATCH_BLOCKS):
        if stop.is_set() or outputs >= BATCH_OUTPUTS:
            break
        try:
            batch.append(_fetch_from_any(fetcher, index))
        except UnavailableError as error:
            return batch, error
        outputs += len(batch[-1].contents.outputs)
    return batch, None


def _fetch_from_any(fetcher: BlockFetcher, index: int) -> BlockData:
    """The block from the first archive in turn that has it.

    Raises:
        InvalidBlockReceived: some archive has something broken there, and none a good block.
        ArchiveUnavailable: no archive has anything there.
    """
    errors: list[UnavailableError] = []
    for _ in range(fetcher.source_count):
        try:
            return fetcher.fetch_block_data(index)
        except UnavailableError as error:
            errors.append(error)
    broken = [error for error in errors if isinstance(error, InvalidBlockReceived)]
    raise (broken or errors)[0]


def _append(ledger: LedgerDB, batch: list[BlockData]) -> None:
    """Append, passing over what another process has appended meanwhile."""
    while batch:
        try:
            ledger.append_longest_prefix(batch)
            return
        except LedgerError as error:
            missing = [data for data in batch if data.block.index >= ledger.num_blocks()]
            if len(missing) < len(batch):
                batch = missing
            elif isinstance(error, InvalidParentBlockID):
                raise AnotherNetwork(
                    batch[0].block.index - 1, f"the copy in {ledger.path}", "the archives"
                ) from error
            else:
                raise
