"""Dump files. [docs/protocol/scp.md#8]"""

import dataclasses
import json

import pytest

from mcnode.codec.cbor import U32, from_bytes, to_bytes
from mcnode.scp import Ballot, Msg, NodeID, Phase, QuorumSet, SlotState
from mcnode.scp.debug import (
    SLOT_STATES_MAX,
    ClearFolder,
    DumpError,
    DumpRecorder,
    Entry,
    IncomingMsg,
    LogEntry,
    Marker,
    NodeSettings,
    OutgoingMsg,
    ProcessTimeouts,
    Proposal,
    RemoveFile,
    WriteFile,
    log_entry_shape,
    quorum_set_to_json,
    read_state,
    rotated_name,
    slot_state_shape,
    write_state,
)
from mcnode.scp.types import Nominate, NominatePayload

A, B = (NodeID(f"n{n}:0", n.to_bytes(32)) for n in (1, 2))
SET: QuorumSet[NodeID] = QuorumSet(1, (B,))
MSG: Msg[int] = Msg(B, 5, QuorumSet(1, (A,)), Nominate(NominatePayload((1,))))
ENTRY_SHAPE = log_entry_shape(U32)
STATE_SHAPE = slot_state_shape(U32)
STATE: SlotState[int] = SlotState(
    5,
    A,
    msgs=(MSG,),
    accepted=(1, 2),
    ballot=Ballot(3, (2, 1)),
    prepared=Ballot(3, (2, 1)),
    high=Ballot(2, (2, 1)),
    phase=Phase.PREPARE,
    leaders=(B,),
    nomination_round=4,
    valid_values=(1, 2),
)

ENTRIES: list[Entry[int]] = [
    NodeSettings(A, SET, 5),
    IncomingMsg(MSG),
    OutgoingMsg(MSG),
    Proposal(5, (2, 1)),
    ProcessTimeouts((MSG, MSG)),
    Marker("here"),
]


@pytest.mark.parametrize("entry", ENTRIES)
def test_entries_round_trip(entry: Entry[int]) -> None:
    logged = LogEntry(1234, entry)
    assert from_bytes(ENTRY_SHAPE, to_bytes(ENTRY_SHAPE, logged)) == logged


def test_states_are_plain_json_and_both_forms_are_read() -> None:
    text = write_state(STATE, STATE_SHAPE)
    shown = json.loads(text)
    assert list(shown) == [
        *("slot_index", "node_id", "M", "W", "X", "Y", "Z", "B", "P", "PP", "H", "C", "phase"),
        *("last_sent_msg", "max_priority_peers", "nominate_round", "valid_values"),
    ]
    assert shown["phase"] == "Prepare"
    assert shown["B"] == {"N": 3, "X": [2, 1]}
    assert shown["node_id"]["public_key"] == list(A.public_key)
    assert read_state(text, STATE_SHAPE) == STATE
    assert read_state(json.dumps(text), STATE_SHAPE) == STATE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '"x"',
        "{}",
        write_state(STATE, STATE_SHAPE).replace("Prepare", "Prepared"),
        write_state(STATE, STATE_SHAPE)[:-1],
        "[" * 100_000,
    ],
)
def test_what_is_no_state_is_refused(text: str) -> None:
    with pytest.raises(DumpError, match=r"^not a slot state: "):
        read_state(text, STATE_SHAPE)


def test_quorum_sets_as_json() -> None:
    key = list(B.public_key)
    assert quorum_set_to_json(QuorumSet(1, (B, QuorumSet(0)))) == {
        "threshold": 1,
        "members": [
            {"type": "Node", "args": {"responder_id": "n2:0", "public_key": key}},
            {"type": "InnerSet", "args": {"threshold": 0, "members": []}},
        ],
    }


def test_a_log_begins_with_settings_and_counts_time_from_there() -> None:
    recorder = DumpRecorder(A, SET, U32)
    changes = recorder.record(Proposal(5, (1,)), 5, 1000, STATE)
    assert [type(change) for change in changes] == [ClearFolder, WriteFile, WriteFile, WriteFile]
    changes += recorder.record(IncomingMsg(MSG), 5, 1037, None)
    files = {c.path: c.data for c in changes if isinstance(c, WriteFile)}
    assert list(files) == [
        "cur-slot/00000000",
        "cur-slot/00000001",
        "slot-states/00000005.json",
        "cur-slot/00000002",
    ]
    log = [from_bytes(ENTRY_SHAPE, files[f"cur-slot/0000000{n}"]) for n in range(3)]
    assert log == [
        LogEntry(0, NodeSettings(A, SET, 5)),
        LogEntry(0, Proposal(5, (1,))),
        LogEntry(37, IncomingMsg(MSG)),
    ]
    assert read_state(files["slot-states/00000005.json"].decode(), STATE_SHAPE) == STATE


def test_a_higher_slot_starts_over_and_a_lower_one_is_not_logged() -> None:
    recorder = DumpRecorder(A, SET, U32)
    recorder.record(Marker("a"), 5, 1000, None)
    changes = recorder.record(Marker("b"), 6, 2000, None)
    assert changes[0] == ClearFolder("cur-slot")
    last = changes[-1]
    assert isinstance(last, WriteFile)
    assert last.path == "cur-slot/00000001"
    assert from_bytes(ENTRY_SHAPE, last.data) == LogEntry(0, Marker("b"))
    assert recorder.record(Marker("c"), 5, 2001, STATE) == []


def test_only_the_newest_states_are_kept() -> None:
    recorder = DumpRecorder(A, SET, U32)
    removed = []
    for slot_index in range(5, 5 + SLOT_STATES_MAX + 2):
        state = dataclasses.replace(STATE, slot_index=slot_index)
        for _ in range(2):
            changes = recorder.record(Marker(""), slot_index, 0, state)
            removed += [change.path for change in changes if isinstance(change, RemoveFile)]
    assert removed == ["slot-states/00000005.json", "slot-states/00000006.json"]


def test_an_older_dump_is_named_by_the_second() -> None:
    assert rotated_name("dump", 1700000000) == "dump.1700000000"
