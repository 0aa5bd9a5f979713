"""Archives: paths, sources, fetching, distribution, rebuilding."""

import dataclasses
import errno
from pathlib import Path

import pytest

from mcnode.blockchain.block_data import archive_block_bytes
from mcnode.ledger.archive.cache import BlockCache
from mcnode.ledger.archive.destination import (
    DirectoryDestination,
    MissingPath,
    UnknownScheme,
    open_destination,
)
from mcnode.ledger.archive.distribution import Distribution
from mcnode.ledger.archive.fetcher import BlockFetcher, InvalidBlockReceived, NoUrlsConfigured
from mcnode.ledger.archive.paths import block_path, merged_path
from mcnode.ledger.archive.rebuild import rebuild_ledger
from mcnode.ledger.archive.source import ArchiveUnavailable, SourceUrlError, open_source
from mcnode.ledger.errors import DiskFull, InvalidParentBlockID


class MemoryArchive:
    """Files in memory, as a source and as a destination."""

    def __init__(self, name: str = "memory") -> None:
        self.url = f"file:///{name}/"
        self.files: dict[str, bytes] = {}
        self.fetched: list[str] = []
        self.failing = False

    def fetch(self, path: str) -> bytes:
        self.fetched.append(path)
        if path not in self.files:
            raise ArchiveUnavailable(f"no {path}")
        return self.files[path]

    def exists(self, path: str) -> bool:
        return path in self.files

    def save(self, path: str, data: bytes) -> None:
        if self.failing:
            raise DiskFull("no room")
        self.files[path] = data


def distribute(ledger, archive, buckets=()) -> Distribution:
    distribution = Distribution(ledger, archive, buckets)
    while distribution.publish_next() is not None:
        pass
    return distribution


@pytest.fixture
def archive(chain, ledger):
    """An archive of seven blocks with merged files of two and four."""
    ledger.append_blocks(chain.blocks(7))
    made = MemoryArchive()
    distribute(ledger, made, (2, 4))
    return made


def test_paths_have_a_folder_for_each_byte_but_the_last():
    assert block_path(0x1A2B3C4E5A6B7C8D) == "1a/2b/3c/4e/5a/6b/7c/1a2b3c4e5a6b7c8d.pb"
    assert merged_path(100, 200).startswith("merged-100/00/")


def test_distribution_writes_blocks_and_the_merged_files_they_complete(archive):
    singles = {block_path(index) for index in range(7)}
    merged = {merged_path(2, first) for first in (0, 2, 4)} | {merged_path(4, 0)}
    assert set(archive.files) == singles | merged


def test_distribution_goes_on_where_the_archive_ends(chain, ledger, archive):
    before = dict(archive.files)
    ledger.append_blocks(chain.blocks(2))
    archive.files[block_path(1)] = b"not looked at"
    again = Distribution(ledger, archive, (2, 4))
    assert again.publish_next().block.index == 7
    assert again.publish_next().block.index == 8
    assert again.publish_next() is None
    assert set(archive.files) - set(before) == {
        block_path(7),
        block_path(8),
        merged_path(2, 6),
        merged_path(4, 4),
    }


def test_a_stop_before_the_merged_files_is_made_good(chain, ledger, archive):
    ledger.append_block_data(chain.next())
    archive.files[block_path(7)] = archive_block_bytes(ledger.get_block_data(7))
    assert Distribution(ledger, archive, (2, 4)).publish_next() is None
    assert merged_path(2, 6) in archive.files
    assert merged_path(4, 4) in archive.files


def test_a_failed_write_is_tried_again(chain, ledger):
    ledger.append_block_data(chain.next())
    archive = MemoryArchive()
    distribution = Distribution(ledger, archive)
    archive.failing = True
    with pytest.raises(DiskFull):
        distribution.publish_next()
    archive.failing = False
    assert distribution.publish_next().block.index == 0


def test_files_appear_whole_and_leave_nothing_behind(tmp_path, monkeypatch):
    destination = DirectoryDestination(tmp_path)
    destination.save("a/b.pb", b"one")
    destination.save("a/b.pb", b"two")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["b.pb"]
    assert destination.exists("a/b.pb")

    def full(self: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(DiskFull, match="No space left"):
        destination.save("a/b.pb", b"three")
    assert [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()] == [b"two"]


def test_destinations(tmp_path):
    open_destination(tmp_path.as_uri()).save("x", b"y")
    assert (tmp_path / "x").read_bytes() == b"y"
    with pytest.raises(UnknownScheme, match="unknown scheme: ftp"):
        open_destination("ftp://host/path")
    with pytest.raises(MissingPath):
        open_destination("file://")


@pytest.mark.parametrize(
    ("url", "why"),
    [("", "no scheme"), ("no scheme", "no scheme"), ("http://", "no host"), ("ftp://x", "ftp")],
)
def test_bad_source_urls(url, why):
    with pytest.raises(SourceUrlError, match=why):
        open_source(url)


def test_a_directory_is_a_source(tmp_path):
    (tmp_path / "with space").mkdir()
    (tmp_path / "with space/x").write_bytes(b"y")
    source = open_source((tmp_path / "with space").as_uri())
    assert source.url.endswith("/with%20space/")
    assert source.fetch("x") == b"y"
    with pytest.raises(ArchiveUnavailable, match="No such file"):
        source.fetch("z")


def test_fetching_goes_round_the_sources(ledger, archive):
    other = MemoryArchive("other")
    other.files = dict(archive.files)
    fetcher = BlockFetcher([archive, other], merge_buckets=())
    archive.fetched.clear()
    for index in (1, 2, 3):
        assert fetcher.fetch_block_data(index) == ledger.get_block_data(index)
    assert archive.fetched == [block_path(1), block_path(3)]
    assert other.fetched == [block_path(2)]


def test_a_merged_file_serves_the_blocks_after_its_first(ledger, archive):
    archive.fetched.clear()
    fetcher = BlockFetcher([archive], merge_buckets=(2, 4))
    for index in range(4):
        header = ledger.get_block(index)
        assert fetcher.fetch_block_data(index, header) == ledger.get_block_data(index)
    assert archive.fetched == [merged_path(4, 0)]
    fetcher.fetch_block_data(5)
    assert archive.fetched[1:] == [block_path(5)]


def test_a_bad_merged_file_is_passed_over(ledger, archive):
    archive.files[merged_path(4, 0)] = b"<html>"
    archive.fetched.clear()
    fetcher = BlockFetcher([archive], merge_buckets=(4,))
    assert fetcher.fetch_block_data(0) == ledger.get_block_data(0)
    assert archive.fetched == [merged_path(4, 0), block_path(0)]


def test_what_is_not_the_block_asked_for_is_refused(ledger, archive):
    fetcher = BlockFetcher([archive], merge_buckets=())
    other_version = dataclasses.replace(ledger.get_block(1), version=3)
    with pytest.raises(InvalidBlockReceived, match="block data mismatch"):
        fetcher.fetch_block_data(1, other_version)
    archive.files[block_path(2)] = archive.files[block_path(1)]
    with pytest.raises(InvalidBlockReceived, match="block index is 1, asked for 2"):
        fetcher.fetch_block_data(2)
    archive.files[block_path(3)] = b""
    with pytest.raises(InvalidBlockReceived):
        fetcher.fetch_block_data(3)
    with pytest.raises(ArchiveUnavailable):
        fetcher.fetch_block_data(99)
    with pytest.raises(NoUrlsConfigured):
        BlockFetcher([])


def test_the_cache_is_bounded_and_gives_each_block_once(ledger, archive):
    cache = BlockCache(blocks_max=2)
    for index in range(3):
        cache.put(ledger.get_block_data(index))
    assert len(cache) == 2
    assert cache.take(0, None) is None
    assert cache.take(1, ledger.get_block(2)) is None
    assert cache.take(1, None) is None
    assert cache.take(2, ledger.get_block(2)) == ledger.get_block_data(2)
    assert cache.take(2, None) is None


def test_a_ledger_is_rebuilt_from_any_archive_that_has_the_block(tmp_path, ledger, archive):
    from mcnode.ledger.db import LedgerDB

    gappy = MemoryArchive("gappy")
    gappy.files = {k: v for k, v in archive.files.items() if k != block_path(3)}
    with LedgerDB.create(tmp_path / "rebuilt") as rebuilt:
        appended, ended_by = rebuild_ledger(rebuilt, BlockFetcher([gappy, archive]), 5)
        assert (appended, ended_by) == (5, None)
        appended, ended_by = rebuild_ledger(rebuilt, BlockFetcher([gappy, archive]))
        assert appended == 2
        assert isinstance(ended_by, ArchiveUnavailable)
        assert [rebuilt.get_block_data(n) for n in range(7)] == [
            ledger.get_block_data(n) for n in range(7)
        ]


def test_rebuilding_keeps_what_came_before_a_block_that_does_not_fit(tmp_path, ledger, archive):
    from mcnode.ledger.db import LedgerDB

    stranger = ledger.get_block_data(4)
    header = dataclasses.replace(stranger.block, parent_id=bytes(32))
    from mcnode.blockchain.block import block_id_of

    header = dataclasses.replace(header, id=block_id_of(header))
    archive.files[block_path(4)] = archive_block_bytes(dataclasses.replace(stranger, block=header))
    with LedgerDB.create(tmp_path / "rebuilt") as rebuilt:
        with pytest.raises(InvalidParentBlockID):
            rebuild_ledger(rebuilt, BlockFetcher([archive], merge_buckets=()))
        assert rebuilt.num_blocks() == 4
