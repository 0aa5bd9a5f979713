"""The network's own format, both ways; genuine dumps among it."""

import dataclasses
import gzip
import json
from pathlib import Path

import pytest

from mcnode.codec.cbor import to_bytes
from mcnode.consensus.debug_dump import RecordingNode, start_dump
from mcnode.peers.value_wire import VALUE_SHAPE
from mcnode.scp.debug import LogEntry, Marker, OutgoingMsg, log_entry_shape
from mcnode.slots.dump import (
    DirectoryNotEmpty,
    is_dump,
    read_dump,
    read_states,
    record_of,
    write_dump,
)
from mcnode.slots.events import Heard, SlotRecordError
from mcnode.slots.replay import replay

GENUINE = Path(__file__).parents[2] / "vectors" / "scp" / "genuine" / "debug_dump.jsonl.gz"


def genuine_cases():
    with gzip.open(GENUINE, "rt") as file:
        return [case for case in map(json.loads, file) if "files" in case]


def unpack(case, directory):
    """The files of a genuine dump."""
    for each in case["files"]:
        path = directory / each["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes.fromhex(each["hex"]))
    return directory


def differences(record):
    return [(step.number, step.difference) for step in replay(record) if step.difference]


@pytest.mark.parametrize("case", genuine_cases(), ids=lambda case: case["id"])
def test_genuine_dumps_replay(case, tmp_path):
    record = read_dump(unpack(case, tmp_path))
    assert record.is_dump
    assert differences(record) == []
    assert record.externalized is not None
    states = read_states(tmp_path)
    [written] = [s for s in states if s.slot_index == record.start.slot_index]
    *_, last = replay(record)
    assert set(written.accepted) == set(last.state.accepted)
    assert written.phase == last.state.phase


def test_a_record_as_a_dump_and_back(make_mesh, tmp_path):
    decided = make_mesh(4, 2)
    for number in decided.numbers:
        decided.propose(number, 1, 2, 3)
    decided.run(3_000)
    for number in decided.numbers:
        record = decided.record(number)
        directory = tmp_path / str(number)
        write_dump(directory, record, replay(record))
        assert is_dump(directory)
        found = read_dump(directory)
        assert found.start.node_id == record.start.node_id
        assert found.start.quorum_set == record.start.quorum_set
        assert found.externalized == record.externalized
        assert [event.input for event in found.events if isinstance(event.input, Heard)] == [
            event.input for event in record.events if isinstance(event.input, Heard)
        ]
        assert differences(found) == []
        [state] = read_states(directory)
        assert set(state.msgs) == set(decided.nodes[number].slot_state(7).msgs)


def test_what_scp_debug_dump_writes_is_read(decided, make_mesh, tmp_path):
    """The option's own writer, around a recorded node; its dump tells the same slot."""
    mesh = make_mesh(4, 2)
    writer = start_dump(tmp_path / "dump", mesh.nodes[1], 0)
    mesh.nodes[1] = RecordingNode(mesh.nodes[1], writer)
    for number in mesh.numbers:
        mesh.propose(number, 1, 2)
    mesh.run(3_000)
    writer.close()
    found = read_dump(tmp_path / "dump")
    record = mesh.record(1)
    assert differences(found) == differences(record) == []
    assert found.externalized == record.externalized


def test_a_silent_round_of_nomination_is_made_up_for(stuck, tmp_path):
    """Timers that led to nothing are not in a dump, yet the leader that they brought counts."""
    record = stuck.record(1)
    write_dump(tmp_path, record, replay(record))
    found = read_dump(tmp_path)
    assert found.silent_timers_after_ms == 0
    assert differences(found) == []


def test_into_a_directory_that_is_in_use(decided, tmp_path):
    (tmp_path / "something").touch()
    record = decided.record(1)
    with pytest.raises(DirectoryNotEmpty, match="is not empty"):
        write_dump(tmp_path, record, replay(record))


def entries(*things):
    shape = log_entry_shape(VALUE_SHAPE)
    return [to_bytes(shape, LogEntry(0, thing)) for thing in things]


def test_no_settings():
    """A dump of slot 0 by the network's software has none."""
    with pytest.raises(SlotRecordError, match="does not begin with NodeSettings"):
        record_of(entries(Marker("hello")))
    with pytest.raises(SlotRecordError, match="does not begin with NodeSettings"):
        record_of([])


def test_a_message_that_nothing_led_to(decided, tmp_path):
    record = decided.record(1)
    write_dump(tmp_path, record, replay(record))
    files = [path.read_bytes() for path in sorted((tmp_path / "cur-slot").iterdir())]
    sent = next(event.outcome.sent for event in record.events if event.outcome.sent is not None)
    with pytest.raises(SlotRecordError, match="1 messages that no entry led to"):
        record_of([files[0], *entries(OutgoingMsg(sent))])
    with pytest.raises(SlotRecordError, match="NodeSettings twice"):
        record_of([files[0], files[0]])


def test_a_forged_answer_is_seen(decided, tmp_path):
    record = decided.record(1)
    write_dump(tmp_path, record, replay(record))
    found = read_dump(tmp_path)
    number = next(n for n, event in enumerate(found.events) if event.outcome.sent is not None)
    events = list(found.events)
    other = events[-1].outcome
    events[number] = dataclasses.replace(events[number], outcome=other)
    assert differences(dataclasses.replace(found, events=tuple(events)))[0][0] == number + 1


@pytest.mark.parametrize("data", [b"", b"\x00", b"\xa1"])
def test_no_log(data):
    with pytest.raises(SlotRecordError, match="not the log of a debug dump"):
        record_of([data])


def test_no_state(tmp_path):
    (tmp_path / "slot-states").mkdir()
    (tmp_path / "slot-states" / "00000007.json").write_text("{}")
    with pytest.raises(SlotRecordError, match=r"00000007\.json: not a slot state"):
        read_states(tmp_path)
    assert read_states(tmp_path / "nowhere") == []
