"""`mcnode wallet` as a person or a script meets it; nodes are stand-ins that are never reached."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from mcnode.account.key_files import DEFAULT_SEED, sample_accounts
from mcnode.account.mnemonic import account_key_from_mnemonic
from mcnode.account.printable import parse_printable_address, to_printable
from mcnode.cli.main import cli
from mcnode.errors import InvalidError, UnavailableError
from mcnode.ledger.archive.destination import DirectoryDestination
from mcnode.ledger.archive.distribution import Distribution
from mcnode.ledger.db import LedgerDB
from mcnode.ledger.sample import SampleLedger, make_sample_blocks
from mcnode.wallet.key_files import save_key_files

VALUE = 250_000_000 // 24 * 10**12


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key files of two accounts, and an archive of a ledger that pays them."""
    root = tmp_path_factory.mktemp("network")
    accounts = sample_accounts(DEFAULT_SEED, 2)
    for number, account in enumerate(accounts):
        save_key_files(root / "keys", f"account_keys_{number}", account)
    recipients = [account.account_key().default_subaddress() for account in accounts]
    with LedgerDB.create(root / "ledger", durable=False) as ledger:
        for block_data in make_sample_blocks(SampleLedger(recipients, 6, 2)):
            ledger.append_block_data(block_data)
        distribution = Distribution(ledger, DirectoryDestination(root / "archive"))
        while distribution.publish_next():
            pass
    return root


@pytest.fixture
def call(network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)

    def call_wallet(*arguments: str, standard_input: str = "", **environment: str) -> Result:
        runner = CliRunner()
        return runner.invoke(cli, ["wallet", *arguments], input=standard_input, env=environment)

    return call_wallet


def make(call: Any, network: Path, *more: str) -> Result:
    result: Result = call(
        "import",
        str(network / "keys" / "account_keys_0.json"),
        "--archive",
        f"file://{network}/archive",
        *more,
    )
    assert result.exit_code == 0, result.output
    return result


def test_new_shows_the_words_once_and_no_later_command_does(call: Any, tmp_path: Path) -> None:
    result = call("new", "--json")
    made = json.loads(result.stdout)
    assert stat.S_IMODE((tmp_path / "wallet.db").stat().st_mode) == 0o600
    account = account_key_from_mnemonic(made["mnemonic"])
    assert made["address"] == to_printable(account.default_subaddress())
    secrets = [account.view_private_key.hex(), account.spend_private_key.hex(), made["mnemonic"]]
    for command in (["address"], ["settings"], ["settings", "--json"], ["balance", "--no-sync"]):
        output = call(*command).output
        assert not any(secret in output for secret in secrets)
    assert call("address").stdout.strip() == made["address"]


def test_new_in_words_warns_on_standard_error(call: Any) -> None:
    result = call("new", "--node", "insecure-mc://localhost:1/")
    assert "SIMULATED attestation" in result.stderr
    assert "Write them down now" in result.stderr
    [words] = [line for line in result.stdout.splitlines() if line.startswith("mnemonic")]
    assert len(words.split()) == 25


def test_a_wallet_is_never_overwritten(call: Any, tmp_path: Path) -> None:
    assert call("new").exit_code == 0
    before = (tmp_path / "wallet.db").read_bytes()
    for command in (["new"], ["import", "-"]):
        result = call(*command, standard_input="abandon " * 11 + "about")
        assert isinstance(result.exception, InvalidError)
        assert "exists already" in str(result.exception)
    assert (tmp_path / "wallet.db").read_bytes() == before


def test_import_of_words_from_standard_input(call: Any) -> None:
    words = "abandon " * 11 + "about"
    result = call("import", "-", "--wallet", "other.db", "--json", standard_input=words + "\n")
    address = to_printable(account_key_from_mnemonic(words).default_subaddress())
    assert json.loads(result.stdout) == {"wallet": "other.db", "address": address}


def test_import_of_something_else_does_not_repeat_it(call: Any, tmp_path: Path) -> None:
    for text in ("legal winner thank year", '{"mnemonic": "legal winner"}', "{"):
        result = call("import", "-", standard_input=text)
        assert isinstance(result.exception, InvalidError)
        assert "legal" not in str(result.exception) + result.output
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    assert isinstance(call("import", "binary").exception, InvalidError)
    assert not (tmp_path / "wallet.db").exists()


def test_balance_and_history(call: Any, network: Path) -> None:
    make(call, network)
    assert json.loads(call("balance", "--no-sync", "--json").stdout) == {
        "num_blocks": 0,
        "balances": [],
    }
    assert call("balance", "--no-sync").stdout == "0 MOB\n"
    result = call("balance")
    assert result.stdout == f"{12 * VALUE // 10**12} MOB\n"
    assert result.stderr == "as of 2 blocks read\n"
    [balance] = json.loads(call("balance", "--json").stdout)["balances"]
    assert balance == {
        "token_id": 0,
        "spendable": str(12 * VALUE),
        "pending": "0",
        "total": str(12 * VALUE),
    }
    entries = json.loads(call("history", "--json").stdout)
    assert [entry["block_index"] for entry in entries] == [0] * 6 + [1] * 6
    assert {entry["value"] for entry in entries} == {str(VALUE)}
    assert len(call("history").stdout.splitlines()) == 12
    assert json.loads(call("sync", "--json").stdout) == {"num_blocks": 2}
    assert call("sync").stdout == "2 blocks read\n"


def test_settings_of_one_command_and_for_good(call: Any, network: Path) -> None:
    make(call, network, "--chain-id", "local")
    shown = json.loads(call("settings", "--json").stdout)
    assert (shown["nodes"], shown["chain_id"]) == ([], "local")
    assert shown["enclave"]["is_simulated"] is True
    elsewhere = call("balance", "--archive", "file:///nowhere")
    assert isinstance(elsewhere.exception, UnavailableError)
    assert call("balance").exit_code == 0
    nodes = "insecure-mc://a:1/,insecure-mc://b:2/"
    assert "SIMULATED" in call("settings", "--node", nodes).stderr
    shown = json.loads(call("settings", "--json").stdout)
    assert shown["nodes"] == nodes.split(",")
    assert "SIMULATED" not in call("settings").stderr
    environment = {"MC_CHAIN_ID": "main", "MC_WALLET": "wallet.db"}
    assert "chain id     main" in call("settings", **environment).stdout


def test_trust_anchor_needs_an_enclave(call: Any, network: Path, tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_text("x")
    result = call("new", "--trust-anchor", "root.pem")
    assert isinstance(result.exception, InvalidError) and "--trust-css" in str(result.exception)
    result = call("new", "--trust-css", "root.pem")
    assert isinstance(result.exception, InvalidError) and "SIGSTRUCT" in str(result.exception)


def test_send_without_a_node(call: Any, network: Path) -> None:
    make(call, network)
    recipient = f"@{network}/keys/account_keys_1.b58pub"
    result = call("send", recipient, "1.5")
    assert isinstance(result.exception, InvalidError) and "--node" in str(result.exception)
    result = call("send", recipient, "1.5", "--node", "insecure-mc://localhost:1/", "--no-wait")
    assert isinstance(result.exception, UnavailableError)
    assert "no node answers (1 asked)" in str(result.exception)
    assert "SIMULATED" in result.stderr


@pytest.mark.parametrize(
    ("address", "amount", "reason"),
    [
        ("rubbish!", "1", "base58|B58|digit|character"),
        ("@nowhere", "1", "cannot read nowhere"),
        ("x", "one", "is not a number"),
        ("x", "0.0000000000001", "digits after the point"),
    ],
)
def test_send_refuses_what_makes_no_sense(
    call: Any, network: Path, address: str, amount: str, reason: str
) -> None:
    make(call, network)
    result = call("send", address, amount, "--node", "insecure-mc://localhost:1/")
    assert isinstance(result.exception, InvalidError), result.exception
    with pytest.raises(InvalidError, match=reason):
        raise result.exception


def test_missing_wallet_says_what_to_do(call: Any) -> None:
    result = call("balance", "--wallet", "none.db")
    assert isinstance(result.exception, InvalidError)
    assert "mcnode wallet new" in str(result.exception)


def leaves_of(group: click.Group) -> Iterator[click.Command]:
    assert group.help
    for command in group.commands.values():
        if isinstance(command, click.Group):
            yield from leaves_of(command)
        else:
            yield command


def test_every_option_has_help_and_every_command_says_what_it_does() -> None:
    group = cli.get_command(click.Context(cli), "wallet")
    assert isinstance(group, click.Group)
    assert set(group.commands) >= {"new", "import", "address", "balance", "send", "history"}
    for command in leaves_of(group):
        assert command.help
        for parameter in command.params:
            assert not isinstance(parameter, click.Option) or parameter.help
        assert any("--json" in parameter.opts for parameter in command.params)


def test_subaddresses(call: Any, network: Path) -> None:
    make(call, network)
    texts = [json.loads(call("address", "--subaddress", str(n), "--json").stdout) for n in (0, 9)]
    assert parse_printable_address(texts[0]["address"]) != parse_printable_address(
        texts[1]["address"]
    )
    assert "`mcnode wallet watch 10`" in str(call("address", "--subaddress", "10").exception)
