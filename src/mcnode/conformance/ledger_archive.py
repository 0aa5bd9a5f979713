"""Vectors of archives: files, checks of what comes from anybody, fetching, distribution."""

import io
import tarfile
from pathlib import Path, PurePosixPath
from typing import Any

from mcnode.blockchain.archive_conversion import parse_archive_block, parse_archive_blocks
from mcnode.blockchain.block_data import (
    BlockData,
    archive_block_bytes,
    archive_blocks_bytes,
)
from mcnode.codec.protobuf import encode
from mcnode.conformance.ledger_common import Case, decode_hex, error_form, genuine_ledger
from mcnode.conformance.vectors import (
    MismatchError,
    Report,
    VectorFile,
    expect,
    expect_equal,
    runs,
)
from mcnode.errors import McNodeError
from mcnode.ledger.archive.distribution import Distribution
from mcnode.ledger.archive.fetcher import BlockFetcher, InvalidBlockReceived
from mcnode.ledger.archive.paths import block_path
from mcnode.ledger.archive.source import ArchiveUnavailable, SourceUrlError


@runs("ledger", r"(.*/)?ArchiveBlocks_[^/]*\.pb")
def run_merged_file(file: VectorFile, report: Report) -> None:
    """A merged file passes every check and is written back byte for byte."""
    with report.case("blocks"):
        data = file.read_bytes()
        blocks = parse_archive_blocks(data)
        expect(bool(blocks), "no blocks in the file")
        expect(archive_blocks_bytes(tuple(blocks)) == data, "written back differently")


@runs("ledger", r".*/[0-9a-f]{16}\.pb")
def run_archive_file(file: VectorFile, report: Report) -> None:
    """A file of one block passes every check, lies in its place, and is written back the same."""
    with report.case("block"):
        data = file.read_bytes()
        block_data = parse_archive_block(data)
        expected = block_path(block_data.block.index)
        expect(file.name.endswith(expected), f"block {block_data.block.index} lies elsewhere")
        expect(archive_block_bytes(block_data) == data, "written back differently")


class _MemoryDestination:
    """Files in memory."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def exists(self, path: str) -> bool:
        """Whether the file is there."""
        return path in self.files

    def save(self, path: str, data: bytes) -> None:
        """Keep the file."""
        self.files[path] = data


@runs("ledger", r"(.*/)?archive\.tar")
def run_archive_tar(file: VectorFile, report: Report) -> None:
    """Distribute the ledger file beside it; every file is the same, merged ones too."""
    destination = _MemoryDestination()
    with genuine_ledger(file) as ledger:
        distribution = Distribution(ledger, destination)
        while distribution.publish_next() is not None:
            pass
    with tarfile.open(fileobj=io.BytesIO(file.read_bytes())) as archive:
        expected = {
            "/".join(PurePosixPath(member.name).parts[1:]): _contents(archive, member)
            for member in archive.getmembers()
            if member.isfile()
        }
    with report.case("names"):
        expect_equal("names", sorted(destination.files), sorted(expected))
    for name, data in expected.items():
        with report.case(name):
            expect(destination.files.get(name) == data, "the file differs")


def _contents(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    handle = archive.extractfile(member)
    assert handle is not None
    return handle.read()


@runs("ledger", r"(.*/)?archive_checks/archive_block_cases\.jsonl")
def run_block_cases(file: VectorFile, report: Report) -> None:
    """One archived block with one thing changed: accepted, or refused with that error."""
    for number, case in enumerate(file.json_lines()):
        with report.case(f"{number} {case['name']}"):
            try:
                data = parse_archive_block(bytes.fromhex(case["archive_block"]))
            except McNodeError as error:
                expect_equal("result", error_form(error)[0], _error_name(case["result"]))
                continue
            expect_equal("result", "ok", case["result"])
            expect_equal("stored form", encode(data).hex(), case["block_data_p"])
            expect_equal("read", data, decode_hex(BlockData, case["block_data_p"]))
            expect_equal("id", data.block.id.hex(), case["block_id"])
            expect_equal("signature", data.signature is not None, case["has_signature"])
            expect_equal("metadata", data.metadata is not None, case["has_metadata"])


def _error_name(result: Any) -> Any:
    return result["error"] if isinstance(result, dict) and "error" in result else result


@runs("ledger", r"(.*/)?archive_checks/archive_blocks_cases\.jsonl")
def run_blocks_cases(file: VectorFile, report: Report) -> None:
    """Merged files: the indices in them, or an error."""
    for number, case in enumerate(file.json_lines()):
        with report.case(f"{number} {case['name']}"):
            try:
                blocks = parse_archive_blocks(bytes.fromhex(case["archive_blocks"]))
                result: Any = {"ok": [data.block.index for data in blocks]}
            except McNodeError as error:
                result = error_form(error)[0]
            expect_equal("result", result, _error_name(case["result"]))


@runs("ledger", r"(.*/)?archive_checks/archive_raw_cases\.jsonl")
def run_raw_cases(file: VectorFile, report: Report) -> None:
    """Odd files."""
    for number, case in enumerate(file.json_lines()):
        with report.case(f"{number} {case['name']}"):
            raw = bytes.fromhex(case["archive_block"])
            try:
                data = parse_archive_block(raw)
            except McNodeError as error:
                expect_equal("result", error_form(error)[0], _error_name(case["result"]))
                continue
            expect_equal("index", {"ok": data.block.index}, {"ok": case["result"].get("ok")})
            same = archive_block_bytes(data) == raw
            if "unknown field" in case["name"]:
                expect(not same, "an unknown field was kept")
                report.notes.append("unknown fields of an archive are read over, not kept")
            else:
                expect_equal("written back the same", same, case["result"]["re_encoded_equal"])


@runs("ledger", r"(.*/)?fetch\.json")
def run_fetcher(file: VectorFile, report: Report) -> None:
    """Fetches from directory archives, one call after another, and bad URLs."""
    roots = {
        "A": file.sibling("../ledgers/v0_small/archive"),
        "B": file.sibling("../ledgers/v3_two_tokens/archive"),
    }
    fetchers: dict[str, BlockFetcher] = {}
    for number, case in enumerate(file.json()):
        with report.case(f"{number} {case.get('urls', case.get('url'))}"):
            if "url" in case:
                _check_url(case, report)
                continue
            names = case["urls"].split()[0]
            fetcher = fetchers.setdefault(case["urls"], _fetcher(names, roots))
            _check_fetch(case, fetcher)


def _fetcher(names: str, roots: dict[str, Path]) -> BlockFetcher:
    return BlockFetcher.from_urls([roots[name].as_uri() for name in names.split(",")])


def _check_fetch(case: Case, fetcher: BlockFetcher) -> None:
    expected_header = None
    match case.get("expected"):
        case None:
            pass
        case "own header":
            expected_header = fetcher.fetch_block_data(case["index"]).block
        case "header with another version":
            expected_header = _another_version(fetcher, case["index"])
        case other:
            raise MismatchError(f"unknown expectation {other}")
    try:
        data = fetcher.fetch_block_data(case["index"], expected_header)
        result: Any = {"ok": data.block.id.hex()}
    except ArchiveUnavailable:
        result = "IO"
    except InvalidBlockReceived:
        result = "InvalidBlockReceived"
    expected = case["result"]
    expect_equal("result", result, expected.get("error", expected))


def _another_version(fetcher: BlockFetcher, index: int) -> Any:
    import dataclasses

    block = fetcher.fetch_block_data(index).block
    return dataclasses.replace(block, version=block.version + 1)


def _check_url(case: Case, report: Report) -> None:
    accepted = isinstance(case["construct"], dict)
    try:
        fetcher = BlockFetcher.from_urls([case["url"]])
    except SourceUrlError:
        if accepted:
            # the network's program takes any scheme here and fails at every fetch
            expect_equal("fetch", "error" in case["fetch_1"], True)
            report.notes.append(f"{case['url']}: refused at once, not at the first fetch")
        return
    expect(accepted, "the URL was accepted")
    try:
        fetcher.fetch_block_data(1)
    except ArchiveUnavailable:
        expect_equal("fetch", case["fetch_1"].get("error"), "IO")
