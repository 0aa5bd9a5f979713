"""Wallet files encrypted with a passphrase: nothing to be read in them, nothing lost on the way."""

import contextlib
import json
import os
import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner

import mcnode.wallet.wallet as wallet_module
from mcnode.account.account_key import AccountKey
from mcnode.cli.main import cli
from mcnode.crypto.rng import Hc128Rng
from mcnode.wallet import cipher
from mcnode.wallet import file as file_module
from mcnode.wallet.errors import (
    EncryptionMissing,
    PassphraseNeeded,
    WalletFileError,
    WrongPassphrase,
)
from mcnode.wallet.file import WalletBusy
from mcnode.wallet.records import ScannedBlock
from mcnode.wallet.settings import WalletSettings
from mcnode.wallet.store import WalletStore
from mcnode.wallet.stored_account import load_account
from mcnode.wallet.wallet import Wallet

PASSPHRASE = "correct horse"
ACCOUNT = AccountKey.random(Hc128Rng(bytes([5]) * 32))
MARK = "a label that nobody else should read"


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    """Every guess costs a tenth of a second otherwise."""
    monkeypatch.setattr(cipher, "SCRYPT_LOG_N", 4)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "w.db"


def make(path, passphrase):
    wallet = Wallet.import_(
        path, WalletSettings(chain_id="somewhere"), ACCOUNT, passphrase=passphrase
    )
    wallet.set_label(3, MARK)
    return wallet


def close(wallet):
    wallet._store.close()


def reopened(path, passphrase=None):
    opened = Wallet.open(path, passphrase=passphrase)
    found = (opened.account, opened.settings.chain_id, opened.labels(), opened.is_encrypted)
    close(opened)
    return found


def readable_bytes(directory):
    return b"".join(path.read_bytes() for path in sorted(directory.iterdir()))


def test_nothing_can_be_read_without_the_passphrase(path, tmp_path):
    close(make(path, PASSPHRASE))
    assert reopened(path, PASSPHRASE) == (ACCOUNT, "somewhere", {3: MARK}, True)
    assert reopened(path, lambda: PASSPHRASE)[0] == ACCOUNT
    found = readable_bytes(tmp_path)
    for secret in (MARK, "somewhere", "outputs", "SQLite"):
        assert secret.encode() not in found
    assert ACCOUNT.view_private_key.hex().encode() not in found
    for wrong in ("Correct horse", PASSPHRASE + " ", "x" * 5000):
        with pytest.raises(WrongPassphrase):
            Wallet.open(path, passphrase=wrong)
    for nothing in (None, "", lambda: ""):
        with pytest.raises(PassphraseNeeded):
            Wallet.open(path, passphrase=nothing)
    with pytest.raises(PassphraseNeeded):
        make(tmp_path / "other.db", "")
    assert [each.name for each in tmp_path.iterdir()] == ["w.db"]


def test_the_journal_is_encrypted_too(path):
    wallet = make(path, PASSPHRASE)
    with wallet._store._transaction() as connection:
        connection.execute("PRAGMA cache_size = 1")
        connection.executemany(
            "INSERT INTO settings VALUES (?, ?)", [(f"n{n}", "spread" * 30) for n in range(2000)]
        )
        journal = path.with_name("w.db-journal").read_bytes()
        assert len(journal) > 4096
        for text in (MARK, "spread", "settings"):
            assert text.encode() not in journal and text.encode() not in path.read_bytes()
    close(wallet)


def test_the_passphrase_is_set_changed_and_removed(path, tmp_path):
    wallet = make(path, None)
    before = os.open(path, os.O_RDONLY)
    wallet.set_passphrase("one")
    assert wallet.labels() == {3: MARK} and wallet.is_encrypted
    wallet.set_label(4, "more")
    size = os.fstat(before).st_size
    assert os.pread(before, size, 0) == bytes(size), "the old content was overwritten"
    os.close(before)
    wallet.set_passphrase("two")
    close(wallet)
    with pytest.raises(WrongPassphrase):
        Wallet.open(path, passphrase="one")
    assert reopened(path, "two")[2] == {3: MARK, 4: "more"}
    opened = Wallet.open(path, passphrase="two")
    with pytest.raises(PassphraseNeeded):
        opened.set_passphrase("")
    opened.set_passphrase(None)
    opened.set_passphrase(None)
    close(opened)
    assert reopened(path) == (ACCOUNT, "somewhere", {3: MARK, 4: "more"}, False)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["w.db"]


def test_the_same_letters_from_another_keyboard(path):
    close(make(path, "cafe\u0301"))
    assert reopened(path, "caf\u00e9")[0] == ACCOUNT


def test_a_changed_byte_is_noticed(path):
    close(make(path, PASSPHRASE))
    good = path.read_bytes()
    places = [5, *range(100, len(good), 4096)]
    noticed = 0
    for place in places:
        path.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        try:
            store = WalletStore.open(path, PASSPHRASE)
            with contextlib.closing(store):
                [(found,)] = store._read("PRAGMA integrity_check")
                noticed += found != "ok"
        except (WrongPassphrase, WalletFileError, WalletBusy):
            noticed += 1
    assert noticed == len(places) > 5
    path.write_bytes(good[:4] + bytes([63]) + good[5:])
    with pytest.raises(WalletFileError, match="no wallet file"):
        reopened(path, PASSPHRASE)


KILLED = """
import os, signal, sys
from pathlib import Path
from mcnode.wallet import cipher, file
from mcnode.wallet.store import WalletStore

cipher.SCRYPT_LOG_N = 4
store = WalletStore.open(Path(sys.argv[1]), sys.argv[2] or None)
calls = 0
def die(*_):
    global calls
    calls += 1
    if calls == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
file._make_durable = die
store.change_passphrase("new")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("old", [None, "old"])
@pytest.mark.parametrize("moment", [1, 2])
def test_killed_while_the_passphrase_changes(path, old, moment):
    """Before the copy has the name, and after: nothing is lost either way."""
    close(make(path, old))
    words = [sys.executable, "-c", KILLED, os.fspath(path), old or "", str(moment)]
    done = subprocess.run(words, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert reopened(path, old if moment == 1 else "new")[2] == {3: MARK}


def test_killed_in_the_middle_of_a_change(path):
    close(make(path, PASSPHRASE))
    script = """
import os, signal, sys
from pathlib import Path
from mcnode.wallet.store import WalletStore
store = WalletStore.open(Path(sys.argv[1]), sys.argv[2])
store.set_label(3, "kept")
with store._transaction() as connection:
    connection.execute("PRAGMA cache_size = 1")
    connection.executemany(
        "INSERT INTO settings VALUES (?, ?)", [(f"n{n}", "x" * 100) for n in range(2000)])
    os.kill(os.getpid(), signal.SIGKILL)
"""
    words = [sys.executable, "-c", script, os.fspath(path), PASSPHRASE]
    done = subprocess.run(words, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert path.with_name("w.db-journal").exists()
    assert reopened(path, PASSPHRASE)[2] == {3: "kept"}


def test_others_that_have_the_file_open_notice(path):
    wallet = make(path, None)
    other = WalletStore.open(path)
    wallet.set_passphrase(PASSPHRASE)
    with pytest.raises(WalletFileError, match="open it again"):
        other.record_blocks([ScannedBlock(0, bytes(32), [], [], [])])
    with pytest.raises(WalletFileError, match="open it again"):
        other.change_passphrase("another")
    with pytest.raises(WalletFileError, match="open it again"):
        other.payments()
    other.close()
    close(wallet)
    assert reopened(path, PASSPHRASE)[2] == {3: MARK}


def test_nobody_writes_while_the_file_is_copied(path, monkeypatch):
    monkeypatch.setattr(file_module, "_BUSY_TIMEOUT_S", 0.0)
    wallet = make(path, None)
    script = """
import sys
from pathlib import Path
from mcnode.wallet import file
from mcnode.wallet.store import WalletStore
file._BUSY_TIMEOUT_S = 0.0
try:
    WalletStore.open(Path(sys.argv[1])).set_label(5, "lost")
except file.WalletBusy:
    sys.exit(9)
"""
    seen = []

    def look(each):
        if not seen:
            words = [sys.executable, "-c", script, os.fspath(path)]
            seen.append(subprocess.run(words, check=False, timeout=60).returncode)

    monkeypatch.setattr(file_module, "_make_durable", look)
    wallet.set_passphrase(PASSPHRASE)
    assert seen == [9]
    close(wallet)
    holder = WalletStore.open(path, PASSPHRASE)
    again = Wallet.open(path, passphrase=PASSPHRASE)
    with holder._transaction(), pytest.raises(WalletBusy):
        again.set_passphrase(None)
    assert again.labels() == {3: MARK}, "it can still be used"
    holder.close()
    close(again)


def test_without_the_package(path, monkeypatch):
    close(make(path, PASSPHRASE))
    monkeypatch.setitem(sys.modules, "sqlcipher3", None)
    with pytest.raises(EncryptionMissing, match=r"pip install 'mcnode\[encryption\]'"):
        Wallet.open(path, passphrase=PASSPHRASE)
    with pytest.raises(EncryptionMissing):
        make(path.with_name("other.db"), PASSPHRASE)
    plain = make(path.with_name("plain.db"), None)
    with pytest.raises(EncryptionMissing):
        plain.set_passphrase(PASSPHRASE)
    assert plain.labels() == {3: MARK}
    close(plain)


# ---- keys that were sealed on their own, in files of an earlier version --------------------------

SEALED = (
    '{"name": "account_key", "n": 1024, "r": 8, "p": 1, "salt": "af7952cf2c883d2b191113cb382b3fa8",'
    ' "nonce": "914303a5ebc5040b9ef0949d", "sealed": "6d88c958236b358599c15ffb9c5153e1a137f528971f'
    "5d269692ac3581f40c681a37ce7793deb123d223cdd635de9f4aa52a3c03876935efb05b0b932430a44176934103ed"
    '4b02dcbbcf195b7737f785e85feefad56da797"}'
)
SEALED_WITH = "caf\u00e9"


@pytest.fixture
def sealed(path):
    settings = [("network", WalletSettings().to_json()), ("sealed_account", SEALED)]
    WalletStore.create(path, settings).close()
    return path


def test_sealed_keys_are_still_opened_and_then_encrypted(sealed):
    with pytest.raises(PassphraseNeeded):
        Wallet.open(sealed)
    with pytest.raises(WrongPassphrase):
        Wallet.open(sealed, passphrase="cafe")
    wallet = Wallet.open(sealed, passphrase=SEALED_WITH)
    assert wallet.account == ACCOUNT and not wallet.is_encrypted
    wallet.set_passphrase(PASSPHRASE)
    close(wallet)
    assert reopened(sealed, PASSPHRASE)[0] == ACCOUNT


def test_sealed_keys_can_be_unsealed(sealed):
    wallet = Wallet.open(sealed, passphrase=SEALED_WITH)
    wallet.set_passphrase(None)
    close(wallet)
    assert reopened(sealed)[0] == ACCOUNT


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (('"}', '0"}'), WalletFileError),
        (("6d88", "6d89"), WrongPassphrase),
        (("account_key", "view_account_key"), WrongPassphrase),
        (('"n": 1024', '"n": 1099511627776'), WalletFileError),
        (('"n": 1024', '"n": "x"'), WalletFileError),
        (('"r": 8', '"r": 1'), WalletFileError),
        (("af79", "zz79"), WalletFileError),
        (("{", ""), WalletFileError),
    ],
)
def test_damaged_seals(sealed, change, error):
    store = WalletStore.open(sealed)
    store.set_setting("sealed_account", SEALED.replace(*change, 1))
    with pytest.raises(error):
        load_account(store, SEALED_WITH)
    store.close()


# ---- commands -----------------------------------------------------------------------------------


@pytest.fixture
def call(world, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(wallet_module, "connect_attested", lambda *_: world.connect)

    def invoke(*arguments, **environment):
        return CliRunner(env=environment).invoke(cli, ["wallet", *arguments])

    yield invoke
    world.network.ledger.close()


def test_commands_on_an_encrypted_wallet(call, tmp_path):
    made = call("new", "--encrypt", "--json", MC_WALLET_NEW_PASSPHRASE="one")
    assert made.exit_code == 0, made.output
    address = json.loads(made.stdout)["address"]
    assert isinstance(call("address").exception, PassphraseNeeded)
    assert isinstance(call("address", MC_WALLET_PASSPHRASE="two").exception, WrongPassphrase)
    assert call("address", MC_WALLET_PASSPHRASE="one").stdout.strip() == address
    changed = call("encrypt", MC_WALLET_PASSPHRASE="one", MC_WALLET_NEW_PASSPHRASE="two")
    assert changed.stdout == "the wallet file is encrypted\n"
    assert call("address", MC_WALLET_PASSPHRASE="two").stdout.strip() == address
    assert call("decrypt", MC_WALLET_PASSPHRASE="two").exit_code == 0
    assert call("address").stdout.strip() == address
    assert "MC_WALLET_NEW_PASSPHRASE" in str(call("encrypt").exception)
    assert call("address").stdout.strip() == address
