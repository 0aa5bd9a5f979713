"""Reading files that somebody else wrote: never more of one than a stated length."""

from pathlib import Path

from mcnode.errors import InvalidError


class UnfitFileError(InvalidError):
    """A file is longer than it may be, or should be text and is not."""


def read_bytes(path: Path, limit: int) -> bytes:
    """A whole file of at most `limit` bytes; no more than that and one byte is read.

    Raises:
        UnfitFileError: it is longer.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise UnfitFileError(f"{path} has more than {limit} bytes")
    return data


def read_text(path: Path, limit: int) -> str:
    """A whole file of at most `limit` bytes of UTF-8.

    Raises:
        UnfitFileError: it is longer, or not UTF-8.
        OSError: it cannot be read.
    """
    try:
        return read_bytes(path, limit).decode()
    except UnicodeDecodeError as error:
        raise UnfitFileError(f"{path} is not UTF-8: {error}") from None
