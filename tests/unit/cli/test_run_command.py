"""What every click program of ours has in common."""

import os
import tomllib
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from mcnode.cli.main import PROGRAMS, cli
from mcnode.cli.run_command import add_common_options, complete, run_command
from mcnode.cli.wallet import wallet
from mcnode.errors import BugError, InvalidError, UnavailableError

PYPROJECT = Path(__file__).parents[3] / "pyproject.toml"


def failing(error: BaseException) -> click.Command:
    @click.command()
    @click.option("--name", envvar="MC_NAME")
    def program(name: str | None) -> None:
        del name
        raise error

    return program


def run(command: click.Command, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["program", *arguments])
    with pytest.raises(SystemExit) as ended:
        run_command(command)
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (InvalidError("ring has 10 members, needs 11"), 2, "error: ring has 10 members, needs 11"),
        (UnavailableError("node is away"), 3, "error: node is away"),
        (PermissionError(13, "Permission denied", "/x"), 3, "error: /x: permission denied"),
        (OSError("strange"), 3, "error: strange"),
        (KeyboardInterrupt(), 130, "\ninterrupted"),
    ],
)
def test_what_goes_wrong_is_one_line_and_a_status(error, status, line, capsys, monkeypatch):
    assert run(failing(error), monkeypatch) == status
    assert capsys.readouterr().err == f"{line}\n"


def test_debug_shows_the_traceback(monkeypatch):
    monkeypatch.setattr("sys.argv", ["program", "--debug"])
    with pytest.raises(InvalidError):
        run_command(failing(InvalidError("bad")))


def test_a_bug_of_ours_keeps_its_traceback(monkeypatch):
    monkeypatch.setattr("sys.argv", ["program"])
    with pytest.raises(BugError):
        run_command(failing(BugError("broken")))


def test_a_status_of_its_own_stays(monkeypatch):
    assert run(failing(SystemExit(7)), monkeypatch) == 7


def test_a_closed_pipe_is_no_traceback(capsys, monkeypatch):
    assert run(failing(BrokenPipeError(32, os.strerror(32))), monkeypatch) == 1
    assert capsys.readouterr().err == ""


def test_help_shows_variables_and_common_options():
    command = complete(failing(InvalidError("bad")))
    add_common_options(command)
    add_common_options(command)
    text = CliRunner().invoke(command, ["-h"]).output
    assert "MC_NAME" in text
    assert text.count("--version") == text.count("--debug") == 1


def test_overview_names_every_program_and_cuts_no_line():
    text = CliRunner().invoke(complete(cli), ["--help"]).output
    scripts = tomllib.loads(PYPROJECT.read_text())["project"]["scripts"]
    assert set(PROGRAMS) == set(scripts) - {"mcnode"}
    assert all(f"  {name}  " in text for name in PROGRAMS)
    assert not any(line.endswith("...") for line in text.splitlines()[1:])


def test_no_overview_cuts_a_line():
    context = click.Context(cli)
    groups = [cli.get_command(context, name) for name in cli.list_commands(context)]
    for group in groups:
        text = CliRunner().invoke(group, ["--help"]).output
        assert not any(line.endswith("...") for line in text.splitlines()[1:]), text


@pytest.mark.parametrize(
    ("word", "hint"),
    [("netwrk", "did you mean network?"), ("zzz", "zzz\n"), ("dump-ledger", "of its own")],
)
def test_a_mistyped_command_gets_a_hint(word, hint):
    done = CliRunner().invoke(cli, [word])
    assert (done.exit_code, hint in done.output) == (2, True)


def test_wallet_file_before_the_command_after_it_or_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def file_used(*arguments: str) -> str:
        done = CliRunner().invoke(wallet, arguments)
        assert isinstance(done.exception, InvalidError)
        return str(done.exception).split()[0]

    assert file_used("address") == "wallet.db"
    assert file_used("--wallet", "a.db", "address") == "a.db"
    assert file_used("--wallet", "a.db", "address", "--wallet", "b.db") == "b.db"
    monkeypatch.setenv("MC_WALLET", "c.db")
    assert file_used("address") == "c.db"
    assert file_used("--wallet", "a.db", "address") == "a.db"
