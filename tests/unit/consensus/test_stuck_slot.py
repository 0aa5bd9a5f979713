"""A slot without progress is noticed once per episode, with its cause."""

import pytest
import structlog
from prometheus_client import CollectorRegistry

from mcnode.consensus.metrics import OpMetrics, registry_text
from mcnode.consensus.stuck_slot import SlotWatch, StuckSlotMonitor
from mcnode.peers.consensus_value import tx_hash_value
from mcnode.scp import Ballot, Msg, NodeID, QuorumSet, SlotState
from mcnode.scp.types import Nominate, NominatePayload
from mcnode.slots.diagnosis import Rung

NODES = [NodeID(f"node{n}.test:8443", bytes([n]) * 32) for n in range(5)]
QUORUM_SET = QuorumSet(3, tuple(NODES[1:]))
VALUE = tx_hash_value(bytes(32))


def state(slot_index=7, heard=(1, 2), **fields):
    vote = Nominate(NominatePayload(voted=(VALUE,)))
    msgs = tuple(Msg(NODES[n], slot_index, QuorumSet(0), vote) for n in heard)
    return SlotState(slot_index=slot_index, node_id=NODES[0], msgs=msgs, **fields)


@pytest.fixture
def watch():
    return SlotWatch(QUORUM_SET, 60)


def test_named_after_the_time_and_not_before(watch):
    assert watch.look(state(voted=(VALUE,)), [], 100) is None
    assert watch.look(state(voted=(VALUE,)), [], 159.9) is None
    found = watch.look(state(voted=(VALUE,)), [], 160)
    assert (found.slot_index, found.stuck_s) == (7, 60)
    assert found.not_heard_from == (NODES[3], NODES[4])
    assert found.diagnosis.missing == (NODES[3], NODES[4])
    assert found.to_json() == {
        "slot_index": 7,
        "seconds_without_progress": 60,
        "reached": "voted",
        "waiting_for": [
            "accept nomination of v1 lacks 1 of node3.test:8443, node4.test:8443 "
            "(has node1.test:8443, node2.test:8443)",
            "not heard from: node3.test:8443, node4.test:8443",
        ],
        "missing_votes_of": ["node3.test:8443", "node4.test:8443"],
        "not_heard_from": ["node3.test:8443", "node4.test:8443"],
        "held_back_for_transactions": [],
    }


def test_a_rung_is_progress_and_a_counter_is_not(watch):
    watch.look(state(voted=(VALUE,)), [], 0)
    one, two = Ballot(1, (VALUE,)), Ballot(2, (VALUE,))
    assert watch.look(state(accepted=(VALUE,), ballot=one), [], 59) is None
    assert watch.look(state(accepted=(VALUE,), ballot=two), [], 118) is None
    assert (
        watch.look(state(accepted=(VALUE,), ballot=two), [], 119).diagnosis.rung is Rung.BALLOTING
    )


def test_the_next_slot_begins_anew(watch):
    watch.look(state(voted=(VALUE,)), [], 0)
    assert watch.look(state(8, voted=(VALUE,)), [], 61) is None
    assert watch.look(state(8, voted=(VALUE,)), [], 121) is not None


def test_an_idle_slot_is_not_stuck(watch):
    for now in (0, 1_000):
        assert watch.look(state(heard=()), [], now) is None
    assert watch.look(state(heard=(), proposed=(VALUE,)), [], 1_001) is None
    assert watch.look(state(heard=(), proposed=(VALUE,)), [], 1_061) is not None


def test_no_slot_while_catching_up(watch):
    watch.look(state(voted=(VALUE,)), [], 0)
    assert watch.look(None, [], 100) is None
    assert watch.look(state(voted=(VALUE,)), [], 101) is None


def test_statements_that_wait_for_transactions_were_heard(watch):
    """The cause is what is missing here, not the peer."""
    watch.look(state(heard=()), [NODES[3]], 0)
    found = watch.look(state(heard=()), [NODES[3]], 60)
    assert NODES[3] not in found.not_heard_from
    assert found.to_json()["held_back_for_transactions"] == ["node3.test:8443"]
    assert "transactions that statements of node3.test:8443 name are not here yet" in (
        found.waiting_for
    )


class View:
    slot = None

    def current_slot(self):
        return self.slot

    def held_back(self):
        return []


def test_the_monitor_tells_once_per_episode(watch):
    view, registry, now = View(), CollectorRegistry(), [0.0]
    monitor = StuckSlotMonitor(watch, view, OpMetrics("scp", registry), lambda: now[0])

    def look(at, slot):
        now[0], view.slot = at, slot
        with structlog.testing.capture_logs() as logs:
            monitor.look()
        return [(entry["log_level"], entry["event"]) for entry in logs]

    stuck, moved = state(voted=(VALUE,)), state(accepted=(VALUE,))
    assert look(0, stuck) == []
    assert look(60, stuck) == [("warning", "slot is stuck")]
    assert look(90, stuck) == []
    assert monitor.stuck.stuck_s == 90
    assert 'scp_gauge{op="cur_slot_stuck_seconds"} 90' in registry_text(registry)
    assert look(91, moved) == [("info", "slot is stuck no longer")]
    assert monitor.stuck is None
    assert 'scp_gauge{op="cur_slot_stuck_seconds"} 0' in registry_text(registry)
    assert look(151, moved) == [("warning", "slot is stuck")]
    assert 'scp{op="slots_stuck_count"} 2' in registry_text(registry)
