"""`mcnode wallet send` and what it prints, against nodes that validate for real."""

import json

import pytest
from click.testing import CliRunner

import mcnode.wallet.wallet as wallet_module
from mcnode.account.printable import to_printable
from mcnode.api.gen.consensus_common_pb2 import ProposeTxResult
from mcnode.cli.main import cli
from mcnode.connection.errors import TxRefused
from mcnode.wallet.errors import PaymentTimeout
from mcnode.wallet.wallet import Wallet


@pytest.fixture
def call(world, tmp_path, monkeypatch):
    """Call the command with a wallet of account 0."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(wallet_module, "connect_attested", lambda *_: world.connect)
    made = Wallet.import_("wallet.db", world.network.settings(), world.network.accounts[0])
    made._store.close()
    yield lambda *arguments: CliRunner().invoke(cli, ["wallet", *arguments])
    world.network.ledger.close()


@pytest.fixture
def address(world):
    return to_printable(world.network.accounts[1].default_subaddress())


def test_send_and_what_is_seen_of_it(call, address):
    sent = call("send", address, "0.25")
    assert sent.exit_code == 0, sent.output
    assert sent.stdout.startswith("final in block 2: 0.25 MOB, fee 0.0004 MOB\ntransaction ")
    assert "SIMULATED" in sent.stderr
    [line] = [line for line in call("history").stdout.splitlines() if " sent " in line]
    assert line.split() == f"block 2 sent 0.25 MOB fee 0.0004 MOB to {address}".split()
    assert call("balance").stdout.splitlines()[0] == "15.7496 MOB"
    assert json.loads(call("history", "--json").stdout)[-1] == {
        "direction": "sent",
        "state": "final",
        "block_index": 2,
        "value": "250000000000",
        "fee": "400000000",
        "token_id": 0,
        "counterparty": address,
        "counterparty_name": None,
        "counterparty_hash": json.loads(call("history", "--json").stdout)[-1]["counterparty_hash"],
        "tx_hash": sent.stdout.split()[-1],
        "reason": None,
        "kind": "send",
        "fee_token_id": 0,
        "received": None,
        "label": None,
        "subaddress": None,
        "payment_id": None,
        "note": None,
    }


def test_send_of_another_token_for_scripts(call, address):
    sent = json.loads(call("send", address, "77", "--token", "2", "--json").stdout)
    assert (sent["value"], sent["fee"], sent["token_id"]) == ("77", "1024", 2)
    assert (sent["state"], sent["block_index"]) == ("final", 2)
    assert call("balance").stdout.splitlines()[2] == "15999999998899 of token 2"


def test_not_waiting_and_waiting_too_short(world, call, address):
    world.network.makes_blocks = False
    sent = call("send", address, "1", "--no-wait", "--fee", "0.001")
    assert sent.stdout.startswith("submitted: 1 MOB, fee 0.001 MOB\n")
    result = call("send", address, "1", "--timeout", "0")
    assert isinstance(result.exception, PaymentTimeout)
    assert call("balance").stdout.splitlines()[0] == "12 MOB, pending 4 MOB"
    last = call("history").stdout.splitlines()[-1]
    assert last.startswith("submitted") and last.split()[1] == "sent"
    world.network.make_block()
    assert call("balance").stdout.splitlines()[0] == "13.9986 MOB"


def test_refused(world, call, address):
    refusal = TxRefused(ProposeTxResult.TombstoneBlockTooFar, "too far", 2)
    world.node().faults["propose"] = [refusal]
    result = call("send", address, "1")
    assert result.exception is refusal
    assert "(TombstoneBlockTooFar: too far)" in call("history").stdout.splitlines()[-1]
