"""`mcnode wallet swap` and what it prints, against nodes that validate for real."""

import json

import pytest
from click.testing import CliRunner

import mcnode.wallet.wallet as wallet_module
from mcnode.cli.main import cli
from mcnode.errors import InvalidError
from mcnode.wallet.wallet import Wallet


@pytest.fixture
def call(world, tmp_path, monkeypatch):
    """Call the command as one of two people."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(wallet_module, "connect_attested", lambda *_: world.connect)
    for number, name in enumerate(("anna", "ben")):
        made = Wallet.import_(
            f"{name}.db", world.network.settings(), world.network.accounts[number]
        )
        made._store.close()

    def invoke(name, *arguments):
        return CliRunner().invoke(cli, ["wallet", "--wallet", f"{name}.db", *arguments])

    yield invoke
    world.network.ledger.close()


def test_a_swap_in_parts_as_people_see_it(call, tmp_path):
    made = call(
        "anna", "swap", "offer", "0.5", "1000", "--for-token", "2", "--partial", "--least",
        "0.1", "--blocks", "20", "--output", "offer.swap",
    )  # fmt: skip
    assert made.exit_code == 0, made.output
    assert made.stdout == "offer written to offer.swap\n"
    shown = call("ben", "swap", "show", "@offer.swap", "--part", "0.2")
    assert shown.stdout.splitlines() == [
        "you pay  400 of token 2",
        "you get  0.2 MOB",
        "fee      yours, on top",
        "parts    from 0.1 MOB to 0.5 MOB, for their share, rounded up",
        "lasts    before block 22",
        "status   open as of 2 blocks; the signature holds",
    ]
    assert json.loads(call("ben", "swap", "show", "@offer.swap", "--json").stdout)["pay"] == [
        {"token_id": 2, "value": "1000"}
    ]
    filled = call("ben", "swap", "fill", "@offer.swap", "--part", "0.2")
    assert filled.exit_code == 0, filled.output
    assert filled.stdout.startswith(
        "final in block 2: swap-fill 400 of token 2 for 0.2 MOB, fee 1024 of token 2\n"
    )
    assert "gone: taken" in call("ben", "swap", "show", "@offer.swap").stdout
    assert call("anna", "swap", "list").stdout == (
        "  1  filled in block 2: 0.5 MOB for 1000 of token 2\n"
    )
    lines = [line.split() for line in call("anna", "history").stdout.splitlines()]
    assert ["block", "2", "sent", "0.2", "MOB", "swap"] in lines
    assert ["block", "2", "received", "400", "of", "token", "2", "swap"] in lines


def test_cancel_by_number_and_code(call):
    code = call("anna", "swap", "offer", "0.5", "1000", "--for-token", "2").stdout.strip()
    assert "parts    none" in call("ben", "swap", "show", code).stdout
    cancelled = call("anna", "swap", "cancel", "1")
    assert cancelled.stdout.startswith("final in block 2: swap-cancel 0.5 MOB, fee 0.0004 MOB")
    result = call("anna", "swap", "cancel", "2")
    assert isinstance(result.exception, InvalidError) and "no offer 2" in str(result.exception)
    result = call("ben", "swap", "fill", code)
    assert "taken" in str(result.exception)
    result = call("anna", "swap", "offer", "1", "1", "--least", "1")
    assert "--partial" in str(result.exception)
