"""Wallet files sealed with a passphrase; names and history for spreadsheets."""

import csv
import io
import json
import os
import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner

import mcnode.wallet.wallet as wallet_module
from mcnode.cli.main import cli
from mcnode.wallet import keys_at_rest
from mcnode.wallet.errors import (
    PassphraseNeeded,
    SubaddressNotWatched,
    WalletFileError,
    WrongPassphrase,
)
from mcnode.wallet.keys_at_rest import is_sealed, load_account, save_account
from mcnode.wallet.settings import WalletSettings
from mcnode.wallet.store import WalletStore
from mcnode.wallet.wallet import Wallet


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    """Every guess costs a tenth of a second otherwise."""
    monkeypatch.setattr(keys_at_rest, "SCRYPT_N", 1 << 10)


@pytest.fixture
def store(world, tmp_path):
    """A wallet file of account 0, as it is."""
    made = Wallet.import_(tmp_path / "w.db", WalletSettings(), world.network.accounts[0])
    made._store.close()
    opened = WalletStore.open(tmp_path / "w.db")
    yield opened
    opened.close()
    world.network.ledger.close()


def test_sealed_and_unsealed(store, world):
    account = world.network.accounts[0]
    assert load_account(store) == account and not is_sealed(store)
    save_account(store, account, "correct horse")
    assert is_sealed(store)
    assert load_account(store, "correct horse") == account
    assert load_account(store, lambda: "correct horse") == account
    for wrong in ("Correct horse", "correct horse ", "x" * 5000):
        with pytest.raises(WrongPassphrase, match="wrong passphrase"):
            load_account(store, wrong)
    for nothing in (None, "", lambda: ""):
        with pytest.raises(PassphraseNeeded):
            load_account(store, nothing)
    with pytest.raises(PassphraseNeeded):
        save_account(store, account, "")
    save_account(store, account, "another")
    with pytest.raises(WrongPassphrase):
        load_account(store, "correct horse")
    save_account(store, account, None)
    assert load_account(store) == account and not is_sealed(store)


def test_view_keys_can_be_sealed_too(store, world):
    view = world.network.accounts[0].view_account_key()
    save_account(store, view, "p")
    assert load_account(store, "p") == view


def test_no_key_is_left_in_the_file(store, world):
    account = world.network.accounts[0]
    secrets = [account.spend_private_key, account.view_private_key]
    before = store.path.read_bytes()
    assert all(secret.hex().encode() in before for secret in secrets)
    save_account(store, account, "p")
    after = store.path.read_bytes()
    for secret in secrets:
        assert secret.hex().encode() not in after and secret not in after


def test_the_same_letters_from_another_keyboard(store, world):
    save_account(store, world.network.accounts[0], "cafe\u0301")
    assert load_account(store, "caf\u00e9") == world.network.accounts[0]


def test_damaged_seals(store, world):
    save_account(store, world.network.accounts[0], "p")
    good = json.loads(store.setting("sealed_account"))
    flipped = good["sealed"][:-1] + ("0" if good["sealed"][-1] != "0" else "1")
    for change in ({"sealed": flipped}, {"name": "view_account_key"}):
        store.set_setting("sealed_account", json.dumps({**good, **change}))
        with pytest.raises(WrongPassphrase):
            load_account(store, "p")
    for change in ({"n": 1 << 40}, {"n": "x"}, {"r": 1}, {"salt": "zz"}, {"nonce": None}):
        store.set_setting("sealed_account", json.dumps({**good, **change}))
        with pytest.raises(WalletFileError, match="holds no account"):
            load_account(store, "p")
    store.set_setting("sealed_account", "{")
    with pytest.raises(WalletFileError):
        load_account(store, "p")


KILLED = """
import os, signal, sys
from pathlib import Path
from mcnode.wallet import keys_at_rest, store as store_module
from mcnode.wallet.store import WalletStore

keys_at_rest.SCRYPT_N = 1 << 10
store = WalletStore.open(Path(sys.argv[1]))
account = keys_at_rest.load_account(store)
store_module.set_setting = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
keys_at_rest.save_account(store, account, "p")
"""


def test_killed_while_sealing(store, world):
    """The old key is removed already, the new one not yet stored: the file is as it was."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED, os.fspath(store.path)], check=False, timeout=60
    )
    assert done.returncode == -signal.SIGKILL
    assert load_account(store) == world.network.accounts[0]


@pytest.fixture
def call(world, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(wallet_module, "connect_attested", lambda *_: world.connect)

    def invoke(*arguments, **environment):
        return CliRunner(env=environment).invoke(cli, ["wallet", *arguments])

    yield invoke
    world.network.ledger.close()


def test_commands_on_a_sealed_wallet(call, tmp_path):
    made = call("new", "--encrypt", "--json", MC_WALLET_NEW_PASSPHRASE="one")
    assert made.exit_code == 0, made.output
    address = json.loads(made.stdout)["address"]
    assert isinstance(call("address").exception, PassphraseNeeded)
    assert isinstance(call("address", MC_WALLET_PASSPHRASE="two").exception, WrongPassphrase)
    assert call("address", MC_WALLET_PASSPHRASE="one").stdout.strip() == address
    changed = call("encrypt", MC_WALLET_PASSPHRASE="one", MC_WALLET_NEW_PASSPHRASE="two")
    assert changed.stdout == "the account's keys are sealed\n"
    assert call("address", MC_WALLET_PASSPHRASE="two").stdout.strip() == address
    assert call("decrypt", MC_WALLET_PASSPHRASE="two").exit_code == 0
    assert call("address").stdout.strip() == address
    assert isinstance(call("encrypt").exception, PassphraseNeeded)
    assert call("address").stdout.strip() == address


def test_labels_and_csv(call, world):
    Wallet.import_("wallet.db", world.network.settings(), world.network.accounts[0])._store.close()
    other = Wallet.import_("b.db", world.network.settings(), world.network.accounts[1])
    there = other.address(3)
    other._store.close()
    assert call("label", "3", "=shop", "--wallet", "b.db").stdout == "  3  =shop\n"
    refused = call("label", "10", "x", "--wallet", "b.db")
    assert "run `mcnode wallet watch 10` first" in str(refused.exception)
    assert call("watch", "10", "2", "--wallet", "b.db").stdout == "0 to 9\n10 to 11\n"
    assert call("label", "10", "x", "--wallet", "b.db").stdout == "  3  =shop\n 10  x\n"
    assert call("send", there, "0.5").exit_code == 0
    assert "at '=shop'" in call("history", "--wallet", "b.db").stdout.splitlines()[-1]
    held = call("balance", "--by-subaddress", "--no-sync", "--wallet", "b.db").stdout
    assert "  3  =shop         0.5 MOB\n" in held
    rows = list(csv.DictReader(io.StringIO(call("history", "--csv", "--wallet", "b.db").stdout)))
    assert (rows[-1]["value"], rows[-1]["label"]) == ("500000000000", "'=shop")
    assert rows[-1]["subaddress"] == "3" and rows[-1]["direction"] == "received"
    sent = list(csv.DictReader(io.StringIO(call("history", "--csv").stdout)))[-1]
    assert (sent["fee"], sent["counterparty"]) == ("400000000", there)


def test_labels_of_subaddresses_that_are_not_watched(tmp_path):
    made, _ = Wallet.create(tmp_path / "w.db", WalletSettings())
    with pytest.raises(SubaddressNotWatched, match="subaddress 10 is not watched"):
        made.set_label(10, "x")
    made._store.close()
