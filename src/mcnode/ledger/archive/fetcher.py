"""Blocks from archives, whichever source has them. [docs/protocol/ledger.md#5.3]

A caller asks for a block by index, with the header it expects where it knows one. Calls go round
the sources; a block whose index starts a bucket is first looked for in the merged files, whose
other blocks are kept for the calls to come.
"""

import threading
from collections.abc import Sequence

from mcnode.blockchain.archive_conversion import parse_archive_block, parse_archive_blocks
from mcnode.blockchain.block import Block
from mcnode.blockchain.block_data import BlockData
from mcnode.errors import InvalidError, McNodeError, UnavailableError
from mcnode.ledger.archive.cache import BlockCache
from mcnode.ledger.archive.paths import MERGE_BUCKETS, block_path, merged_path
from mcnode.ledger.archive.source import ArchiveSource, SourceUrlError, open_source


class NoUrlsConfigured(InvalidError):
    """There is no archive to ask."""


class InvalidBlockReceived(UnavailableError):
    """An archive served something that is not the block asked for; another one may do better."""

    def __init__(self, url: str, why: str) -> None:
        super().__init__(f"received an invalid block from {url}: {why}")
        self.url = url
        self.why = why


class BlockFetcher:
    """Fetches blocks from any of several archives. Calls may come from several threads."""

    def __init__(
        self,
        sources: Sequence[ArchiveSource],
        *,
        merge_buckets: Sequence[int] = MERGE_BUCKETS,
        cache: BlockCache | None = None,
    ) -> None:
        if not sources:
            raise NoUrlsConfigured("0 archive URLs are configured, needs 1: set --tx-source-url")
        self._sources = tuple(sources)
        self._buckets = tuple(sorted(merge_buckets, reverse=True))
        self._cache = cache if cache is not None else BlockCache()
        self._lock = threading.Lock()
        self._calls = 0

    @classmethod
    def from_urls(cls, urls: Sequence[str]) -> "BlockFetcher":
        """A fetcher over the archives at `urls`.

        Raises:
            SourceUrlError: one cannot be used.
            NoUrlsConfigured: none is given.
        """
        return cls([open_source(url) for url in urls])

    @property
    def source_count(self) -> int:
        """How many archives there are."""
        return len(self._sources)

    def fetch_block_data(self, index: int, expected: Block | None = None) -> BlockData:
        """Block `index`, checked in itself and, where `expected` is given, against that header.

        One call asks one archive; the next call asks the next.

        Raises:
            ArchiveUnavailable: the archive does not have it, or does not answer.
            InvalidBlockReceived: what it has is not that block.
        """
        with self._lock:
            cached = self._cache.take(index, expected)
            if cached is not None:
                return cached
            source = self._sources[self._calls % len(self._sources)]
            self._calls += 1
        merged = self._fetch_merged(source, index, expected)
        return merged if merged is not None else self._fetch_single(source, index, expected)

    def _fetch_merged(
        self, source: ArchiveSource, index: int, expected: Block | None
    ) -> BlockData | None:
        """The block from a merged file that starts at it; any failure means that there is none."""
        for bucket in self._buckets:
            if index % bucket:
                continue
            try:
                blocks = parse_archive_blocks(source.fetch(merged_path(bucket, index)))
            except McNodeError:
                continue
            with self._lock:
                for block_data in blocks:
                    self._cache.put(block_data)
                found = self._cache.take(index, expected)
            if found is not None:
                return found
        return None

    def _fetch_single(self, source: ArchiveSource, index: int, expected: Block | None) -> BlockData:
        path = block_path(index)
        data = source.fetch(path)
        try:
            block_data = parse_archive_block(data)
        except InvalidError as error:
            raise InvalidBlockReceived(source.url + path, str(error)) from error
        if block_data.block.index != index:
            why = f"block index is {block_data.block.index}, asked for {index}"
            raise InvalidBlockReceived(source.url + path, why)
        if expected is not None and block_data.block != expected:
            raise InvalidBlockReceived(source.url + path, "block data mismatch")
        return block_data


__all__ = ["BlockFetcher", "InvalidBlockReceived", "NoUrlsConfigured", "SourceUrlError"]
