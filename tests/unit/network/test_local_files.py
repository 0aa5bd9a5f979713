"""A local network on disk and its ports, before any process runs."""

import os
import signal
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from mcnode.cli.network import network
from mcnode.network import bootstrap, ports, processes
from mcnode.network.bootstrap import CannotWrite, DirectoryInUse, Funding
from mcnode.network.demo import Step, Verdict
from mcnode.network.local import LocalNetwork, create_network, open_network
from mcnode.network.plan import NoNetwork, UnknownNode
from mcnode.network.ports import reserve_ports

SMALL = Funding(account_count=2, outputs_per_account=10)


@pytest.fixture
def made(tmp_path):
    """A network with files and no processes."""
    local = create_network(tmp_path / "net", "dense3", os.urandom, funding=SMALL)
    yield local
    local.stop()


def test_what_was_made_is_found_again(made: LocalNetwork):
    found = open_network(made.plan.directory)
    assert found.plan == made.plan
    assert found.running_names() == []
    assert sorted(path.name for path in made.plan.keys_directory.glob("*.json")) == [
        "account_keys_0.json",
        "account_keys_1.json",
    ]
    for path in (made.plan.directory / "network.json", made.plan.directory / "governor-1.pem"):
        assert path.stat().st_mode & 0o77 == 0
    with pytest.raises(UnknownNode, match="no node 7; this network has 0, 1, 2"):
        found.plan.node("7")


def test_a_directory_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(DirectoryInUse, match="has files but no network"):
        create_network(tmp_path, "dense3", os.urandom, funding=SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_nothing_is_left_of_a_network_that_was_not_finished(tmp_path, monkeypatch, error):
    def fail(_plan: object) -> None:
        raise error

    monkeypatch.setattr(bootstrap, "write_tokens", fail)
    expected = KeyboardInterrupt if isinstance(error, KeyboardInterrupt) else CannotWrite
    with pytest.raises(expected):
        create_network(tmp_path / "net", "dense3", os.urandom, funding=SMALL)
    assert not (tmp_path / "net").exists()


def test_a_work_directory_below_a_file_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(CannotWrite, match=r"cannot write .*file/net: Not a directory"):
        create_network(tmp_path / "file" / "net", "dense3", os.urandom, funding=SMALL)


def test_a_damaged_plan_is_named(made: LocalNetwork):
    (made.plan.directory / "network.json").write_text("{")
    with pytest.raises(NoNetwork, match="is damaged"):
        open_network(made.plan.directory)


def test_reserved_ports_are_chosen_once():
    first, second = reserve_ports(5), reserve_ports(5)
    try:
        assert set(first.ports).isdisjoint(second.ports)
    finally:
        first.release()
        second.release()
        second.release()


def test_a_taken_port_moves_the_whole_set(monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        assert not ports._are_free([number])
    assert ports._are_free([number])
    answers = iter([False, True])
    tried = []
    monkeypatch.setattr(ports, "_are_free", lambda each: tried.append(set(each)) or next(answers))
    reserved = reserve_ports(2)
    reserved.release()
    assert len(tried) == 2
    assert tried[0].isdisjoint(tried[1])
    assert reserved.ports[1].peer in tried[1]


def test_no_free_ports(monkeypatch):
    monkeypatch.setattr(ports, "_listen", lambda _: None)
    with pytest.raises(ports.NoFreePorts, match="no free ports for 2 nodes"):
        reserve_ports(2)


def test_signals_wait_until_the_record_is_written():
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores it
    seen = []
    with pytest.raises(KeyboardInterrupt), processes.signals_wait():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        seen.append("written")
    assert seen == ["written"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_process_is_found_by_its_record_and_ends(tmp_path):
    program = processes.Program("sleeper", ["sleep", "60"], {}, tmp_path)
    pid = processes.start(program)
    assert processes.running_pid(program.record_path) == pid
    with pytest.raises(processes.ProcessFailed, match="runs already"):
        processes.start(program)
    assert processes.stop(program.record_path)
    assert not processes.stop(program.record_path)
    assert not program.record_path.exists()


def test_a_program_that_is_not_there_is_named(tmp_path):
    with pytest.raises(processes.ProcessFailed, match="no-such-program cannot be started"):
        processes.start(processes.Program("x", ["no-such-program"], {}, tmp_path))


def test_the_verdict_is_one_line():
    step = Step("start five nodes", held=False, seconds=1.0, remark="node 4 has ended\n  log\n")
    verdict = Verdict(Path("x"), [step])
    assert verdict.line() == "VERDICT: FAILED at: start five nodes: node 4 has ended"


def up(place: Path, *options: str) -> str:
    """What `mcnode network up` refuses with."""
    done = CliRunner().invoke(network, ["up", "--work-dir", str(place), *options])
    assert done.exit_code != 0
    return str(done.exception)


def test_options_of_a_new_network_are_refused_for_an_old_one(made: LocalNetwork):
    for option, value in (
        ("--topology", "dense5"),
        ("--accounts", "3"),
        ("--outputs", "40"),
        ("--chain-id", "other"),
        ("--block-version", "3"),
    ):
        said = up(made.plan.directory, option, value)
        assert f"holds a dense3 network; {option} is for a new one" in said


def test_a_network_runs_once(made: LocalNetwork, monkeypatch):
    monkeypatch.setattr(LocalNetwork, "running_names", lambda _: ["0", "2"])
    assert "this network runs already, 2 of 3 nodes" in up(made.plan.directory)
