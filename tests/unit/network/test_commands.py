"""`mcnode network` on a network whose nodes do not run."""

import json
import os

import pytest
from click.testing import CliRunner

from mcnode.cli.network import network
from mcnode.errors import InvalidError
from mcnode.network.bootstrap import Funding
from mcnode.network.local import NodeStatus, create_network
from mcnode.network.plan import NoNetwork, UnknownNode


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    place = tmp_path_factory.mktemp("networks") / "net"
    create_network(place, "a-b-c", os.urandom, funding=Funding(2, 10)).stop()
    return place


def run(*words: str):
    return CliRunner().invoke(network, words)


def test_a_network_that_is_stopped_is_shown_as_such(directory) -> None:
    done = run("status", "--work-dir", str(directory))
    assert done.exit_code == 1
    assert [line.split()[:3] for line in done.output.splitlines()] == [
        ["node", name, "stopped"] for name in "abc"
    ]


def test_scripts_get_json(directory) -> None:
    done = run("status", "--json", "--work-dir", str(directory))
    assert done.exit_code == 1
    nodes = json.loads(done.output)
    assert [node["name"] for node in nodes] == ["a", "b", "c"]
    assert not any(node["is_running"] or node["is_serving"] for node in nodes)
    assert {node["block_height"] for node in nodes} == {None}


@pytest.mark.parametrize(
    ("is_running", "is_serving", "height", "shown"),
    [
        (True, True, 12, ["serving", "height", "12"]),
        (True, False, None, ["running", "height", "?"]),
        (False, False, None, ["stopped", "height", "?"]),
    ],
)
def test_each_state_has_its_word(
    directory, monkeypatch, is_running, is_serving, height, shown
) -> None:
    async def status(_):
        return [
            NodeStatus(
                name="a",
                client_uri="insecure-mc://x/",
                admin_uri="insecure-mca://x/",
                archive_url="file:///x/",
                is_running=is_running,
                is_serving=is_serving,
                block_height=height,
            )
        ]

    monkeypatch.setattr("mcnode.network.local.LocalNetwork.status", status)
    done = run("status", "--work-dir", str(directory))
    assert done.exit_code == int(not is_serving)
    assert done.output.split()[2:-1] == shown


def test_stopping_what_does_not_run_is_fine(directory) -> None:
    done = run("stop", "b", "--work-dir", str(directory))
    assert (done.exit_code, done.output) == (0, "node b is stopped\n")


@pytest.mark.parametrize("words", [["stop", "z"], ["start", "z"], ["logs", "z"]])
def test_a_node_of_another_name_is_named(directory, words) -> None:
    done = run(*words, "--work-dir", str(directory))
    assert isinstance(done.exception, UnknownNode)
    assert str(done.exception) == "no node z; this network has a, b, c"


def test_a_log_is_printed_or_its_place_is_named(directory) -> None:
    done = run("logs", "a", "--work-dir", str(directory))
    assert isinstance(done.exception, InvalidError)
    path = directory / "node-a" / "consensus-service.log"
    assert str(path) in str(done.exception)
    path.write_text("first\nsecond\n")
    assert run("logs", "a", "--work-dir", str(directory)).output == "first\nsecond\n"


@pytest.mark.parametrize("command", ["status", "down", "stop", "logs"])
def test_without_a_network_there_is_a_hint(tmp_path, command) -> None:
    words = [command, "a"] if command in ("stop", "logs") else [command]
    done = run(*words, "--work-dir", str(tmp_path))
    assert isinstance(done.exception, NoNetwork)
    assert "mcnode network up" in str(done.exception)


def test_the_work_directory_may_come_from_the_environment(directory, monkeypatch) -> None:
    monkeypatch.setenv("MC_NETWORK_WORK_DIR", str(directory))
    assert run("stop", "a").exit_code == 0


def test_down_removes_the_files_only_when_asked(tmp_path) -> None:
    place = tmp_path / "net"
    create_network(place, "dense3", os.urandom, funding=Funding(2, 10)).stop()
    assert run("down", "--work-dir", str(place)).output == "all nodes are stopped\n"
    assert place.exists()
    assert run("down", "--remove", "--work-dir", str(place)).exit_code == 0
    assert not place.exists()
