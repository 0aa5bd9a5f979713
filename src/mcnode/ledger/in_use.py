"""Who appends to a ledger is alone on it: two would take each other's blocks for damage.

The directory itself is locked, so nothing stays behind, whatever ends the process.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from mcnode.errors import UnavailableError


class LedgerInUse(UnavailableError):
    """A node, or another program that appends, is on this ledger."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"a node or another program appends to the ledger {path}: stop it, or name another "
            "directory"
        )
        self.path = path


@contextlib.contextmanager
def alone_on(path: Path, *, is_new: bool) -> Iterator[None]:
    """Keep others off a ledger's directory. It is made if `is_new`; one that cannot be opened is
    left to what comes after.

    Raises:
        LedgerInUse: another program is there.
    """
    if is_new:
        with contextlib.suppress(OSError):
            path.mkdir(parents=True, exist_ok=True)
    with _locked(path, fcntl.LOCK_EX):
        yield


def check_unused(path: Path) -> None:
    """Check that nobody is alone on a ledger's directory. Raises `LedgerInUse`."""
    with _locked(path, fcntl.LOCK_SH):
        pass


@contextlib.contextmanager
def _locked(path: Path, kind: int) -> Iterator[None]:
    try:
        directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        yield
        return
    try:
        try:
            fcntl.flock(directory, kind | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LedgerInUse(path) from error
        yield
    finally:
        os.close(directory)
