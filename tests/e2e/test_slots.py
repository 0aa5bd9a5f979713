"""What a node keeps of its slots, and what it says when one does not get on."""

import json
import subprocess
import sys

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty

from mcnode.api.services import GET_INFO, GET_PROMETHEUS_METRICS
from mcnode.network.topology import topology
from support.waiting import wait_until

STUCK_AFTER_S = "8"
"""Longer than two silent leaders in a row can hold a first vote up."""


def ask_admin(node, method):
    with grpc.insecure_channel(f"127.0.0.1:{node.ports.admin}") as channel:
        call = channel.unary_unary(
            method.path,
            request_serializer=method.request.SerializeToString,
            response_deserializer=method.response.FromString,
        )
        return call(Empty(), timeout=5)


def stuck_slot(node):
    """What `/info` says about it."""
    return json.loads(ask_admin(node, GET_INFO).config_json)["status"]["stuck_slot"]


def warnings(node):
    """Reports of stuck slots in its log; the end of an episode is none."""
    log = node.log()
    return log.count("slot is stuck") - log.count("slot is stuck no longer")


def mcnode_slot(*words):
    """Run the command; its status and what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "mcnode.cli.main", "slot", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


@pytest.mark.slow
def test_two_of_five_stopped(make_network, world, monkeypatch):
    """The three that are left name the two, and go on when these are back.

    What was recorded of all that replays identically on every node.
    """
    monkeypatch.setenv("MC_STUCK_SLOT_AFTER", STUCK_AFTER_S)
    network, purse = make_network(topology("dense5")), world.purse()
    network.pay(purse, through=network.nodes[0])
    network.wait_level()
    running, stopped = network.nodes[:3], network.nodes[3:]
    names = sorted(node.local.peer_responder_id for node in stopped)
    for node in stopped:
        node.stop()
    output = purse.take()
    running[0].propose(purse.payment(output))
    for node in running:
        found = wait_until(lambda node=node: stuck_slot(node), "report", timeout_s=60)
        assert found["slot_index"] == 2
        assert sorted(found["missing_votes_of"]) == names
        assert sorted(found["not_heard_from"]) == names
        assert all(any(name in line for line in found["waiting_for"]) for name in names)
        wait_until(lambda node=node: warnings(node) == 1, "warning in the log")
    metrics = ask_admin(running[0], GET_PROMETHEUS_METRICS).metrics
    assert 'consensus_scp{op="slots_stuck_count"} 1' in metrics
    status, text = mcnode_slot("step", 2, "--from", running[0].ledger_path)
    assert status == 0
    assert "not heard from: " in text

    for node in stopped:
        node.start()
    for node in network.nodes:
        node.wait_final(output, timeout_s=60)
    assert wait_until(lambda: stuck_slot(running[0]) is None, "end of the episode")
    network.wait_level()
    for node in network.nodes:
        node.stop()
        status, text = mcnode_slot("replay", "--from", node.ledger_path)
        assert (status, text.count("replay identically")) == (0, 2), text
    status, text = mcnode_slot("list", "--json", "--from", running[0].ledger_path)
    assert [slot["outcome"] for slot in json.loads(text)] == ["externalized 1 value"] * 2
