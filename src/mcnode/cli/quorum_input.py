"""From the arguments of `mcnode quorum` to a federated system: files, directories, running
nodes."""

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from mcnode.files import UnfitFileError, read_text
from mcnode.quorum.bounds import Bounds
from mcnode.quorum.errors import SystemFormatError
from mcnode.quorum.mapping import apply_mapping
from mcnode.quorum.model import FederatedSystem
from mcnode.quorum.reader import TEXT_BYTES_MAX
from mcnode.quorum.sources import Assume, SourceText, read_system

ADMIN_TIMEOUT_S = 10.0
PROGRESS_INTERVAL_S = 0.2
NETWORK_FILE_NAMES = ("network.json", "network.toml")


def load_system(sources: Sequence[str], mapping: Path | None, assume: Assume) -> FederatedSystem:
    """The system that these arguments describe together.

    Each is a file, `host:port=FILE`, a directory of files (its own, or the network files of its
    sub-directories), or the admin URI of a running node.

    Raises:
        SystemFormatError: a file cannot be read or understood.
        UnavailableError: a node does not answer.
    """
    texts: list[SourceText] = []
    for source in sources:
        texts += _source_texts(source)
    system = read_system(texts, assume)
    if mapping is not None:
        system = apply_mapping(system, load_text(mapping), str(mapping))
    return system


def _source_texts(source: str) -> list[SourceText]:
    if "mca://" in source:
        return [_fetch_info(source)]
    owner, equals, rest = source.partition("=")
    if equals and ":" in owner and not Path(source).exists():
        return [SourceText(load_text(Path(rest)), rest, owner)]
    path = Path(source)
    if not path.is_dir():
        return [SourceText(load_text(path), source)]
    found = sorted(each for name in NETWORK_FILE_NAMES for each in path.glob(f"*/{name}"))
    found = found or sorted(each for each in path.iterdir() if each.suffix in (".json", ".toml"))
    if not found:
        raise SystemFormatError(f"{source}: no .json or .toml file in it")
    return [SourceText(load_text(each), str(each)) for each in found]


def load_text(path: Path) -> str:
    """A file's text, bounded. Raises `SystemFormatError`."""
    try:
        return read_text(path, TEXT_BYTES_MAX)
    except OSError as error:
        raise SystemFormatError(f"{path}: {error.strerror}") from error
    except UnfitFileError as error:
        raise SystemFormatError(str(error)) from error


def _fetch_info(text: str) -> SourceText:
    """GetInfo's config_json of a running node. [docs/protocol/service.md#13]"""
    import grpc.aio
    from google.protobuf.empty_pb2 import Empty

    from mcnode.api.rpc import call
    from mcnode.api.services import GET_INFO
    from mcnode.connection.channel import open_channel
    from mcnode.connection.errors import call_error
    from mcnode.connection.uri import ADMIN, UriError, parse_uri

    try:
        uri = parse_uri(text, ADMIN)
    except UriError as error:
        raise SystemFormatError(f"{text}: {error}") from error

    async def ask() -> str:
        async with open_channel(uri) as channel:
            try:
                info = await call(channel, GET_INFO, Empty(), timeout_s=ADMIN_TIMEOUT_S)
            except grpc.aio.AioRpcError as error:
                raise call_error(uri, error) from error
            return info.config_json

    return SourceText(asyncio.run(ask()), str(uri))


class Search:
    """Bounds of searches on a terminal: a time limit for each, and a line that says how far it is.

    A context manager, which in the end wipes that line.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._shown_at = time.monotonic()
        self._is_shown = False

    def bounds(self) -> Bounds:
        """To hand to one search, whose time begins now."""
        end = time.monotonic() + self._limit_s
        return Bounds(lambda: time.monotonic() > end, self._report)

    def _report(self, text: str, count: int) -> None:
        now = time.monotonic()
        if sys.stderr.isatty() and now - self._shown_at > PROGRESS_INTERVAL_S:
            self._shown_at, self._is_shown = now, True
            click.echo(f"\r\x1b[K{text}: {count} found", nl=False, err=True)

    def __enter__(self) -> "Search":
        return self

    def __exit__(self, *reason: object) -> None:
        if self._is_shown:
            click.echo("\r\x1b[K", nl=False, err=True)
