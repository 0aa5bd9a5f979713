"""The operators' programs around a ledger."""

import json
from pathlib import Path

import lmdb
import pytest
from click.testing import CliRunner

from mcnode.cli.dump_ledger import dump_ledger
from mcnode.cli.generate_sample_ledger import generate_sample_ledger
from mcnode.cli.ledger_distribution import ledger_distribution
from mcnode.cli.ledger_from_archive import ledger_from_archive
from mcnode.cli.ledger_migration import ledger_migration
from mcnode.cli.main import run_command
from mcnode.cli.sample_keys import sample_keys
from mcnode.ledger.archive.paths import block_path
from mcnode.ledger.db import LedgerDB

COMMANDS = [
    sample_keys,
    generate_sample_ledger,
    ledger_distribution,
    ledger_from_archive,
    ledger_migration,
    dump_ledger,
]


def run(command, *arguments: str) -> str:
    done = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def exit_status(capsys, monkeypatch, command, *arguments: str) -> tuple[int | str | None, str]:
    """Run as the console script does; the exit status and what stands on stderr."""
    monkeypatch.setattr("sys.argv", [command.name, *arguments])
    with pytest.raises(SystemExit) as ended:
        run_command(command)
    return ended.value.code, capsys.readouterr().err


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def sample(place) -> Path:
    """Keys of two accounts and a ledger of three blocks that pays to them."""
    run(sample_keys, "--num", "2")
    run(generate_sample_ledger, "--txs", "4", "--blocks", "3")
    return place


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_help_teaches_with_an_example(command):
    text = run(command, "--help")
    assert f"Example: {command.name} " in text
    assert text.count("\n") > 10


def test_sample_keys_are_for_the_owner_only(sample):
    names = sorted(path.name for path in (sample / "keys").iterdir())
    assert names == [f"account_keys_{n}.{end}" for n in (0, 1) for end in ("b58pub", "json", "pub")]
    assert (sample / "keys/account_keys_0.json").stat().st_mode & 0o77 == 0


def test_the_same_seed_gives_the_same_ledger(sample):
    with LedgerDB.open(sample / "ledger") as ledger:
        first = [ledger.get_block_data(n) for n in range(3)]
    run(generate_sample_ledger, "--txs", "4", "--blocks", "3", "--output-dir", "again")
    with LedgerDB.open(sample / "again") as ledger:
        assert [ledger.get_block_data(n) for n in range(3)] == first
    assert json.loads((sample / "conf.json").read_text())["NUM_BLOCKS"] == 3
    run(generate_sample_ledger, "--txs", "8", "--seed", "07" * 32, "--output-dir", "other")
    with LedgerDB.open(sample / "other") as ledger:
        assert ledger.get_block(0) != first[0].block


def test_from_ledger_to_archive_to_ledger(sample):
    url = (sample / "archive").as_uri()
    run(ledger_distribution, "--ledger-path", "ledger", "--dest", url, "--once")
    assert (sample / "archive" / block_path(2)).is_file()
    text = run(ledger_from_archive, "--ledger-db", "copy", "--tx-source-url", url)
    assert "appended 3 blocks" in text
    assert "appended 0 blocks" in run(
        ledger_from_archive, "--ledger-db", "copy", "--tx-source-url", url
    )
    assert run(dump_ledger, "--ledger-db", "copy") == run(dump_ledger, "--ledger-db", "ledger")


def test_dump_prints_the_blocks_asked_for(sample):
    blocks = json.loads(
        run(dump_ledger, "--ledger-db", "ledger", "--first-index", "1", "--last-index", "1")
    )
    assert [each["block"]["index"] for each in blocks] == [1]
    assert run(dump_ledger, "--ledger-db", "ledger", "--first-index", "9").strip() == "[]"


def test_migration_leaves_a_present_ledger_untouched(sample):
    before = (sample / "ledger/data.mdb").read_bytes()
    assert "the present one" in run(ledger_migration, "--ledger-db", "ledger")
    assert (sample / "ledger/data.mdb").read_bytes() == before


@pytest.mark.parametrize(
    ("command", "arguments", "said"),
    [
        (generate_sample_ledger, ["--txs", "1"], "needs 16: raise --txs"),
        (generate_sample_ledger, ["--keys-dir", "ledger", "--output-dir", "x"], "0 .pub files"),
        (generate_sample_ledger, ["--txs", "9"], "has 3 blocks already"),
        (ledger_distribution, ["--ledger-path", "no", "--dest", "file:///x"], "no ledger at no"),
        (ledger_distribution, ["--ledger-path", "ledger", "--dest", "ftp://x"], "unknown scheme"),
        (
            ledger_distribution,
            ["--ledger-path", "ledger", "--dest", "file:///x", "--merge-buckets", "a"],
            "write numbers",
        ),
        (ledger_from_archive, ["--ledger-db", "x", "--tx-source-url", "here"], "has no scheme"),
        (dump_ledger, ["--ledger-db", "ledger", "--last-index", "3"], "last block is 2"),
        (dump_ledger, ["--ledger-db", "keys"], "data.mdb is missing"),
        (ledger_migration, ["--ledger-db", "keys"], "data.mdb is missing"),
        (sample_keys, ["--fog-report-url", "fog://x"], "go together"),
    ],
)
def test_what_is_wrong_is_one_line(sample, capsys, monkeypatch, command, arguments, said):
    status, text = exit_status(capsys, monkeypatch, command, *arguments)
    assert status == 2
    assert said in text
    assert text.startswith("error: ")
    assert text.count("\n") == 1


def test_archives_without_a_first_block_are_no_success(sample, capsys, monkeypatch):
    url = (sample / "nothing").as_uri()
    status, text = exit_status(
        capsys, monkeypatch, ledger_from_archive, "--ledger-db", "x", "--tx-source-url", url
    )
    assert (status, "No such file or directory" in text) == (3, True)


def test_a_block_that_is_not_right_is_no_success(sample, capsys, monkeypatch):
    url = (sample / "archive").as_uri()
    run(ledger_distribution, "--ledger-path", "ledger", "--dest", url, "--once")
    (sample / "archive" / block_path(1)).write_bytes(b"not a block")
    status, text = exit_status(
        capsys, monkeypatch, ledger_from_archive, "--ledger-db", "x", "--tx-source-url", url
    )
    assert (status, "received an invalid block" in text) == (3, True)
    with LedgerDB.open(sample / "x") as ledger:
        assert ledger.num_blocks() == 1


def test_a_bad_seed_is_named(place, capsys, monkeypatch):
    status, text = exit_status(capsys, monkeypatch, sample_keys, "--seed", "0102")
    assert (status, "4 hexadecimal digits, needs 64" in text) == (2, True)


def test_a_foreign_database_is_named(place, capsys, monkeypatch):
    with lmdb.open(str(place / "foreign"), max_dbs=2) as env:
        env.open_db(b"other")
    status, text = exit_status(capsys, monkeypatch, dump_ledger, "--ledger-db", "foreign")
    assert (status, "without a ledger's version record" in text) == (2, True)
