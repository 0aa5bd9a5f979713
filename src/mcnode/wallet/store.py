"""The wallet file: SQLite, readable by its owner only.

Every change is one transaction, so a killed process leaves the last complete state. Amounts and
subaddress indices are unsigned 64-bit numbers, which SQLite does not have: they are stored as the
signed numbers with the same bits.
"""

import contextlib
import dataclasses
import enum
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from mcnode.wallet.errors import WalletExists, WalletFileError

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
CREATE TABLE payments (
    id INTEGER PRIMARY KEY,
    tx_hash BLOB NOT NULL UNIQUE,
    recipient TEXT NOT NULL,
    value INTEGER NOT NULL,
    token_id INTEGER NOT NULL,
    fee INTEGER NOT NULL,
    tombstone_block INTEGER NOT NULL,
    state TEXT NOT NULL,
    final_in_block INTEGER
) STRICT;
CREATE TABLE payment_inputs (
    key_image BLOB NOT NULL,
    payment_id INTEGER NOT NULL REFERENCES payments (id),
    PRIMARY KEY (key_image, payment_id)
) STRICT;
"""


class PaymentState(enum.Enum):
    """How far a payment is."""

    SUBMITTED = "submitted"
    FINAL = "final"
    EXPIRED = "expired"
    REFUSED = "refused"


@dataclasses.dataclass(frozen=True, slots=True)
class OwnedOutput:
    """An output of this account; values in the token's smallest unit."""

    public_key: bytes
    tx_out_index: int
    block_index: int
    subaddress_index: int
    value: int
    token_id: int
    key_image: bytes
    memo: bytes
    spent_in_block: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Payment:
    """A payment that this wallet made; values in the token's smallest unit."""

    tx_hash: bytes
    recipient: str
    value: int
    token_id: int
    fee: int
    tombstone_block: int
    state: PaymentState
    final_in_block: int | None = None


class WalletStore:
    """One open wallet file."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self.path = path

    @classmethod
    def create(cls, path: Path, settings: Iterable[tuple[str, str]]) -> "WalletStore":
        """Make a new file.

        Raises:
            WalletExists: there is one already.
            WalletFileError: it cannot be made.
        """
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, _OWNER_ONLY))
        except FileExistsError:
            raise WalletExists(f"{path} exists already; name another file") from None
        except OSError as error:
            raise WalletFileError(f"cannot make {path}: {error.strerror}") from error
        connection = _connect(path)
        with connection:
            connection.executescript(_SCHEMA)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            connection.executemany("INSERT INTO settings VALUES (?, ?)", list(settings))
        return cls(connection, path)

    @classmethod
    def open(cls, path: Path) -> "WalletStore":
        """Open an existing file.

        Raises:
            WalletFileError: it is not there, no wallet, of a newer version, or readable by others.
        """
        if not path.exists():
            raise WalletFileError(f"{path} does not exist; make a wallet with `mcnode wallet new`")
        if path.stat().st_mode & 0o077:
            raise WalletFileError(f"{path} can be read by others; run: chmod 600 {path}")
        connection = _connect(path)
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
        return cls(connection, path)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    # -- settings ---------------------------------------------------------------------------------

    def setting(self, name: str) -> str | None:
        """A setting's text, or None."""
        row = self._connection.execute(
            "SELECT value FROM settings WHERE name = ?", (name,)
        ).fetchone()
        return None if row is None else str(row[0])

    def set_setting(self, name: str, value: str) -> None:
        """Store a setting."""
        with self._connection:
            self._connection.execute(
                "INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value)
            )

    # -- scanning ---------------------------------------------------------------------------------

    def next_block(self) -> int:
        """The first block that has not been looked at."""
        return int(self.setting("next_block") or "0")

    def record_block(
        self, block_index: int, received: Sequence[OwnedOutput], key_images: Sequence[bytes]
    ) -> None:
        """Note what a block brought and took, and that it has been looked at: all or nothing."""
        with self._connection as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO outputs VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)",
                [_output_row(output) for output in received],
            )
            images = [(block_index, image) for image in key_images]
            connection.executemany(
                "UPDATE outputs SET spent_in_block = ? WHERE key_image = ?", images
            )
            connection.executemany(
                "UPDATE payments SET state = 'final', final_in_block = ? WHERE id IN "
                "(SELECT payment_id FROM payment_inputs WHERE key_image = ?) "
                "AND state = 'submitted'",
                images,
            )
            connection.execute(
                "UPDATE payments SET state = 'expired' "
                "WHERE state = 'submitted' AND tombstone_block <= ?",
                (block_index + 1,),
            )
            connection.execute(
                "INSERT OR REPLACE INTO settings VALUES ('next_block', ?)", (str(block_index + 1),)
            )

    # -- questions --------------------------------------------------------------------------------

    def outputs(self) -> list[OwnedOutput]:
        """Every output ever received, in order of the ledger."""
        rows = self._connection.execute(
            "SELECT public_key, tx_out_index, block_index, subaddress_index, value, token_id, "
            "key_image, memo, spent_in_block FROM outputs ORDER BY tx_out_index"
        )
        return [_output(row) for row in rows]

    def spendable(self, token_id: int) -> list[OwnedOutput]:
        """Unspent outputs of a token that no submitted payment has taken."""
        rows = self._connection.execute("SELECT key_image FROM payment_inputs JOIN payments "
                                        "ON payments.id = payment_id WHERE state = 'submitted'")
        taken = {row[0] for row in rows}
        return [
            output
            for output in self.outputs()
            if output.spent_in_block is None
            and output.token_id == token_id
            and output.key_image not in taken
        ]

    def payments(self) -> list[Payment]:
        """Every payment made by this wallet, oldest first."""
        rows = self._connection.execute(
            "SELECT tx_hash, recipient, value, token_id, fee, tombstone_block, state, "
            "final_in_block FROM payments ORDER BY id"
        )
        return [_payment(row) for row in rows]

    def payment(self, tx_hash: bytes) -> Payment:
        """One payment. Raises `WalletFileError` for an unknown one."""
        for payment in self.payments():
            if payment.tx_hash == tx_hash:
                return payment
        raise WalletFileError(f"no payment with transaction hash {tx_hash.hex()}")

    # -- paying -----------------------------------------------------------------------------------

    def add_payment(self, payment: Payment, key_images: Iterable[bytes]) -> None:
        """Note a payment before it is submitted, so that its inputs are taken whatever happens."""
        with self._connection as connection:
            cursor = connection.execute(
                "INSERT INTO payments (tx_hash, recipient, value, token_id, fee, "
                "tombstone_block, state) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    payment.tx_hash,
                    payment.recipient,
                    _to_signed(payment.value),
                    _to_signed(payment.token_id),
                    _to_signed(payment.fee),
                    _to_signed(payment.tombstone_block),
                    payment.state.value,
                ),
            )
            connection.executemany(
                "INSERT INTO payment_inputs VALUES (?, ?)",
                [(image, cursor.lastrowid) for image in key_images],
            )

    def mark_refused(self, tx_hash: bytes) -> None:
        """The network refused a payment: its inputs are free again."""
        with self._connection:
            self._connection.execute(
                "UPDATE payments SET state = 'refused' WHERE tx_hash = ? AND state = 'submitted'",
                (tx_hash,),
            )

    @contextlib.contextmanager
    def closing(self) -> Iterator["WalletStore"]:
        """Close at the end of a block."""
        try:
            yield self
        finally:
            self.close()


def _connect(path: Path) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, check_same_thread=False)
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")
    except sqlite3.Error as error:
        raise WalletFileError(f"{path} cannot be opened: {error}") from error
    return connection


def _to_signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


def _to_unsigned(value: int) -> int:
    return value & ((1 << 64) - 1)


def _output_row(output: OwnedOutput) -> tuple[bytes | int, ...]:
    return (
        output.public_key,
        output.tx_out_index,
        output.block_index,
        _to_signed(output.subaddress_index),
        _to_signed(output.value),
        _to_signed(output.token_id),
        output.key_image,
        output.memo,
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


def _payment(row: Sequence[object]) -> Payment:
    tx_hash, recipient, value, token_id, fee, tombstone, state, final = row
    assert isinstance(tx_hash, bytes) and isinstance(recipient, str) and isinstance(state, str)
    assert isinstance(value, int) and isinstance(token_id, int) and isinstance(fee, int)
    assert isinstance(tombstone, int) and (final is None or isinstance(final, int))
    return Payment(
        tx_hash,
        recipient,
        _to_unsigned(value),
        _to_unsigned(token_id),
        _to_unsigned(fee),
        _to_unsigned(tombstone),
        PaymentState(state),
        final,
    )
