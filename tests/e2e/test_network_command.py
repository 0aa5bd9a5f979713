"""`mcnode network up` in the foreground, looked at from another terminal, ended by Ctrl-C."""

import json
import signal
import subprocess
import sys

import pytest

from mcnode.network.local import open_network
from mcnode.network.plan import PLAN_FILE
from support.daemon import Daemon, descendants_of, exists
from support.waiting import wait_until

pytestmark = pytest.mark.slow
MCNODE = [sys.executable, "-m", "mcnode.cli.main"]
START_TIMEOUT_S = 60.0


@pytest.fixture
def directory(tmp_path):
    yield tmp_path / "net"
    if (tmp_path / "net" / PLAN_FILE).exists():
        open_network(tmp_path / "net").stop()


def run(*arguments):
    result = subprocess.run(
        [*MCNODE, "network", *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert "Traceback" not in result.stderr
    return result


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_up_until_a_signal(tmp_path, directory, number):
    argv = [*MCNODE, "network", "up", "--work-dir", directory, "--topology", "dense3"]
    command = Daemon(argv, tmp_path / "up.log")
    try:
        command.wait_for_log("Ctrl-C stops the network", timeout_s=START_TIMEOUT_S)
        for text in ("wallets insecure-mc://", "Funded accounts", "mcnode wallet import"):
            assert text in command.log()
        pids = descendants_of(command.pid)
        assert len(pids) == 3 * 3  # service, trusted process and distribution of each node
        again = run("up", "--work-dir", directory)
        assert again.returncode != 0
        assert "runs already" in again.stderr
        assert run("stop", "--work-dir", directory, "1", "--kill").returncode == 0
        status = run("status", "--work-dir", directory, "--json")
        assert status.returncode == 1
        assert [node["is_serving"] for node in json.loads(status.stdout)] == [True, False, True]
        assert run("start", "--work-dir", directory, "1").returncode == 0
        assert run("status", "--work-dir", directory).returncode == 0
        command.signal(number)
        command.wait_end()
        assert "all nodes are stopped" in command.log()
        wait_until(lambda: not any(map(exists, pids)), "end of all processes")
        assert all(not node["is_running"] for node in _status(directory))
    finally:
        command.dispose()


def _status(directory):
    return json.loads(run("status", "--work-dir", directory, "--json").stdout)
