"""`--scp-debug-dump`: what the files say, how many there are, and what a broken disk does."""

import dataclasses
import os
import threading

import pytest
import structlog

from mcnode.codec.cbor import from_bytes
from mcnode.consensus import debug_dump
from mcnode.consensus.debug_dump import DumpWriter, RecordingNode, prepare_directory, start_dump
from mcnode.peers.value_wire import VALUE_SHAPE
from mcnode.scp import Ballot, Msg, Node, QuorumSet
from mcnode.scp.debug import (
    DumpRecorder,
    IncomingMsg,
    Marker,
    NodeSettings,
    OutgoingMsg,
    ProcessTimeouts,
    Proposal,
    log_entry_shape,
    read_state,
    slot_state_shape,
)
from mcnode.scp.types import Externalize, Nominate, NominatePayload

SHAPE = log_entry_shape(VALUE_SHAPE)


def entries(directory):
    """What `cur-slot` holds, in order."""
    files = sorted((directory / "cur-slot").iterdir())
    assert [file.name for file in files] == [f"{n:08d}" for n in range(len(files))]
    return [from_bytes(SHAPE, file.read_bytes()) for file in files]


def kinds(directory):
    return [type(logged.entry) for logged in entries(directory)]


@pytest.fixture
def node(world):
    return world.node


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "dump"


def says(world, author: int, topic, slot: int = 3) -> Msg:
    return Msg(world.node_id(author), slot, QuorumSet(1, (world.node_id(1),)), topic)


def votes(world, author: int, *numbers: int) -> Msg:
    return says(world, author, Nominate(NominatePayload(tuple(map(world.value, numbers)))))


def outcome(world, author: int) -> Msg:
    return says(world, author, Externalize(Ballot(1, (world.value(1),)), 1))


def test_what_goes_in_and_out_is_written_in_order(world, node, directory) -> None:
    writer = start_dump(directory, node, 1700000000)
    recorded = RecordingNode(node, writer)
    recorded.propose([world.value(1)], 1000)
    answer = recorded.handle([votes(world, 2, 1), votes(world, 3, 1), votes(world, 4, 1)], 1050)
    writer.close()
    logged = entries(directory)
    assert logged[0].entry == NodeSettings(world.node_id(1), world.quorum_set, 3)
    assert logged[1].entry == Proposal(3, (world.value(1),))
    assert [type(each.entry) for each in logged].count(IncomingMsg) == 3
    sent = [each.entry.msg for each in logged if isinstance(each.entry, OutgoingMsg)]
    assert sent == [action.msg for action in answer if hasattr(action, "msg")]
    assert sent
    assert [each.msec_since_start for each in logged] == sorted(
        each.msec_since_start for each in logged
    )
    assert logged[-1].msec_since_start == 50

    text = (directory / "slot-states" / "00000003.json").read_text()
    state = read_state(text, slot_state_shape(VALUE_SHAPE))
    assert state.last_sent == sent[-1]
    assert state.voted + state.accepted == (world.value(1),)


def test_a_recorded_node_gives_the_same_answers(world, node, directory) -> None:
    plain = Node(
        world.node_id(1), world.quorum_set, world.values.check, world.values.combine, slot_index=3
    )
    writer = start_dump(directory, node, 1)
    recorded = RecordingNode(node, writer)
    for each in (plain, recorded):
        each.propose([world.value(1)], 1000)
    assert recorded.next_deadline == plain.next_deadline
    assert recorded.handle_timers(2500) == plain.handle_timers(2500)
    assert recorded.metrics() == plain.metrics()
    assert recorded.handle([votes(world, 2, 1)], 2600) == plain.handle([votes(world, 2, 1)], 2600)
    assert recorded.slot_state(3) == plain.slot_state(3)
    for each in (plain, recorded):
        each.reset_slot_index(9)
    assert recorded.metrics() == plain.metrics()
    writer.close()


def test_timers_are_recorded_only_if_they_make_the_node_speak(world, node, directory) -> None:
    writer = start_dump(directory, node, 1)
    recorded = RecordingNode(node, writer)
    recorded.propose([world.value(1)], 1000)
    recorded.handle_timers(1001)
    sent = []
    for now in range(3000, 60_000, 3000):
        sent += [a for a in recorded.handle_timers(now) if hasattr(a, "msg")]
    writer.close()
    assert sent  # this node became the leader of a round
    assert kinds(directory).count(ProcessTimeouts) == len(sent)


def test_a_new_slot_begins_the_log_anew_and_states_are_kept(world, node, directory) -> None:
    writer = start_dump(directory, node, 1)
    recorded = RecordingNode(node, writer)
    recorded.handle([outcome(world, 2), outcome(world, 3)], 1000)
    assert node.slot_index == 4
    recorded.handle([says(world, 2, Nominate(NominatePayload((world.value(2),))), slot=4)], 1500)
    recorded.handle([outcome(world, 4)], 1600)  # about the slot before: not logged
    writer.close()
    assert kinds(directory) == [NodeSettings, IncomingMsg]
    assert entries(directory)[0].entry.slot_index == 4
    names = sorted(path.name for path in (directory / "slot-states").iterdir())
    assert names == ["00000003.json", "00000004.json"]


def test_an_older_dump_is_moved_aside(node, directory) -> None:
    (directory / "cur-slot").mkdir(parents=True)
    (directory / "cur-slot" / "00000000").write_bytes(b"old")
    start_dump(directory, node, 1700000000).close()
    moved = directory.with_name("dump.1700000000")
    assert (moved / "cur-slot" / "00000000").read_bytes() == b"old"
    assert list((directory / "cur-slot").iterdir()) == []


def test_a_directory_that_cannot_be_made_does_not_stop_the_node(node, tmp_path) -> None:
    (tmp_path / "file").touch()
    with structlog.testing.capture_logs() as logs:
        assert start_dump(tmp_path / "file" / "dump", node, 1) is None
    assert [entry["log_level"] for entry in logs] == ["error"]
    assert "--scp-debug-dump" in logs[0]["error"]


def test_a_broken_disk_is_logged_once_and_ends_the_dump(
    world, node, directory, monkeypatch
) -> None:
    writer = start_dump(directory, node, 1)
    recorded = RecordingNode(node, writer)

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(debug_dump, "apply", fail)
    with structlog.testing.capture_logs() as logs:
        for number in range(1, 5):
            recorded.propose([world.value(number)], 1000)
        writer.close()
    assert [entry["event"] for entry in logs] == ["scp debug dump ends here"]
    assert list((directory / "cur-slot").iterdir()) == []


def test_a_slow_disk_costs_entries_and_a_remark_says_so(
    world, node, directory, monkeypatch
) -> None:
    monkeypatch.setattr(debug_dump, "WAITING_MAX", 3)
    may_write = threading.Event()
    apply = debug_dump.apply

    def slow(*arguments):
        assert may_write.wait(20)
        apply(*arguments)

    monkeypatch.setattr(debug_dump, "apply", slow)
    prepare_directory(directory, 1)
    writer = DumpWriter(directory, DumpRecorder(node.local_id, node.quorum_set, VALUE_SHAPE))
    for number in range(8):  # the thread does not run yet: three are taken
        writer.record(Proposal(3, (world.value(number),)), 3, number, None)
    writer.start()
    may_write.set()
    while not writer._records.empty():
        os.sched_yield()
    writer.record(Proposal(3, (world.value(99),)), 3, 50, None)
    writer.close()
    remarks = [e.entry.text for e in entries(directory) if isinstance(e.entry, Marker)]
    assert remarks == ["5 entries are left out here: the disk is too slow"]
    assert entries(directory)[-1].entry.values == (world.value(99),)


def test_a_slot_without_end_does_not_fill_the_disk(world, node, directory, monkeypatch) -> None:
    monkeypatch.setattr(debug_dump, "ENTRIES_PER_SLOT_MAX", 3)
    writer = start_dump(directory, node, 1)
    for number in range(10):
        writer.record(Proposal(3, (world.value(number),)), 3, number, None)
    writer.record(Proposal(4, ()), 4, 20, None)
    for number in range(10):
        writer.record(Proposal(4, (world.value(number),)), 4, 21 + number, None)
    writer.close()
    assert kinds(directory) == [NodeSettings, Proposal, Proposal, Marker]
    assert entries(directory)[-1].entry.text == "nothing more of this slot: limit 3 entries"


def test_only_the_ten_newest_states_are_kept(world, node, directory) -> None:
    writer = start_dump(directory, node, 1)
    state = node.slot_state(3)
    for slot in range(3, 16):
        writer.record(Proposal(slot, ()), slot, slot, dataclasses.replace(state, slot_index=slot))
    writer.close()
    names = sorted(path.name for path in (directory / "slot-states").iterdir())
    assert names == [f"{slot:08d}.json" for slot in range(6, 16)]
