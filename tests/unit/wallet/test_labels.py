"""Names of subaddresses, and history for spreadsheets."""

import csv
import io
import json

import pytest
from click.testing import CliRunner

import mcnode.wallet.wallet as wallet_module
from mcnode.cli.main import cli
from mcnode.wallet.errors import SubaddressNotWatched
from mcnode.wallet.settings import WalletSettings
from mcnode.wallet.wallet import Wallet


@pytest.fixture
def call(world, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(wallet_module, "connect_attested", lambda *_: world.connect)

    def invoke(*arguments, **environment):
        return CliRunner(env=environment).invoke(cli, ["wallet", *arguments])

    yield invoke
    world.network.ledger.close()


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


def test_contacts(call, world):
    Wallet.import_("wallet.db", world.network.settings(), world.network.accounts[0])._store.close()
    other = Wallet.import_("b.db", world.network.settings(), world.network.accounts[1])
    there = other.address()
    other._store.close()
    assert call("contact").stdout == "no contacts\n"
    assert call("contact", there, "Ben").stdout == f"Ben  {there}\n"
    assert json.loads(call("contact", "--json").stdout) == [{"name": "Ben", "address": there}]
    assert "checksum" in str(call("contact", "nonsense", "x").exception)
    assert call("send", there, "0.5").exit_code == 0
    assert call("history").stdout.splitlines()[-1].endswith("to Ben")
    assert call("send", opened_address("wallet.db"), "0.25", "--wallet", "b.db").exit_code == 0
    assert "from Ben" in call("history").stdout.splitlines()[-1]
    assert call("contact", there).stdout == "no contacts\n"


def opened_address(path):
    opened = Wallet.open(path)
    found = opened.address()
    opened._store.close()
    return found


def test_settings_of_a_node_ledger(call, world, tmp_path):
    settings = world.network.settings(archives=())
    Wallet.import_("wallet.db", settings, world.network.accounts[0])._store.close()
    ledger = str(world.network.ledger.path)
    assert f"node ledger  {ledger}" in call("settings", "--node-ledger", ledger).stdout
    assert call("balance", MC_TX_SOURCE_URL="file:///nowhere").stdout.startswith("16 MOB\n")
    assert "node ledger" not in call("settings", "--node-ledger", "none").stdout
    assert "or --node-ledger" in str(call("balance").exception)
    assert "MC_WALLET_NEW_PASSPHRASE" in str(call("encrypt").exception)
