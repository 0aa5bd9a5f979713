"""The wallet file: SQLite, readable by its owner only. [docs/protocol/transaction.md#18]

Every change is one transaction, so a killed process leaves the last complete state. Amounts and
subaddress indices are unsigned 64-bit numbers, which SQLite does not have: they are stored as the
signed numbers with the same bits.

A handle may be used from several threads, and a file by several processes: what one payment has
taken, no other one can take.
"""

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from mcnode.errors import UnavailableError
from mcnode.wallet.errors import InputsTaken, PaymentUnknown, WalletExists, WalletFileError
from mcnode.wallet.records import Balance, OwnedOutput, Payment, PaymentState, ScannedBlock

SCHEMA_VERSION = 1
APPLICATION_ID = 0x4D434E57
"""`MCNW`, in the file's header: what `file` shows, and how another database is told apart."""
_OWNER_ONLY = 0o600
_BUSY_TIMEOUT_S = 10.0

_SCHEMA = """
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE outputs (
    public_key BLOB PRIMARY KEY,
    tx_out_index INTEGER NOT NULL,
    block_index INTEGER NOT NULL,
    subaddress_index INTEGER NOT NULL,
    value INTEGER NOT NULL,
    token_id INTEGER NOT NULL,
    key_image BLOB NOT NULL UNIQUE,
    memo BLOB NOT NULL,
    spent_in_block INTEGER
) STRICT;
CREATE INDEX unspent_outputs ON outputs (token_id) WHERE spent_in_block IS NULL;
CREATE TABLE payments (
    id INTEGER PRIMARY KEY,
    tx_hash BLOB NOT NULL UNIQUE,
    recipient TEXT NOT NULL,
    value INTEGER NOT NULL,
    token_id INTEGER NOT NULL,
    fee INTEGER NOT NULL,
    tombstone_block INTEGER NOT NULL,
    output_public_key BLOB NOT NULL UNIQUE,
    change_public_key BLOB,
    made_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    final_in_block INTEGER,
    reason TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE payment_inputs (
    key_image BLOB NOT NULL,
    payment_id INTEGER NOT NULL REFERENCES payments (id),
    PRIMARY KEY (key_image, payment_id)
) STRICT;
"""
_OUTPUT_COLUMNS = (
    "public_key, tx_out_index, block_index, subaddress_index, value, token_id, key_image, memo, "
    "spent_in_block"
)
_PAYMENT_COLUMNS = (
    "tx_hash, recipient, value, token_id, fee, tombstone_block, output_public_key, "
    "change_public_key, made_at, state, final_in_block, reason"
)
_TAKEN = (
    "SELECT key_image FROM payment_inputs JOIN payments ON payments.id = payment_id "
    "WHERE state = 'submitted'"
)


class WalletBusy(UnavailableError):
    """The wallet file cannot be written now: another program holds it, or the disk is full."""


class WalletStore:
    """One open wallet file."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._lock = threading.RLock()
        self.path = path

    @classmethod
    def create(cls, path: Path, settings: Iterable[tuple[str, str]]) -> "WalletStore":
        """Make a new file; it appears under its name only when it is complete.

        Raises:
            WalletExists: there is one already.
            WalletFileError: it cannot be made.
        """
        unfinished = path.with_name(f".{path.name}.{os.getpid()}.new")
        try:
            unfinished.unlink(missing_ok=True)
            os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_RDWR, _OWNER_ONLY))
        except OSError as error:
            raise WalletFileError(f"cannot make {path}: {error.strerror}") from error
        try:
            with contextlib.closing(_connect(unfinished)) as connection:
                connection.executescript(
                    f"BEGIN; PRAGMA application_id = {APPLICATION_ID}; "
                    f"PRAGMA user_version = {SCHEMA_VERSION}; {_SCHEMA}"
                )
                connection.executemany("INSERT INTO settings VALUES (?, ?)", list(settings))
                connection.execute("COMMIT")
            path.hardlink_to(unfinished)  # unlike a rename, never over an existing file
        except FileExistsError:
            raise WalletExists(f"{path} exists already; name another file") from None
        except (OSError, sqlite3.Error) as error:
            raise WalletFileError(f"cannot make {path}: {error}") from error
        finally:
            unfinished.unlink(missing_ok=True)
        return cls.open(path)

    @classmethod
    def open(cls, path: Path) -> "WalletStore":
        """Open an existing file.

        Raises:
            WalletFileError: it is not there, no wallet, of a newer version, or readable by others.
        """
        if not path.is_file():
            raise WalletFileError(f"{path} is no file; make a wallet with `mcnode wallet new`")
        if path.stat().st_mode & 0o077:
            raise WalletFileError(f"{path} can be read by others; run: chmod 600 {path}")
        connection = _connect(path)
        try:
            _check_format(connection, path)
        except BaseException:
            connection.close()
            raise
        return cls(connection, path)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, and nobody else writes meanwhile."""
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    yield self._connection
                except BaseException:
                    self._connection.execute("ROLLBACK")
                    raise
                self._connection.execute("COMMIT")
            except sqlite3.OperationalError as error:
                raise WalletBusy(f"cannot write {self.path}: {error}") from error

    def _read(self, sql: str, *parameters: object) -> list[tuple[object, ...]]:
        with self._lock:
            try:
                return self._connection.execute(sql, parameters).fetchall()
            except sqlite3.OperationalError as error:
                raise WalletBusy(f"cannot read {self.path}: {error}") from error
            except sqlite3.DatabaseError as error:
                raise WalletFileError(f"{self.path} is damaged: {error}") from error

    # ---- settings -------------------------------------------------------------------------------

    def setting(self, name: str) -> str | None:
        """A setting's text, or None."""
        rows = self._read("SELECT value FROM settings WHERE name = ?", name)
        return str(rows[0][0]) if rows else None

    def set_setting(self, name: str, value: str) -> None:
        """Store a setting."""
        with self._transaction() as connection:
            _set(connection, name, value)

    # ---- scanning -------------------------------------------------------------------------------

    def next_block(self) -> int:
        """The first block that has not been looked at."""
        return int(self.setting("next_block") or "0")

    def last_block_id(self) -> bytes | None:
        """The 32-byte id of the last block that has been looked at, or None."""
        text = self.setting("last_block_id")
        return None if text is None else bytes.fromhex(text)

    def record_blocks(self, blocks: Sequence[ScannedBlock]) -> None:
        """Note what consecutive blocks brought and took, and that they have been looked at.

        Blocks that another process recorded meanwhile are passed over.
        """
        with self._transaction() as connection:
            following = self.next_block()
            for block in blocks:
                if block.index < following:
                    continue
                assert block.index == following, f"block {block.index} after {following - 1}"
                _record_block(connection, block)
                following += 1
                _set(connection, "last_block_id", block.block_id.hex())
            _set(connection, "next_block", str(following))

    # ---- questions ------------------------------------------------------------------------------

    def outputs(self) -> list[OwnedOutput]:
        """Every output ever received, in order of the ledger."""
        rows = self._read(f"SELECT {_OUTPUT_COLUMNS} FROM outputs ORDER BY tx_out_index")  # noqa: S608
        return [_output(row) for row in rows]

    def spendable(self, token_id: int) -> list[OwnedOutput]:
        """Unspent outputs of a token that no submitted payment has taken."""
        rows = self._read(
            f"SELECT {_OUTPUT_COLUMNS} FROM outputs WHERE spent_in_block IS NULL "  # noqa: S608
            f"AND token_id = ? AND key_image NOT IN ({_TAKEN}) ORDER BY tx_out_index",
            _to_signed(token_id),
        )
        return [_output(row) for row in rows]

    def balances(self) -> dict[int, Balance]:
        """What the account holds of each token it ever held, by ascending token id."""
        rows = self._read(
            f"SELECT token_id, value, spent_in_block, key_image IN ({_TAKEN}) FROM outputs"  # noqa: S608
        )
        sums: dict[int, list[int]] = {}
        for token_id, value, spent_in_block, is_taken in rows:
            assert isinstance(token_id, int) and isinstance(value, int)
            pair = sums.setdefault(_to_unsigned(token_id), [0, 0])
            if spent_in_block is None:
                pair[1 if is_taken else 0] += _to_unsigned(value)
        return {token_id: Balance(*pair) for token_id, pair in sorted(sums.items())}

    def payments(self) -> list[Payment]:
        """Every payment made by this wallet, oldest first."""
        rows = self._read(f"SELECT {_PAYMENT_COLUMNS} FROM payments ORDER BY id")  # noqa: S608
        return [_payment(row) for row in rows]

    def payment(self, tx_hash: bytes) -> Payment:
        """The payment of a 32-byte transaction hash. Raises `PaymentUnknown`."""
        rows = self._read(f"SELECT {_PAYMENT_COLUMNS} FROM payments WHERE tx_hash = ?", tx_hash)  # noqa: S608
        if not rows:
            raise PaymentUnknown(tx_hash)
        return _payment(rows[0])

    # ---- paying ---------------------------------------------------------------------------------

    def add_payment(self, payment: Payment, key_images: Sequence[bytes]) -> None:
        """Note a payment before it is submitted, so that its inputs are taken whatever happens.

        Raises:
            InputsTaken: another payment took one of the inputs meanwhile.
        """
        with self._transaction() as connection:
            taken = {row[0] for row in connection.execute(_TAKEN)}
            spent = "SELECT key_image FROM outputs WHERE spent_in_block IS NOT NULL"
            taken.update(row[0] for row in connection.execute(spent))
            if taken.intersection(key_images):
                raise InputsTaken
            cursor = connection.execute(
                f"INSERT INTO payments ({_PAYMENT_COLUMNS}) "  # noqa: S608
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                _payment_row(payment),
            )
            connection.executemany(
                "INSERT INTO payment_inputs VALUES (?, ?)",
                [(image, cursor.lastrowid) for image in key_images],
            )

    def mark_refused(self, tx_hash: bytes, reason: str) -> None:
        """The network refused a submitted payment: its inputs are free again."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE payments SET state = 'refused', reason = ? "
                "WHERE tx_hash = ? AND state = 'submitted'",
                (reason, tx_hash),
            )


def _connect(path: Path) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(
            path, timeout=_BUSY_TIMEOUT_S, check_same_thread=False, isolation_level=None
        )
    except sqlite3.Error as error:
        raise WalletFileError(f"{path} cannot be opened: {error}") from error
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")
    except sqlite3.Error as error:
        connection.close()
        raise WalletFileError(f"{path} is no wallet file: {error}") from error
    return connection


def _check_format(connection: sqlite3.Connection, path: Path) -> None:
    try:
        [(application_id,)] = connection.execute("PRAGMA application_id")
        [(version,)] = connection.execute("PRAGMA user_version")
    except sqlite3.DatabaseError as error:
        raise WalletFileError(f"{path} is no wallet file: {error}") from error
    if application_id != APPLICATION_ID:
        raise WalletFileError(f"{path} is no wallet file: application id {application_id:#x}")
    if version != SCHEMA_VERSION:
        raise WalletFileError(
            f"{path} has schema version {version}, this program reads {SCHEMA_VERSION}"
        )


def _set(connection: sqlite3.Connection, name: str, value: str) -> None:
    connection.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))


def _record_block(connection: sqlite3.Connection, block: ScannedBlock) -> None:
    """A payment is final when its own output is in a block; its inputs alone are not enough,
    because another wallet of the same account may have spent them.
    """
    connection.executemany(
        f"INSERT INTO outputs ({_OUTPUT_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
        [_output_row(output) for output in block.received],
    )
    connection.executemany(
        "UPDATE outputs SET spent_in_block = ? WHERE key_image = ?",
        [(block.index, image) for image in block.key_images],
    )
    waiting = connection.execute(
        "SELECT id, output_public_key FROM payments WHERE state IN ('submitted', 'refused')"
    ).fetchall()
    public_keys = set(block.output_public_keys)
    connection.executemany(
        "UPDATE payments SET state = 'final', final_in_block = ?, reason = '' WHERE id = ?",
        [(block.index, number) for number, public_key in waiting if public_key in public_keys],
    )
    connection.executemany(
        "UPDATE payments SET state = 'superseded' WHERE state = 'submitted' AND id IN "
        "(SELECT payment_id FROM payment_inputs WHERE key_image = ?)",
        [(image,) for image in block.key_images],
    )
    connection.execute(
        "UPDATE payments SET state = 'expired' WHERE state = 'submitted' AND tombstone_block <= ?",
        (block.index + 1,),
    )


def _to_signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


def _to_unsigned(value: int) -> int:
    return value & ((1 << 64) - 1)


def _output_row(output: OwnedOutput) -> tuple[bytes | int | None, ...]:
    return (
        output.public_key,
        output.tx_out_index,
        output.block_index,
        _to_signed(output.subaddress_index),
        _to_signed(output.value),
        _to_signed(output.token_id),
        output.key_image,
        output.memo,
        output.spent_in_block,
    )


def _output(row: Sequence[object]) -> OwnedOutput:
    public_key, tx_out_index, block_index, subaddress, value, token_id, image, memo, spent = row
    assert isinstance(public_key, bytes) and isinstance(image, bytes) and isinstance(memo, bytes)
    assert isinstance(tx_out_index, int) and isinstance(block_index, int)
    assert isinstance(subaddress, int) and isinstance(value, int) and isinstance(token_id, int)
    assert spent is None or isinstance(spent, int)
    return OwnedOutput(
        public_key,
        tx_out_index,
        block_index,
        _to_unsigned(subaddress),
        _to_unsigned(value),
        _to_unsigned(token_id),
        image,
        memo,
        spent,
    )


def _payment_row(payment: Payment) -> tuple[bytes | int | str | None, ...]:
    return (
        payment.tx_hash,
        payment.recipient,
        _to_signed(payment.value),
        _to_signed(payment.token_id),
        _to_signed(payment.fee),
        payment.tombstone_block,
        payment.output_public_key,
        payment.change_public_key,
        payment.made_at,
        payment.state.value,
        payment.final_in_block,
        payment.reason,
    )


def _payment(row: Sequence[object]) -> Payment:
    tx_hash, recipient, value, token_id, fee, tombstone, output, change, made_at = row[:9]
    state, final, reason = row[9:]
    assert isinstance(tx_hash, bytes) and isinstance(recipient, str) and isinstance(output, bytes)
    assert isinstance(value, int) and isinstance(token_id, int) and isinstance(fee, int)
    assert isinstance(tombstone, int) and isinstance(made_at, int) and isinstance(reason, str)
    assert change is None or isinstance(change, bytes)
    assert final is None or isinstance(final, int)
    return Payment(
        tx_hash,
        recipient,
        _to_unsigned(value),
        _to_unsigned(token_id),
        _to_unsigned(fee),
        tombstone,
        output,
        change,
        made_at,
        PaymentState(state),
        final,
        reason,
    )
