"""What a node thinks of its own quorum set, and of those that its peers announce."""

import asyncio
import json

import pytest
from structlog.testing import capture_logs

from mcnode.consensus import quorum_watch
from mcnode.consensus.config.documents import parse_json
from mcnode.consensus.config.errors import NETWORK_EXIT_CODE
from mcnode.consensus.config.network_file import parse_network
from mcnode.consensus.metrics import NodeMetrics
from mcnode.consensus.quorum_watch import (
    QuorumWatch,
    UnsafeQuorumSet,
    analyse,
    check_own_set,
)
from mcnode.quorum.bounds import Bounds
from mcnode.quorum.errors import SearchStopped
from mcnode.quorum.intersection import Verdict
from mcnode.quorum.sources import SourceText, read_system
from mcnode.scp import NodeID, QuorumSet

NODES = [NodeID(f"node{n}:1", bytes([n]) * 32) for n in range(12)]
OWN = NODES[0]


def others(threshold, own, count=4):
    return QuorumSet(threshold, tuple(node for node in NODES[:count] if node != own))


def network(threshold, count=4):
    members = [{"type": "Node", "args": node.responder_id} for node in NODES[1:count]]
    return parse_network(
        parse_json(
            json.dumps(
                {
                    "broadcast_peers": [f"mcp://{node.responder_id}/" for node in NODES[1:count]],
                    "tx_source_urls": ["file:///a/"],
                    "quorum_set": {"threshold": threshold, "members": members},
                }
            )
        )
    )


class TestOwnSet:
    def test_safe(self):
        assert check_own_set(network(2), OWN.responder_id, allow_unsafe=False) == []

    def test_unsafe_is_refused_unless_allowed(self):
        with pytest.raises(UnsafeQuorumSet, match="asks for 2 of 4 with the node itself") as error:
            check_own_set(network(1), OWN.responder_id, allow_unsafe=False)
        assert "--allow-unsafe-quorum-set true" in str(error.value)
        assert error.value.exit_code == NETWORK_EXIT_CODE
        found = check_own_set(network(1), OWN.responder_id, allow_unsafe=True)
        assert [finding.code for finding in found] == ["weak-threshold", "one-node-decides"]

    def test_warnings_do_not_stop_a_node(self):
        (finding,) = check_own_set(network(3), OWN.responder_id, allow_unsafe=False)
        assert finding.code == "one-node-halts"


def watch_of(quorum_set, metrics=None):
    metrics = metrics or NodeMetrics()
    return QuorumWatch(OWN, quorum_set, [], metrics.scp)


def gauge(metrics, op):
    lines = [line for line in metrics.text().splitlines() if f'op="{op}"' in line]
    return float(lines[0].split()[-1]) if lines else None


class TestAnnouncedSets:
    def test_the_whole_network_is_known_when_all_have_spoken(self):
        metrics = NodeMetrics()
        watch = watch_of(others(2, OWN), metrics)
        asyncio.run(watch.check())
        assert (watch.report.is_whole, watch.report.verdict) == (False, None)
        assert watch.report.smallest_blocking_set is None
        for node in NODES[1:4]:
            watch.hear(node, others(2, node))
        asyncio.run(watch.check())
        report = watch.report
        assert (report.verdict, report.is_whole) == (Verdict.INTERSECTING, True)
        assert (report.smallest_blocking_set, report.smallest_splitting_set) == (2, 2)
        assert gauge(metrics, "quorum_can_split") == 0
        assert gauge(metrics, "quorum_nodes_heard") == 4
        assert gauge(metrics, "quorum_smallest_blocking_set") == 2

    def test_a_split_is_told_once(self):
        metrics = NodeMetrics()
        watch = watch_of(others(1, OWN), metrics)
        for node in NODES[1:4]:
            watch.hear(node, others(1, node))
        with capture_logs() as logs:
            asyncio.run(watch.check())
            asyncio.run(watch.check())
        (line,) = [line for line in logs if line["log_level"] == "error"]
        one, other = line["disjoint_quorums"]
        assert sorted(one + other) == [node.responder_id for node in NODES[:4]]
        assert gauge(metrics, "quorum_can_split") == 1

    def test_who_is_not_named_is_not_heard(self):
        watch = watch_of(others(2, OWN))
        watch.hear(NODES[7], others(1, NODES[7], 9))
        watch.hear(OWN, QuorumSet(0))
        assert [each["responder_id"] for each in watch.to_json()["announced"]] == ["node0:1"]
        watch.hear(NODES[1], QuorumSet(1, (NODES[7],)))
        watch.hear(NODES[7], QuorumSet(1, (NODES[1],)))
        announced = {each["responder_id"] for each in watch.to_json()["announced"]}
        assert announced == {"node0:1", "node1:1", "node7:1"}
        watch.hear(NODES[1], others(2, NODES[1]))  # nobody leads to node 7 any more
        assert {each["responder_id"] for each in watch.to_json()["announced"]} == {
            "node0:1",
            "node1:1",
        }

    def test_a_peer_that_names_thousands_is_bounded(self):
        watch = watch_of(others(2, OWN))
        many = [NodeID(f"x{n}:1", n.to_bytes(32)) for n in range(1000, 2000)]
        watch.hear(NODES[1], QuorumSet(1, tuple(many)))
        asyncio.run(watch.check())
        assert watch.report.named <= quorum_watch.NODES_MAX + len(many)
        for node in many:
            watch.hear(node, QuorumSet(0))
        assert len(watch.to_json()["announced"]) <= quorum_watch.NODES_MAX

    def test_changes_are_counted_and_logged(self):
        metrics = NodeMetrics()
        watch = watch_of(others(2, OWN), metrics)
        with capture_logs() as logs:
            for threshold in (2, 2, 3):
                watch.hear(NODES[1], others(threshold, NODES[1]))
        assert [line["event"] for line in logs] == ["peer announces another quorum set"]
        assert 'consensus_scp{op="quorum_sets_changed_count"} 1' in metrics.text()

    def test_an_analysis_that_takes_too_long_is_given_up(self, monkeypatch):
        monkeypatch.setattr(quorum_watch, "ANALYSIS_S", -1.0)
        watch = watch_of(others(2, OWN, 2))
        watch.hear(NODES[1], others(1, NODES[1], 2))
        watch = watch_of(others(2, OWN))
        for node in NODES[1:4]:
            watch.hear(node, others(2, node))
        with capture_logs() as logs:
            asyncio.run(watch.check())
        assert watch.report is None
        assert "time allowed is over" in logs[0]["error"]
        with pytest.raises(SearchStopped):
            analyse({node: others(2, node) for node in NODES[:4]}, Bounds(lambda: True))

    def test_without_the_solver(self, monkeypatch):
        monkeypatch.setattr(quorum_watch, "has_solver", lambda: False)
        report = analyse({node: others(2, node) for node in NODES[:4]}, Bounds())
        assert (report.verdict, report.smallest_blocking_set) == (Verdict.INTERSECTING, None)

    def test_changes_wake_the_analysis(self, monkeypatch):
        monkeypatch.setattr(quorum_watch, "SETTLE_S", 0)
        monkeypatch.setattr(quorum_watch, "RECHECK_EVERY_S", 0)

        async def scenario():
            watch = watch_of(others(2, OWN))
            is_whole = asyncio.Event()
            show = watch._show

            def shown(report):
                show(report)
                if report.is_whole:
                    is_whole.set()

            monkeypatch.setattr(watch, "_show", shown)
            async with asyncio.timeout(20), asyncio.TaskGroup() as group:
                running = group.create_task(watch.run())
                for node in NODES[1:4]:
                    watch.hear(node, others(2, node))
                await is_whole.wait()
                running.cancel()
            return watch.report

        assert asyncio.run(scenario()).verdict is Verdict.INTERSECTING

    def test_info_is_read_by_the_analysis_tools(self):
        watch = watch_of(others(2, OWN))
        for node in NODES[1:3]:
            watch.hear(node, others(2, node))
        asyncio.run(watch.check())
        info = {
            "config": {"peer_responder_id": OWN.responder_id},
            "network": network(2).to_json(),
            "quorum": watch.to_json(),
        }
        system = read_system([SourceText(json.dumps(info), "info")])
        told = [node.id for node in system if node.quorum_set and not node.is_assumed]
        assert told == ["node0:1", "node1:1", "node2:1"]
        assert info["quorum"]["analysis"]["nodes_heard"] == 3
