"""Where archives are read from. [docs/protocol/ledger.md#5.3]"""

from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from mcnode.errors import InvalidError, UnavailableError

ARCHIVE_FILE_BYTES_MAX = 1 << 30
"""A file above this is refused: 10,000 of the largest blocks with evidence stay below it."""


class SourceUrlError(InvalidError):
    """The URL of an archive cannot be used."""


class ArchiveUnavailable(UnavailableError):
    """A file of an archive cannot be read now: missing, or its host does not answer."""


class ArchiveSource(Protocol):
    """One archive."""

    @property
    def url(self) -> str:
        """Where it is, ending in `/`."""
        ...

    def fetch(self, path: str) -> bytes:
        """The bytes of the file at `path` below the root; blocks while reading.

        Raises:
            ArchiveUnavailable: it is not there or cannot be read now.
        """
        ...


class DirectoryArchive:
    """An archive in a directory, named by a `file://` URL."""

    def __init__(self, url: str, root: Path) -> None:
        self._url = url
        self._root = root

    @property
    def url(self) -> str:
        """Where it is, ending in `/`."""
        return self._url

    def fetch(self, path: str) -> bytes:
        """The bytes of the file at `path`. Raises `ArchiveUnavailable`."""
        file = self._root / path
        try:
            size = file.stat().st_size
            if size > ARCHIVE_FILE_BYTES_MAX:
                raise ArchiveUnavailable(f"{file} has {size} bytes, limit {ARCHIVE_FILE_BYTES_MAX}")
            return file.read_bytes()
        except OSError as error:
            raise ArchiveUnavailable(f"cannot read {file}: {error.strerror}") from error


def open_source(url: str) -> ArchiveSource:
    """The archive at `url`; a missing final `/` is added. Nothing is read yet.

    Raises:
        SourceUrlError: no URL, or of a scheme that this program does not read.
    """
    whole = url if url.endswith("/") else url + "/"
    try:
        parts = urlsplit(whole)
    except ValueError as error:
        raise SourceUrlError(f"archive URL {url!r}: {error}") from error
    if not parts.scheme:
        raise SourceUrlError(f"archive URL {url!r} has no scheme: write file:///directory")
    if parts.scheme == "file":
        return DirectoryArchive(whole, Path(unquote(parts.netloc + parts.path)))
    if parts.scheme in ("http", "https") and not parts.netloc:
        raise SourceUrlError(f"archive URL {url!r} has no host")
    raise SourceUrlError(
        f"archive URL {url!r}: scheme {parts.scheme} is not supported, only file is"
    )
