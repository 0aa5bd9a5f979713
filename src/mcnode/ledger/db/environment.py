"""LMDB environments: opened once per process, grown when full. [docs/protocol/ledger.md#4.1]

LMDB's locks belong to the process, so a second environment on the same file would break the first
when either is closed. `open_environment` therefore hands out one shared environment per file,
counted, and the last `close` closes it. A transaction that another thread has open then is waited
for: LMDB's memory must not go away under a commit.
"""

import contextlib
import dataclasses
import errno
import os
import resource
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import lmdb

from mcnode.errors import BugError
from mcnode.ledger.db.tables import Table, Txn
from mcnode.ledger.errors import (
    DiskFull,
    LedgerPathMissing,
    LmdbError,
    NotALedger,
    ReadOnlyLedger,
    StorageUnavailable,
)

T = TypeVar("T")

DATA_FILE = "data.mdb"
MAP_SIZE_BYTES = 1 << 40
"""Address space, not disk: as the network's own program asks for, and far above any ledger."""
_MAP_SIZE_WHEN_SCARCE_BYTES = 1 << 32
"""First try where address space is limited; the map then grows on demand."""
_MAP_GROWTH_MAX = 64
"""Doublings tried for one write: more than 64-bit addresses have."""

_ROOM_FOR_A_COMMIT_BYTES = 64 << 20
"""More than the pages that the largest block changes."""

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS}


@dataclasses.dataclass(frozen=True, slots=True)
class OpenMode:
    """How to open: `durable` commits reach the disk before they return."""

    read_only: bool = False
    durable: bool = True
    map_size_bytes: int = MAP_SIZE_BYTES


class Environment:
    """One open LMDB environment, shared by the handles of this process."""

    def __init__(self, path: Path, mode: OpenMode, env: lmdb.Environment, key: tuple[int, int]):
        self.path = path
        self.mode = mode
        self._env = env
        self._key = key
        self._handles = 1
        self._tables: dict[bytes, Table] = {}
        self._readers = 0
        self._is_closed = False
        self._idle = threading.Condition()
        # `open_db` waits for LMDB's own writer lock without letting other threads run: a thread of
        # this process that holds it could then never finish. So writers queue here first.
        self._writing = threading.Lock()

    def open_table(self, name: bytes, *, create: bool) -> Table:
        """A sub-database without flags; opened once, then the same for every handle.

        Raises:
            lmdb.NotFoundError: it is missing and `create` is false.
        """
        with self._writing:
            if name not in self._tables:
                self._tables[name] = self._env.open_db(name, create=create)
            return self._tables[name]

    def create_table(self, txn: Txn, name: bytes) -> Table:
        """A sub-database, made in `txn` if it is missing; the handle is good for `txn` alone."""
        return self._env.open_db(name, txn=txn)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Txn]:
        """A snapshot: sees every commit made before, and none made after."""
        with self._held_open(), errors_translated(self.path), self._begin_read() as txn:
            yield txn

    def write(self, body: Callable[[Txn], T], what: str) -> T:
        """Run `body` in one write transaction and commit; `what` names it in errors.

        `body` runs again from the start when the map had to grow, so it must change nothing but
        the database.

        Raises:
            DiskFull: no room; nothing of it is kept.
            ReadOnlyLedger: opened read-only.
        """
        if self.mode.read_only:
            raise ReadOnlyLedger(f"{self.path} is open for reading only: cannot do {what}")
        with self._writing:
            for _ in range(_MAP_GROWTH_MAX):
                try:
                    with (
                        self._held_open(),
                        errors_translated(self.path, what),
                        self._env.begin(write=True) as txn,
                    ):
                        return body(txn)
                except lmdb.MapFullError:
                    self._resize(self._env.info()["map_size"] * 2)
                except lmdb.MapResizedError:
                    self._resize(0)
        raise BugError(f"the map of {self.path} is full after {_MAP_GROWTH_MAX} doublings")

    def flush(self) -> None:
        """Bring all commits to the disk; needed only when opened without `durable`."""
        with errors_translated(self.path, "flush"):
            self._env.sync(True)

    def data_file_bytes(self) -> int:
        """Size of the data file."""
        return (self.path / DATA_FILE).stat().st_size

    def close(self) -> None:
        """Give this handle back; the last one closes the environment, when nothing runs in it."""
        with _registry_lock:
            self._handles -= 1
            if self._handles == 0:
                with self._idle:
                    self._is_closed = True
                    self._idle.wait_for(lambda: self._readers == 0)
                _registry.pop(self._key, None)
                self._env.close()

    @contextlib.contextmanager
    def _held_open(self) -> Iterator[None]:
        """Keep the memory of the environment in place meanwhile."""
        with self._idle:
            if self._is_closed:
                raise StorageUnavailable(f"{self.path} is closed")
            self._readers += 1
        try:
            yield
        finally:
            with self._idle:
                self._readers -= 1
                if self._readers == 0:
                    self._idle.notify_all()

    def _begin_read(self) -> Txn:
        try:
            return self._env.begin()
        except lmdb.MapResizedError as error:
            raise StorageUnavailable(
                f"{self.path} has outgrown the address space it was opened with: open it again"
            ) from error

    def _resize(self, map_size_bytes: int) -> None:
        """Another size of the map, 0 for what another process chose; waits for readers to end."""
        with self._idle, errors_translated(self.path, "growth of the map"):
            self._idle.wait_for(lambda: self._readers == 0)
            self._env.set_mapsize(map_size_bytes)


_registry: dict[tuple[int, int], Environment] = {}
_registry_lock = threading.Lock()


def open_environment(path: Path, mode: OpenMode, *, tables_max: int, create: bool) -> Environment:
    """Open the environment in the directory `path`, or share the one that is open already.

    Raises:
        LedgerPathMissing: no data file there, and `create` is false.
        NotALedger: the file there is not LMDB's.
        ReadOnlyLedger: it cannot be written and `mode` is not read-only.
        StorageUnavailable: anything else the system says.
    """
    data_file = path / DATA_FILE
    with _registry_lock:
        if not data_file.exists() and not create:
            raise LedgerPathMissing(
                f"no ledger at {path}: {DATA_FILE} is missing; name the directory of an existing "
                "ledger, or make one with generate-sample-ledger or ledger-from-archive"
            )
        if data_file.exists():
            shared = _registry.get(_file_key(data_file))
            if shared is not None:
                return _share(shared, mode)
        env = _open(path, mode, tables_max)
        made = Environment(path, mode, env, _file_key(data_file))
        _registry[made._key] = made
        return made


def _share(shared: Environment, mode: OpenMode) -> Environment:
    if shared.mode.read_only and not mode.read_only:
        raise ReadOnlyLedger(
            f"{shared.path} is open in this process for reading only: close that handle first"
        )
    if mode.durable and not (shared.mode.durable or shared.mode.read_only):
        raise BugError(
            f"{shared.path} is open in this process without waiting for the disk: a handle that "
            "waits cannot share it"
        )
    shared._handles += 1
    return shared


def _open(path: Path, mode: OpenMode, tables_max: int) -> lmdb.Environment:
    if not mode.read_only and path.exists() and not os.access(path, os.W_OK):
        raise ReadOnlyLedger(f"cannot write to {path}: check its owner and mode")
    try:
        with errors_translated(path, "open"):
            return _open_with_map(path, mode, tables_max, mode.map_size_bytes)
    except MemoryError:
        with errors_translated(path, "open"):
            return _open_with_map(path, mode, tables_max, _MAP_SIZE_WHEN_SCARCE_BYTES)


def _open_with_map(path: Path, mode: OpenMode, tables_max: int, size: int) -> lmdb.Environment:
    try:
        return lmdb.open(
            str(path),
            map_size=size,
            max_dbs=tables_max,
            create=False,
            readonly=mode.read_only,
            lock=not mode.read_only or os.access(path, os.W_OK),
            sync=mode.durable,
            metasync=mode.durable,
            readahead=False,
            mode=0o644,
        )
    except (lmdb.MemoryError, lmdb.Error) as error:
        if error.code == errno.ENOMEM:
            raise MemoryError from error
        raise


def _file_key(data_file: Path) -> tuple[int, int]:
    status = data_file.stat()
    return status.st_dev, status.st_ino


@contextlib.contextmanager
def errors_translated(path: Path, what: str = "read") -> Iterator[None]:
    """Turn LMDB's errors into ours; a full or outgrown map passes, for the caller to grow it."""
    try:
        yield
    except (lmdb.MapFullError, lmdb.MapResizedError, lmdb.NotFoundError):
        raise
    except lmdb.BadValsizeError as error:
        raise LmdbError("BadValSize", f"{what}: a key has a size that LMDB refuses") from error
    except (lmdb.InvalidError, lmdb.VersionMismatchError, lmdb.CorruptedError) as error:
        raise NotALedger(
            f"{path / DATA_FILE} is not a ledger database ({error}): name another directory or "
            "restore the file"
        ) from error
    except lmdb.Error as error:
        if error.code == errno.ENOMEM:
            raise
        raise _system_error(path, what, error) from error


def _has_no_room(path: Path) -> bool:
    """Whether the file cannot grow much more: LMDB tells of a write cut short only as EIO."""
    size = (path / DATA_FILE).stat().st_size
    limit, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    room = shutil.disk_usage(path).free
    if limit != resource.RLIM_INFINITY:
        room = min(room, limit - size)
    return room < _ROOM_FOR_A_COMMIT_BYTES


def _system_error(path: Path, what: str, error: lmdb.Error) -> Exception:
    if error.code in _FULL or (error.code == errno.EIO and _has_no_room(path)):
        return DiskFull(
            f"disk full at {path} while doing {what}: free some space and start again; nothing "
            "of it was written"
        )
    if error.code in _DENIED:
        return ReadOnlyLedger(f"no permission at {path} for {what}: check its owner and mode")
    if isinstance(error, lmdb.ReadersFullError):
        return StorageUnavailable(
            f"too many readers of {path}: stop one of the programs that read it"
        )
    return StorageUnavailable(f"{what} at {path} failed: {error}")
