"""One node per ledger."""

import subprocess
import sys

import pytest

from mcnode.consensus.startup import LedgerInUse, alone_on


def test_a_second_node_is_refused_until_the_first_has_gone(tmp_path) -> None:
    ledger = tmp_path / "new" / "ledger"
    with (
        alone_on(ledger, is_new=True),
        pytest.raises(LedgerInUse, match="another node runs on the ledger"),
        alone_on(ledger, is_new=True),
    ):
        pass
    with alone_on(ledger, is_new=False):
        assert list(ledger.iterdir()) == []


def test_a_killed_node_leaves_no_lock(tmp_path) -> None:
    program = (
        "import pathlib, sys\n"
        "from mcnode.consensus.startup import alone_on\n"
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
