"""One attempt to catch up: headers, contents, checks, append. [docs/protocol/ledger.md#5.2]"""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

import structlog

from mcnode.blockchain.block import Block
from mcnode.blockchain.block_data import BlockData
from mcnode.blockchain.metadata import BlockMetadata
from mcnode.errors import McNodeError
from mcnode.ledger.db import LedgerDB
from mcnode.ledger.sync.errors import NoTransactionData
from mcnode.ledger.sync.network_state import NetworkState
from mcnode.ledger.sync.planning import (
    HEADERS_PER_CALL_MAX,
    check_headers,
    choose_headers,
    identify_safe_blocks,
)

T = TypeVar("T")

ATTEMPT_TIMEOUT_S = 30.0
"""For the headers, and again for the contents; what has come by then is used."""
FETCH_WORKERS = 16
"""Archive files fetched at a time: hides a distant host's delay, and keeps two cores free."""
RETRY_DELAY_MAX_S = 60.0
APPEND_BATCH_BLOCKS = 64
"""Blocks per transaction: one flush to the disk for all of them, a fraction of a second of work."""

FetchBlockData = Callable[[int, Block], BlockData]
"""(index, expected header) to the block; blocks, and may raise any `McNodeError`."""
MakeMetadata = Callable[[BlockData], Awaitable[BlockMetadata | None]]
"""The metadata to store with a fetched block."""


log = structlog.get_logger("mcnode.ledger.sync")


class HeaderPeer(Protocol):
    """A peer that can be asked for headers."""

    @property
    def responder_id(self) -> str:
        """`host:port`."""
        ...

    async def fetch_blocks(self, first_index: int, count: int) -> Sequence[Block]:
        """Headers from `first_index` on, at most `count`; raises `McNodeError` for no answer."""
        ...


async def keep_metadata(block_data: BlockData) -> BlockMetadata | None:
    """Store the metadata that came with the block."""
    return block_data.metadata


class LedgerSync:
    """Catches one ledger up with the network. One attempt at a time."""

    def __init__(
        self,
        *,
        ledger: LedgerDB,
        network: NetworkState,
        peers: Sequence[HeaderPeer],
        fetch_block_data: FetchBlockData,
        source_count: int = 1,
        make_metadata: MakeMetadata = keep_metadata,
        executor: Executor | None = None,
        timeout_s: float = ATTEMPT_TIMEOUT_S,
    ) -> None:
        """`source_count` is how many archives `fetch_block_data` goes round."""
        self._ledger = ledger
        self._network = network
        self._peers = tuple(peers)
        self._fetch_block_data = fetch_block_data
        self._source_count = source_count
        self._make_metadata = make_metadata
        self._executor = executor or ThreadPoolExecutor(FETCH_WORKERS, "ledger-sync")
        self._timeout_s = timeout_s

    async def attempt(self, blocks_max: int) -> int:
        """Catch up by at most `blocks_max` blocks; the number of blocks appended.

        Block signatures of others are not stored, their metadata is what `make_metadata` says.

        Raises:
            LedgerSyncError: nothing could be appended; a later attempt may do better.
            LedgerError: the ledger refuses a block that the network has decided.
        """
        head = await self._run(self._ledger.get_latest_block)
        answers = await self._fetch_headers(head, min(blocks_max, HEADERS_PER_CALL_MAX))
        headers = choose_headers(answers, self._network.is_blocking_and_quorum)
        fetched = await self._fetch_contents(headers)
        safe = await self._run(
            lambda: identify_safe_blocks(
                head, fetched, lambda images: bool(self._ledger.find_spent_key_images(images))
            )
        )
        return await self._append(safe)

    def close(self) -> None:
        """Give back the threads."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    async def _fetch_headers(self, head: Block, limit: int) -> Mapping[str, Sequence[Block]]:
        """Checked headers by responder id, from the peers that answered in time and truthfully."""
        answers: dict[str, Sequence[Block]] = {}

        async def ask(peer: HeaderPeer) -> None:
            try:
                headers = (await peer.fetch_blocks(head.index + 1, limit))[:limit]
                await self._run(lambda: check_headers(head, headers))
            except McNodeError:
                return
            if headers:
                answers[peer.responder_id] = headers

        await self._within_timeout([ask(peer) for peer in self._peers])
        return answers

    async def _fetch_contents(self, headers: Sequence[Block]) -> list[BlockData]:
        """Blocks for the longest prefix of `headers` that the archives gave in time."""
        found: dict[int, BlockData] = {}
        waiting = iter(headers)
        last_error: list[McNodeError] = []

        async def work() -> None:
            for header in waiting:
                found[header.index] = await self._fetch_one(header, last_error)

        workers = min(FETCH_WORKERS, len(headers))
        await self._within_timeout([work() for _ in range(workers)])
        prefix: list[BlockData] = []
        for header in headers:
            if header.index not in found:
                break
            prefix.append(found[header.index])
        if not prefix:
            why = f": {last_error[-1]}" if last_error else ""
            raise NoTransactionData(
                f"no contents of block {headers[0].index} within {self._timeout_s:g} s{why}"
            )
        return prefix

    async def _fetch_one(self, header: Block, last_error: list[McNodeError]) -> BlockData:
        """Try every archive in turn, then again after a pause that grows."""
        failures = 0
        while True:
            try:
                return await self._run(lambda: self._fetch_block_data(header.index, header))
            except McNodeError as error:
                failures += 1
                if failures == self._source_count and not last_error:
                    log.warning("no archive has it yet", index=header.index, error=str(error))
                if failures % self._source_count == 0:
                    last_error[:] = [error]
                    rounds = failures // self._source_count
                    await asyncio.sleep(min(rounds, RETRY_DELAY_MAX_S))

    async def _within_timeout(self, work: Sequence[Coroutine[Any, Any, None]]) -> None:
        """Run all of `work` at once; cancel what is not done in time."""
        try:
            async with asyncio.timeout(self._timeout_s), asyncio.TaskGroup() as group:
                for each in work:
                    group.create_task(each)
        except TimeoutError:
            return

    async def _append(self, blocks_data: Sequence[BlockData]) -> int:
        """Append in batches; where one fails, as many of its blocks as can be."""
        appended = 0
        for start in range(0, len(blocks_data), APPEND_BATCH_BLOCKS):
            batch = [
                BlockData(data.block, data.contents, None, await self._make_metadata(data))
                for data in blocks_data[start : start + APPEND_BATCH_BLOCKS]
            ]
            await self._run(functools.partial(self._ledger.append_longest_prefix, batch))
            appended += len(batch)
        return appended
