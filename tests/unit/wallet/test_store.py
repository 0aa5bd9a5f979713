"""The wallet file: whole or not at all, for its owner only, and no other file."""

import dataclasses
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading

import pytest

from mcnode.wallet.errors import (
    InputsTaken,
    PaymentUnknown,
    WalletExists,
    WalletFileError,
)
from mcnode.wallet.file import WalletBusy
from mcnode.wallet.records import Balance, OwnedOutput, Payment, PaymentState, ScannedBlock
from mcnode.wallet.schema import SCHEMA_VERSION
from mcnode.wallet.store import WalletStore

U64_MAX = 2**64 - 1


@pytest.fixture
def store(tmp_path):
    made = WalletStore.create(tmp_path / "w.db", [("a", "1")])
    yield made
    made.close()


def output(number, *, value=10, token_id=0, block_index=0, subaddress_index=0):
    return OwnedOutput(
        bytes([number]) * 32,
        number,
        block_index,
        subaddress_index,
        value,
        token_id,
        bytes([100 + number]) * 32,
        bytes(66),
    )


def block(index, received=(), spent=(), output_public_keys=()):
    images = tuple(each.key_image for each in spent)
    return ScannedBlock(index, bytes([index]) * 32, received, images, output_public_keys)


def payment(number, *, tombstone_block=50):
    return Payment(
        tx_hash=bytes([number]) * 32,
        recipient="someone",
        value=3,
        token_id=0,
        fee=1,
        tombstone_block=tombstone_block,
        output_public_key=bytes([200, number]) * 16,
        change_public_key=None,
        made_at=17,
    )


def states(store):
    return [each.state.value for each in store.payments()]


def test_only_the_owner_may_read(store):
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    store.path.chmod(0o640)
    with pytest.raises(WalletFileError, match="chmod 600"):
        WalletStore.open(store.path)


def test_the_journal_is_for_the_owner_only_too(store):
    with store._transaction() as connection:
        connection.execute("PRAGMA cache_size = 1")
        for number in range(1000):
            connection.execute("INSERT INTO settings VALUES (?, ?)", (f"n{number}", "x" * 100))
        assert stat.S_IMODE(store.path.with_name("w.db-journal").stat().st_mode) == 0o600


def test_never_over_an_existing_file(store, tmp_path):
    with pytest.raises(WalletExists):
        WalletStore.create(store.path, [])
    assert store.setting("a") == "1"
    assert [path.name for path in tmp_path.iterdir()] == ["w.db"]


def test_a_file_that_cannot_be_made_leaves_nothing(tmp_path):
    with pytest.raises(WalletFileError, match="cannot make"):
        WalletStore.create(tmp_path / "nowhere" / "w.db", [])
    with pytest.raises(WalletFileError, match="cannot make"):
        WalletStore.create(tmp_path / "w.db", [("twice", ""), ("twice", "")])
    assert list(tmp_path.iterdir()) == []


def test_files_that_are_no_wallet(tmp_path):
    missing, empty, text, other = (tmp_path / name for name in ("m", "e", "t", "o"))
    empty.touch(0o600)
    text.write_text("mnemonic words " * 100)
    text.chmod(0o600)
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE t (x)")
    connection.close()
    other.chmod(0o600)
    for path, reason in (
        (missing, "is no file"),
        (tmp_path, "is no file"),
        (empty, "application id 0x0"),
        (text, "is no wallet file"),
        (other, "application id 0x0"),
    ):
        with pytest.raises(WalletFileError, match=reason):
            WalletStore.open(path)


def test_newer_file(store):
    connection = sqlite3.connect(store.path)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    with pytest.raises(WalletFileError, match=f"version {SCHEMA_VERSION + 1}, this program reads"):
        WalletStore.open(store.path)


def test_damaged_file(store):
    store.record_blocks([block(0, [output(1)])])
    store.close()
    data = bytearray(store.path.read_bytes())
    data[4096:] = os.urandom(len(data) - 4096)
    store.path.write_bytes(data)
    opened = WalletStore.open(store.path)
    with pytest.raises(WalletFileError, match="damaged"):
        opened.outputs()
    opened.close()


def test_locked_file(store, monkeypatch):
    monkeypatch.setattr("mcnode.wallet.file._BUSY_TIMEOUT_S", 0.0)
    other = WalletStore.open(store.path)
    with store._transaction(), pytest.raises(WalletBusy, match="locked"):
        other.set_setting("a", "2")
    other.set_setting("a", "2")
    assert store.setting("a") == "2"
    other.close()


def test_a_failure_in_the_middle_changes_nothing(store):
    store.record_blocks([block(0, [output(1)])])
    twice = output(2, block_index=2)
    with pytest.raises(sqlite3.IntegrityError):
        store.record_blocks([block(1), block(2, [twice, twice])])
    assert store.next_block() == 1
    assert store.last_block_id() == bytes(32)
    assert len(store.outputs()) == 1


KILLED = """
import os, signal, sys
from pathlib import Path
from mcnode.wallet.records import ScannedBlock
from mcnode.wallet.store import WalletStore

store = WalletStore.open(Path(sys.argv[1]))
store.record_blocks([ScannedBlock(0, bytes(32), [], [], [])])
with store._transaction() as connection:
    connection.execute("PRAGMA cache_size = 1")
    for number in range(2000):
        connection.execute("INSERT INTO settings VALUES (?, ?)", (f"n{number}", "x" * 100))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_kill_in_the_middle_of_a_change_leaves_the_last_state(store):
    done = subprocess.run([sys.executable, "-c", KILLED, str(store.path)], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    again = WalletStore.open(store.path)
    assert again.next_block() == 1
    assert again.setting("n0") is None
    again.close()


def test_numbers_of_64_bits(store):
    big = output(
        1, value=U64_MAX, token_id=U64_MAX, subaddress_index=U64_MAX - 1, block_index=1 << 40
    )
    store.record_blocks([dataclasses.replace(block(0), received=[big])])
    assert store.outputs() == [big]
    assert store.spendable(U64_MAX) == [big]
    assert store.balances() == {U64_MAX: Balance(U64_MAX, 0)}
    made = dataclasses.replace(payment(1), value=U64_MAX, token_id=U64_MAX, fee=1 << 63)
    store.add_payment(made, [])
    assert store.payments() == [made]


def test_blocks_recorded_by_another_process_are_passed_over(store):
    other = WalletStore.open(store.path)
    blocks = [block(0, [output(1)]), block(1, [output(2)]), block(2, [output(3)])]
    other.record_blocks(blocks[:2])
    store.record_blocks(blocks)
    assert [each.tx_out_index for each in other.outputs()] == [1, 2, 3]
    assert other.next_block() == 3
    other.close()


def test_spent_outputs_leave_the_balance(store):
    first, second = output(1), output(2)
    store.record_blocks([block(0, [first, second]), block(1, spent=[first])])
    assert store.balances() == {0: Balance(10, 0)}
    assert [each.spent_in_block for each in store.outputs()] == [1, None]
    assert store.spendable(0) == [second]


def test_payment_from_submitted_to_final(store):
    coin = output(1)
    store.record_blocks([block(0, [coin])])
    store.add_payment(payment(1), [coin.key_image])
    assert store.spendable(0) == []
    assert store.balances() == {0: Balance(0, 10)}
    key = payment(1).output_public_key
    store.record_blocks([block(1, spent=[coin], output_public_keys=[key])])
    [final] = store.payments()
    assert (final.state, final.final_in_block) == (PaymentState.FINAL, 1)
    assert store.payment(final.tx_hash) == final


def test_inputs_are_taken_once(store):
    coins = [output(1), output(2)]
    store.record_blocks([block(0, coins)])
    store.add_payment(payment(1), [coins[0].key_image])
    with pytest.raises(InputsTaken):
        store.add_payment(payment(2), [each.key_image for each in coins])
    assert states(store) == ["submitted"]
    store.mark_refused(payment(1).tx_hash, "no")
    store.record_blocks([block(1, spent=[coins[1]])])
    with pytest.raises(InputsTaken):
        store.add_payment(payment(2), [coins[1].key_image])
    store.add_payment(payment(2), [coins[0].key_image])
    assert states(store) == ["refused", "submitted"]


def test_inputs_are_taken_once_also_by_threads(store):
    coin = output(1)
    store.record_blocks([block(0, [coin])])
    handles = [WalletStore.open(store.path) for _ in range(4)]
    taken = []

    def take(number):
        try:
            handles[number].add_payment(payment(number), [coin.key_image])
            taken.append(number)
        except InputsTaken:
            pass

    threads = [threading.Thread(target=take, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 1
    for handle in handles:
        handle.close()


def test_expiry_is_at_the_first_block_that_cannot_hold_it(store):
    coin = output(1)
    store.record_blocks([block(0, [coin])])
    store.add_payment(payment(1, tombstone_block=3), [coin.key_image])
    store.record_blocks([block(1)])
    assert states(store) == ["submitted"], "block 2 may still hold it"
    store.record_blocks([block(2)])
    assert states(store) == ["expired"]
    assert store.spendable(0) == [coin]


def test_refusal_that_was_wrong(store):
    coin = output(1)
    store.record_blocks([block(0, [coin])])
    store.add_payment(payment(1), [coin.key_image])
    store.mark_refused(payment(1).tx_hash, "says the node")
    assert store.payments()[0].reason == "says the node"
    key = payment(1).output_public_key
    store.record_blocks([block(1, spent=[coin], output_public_keys=[key])])
    assert states(store) == ["final"]
    store.mark_refused(payment(1).tx_hash, "too late")
    assert states(store) == ["final"]


def test_superseded(store):
    coin = output(1)
    store.record_blocks([block(0, [coin])])
    store.add_payment(payment(1), [coin.key_image])
    store.record_blocks([block(1, spent=[coin], output_public_keys=[bytes(32)])])
    assert states(store) == ["superseded"]


def test_unknown_payment(store):
    with pytest.raises(PaymentUnknown, match="ab" * 32):
        store.payment(b"\xab" * 32)
