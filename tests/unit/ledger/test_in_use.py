"""One program that appends per ledger."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from mcnode.cli.ledger_from_archive import ledger_from_archive
from mcnode.cli.ledger_migration import ledger_migration
from mcnode.ledger.in_use import LedgerInUse, alone_on, check_unused
from mcnode.wallet.ledger_copy import open_copy


def test_a_second_node_is_refused_until_the_first_has_gone(tmp_path) -> None:
    ledger = tmp_path / "new" / "ledger"
    with (
        alone_on(ledger, is_new=True),
        pytest.raises(LedgerInUse, match="a node or another program appends to the ledger"),
        alone_on(ledger, is_new=True),
    ):
        pass
    with alone_on(ledger, is_new=False):
        assert list(ledger.iterdir()) == []


def test_a_killed_node_leaves_no_lock(tmp_path) -> None:
    program = (
        "import pathlib, sys\n"
        "from mcnode.ledger.in_use import alone_on\n"
        "with alone_on(pathlib.Path(sys.argv[1]), is_new=False):\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as node:
        assert node.stdout is not None
        assert node.stdout.readline() == "held\n"
        with pytest.raises(LedgerInUse), alone_on(tmp_path, is_new=False):
            pass
        node.kill()
    with alone_on(tmp_path, is_new=False):
        pass


def test_a_directory_that_is_not_there_is_left_to_what_comes_after(tmp_path) -> None:
    with alone_on(tmp_path / "nowhere", is_new=False):
        pass
    assert not (tmp_path / "nowhere").exists()


def test_those_that_share_a_directory_ask_whether_somebody_is_alone_there(tmp_path) -> None:
    check_unused(tmp_path)
    with alone_on(tmp_path, is_new=False), pytest.raises(LedgerInUse):
        check_unused(tmp_path)
    check_unused(tmp_path)
    check_unused(tmp_path / "nowhere")


def test_a_wallet_does_not_write_into_a_running_nodes_ledger(tmp_path) -> None:
    with alone_on(tmp_path, is_new=False), pytest.raises(LedgerInUse):
        open_copy(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (ledger_from_archive, ["--tx-source-url", "file:///nowhere"]),
        (ledger_migration, []),
    ],
)
def test_programs_that_write_keep_off_too(tmp_path, program, words) -> None:
    with alone_on(tmp_path, is_new=False):
        result = CliRunner().invoke(program, ["--ledger-db", str(tmp_path), *words])
    assert isinstance(result.exception, LedgerInUse)
    assert list(tmp_path.iterdir()) == []
