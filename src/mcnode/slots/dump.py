"""The network's own format of a slot, `--scp-debug-dump`, as a record and back.

A dump tells less than a record: statements one at a time, no answers of the application, no timers
that led to nothing. Dumps come from nodes, whose values are consensus values, and from the
network's simulations, whose values are bare transaction hashes; both are read.
[docs/protocol/scp.md#8]
"""

import dataclasses
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from mcnode.codec.cbor import CborError, IntArray, Mapped, Shape, from_bytes
from mcnode.errors import InvalidError
from mcnode.peers.consensus_value import ConsensusValue, tx_hash_value
from mcnode.peers.value_wire import TX_HASH_BYTES, VALUE_SHAPE
from mcnode.scp import Msg, SlotState, Timing
from mcnode.scp.debug import (
    CUR_SLOT,
    SLOT_STATES,
    ClearFolder,
    DumpRecorder,
    Entry,
    FileAction,
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
    read_state,
    slot_state_shape,
)
from mcnode.scp.types import Externalize
from mcnode.slots.events import (
    FORMAT_VERSION,
    Heard,
    Outcome,
    Proposed,
    Remark,
    SlotEvent,
    SlotRecord,
    SlotRecordError,
    SlotStart,
    TimersFired,
)
from mcnode.slots.replay import SlotPlayer, Step, replay

ENTRIES_MAX: Final = 100_000
"""Files of one dump that are read."""
SILENT_TIMERS_AFTER_MS: Final = (None, 0, 50)
"""Readings that are tried, the one that replays furthest counts: a node may look at its timers
before or after what comes in, and in a simulation by hand not at all."""
_BARE_HASH: Shape[ConsensusValue] = Mapped(
    IntArray(TX_HASH_BYTES), tx_hash_value, lambda value: value.content
)
_VALUE_SHAPES: Final = (VALUE_SHAPE, _BARE_HASH)
_ENTRY_SHAPES = [log_entry_shape(shape) for shape in _VALUE_SHAPES]
_STATE_SHAPES = [slot_state_shape(shape) for shape in _VALUE_SHAPES]

_TIMING = Timing(restart_ballot_timer=False)
"""A dump does not say; the network's own software lets a ballot timer run on."""


class DirectoryNotEmpty(InvalidError):
    """A dump is written into a directory of its own."""


def is_dump(directory: Path) -> bool:
    """Whether a directory looks like a debug dump."""
    return (directory / CUR_SLOT).is_dir()


def read_dump(directory: Path) -> SlotRecord:
    """The slot in the log of a dump.

    Raises:
        SlotRecordError: the files are no such log.
        OSError: they cannot be read.
    """
    paths = sorted((directory / CUR_SLOT).iterdir())
    if len(paths) > ENTRIES_MAX:
        raise SlotRecordError(f"dump has {len(paths)} entries, limit {ENTRIES_MAX}")
    return record_of([path.read_bytes() for path in paths])


def read_states(directory: Path) -> list[SlotState[ConsensusValue]]:
    """The slots whose state a dump holds, ascending.

    Raises:
        SlotRecordError: a file is no state.
        OSError: they cannot be read.
    """
    folder = directory / SLOT_STATES
    paths = sorted(folder.glob("*.json")) if folder.is_dir() else []
    return [_read_state(path) for path in paths]


def _read_state(path: Path) -> SlotState[ConsensusValue]:
    text = path.read_text(encoding="utf-8", errors="replace")
    error: InvalidError | None = None
    for shape in _STATE_SHAPES:
        try:
            return read_state(text, shape)
        except InvalidError as found:
            error = error or found
    raise SlotRecordError(f"{path.name}: {error}")


def record_of(files: Sequence[bytes]) -> SlotRecord:
    """The record of a log, from its files in order. Raises `SlotRecordError`."""
    logged = _read_entries(files)
    if not logged or not isinstance(logged[0].entry, NodeSettings):
        raise SlotRecordError("the dump does not begin with NodeSettings: whose slot is not known")
    settings = logged[0].entry
    start = SlotStart(
        FORMAT_VERSION,
        settings.node_id,
        settings.quorum_set,
        settings.slot_index,
        _TIMING,
        logged[0].msec_since_start,
        0,
    )
    bare = SlotRecord(start, (), is_dump=True)
    readings = [
        _reading(dataclasses.replace(bare, silent_timers_after_ms=after_ms), logged[1:])
        for after_ms in SILENT_TIMERS_AFTER_MS
    ]
    return max(readings, key=_replays_until)


def _reading(bare: SlotRecord, logged: Iterable[LogEntry[ConsensusValue]]) -> SlotRecord:
    return dataclasses.replace(bare, events=tuple(_with_outcome(_settled(bare, logged))))


def _settled(bare: SlotRecord, logged: Iterable[LogEntry[ConsensusValue]]) -> Iterable[SlotEvent]:
    """The events, each with what it led to.

    A message may be logged some entries behind the one that led to it: which that is is seen by
    playing them. What the slot does not say now goes with the last event before it.
    """
    player = SlotPlayer(bare)
    for events, sent in _segments(logged):
        waiting = list(sent)
        for position, event in enumerate(events, 1):
            player.fire_silent_timers(event)
            expected = event.outcome
            if expected.sent is None and waiting:
                expected = Outcome(sent=waiting[0])
            settled = dataclasses.replace(event, outcome=expected)
            is_said = player.play(settled).sent is not None or position == len(events)
            if event.outcome.sent is None and waiting and is_said:
                waiting.pop(0)
                yield settled
            else:
                yield event
        if waiting:
            raise SlotRecordError(f"the dump has {len(waiting)} messages that no entry led to")


def _segments(
    logged: Iterable[LogEntry[ConsensusValue]],
) -> Iterable[tuple[list[SlotEvent], list[Msg[ConsensusValue]]]]:
    """Events, and what was sent behind them."""
    events: list[SlotEvent] = []
    sent: list[Msg[ConsensusValue]] = []
    for each in logged:
        if isinstance(each.entry, OutgoingMsg):
            sent.append(each.entry.msg)
            continue
        if sent:
            yield events, sent
            events, sent = [], []
        events.append(_event_of(each))
    yield events, sent


def _replays_until(record: SlotRecord) -> int:
    """The number of the first step that differs, or of one behind the last."""
    differing = (step.number for step in replay(record) if step.difference is not None)
    return next(differing, len(record.events) + 1)


def _read_entries(files: Sequence[bytes]) -> list[LogEntry[ConsensusValue]]:
    error: CborError | None = None
    for shape in _ENTRY_SHAPES:
        try:
            return [from_bytes(shape, data) for data in files]
        except CborError as found:
            error = error or found
    raise SlotRecordError(f"not the log of a debug dump: {error}")


def _event_of(logged: LogEntry[ConsensusValue]) -> SlotEvent:
    tick = logged.msec_since_start
    match logged.entry:
        case Proposal(values=values):
            return SlotEvent(tick, Proposed(values))
        case IncomingMsg(msg):
            return SlotEvent(tick, Heard((msg,)))
        case ProcessTimeouts(msgs):
            sent = msgs[-1] if msgs else None
            return SlotEvent(tick, TimersFired(), outcome=Outcome(sent=sent))
        case Marker(text):
            return SlotEvent(tick, Remark(text))
        case NodeSettings():
            raise SlotRecordError("the dump has NodeSettings twice")
        case OutgoingMsg():
            raise AssertionError("outgoing messages belong to the entry before")


def _with_outcome(events: Iterable[SlotEvent]) -> Iterable[SlotEvent]:
    """The first Externalize that is sent tells the slot's outcome."""
    is_decided = False
    for event in events:
        sent = event.outcome.sent
        if is_decided or sent is None or not isinstance(sent.topic, Externalize):
            yield event
            continue
        is_decided = True
        outcome = Outcome(sent=sent, externalized=sent.topic.commit.values)
        yield dataclasses.replace(event, outcome=outcome)


def write_dump(directory: Path, record: SlotRecord, steps: Iterable[Step]) -> None:
    """Write a slot as a dump; `steps` are those of its replay.

    Statements that the node took in as one batch are logged one after another, as they arrived, and
    what it said to the batch behind the last one.

    Raises:
        DirectoryNotEmpty: there is something already.
        OSError: the directory cannot be written.
    """
    if directory.exists() and any(directory.iterdir()):
        raise DirectoryNotEmpty(f"{directory} is not empty: name a new directory for the dump")
    for folder in (CUR_SLOT, SLOT_STATES):
        (directory / folder).mkdir(parents=True, exist_ok=True)
    start = record.start
    recorder = DumpRecorder(start.node_id, start.quorum_set, VALUE_SHAPE)
    for step in steps:
        for entry in _entries_of(step):
            for change in recorder.record(entry, start.slot_index, step.tick, step.state):
                apply(directory, change)


def _entries_of(step: Step) -> list[Entry[ConsensusValue]]:
    if step.event is None:
        return []
    sent = step.outcome.sent
    said: list[Entry[ConsensusValue]] = [] if sent is None else [OutgoingMsg(sent)]
    match step.event.input:
        case Proposed(values):
            return [Proposal(step.state.slot_index, values), *said]
        case Heard(msgs):
            return [*map(IncomingMsg, msgs), *said]
        case TimersFired():
            return [] if sent is None else [ProcessTimeouts((sent,))]
        case Remark(text):
            return [Marker(text)]
        case _:
            return [Marker("the node left the slot: it caught up")]


def apply(directory: Path, change: FileAction) -> None:
    """Perform one change of a dump's files. Raises `OSError`."""
    match change:
        case ClearFolder(path):
            folder = directory / path
            shutil.rmtree(folder)
            folder.mkdir()
        case WriteFile(path, data):
            (directory / path).write_bytes(data)
        case RemoveFile(path):
            (directory / path).unlink(missing_ok=True)
