"""Wallet files of older versions are brought up to date, whole or not at all."""

import os
import signal
import sqlite3
import subprocess
import sys

import pytest

from mcnode.wallet.records import Balance, OwnedOutput, PaymentKind, PaymentState, ScannedBlock
from mcnode.wallet.schema import APPLICATION_ID, SCHEMA_VERSION, read_version
from mcnode.wallet.store import WalletStore

VERSION_1 = """
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
FILLING = """
INSERT INTO settings VALUES ('next_block', '3'), ('account_key', 'ab');
INSERT INTO outputs VALUES (x'01', 5, 1, -2, -1, 0, x'a1', x'00', NULL);
INSERT INTO outputs VALUES (x'02', 6, 1, 0, 7, 0, x'a2', x'00', 2);
INSERT INTO payments VALUES
    (1, x'aa', 'someone', 3, 0, 1, 50, x'bb', x'cc', 17, 'submitted', NULL, '');
INSERT INTO payment_inputs VALUES (x'a1', 1);
"""


@pytest.fixture
def old_file(tmp_path):
    path = tmp_path / "w.db"
    connection = sqlite3.connect(path)
    connection.executescript(
        f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 1; {VERSION_1} {FILLING}"
    )
    connection.close()
    path.chmod(0o600)
    return path


def version_of(path):
    connection = sqlite3.connect(path)
    try:
        return read_version(connection)
    finally:
        connection.close()


def test_nothing_is_lost(old_file):
    store = WalletStore.open(old_file)
    assert version_of(old_file) == SCHEMA_VERSION
    assert store.setting("account_key") == "ab" and store.next_block() == 3
    first, second = store.outputs()
    assert first == OwnedOutput(b"\1", 5, 1, 2**64 - 2, 2**64 - 1, 0, b"\xa1", b"\0")
    assert (second.value, second.spent_in_block) == (7, 2)
    [payment] = store.payments()
    assert (payment.kind, payment.state) == (PaymentKind.SEND, PaymentState.SUBMITTED)
    assert (payment.recipient, payment.fee_token, payment.receipt) == ("someone", 0, b"")
    assert store.balances() == {0: Balance(0, 2**64 - 1)}, "its input is still taken"
    assert store.offers() == [] and store.labels() == {} and store.own_outputs() == set()
    store.record_blocks([ScannedBlock(3, bytes(32), [], [b"\xa1"], [b"\xbb"])])
    assert store.payments()[0].state is PaymentState.FINAL
    store.close()
    again = WalletStore.open(old_file)
    assert len(again.outputs()) == 2
    again.close()


def test_the_same_tables_as_a_new_file(old_file, tmp_path):
    WalletStore.open(old_file).close()
    WalletStore.create(tmp_path / "new.db", []).close()
    found = []
    for path in (old_file, tmp_path / "new.db"):
        connection = sqlite3.connect(path)
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master")]
        columns = {
            name: connection.execute(f"PRAGMA table_info('{name}')").fetchall()
            for name in sorted(tables)
        }
        found.append(columns)
        connection.close()
    assert found[0] == found[1]


KILLED = """
import os, signal, sqlite3, sys
from pathlib import Path
from mcnode.wallet import schema
from mcnode.wallet.store import WalletStore

schema._MIGRATIONS[1] += "; SELECT die()"
real = sqlite3.connect
def connect(*arguments, **options):
    made = real(*arguments, **options)
    made.create_function("die", 0, lambda: os.kill(os.getpid(), signal.SIGKILL))
    return made
sqlite3.connect = connect
WalletStore.open(Path(sys.argv[1]))
"""


def test_killed_in_the_middle(old_file):
    done = subprocess.run(
        [sys.executable, "-c", KILLED, os.fspath(old_file)], check=False, timeout=60
    )
    assert done.returncode == -signal.SIGKILL
    store = WalletStore.open(old_file)
    assert len(store.outputs()) == 2 and len(store.payments()) == 1
    store.close()
