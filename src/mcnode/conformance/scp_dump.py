"""Genuine debug dumps: read, replayed, written again."""

import dataclasses
import json
import re
from pathlib import PurePosixPath
from typing import Any

from mcnode.codec.cbor import IntArray, Shape, from_bytes, to_bytes
from mcnode.conformance.scp_notation import NODES
from mcnode.conformance.scp_traces import TIMING
from mcnode.conformance.vectors import Report, VectorFile, expect, expect_equal, runs
from mcnode.scp import Msg, Node, Send, SlotState
from mcnode.scp.debug import (
    CUR_SLOT,
    DumpRecorder,
    Entry,
    IncomingMsg,
    LogEntry,
    NodeSettings,
    OutgoingMsg,
    ProcessTimeouts,
    Proposal,
    WriteFile,
    log_entry_shape,
    read_state,
    rotated_name,
    slot_state_shape,
    write_state,
)

_TX_HASH: Shape[bytes] = IntArray(32)
_ENTRY = log_entry_shape(_TX_HASH)
_STATE = slot_state_shape(_TX_HASH)
_VALUES_MAX = 5000


@runs("scp", r"genuine[^/]*/debug_dump[^/]*\.jsonl")
def debug_dump(file: VectorFile, report: Report) -> None:
    """Every file of each dump; the log of the last slot, replayed, gives its messages and state."""
    for case in file.json_lines():
        with report.case(case["id"]):
            if "directory_names" in case:
                _check_names(case["directory_names"])
            elif "files" in case:
                _check_dump(case)
            else:
                data = bytes.fromhex(case["hex"])
                logged = _read_entry(data)
                expect_equal("time", logged.msec_since_start, case["msec_since_start"])


def _check_names(names: list[str]) -> None:
    for name in names:
        plain, _, digits = name.partition(".")
        if digits:
            count = re.fullmatch(r"<(\d+) digits>", digits)
            expect(count is not None, f"{digits} does not count digits")
            shown = rotated_name(plain, 1_700_000_000).removeprefix(f"{plain}.")
            expect_equal("digits", len(shown), int(count.group(1) if count else 0))


def _read_entry(data: bytes) -> LogEntry[bytes]:
    logged = from_bytes(_ENTRY, data)
    expect_equal("written again", to_bytes(_ENTRY, logged).hex(), data.hex())
    return logged


def _check_dump(case: dict[str, Any]) -> None:
    log: list[tuple[str, bytes]] = []
    states: dict[int, SlotState[bytes]] = {}
    for each in case["files"]:
        path, data = PurePosixPath(each["path"]), bytes.fromhex(each["hex"])
        if path.parent.name == CUR_SLOT:
            log.append((each["path"], data))
        else:
            state = read_state(data.decode(), _STATE)
            states[int(path.stem)] = state
            expect_equal("state's slot", state.slot_index, int(path.stem))
            theirs = json.loads(json.loads(data))
            expect_equal("state written", json.loads(write_state(state, _STATE)), theirs)
            expect_equal("keys", list(json.loads(write_state(state, _STATE))), list(theirs))
    _replay(sorted(log), states, NODES[case["self"]], NODES.quorum_set(case["qs"]))


def _combine(values: Any) -> list[bytes]:
    return sorted(set(values))[:_VALUES_MAX]


def _replay(
    log: list[tuple[str, bytes]],
    states: dict[int, SlotState[bytes]],
    node_id: Any,
    quorum_set: Any,
) -> None:
    """Feed the log to a node and a recorder: same messages, same files, same last state.

    The state file is from the moment when the last entry was logged, and a message is logged before
    the node sees it.
    """
    entries = [_read_entry(data) for _, data in log]
    settings = entries[0].entry
    expect(isinstance(settings, NodeSettings), "the log does not begin with settings")
    assert isinstance(settings, NodeSettings)
    expect_equal("node", settings.node_id, node_id)
    expect_equal("quorum set", settings.quorum_set.members, quorum_set.members)
    slot_index = settings.slot_index
    node: Node[bytes] = Node(
        node_id, quorum_set, lambda value: None, _combine, slot_index=slot_index, timing=TIMING
    )
    recorder = DumpRecorder(node_id, quorum_set, _TX_HASH)
    files: dict[str, bytes] = {}
    waiting: list[Msg[bytes]] = []
    logged_state = None
    for logged in entries[1:]:
        logged_state = node.slot_state(slot_index)
        waiting += _feed(node, logged, waiting)
        state = node.slot_state(slot_index)
        changes = recorder.record(logged.entry, slot_index, logged.msec_since_start, state)
        files |= {change.path: change.data for change in changes if isinstance(change, WriteFile)}
    expect_equal("messages never logged", waiting, [])
    written = {path: data for path, data in files.items() if path.startswith(CUR_SLOT)}
    expect_equal("log written again", written, dict(log))
    if slot_index in states:
        assert logged_state is not None
        found, expected = _unordered(logged_state), _unordered(states[slot_index])
        for field, value in found.items():
            expect_equal(f"{field} after the log", value, expected[field])


def _feed(
    node: Node[bytes], logged: LogEntry[bytes], waiting: list[Msg[bytes]]
) -> list[Msg[bytes]]:
    """Do what an entry says; returns what the node sends, for the entries to come to confirm."""
    entry: Entry[bytes] = logged.entry
    now = logged.msec_since_start
    match entry:
        case Proposal(values=values):
            return [a.msg for a in node.propose(values, now) if isinstance(a, Send)]
        case IncomingMsg(msg):
            return [a.msg for a in node.handle([msg], now) if isinstance(a, Send)]
        case OutgoingMsg(msg):
            expect(bool(waiting), f"logged {msg.topic}, sent nothing")
            expect_equal("sent", waiting.pop(0), msg)
        case ProcessTimeouts(msgs):
            sent = [a.msg for a in node.handle_timers(now) if isinstance(a, Send)]
            expect_equal("sent by timers", tuple(sent), msgs)
    return []


def _unordered(state: SlotState[bytes]) -> dict[str, object]:
    """A state by its fields, with what has no order brought into one."""
    fields = {field.name: getattr(state, field.name) for field in dataclasses.fields(state)}
    del fields["nomination_deadline"], fields["ballot_deadline"]
    fields["msgs"] = sorted(state.msgs, key=lambda msg: msg.sender_id)
    fields["leaders"] = sorted(state.leaders)
    for values in ("proposed", "voted", "accepted", "confirmed", "valid_values"):
        fields[values] = sorted(getattr(state, values))
    return fields
