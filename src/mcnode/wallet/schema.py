"""Tables of the wallet file, and how files of older versions get them.

A migration is one transaction: a killed process leaves the old file or the new one.
"""

import sqlite3
from collections.abc import Sequence
from typing import Final

APPLICATION_ID: Final = 0x4D434E57
"""`MCNW`, in the file's header: what `file` shows, and how another database is told apart."""
SCHEMA_VERSION: Final = 3

_OUTPUTS = """
CREATE TABLE outputs (
    public_key BLOB PRIMARY KEY,
    tx_out_index INTEGER NOT NULL,
    block_index INTEGER NOT NULL,
    subaddress_index INTEGER NOT NULL,
    value INTEGER NOT NULL,
    token_id INTEGER NOT NULL,
    key_image BLOB UNIQUE,
    memo BLOB NOT NULL,
    spent_in_block INTEGER
) STRICT;
CREATE INDEX unspent_outputs ON outputs (token_id) WHERE spent_in_block IS NULL
"""
_SINCE_2 = """
CREATE TABLE own_outputs (public_key BLOB PRIMARY KEY) STRICT;
CREATE TABLE offers (
    id INTEGER PRIMARY KEY,
    key_image BLOB NOT NULL,
    contingent_input BLOB NOT NULL,
    offered_value INTEGER NOT NULL,
    offered_token_id INTEGER NOT NULL,
    wanted_value INTEGER NOT NULL,
    wanted_token_id INTEGER NOT NULL,
    tombstone_block INTEGER NOT NULL,
    made_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    settled_in_block INTEGER
) STRICT;
CREATE TABLE subaddresses (subaddress_index INTEGER PRIMARY KEY, label TEXT NOT NULL) STRICT
"""
_SINCE_3 = """
CREATE TABLE watched (
    id INTEGER PRIMARY KEY,
    first INTEGER NOT NULL,
    count INTEGER NOT NULL,
    next_block INTEGER NOT NULL
) STRICT;
CREATE TABLE contacts (address TEXT PRIMARY KEY, name TEXT NOT NULL) STRICT
"""
_PAYMENTS = """
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
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
    reason TEXT NOT NULL DEFAULT '',
    kind TEXT NOT NULL DEFAULT 'send',
    fee_token_id INTEGER,
    received_value INTEGER,
    received_token_id INTEGER,
    receipt BLOB NOT NULL DEFAULT x''
) STRICT;
CREATE TABLE payment_inputs (
    key_image BLOB NOT NULL,
    payment_id INTEGER NOT NULL REFERENCES payments (id),
    PRIMARY KEY (key_image, payment_id)
) STRICT
"""
SCHEMA: Final = f"{_OUTPUTS};{_PAYMENTS};{_SINCE_2};{_SINCE_3};"

_TO_2 = f"""
ALTER TABLE outputs RENAME TO outputs_1;
DROP INDEX unspent_outputs;
{_OUTPUTS};
INSERT INTO outputs SELECT * FROM outputs_1;
DROP TABLE outputs_1;
ALTER TABLE payments ADD COLUMN kind TEXT NOT NULL DEFAULT 'send';
ALTER TABLE payments ADD COLUMN fee_token_id INTEGER;
ALTER TABLE payments ADD COLUMN received_value INTEGER;
ALTER TABLE payments ADD COLUMN received_token_id INTEGER;
ALTER TABLE payments ADD COLUMN receipt BLOB NOT NULL DEFAULT x'';
{_SINCE_2}
"""  # noqa: S608
"""Outputs without a key image, kinds of payments, offers, labels."""

_MIGRATIONS: Final[dict[int, str]] = {1: _TO_2, 2: _SINCE_3}
"""By the version they begin with."""


def is_migratable(version: int) -> bool:
    """Whether a file of this version can be brought up to date."""
    return version in _MIGRATIONS


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a file up to date, in one transaction; another process may have done so meanwhile.

    Raises:
        sqlite3.Error: nothing was changed.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = read_version(connection)
        while version in _MIGRATIONS:
            for statement in _statements(_MIGRATIONS[version]):
                connection.execute(statement)
            version += 1
            connection.execute(f"PRAGMA user_version = {version}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def read_version(connection: sqlite3.Connection) -> int:
    """The schema version of a file."""
    [(version,)] = connection.execute("PRAGMA user_version")
    return int(version)


def _statements(script: str) -> Sequence[str]:
    return [part for part in script.split(";") if part.strip()]
