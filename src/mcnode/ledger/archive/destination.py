"""Where archives are written to. [docs/protocol/ledger.md#6]"""

import errno
import os
import secrets
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from mcnode.errors import InvalidError
from mcnode.ledger.errors import DiskFull, StorageUnavailable

_TEMPORARY_SUFFIX = ".part"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class UnknownScheme(InvalidError):
    """A destination of a kind that this program does not write."""


class MissingPath(InvalidError):
    """A destination without a path."""


class ArchiveDestination(Protocol):
    """One archive that grows."""

    def exists(self, path: str) -> bool:
        """Whether the file at `path` is there."""
        ...

    def save(self, path: str, data: bytes) -> None:
        """Write the file at `path` whole; a reader sees the old one or the new one, never a part.

        Raises:
            StorageUnavailable: it cannot be written now.
        """
        ...


class DirectoryDestination:
    """An archive in a directory."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def exists(self, path: str) -> bool:
        """Whether the file at `path` is there."""
        return (self._root / path).is_file()

    def save(self, path: str, data: bytes) -> None:
        """Write `path` under another name, flush it to the disk, then rename it.

        Raises:
            StorageUnavailable: it cannot be written now; nothing is left behind.
        """
        target = self._root / path
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}{_TEMPORARY_SUFFIX}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                _write_flushed(temporary, data)
                temporary.replace(target)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as error:
            failure = DiskFull if error.errno in _FULL else StorageUnavailable
            raise failure(f"cannot write {target}: {error.strerror}") from error


def _write_flushed(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def open_destination(url: str) -> ArchiveDestination:
    """The archive at `url`.

    Raises:
        UnknownScheme, MissingPath: it cannot be written to.
    """
    parts = urlsplit(url)
    if parts.scheme != "file":
        raise UnknownScheme(f"unknown scheme: {parts.scheme or 'none'}; write file:///directory")
    path = unquote(parts.netloc + parts.path)
    if not path:
        raise MissingPath("missing path: write file:///directory")
    return DirectoryDestination(Path(path))
