"""A wallet file as a database: SQLite, readable by its owner only, encrypted or not.

Every change is one transaction, so a killed process leaves the last complete state. A handle may be
used from several threads, and a file by several processes.
"""

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Self, cast

from mcnode.errors import UnavailableError
from mcnode.wallet.cipher import Passphrase, ask, load_cipher, new_salt, pragma_key, read_salt
from mcnode.wallet.errors import WalletExists, WalletFileError, WrongPassphrase
from mcnode.wallet.schema import (
    APPLICATION_ID,
    SCHEMA,
    SCHEMA_VERSION,
    is_migratable,
    migrate,
    read_version,
)

_OWNER_ONLY = 0o600
_BUSY_TIMEOUT_S = 10.0
_ZEROS = bytes(1 << 16)


class WalletBusy(UnavailableError):
    """The wallet file cannot be written now: another program holds it, or the disk is full."""


class WalletFile:
    """One open wallet file.

    Args:
        key: what SQLCipher takes for a key; None: the file is not encrypted.
    """

    def __init__(self, path: Path, key: str | None) -> None:
        self._lock = threading.RLock()
        self.path = path
        self._attach(key)

    def _attach(self, key: str | None) -> None:
        self._dbapi: Any = sqlite3 if key is None else load_cipher()
        self._key = key
        self._inode = self.path.stat().st_ino
        self._connection = _connect(self._dbapi, self.path, key)
        try:
            _check_format(self._dbapi, self._connection, self.path, is_encrypted=key is not None)
        except BaseException:
            self._connection.close()
            raise

    @classmethod
    def create(
        cls, path: Path, settings: Iterable[tuple[str, str]], passphrase: str | None = None
    ) -> Self:
        """Make a new file; it appears under its name only when it is complete.

        Raises:
            WalletExists: there is one already.
            WalletFileError: it cannot be made.
            PassphraseNeeded: the passphrase is empty.
            EncryptionMissing: there is one, and the package that encrypts is not installed.
        """
        key = None if passphrase is None else pragma_key(passphrase, new_salt())
        dbapi = sqlite3 if key is None else load_cipher()
        with _unfinished(path) as unfinished:
            try:
                with contextlib.closing(_connect(dbapi, unfinished, key)) as connection:
                    connection.executescript(
                        f"BEGIN; PRAGMA application_id = {APPLICATION_ID}; "
                        f"PRAGMA user_version = {SCHEMA_VERSION}; {SCHEMA}"
                    )
                    connection.executemany("INSERT INTO settings VALUES (?, ?)", list(settings))
                    connection.execute("COMMIT")
                path.hardlink_to(unfinished)  # unlike a rename, never over an existing file
            except FileExistsError:
                raise WalletExists(f"{path} exists already; name another file") from None
            except (OSError, dbapi.Error) as error:
                raise WalletFileError(f"cannot make {path}: {error}") from error
        return cls(path, key)

    @classmethod
    def open(cls, path: Path, passphrase: Passphrase = None) -> Self:
        """Open an existing file.

        Args:
            passphrase: of an encrypted file, or a function that asks for it.

        Raises:
            WalletFileError: it is not there, no wallet, of a newer version, or readable by others.
            PassphraseNeeded, WrongPassphrase, EncryptionMissing: it is encrypted.
        """
        if not path.is_file():
            raise WalletFileError(f"{path} is no file; make a wallet with `mcnode wallet new`")
        try:
            is_for_others = path.stat().st_mode & 0o077
            salt = read_salt(path)
        except OSError as error:
            raise WalletFileError(f"cannot read {path}: {error.strerror}") from error
        if is_for_others:
            raise WalletFileError(f"{path} can be read by others; run: chmod 600 {path}")
        return cls(path, None if salt is None else pragma_key(ask(passphrase), salt))

    @property
    def is_encrypted(self) -> bool:
        """Whether nothing in the file can be read without its passphrase."""
        return self._key is not None

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, and nobody else writes meanwhile."""
        with self._lock:
            self._check_in_place()
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    self._check_in_place()  # again: now nobody can replace it any more
                    yield self._connection
                except BaseException:
                    self._connection.execute("ROLLBACK")
                    raise
                self._connection.execute("COMMIT")
            except self._dbapi.OperationalError as error:
                raise WalletBusy(f"cannot write {self.path}: {error}") from error

    def _check_in_place(self) -> None:
        """What is written to a file that has lost its name is lost."""
        try:
            is_same = self.path.stat().st_ino == self._inode
        except OSError:
            is_same = False
        if not is_same:
            raise WalletFileError(f"{self.path} is another file than it was; open it again")

    def _read(self, sql: str, *parameters: object) -> list[tuple[object, ...]]:
        with self._lock:
            try:
                return self._connection.execute(sql, parameters).fetchall()
            except self._dbapi.OperationalError as error:
                raise WalletBusy(f"cannot read {self.path}: {error}") from error
            except self._dbapi.DatabaseError as error:
                self._check_in_place()
                raise WalletFileError(f"{self.path} is damaged: {error}") from error

    def change_passphrase(self, passphrase: str | None) -> None:
        """Encrypt the whole file with a passphrase, or with None store it as it is.

        A copy is made and takes the file's name when it is complete; other programs that have the
        file open must open it again. Of a file that was not encrypted, the old content is
        overwritten.

        Raises:
            PassphraseNeeded, EncryptionMissing: as they say.
            WalletBusy: another program writes it.
        """
        new = None if passphrase is None else pragma_key(passphrase, new_salt())
        old = self._key
        if old is None and new is None:
            return
        with self._lock:
            self._check_in_place()
            self._connection.close()
            try:
                _reencrypt(self.path, old, new)
            except BaseException:
                self._attach(old)
                raise
            self._attach(new)


def _reencrypt(path: Path, old: str | None, new: str | None) -> None:
    """One library does both halves: two in one process would undo each other's file locks."""
    dbapi = load_cipher()
    with contextlib.ExitStack() as stack:
        try:
            writer = stack.enter_context(contextlib.closing(_connect(dbapi, path, old)))
            writer.execute("BEGIN IMMEDIATE")  # nobody writes until the copy has the name
            unfinished = stack.enter_context(_unfinished(path))
            with contextlib.closing(_connect(dbapi, path, old)) as reader:
                reader.execute(
                    f'ATTACH DATABASE ? AS copy KEY "{new or ""}"', (os.fspath(unfinished),)
                )
                reader.execute("SELECT sqlcipher_export('copy')")
                reader.execute(f"PRAGMA copy.application_id = {APPLICATION_ID}")
                reader.execute(f"PRAGMA copy.user_version = {SCHEMA_VERSION}")
                reader.execute("DETACH DATABASE copy")
            plain = stack.enter_context(path.open("r+b")) if old is None else None
            _make_durable(unfinished)
            unfinished.replace(path)
            _make_durable(path.parent)
            if plain is not None:
                for _ in range(0, os.fstat(plain.fileno()).st_size, len(_ZEROS)):
                    plain.write(_ZEROS)
                plain.flush()
                os.fsync(plain.fileno())
        except dbapi.OperationalError as error:
            raise WalletBusy(f"cannot write {path}: {error}") from error
        except dbapi.DatabaseError as error:
            raise WrongPassphrase from error
        except OSError as error:
            raise WalletBusy(f"cannot write {path}: {error.strerror}") from error


def _make_durable(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _unfinished(path: Path) -> Iterator[Path]:
    """An empty file beside another one, for its owner only; gone at the end under this name."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        unfinished.unlink(missing_ok=True)
        os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_RDWR, _OWNER_ONLY))
    except OSError as error:
        raise WalletFileError(f"cannot make {path}: {error.strerror}") from error
    try:
        yield unfinished
    finally:
        unfinished.unlink(missing_ok=True)


def _connect(dbapi: Any, path: Path, key: str | None) -> sqlite3.Connection:
    try:
        made = dbapi.connect(
            path, timeout=_BUSY_TIMEOUT_S, check_same_thread=False, isolation_level=None
        )
    except dbapi.Error as error:
        raise WalletFileError(f"{path} cannot be opened: {error}") from error
    connection = cast(sqlite3.Connection, made)
    try:
        if key is not None:
            connection.execute("PRAGMA cipher_log_level = NONE")  # errors are raised, not printed
            connection.execute(f'PRAGMA key = "{key}"')
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")  # what was deleted leaves no trace
    except dbapi.Error as error:
        connection.close()
        if key is not None:
            raise WrongPassphrase from None
        raise WalletFileError(f"{path} is no wallet file: {error}") from error
    return connection


def _check_format(
    dbapi: Any, connection: sqlite3.Connection, path: Path, *, is_encrypted: bool
) -> None:
    try:
        [(application_id,)] = connection.execute("PRAGMA application_id")
        version = read_version(connection)
        if application_id == APPLICATION_ID and is_migratable(version):
            migrate(connection)
            version = read_version(connection)
    except dbapi.OperationalError as error:
        raise WalletBusy(f"cannot read {path}: {error}") from error
    except dbapi.DatabaseError as error:
        if is_encrypted:
            raise WrongPassphrase from None
        raise WalletFileError(f"{path} is no wallet file: {error}") from error
    if application_id != APPLICATION_ID:
        raise WalletFileError(f"{path} is no wallet file: application id {application_id:#x}")
    if version != SCHEMA_VERSION:
        raise WalletFileError(
            f"{path} has schema version {version}, this program reads {SCHEMA_VERSION}"
        )
