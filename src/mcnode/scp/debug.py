"""The debug dump of `--scp-debug-dump`: what happened in the current slot, and states of slots.

    cur-slot/00000000, 00000001, …   one CBOR `LogEntry` each, the first tells whose slot it is
    slot-states/00000007.json        state of slot 7 after its last entry; the ten newest are kept

`DumpRecorder` turns events into changes of files, for the shell to perform; `read_state` and the
shapes read a dump back, also one written by the network's own software, whose state files hold the
JSON once more as a JSON string. [docs/protocol/scp.md#8]
"""

import dataclasses
import json
from collections.abc import Iterable
from typing import Any, Generic, TypeAlias

from mcnode.codec.cbor import (
    TEXT,
    U32,
    U64,
    CborError,
    Enum,
    Item,
    Mapped,
    Member,
    Option,
    Seq,
    Shape,
    Struct,
    TupleStruct,
    Variant,
    to_bytes,
)
from mcnode.errors import InvalidError
from mcnode.scp.ballot import Phase
from mcnode.scp.quorum_set import QuorumSet
from mcnode.scp.state import SlotState
from mcnode.scp.types import Msg, NodeID, SlotIndex, V
from mcnode.scp.wire import ballot_shape, msg_shape, node_id_shape, quorum_set_shape

SLOT_STATES_MAX = 10
"""State files kept."""

CUR_SLOT = "cur-slot"
SLOT_STATES = "slot-states"

# -- entries -------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, slots=True)
class NodeSettings:
    """Whose slot this is; the first entry."""

    node_id: NodeID
    quorum_set: QuorumSet[NodeID]
    slot_index: SlotIndex


@dataclasses.dataclass(frozen=True, slots=True)
class IncomingMsg(Generic[V]):
    """A message of a peer, as handed to the node."""

    msg: Msg[V]


@dataclasses.dataclass(frozen=True, slots=True)
class OutgoingMsg(Generic[V]):
    """A message that the node sent because of the entry before."""

    msg: Msg[V]


@dataclasses.dataclass(frozen=True, slots=True)
class Proposal(Generic[V]):
    """Values that the node proposed (`Nominate` in the file)."""

    slot_index: SlotIndex
    values: tuple[V, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class ProcessTimeouts(Generic[V]):
    """Messages that the node sent because timers fired."""

    msgs: tuple[Msg[V], ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Marker:
    """A free remark."""

    text: str


Entry: TypeAlias = (
    NodeSettings | IncomingMsg[V] | OutgoingMsg[V] | Proposal[V] | ProcessTimeouts[V] | Marker
)


@dataclasses.dataclass(frozen=True, slots=True)
class LogEntry(Generic[V]):
    """An entry with the milliseconds since the slot's first."""

    msec_since_start: int
    entry: Entry[V]


def log_entry_shape(value: Shape[V]) -> Shape[LogEntry[V]]:
    """One file of `cur-slot`."""
    msg = msg_shape(value)
    settings = TupleStruct(
        NodeSettings,
        Member("node_id", node_id_shape()),
        Member("quorum_set", quorum_set_shape()),
        Member("slot_index", U64),
    )
    proposal: Shape[Proposal[V]] = TupleStruct(
        Proposal, Member("slot_index", U64), Member("values", Seq(value))
    )
    entry: Shape[Entry[V]] = Enum(
        Variant("NodeSettings", NodeSettings, settings),
        Variant("IncomingMsg", IncomingMsg, Mapped(msg, IncomingMsg, lambda e: e.msg)),
        Variant("OutgoingMsg", OutgoingMsg, Mapped(msg, OutgoingMsg, lambda e: e.msg)),
        Variant("Nominate", Proposal, proposal),
        Variant(
            "ProcessTimeouts",
            ProcessTimeouts,
            Mapped(Seq(msg), ProcessTimeouts, lambda e: e.msgs),
        ),
        Variant("Marker", Marker, Mapped(TEXT, Marker, lambda e: e.text)),
    )
    return Struct(LogEntry, Member("msec_since_start", U64), Member("msg", entry, "entry"))


# -- states --------------------------------------------------------------------------------------

_PHASE_NAMES = {
    Phase.NOMINATE_PREPARE: "NominatePrepare",
    Phase.PREPARE: "Prepare",
    Phase.COMMIT: "Commit",
    Phase.EXTERNALIZE: "Externalize",
}
_PHASES = {name: phase for phase, name in _PHASE_NAMES.items()}


def _phase_named(name: str) -> Phase:
    try:
        return _PHASES[name]
    except KeyError:
        raise CborError(f"unknown phase {name!r}") from None


def slot_state_shape(value: Shape[V]) -> Shape[SlotState[V]]:
    """A slot's state, keys in the order of the file."""
    values = Seq(value)
    ballot = ballot_shape(value)
    msg = msg_shape(value)
    return Struct(
        SlotState,
        Member("slot_index", U64),
        Member("node_id", node_id_shape()),
        Member("M", Seq(msg), "msgs"),
        Member("W", values, "proposed"),
        Member("X", values, "voted"),
        Member("Y", values, "accepted"),
        Member("Z", values, "confirmed"),
        Member("B", ballot, "ballot"),
        Member("P", Option(ballot), "prepared"),
        Member("PP", Option(ballot), "prepared_prime"),
        Member("H", Option(ballot), "high"),
        Member("C", Option(ballot), "commit"),
        Member("phase", Mapped(TEXT, _phase_named, _PHASE_NAMES.__getitem__)),
        Member("last_sent_msg", Option(msg), "last_sent"),
        Member("max_priority_peers", Seq(node_id_shape()), "leaders"),
        Member("nominate_round", U32, "nomination_round"),
        Member("valid_values", values),
    )


class DumpError(InvalidError):
    """A dump file cannot be read."""


def write_state(state: SlotState[V], shape: Shape[SlotState[V]]) -> str:
    """The JSON of a state file."""
    return json.dumps(_to_json(shape.write(state)), separators=(",", ":"))


def read_state(text: str, shape: Shape[SlotState[V]]) -> SlotState[V]:
    """The state in a file, plain or encoded twice.

    Raises:
        DumpError: it is no such file.
    """
    try:
        read = json.loads(text)
        if isinstance(read, str):
            read = json.loads(read)
        return shape.read(_from_json(read))
    except (ValueError, RecursionError, CborError) as error:
        raise DumpError(f"not a slot state: {error}") from error


def _to_json(item: Item) -> Any:
    """An item as JSON: maps are objects, byte strings arrays of numbers."""
    if isinstance(item, tuple):
        return {key: _to_json(value) for key, value in item}
    if isinstance(item, bytes | list):
        return [_to_json(element) for element in item]
    return item


def _from_json(read: Any) -> Item:
    if isinstance(read, dict):
        return tuple((key, _from_json(value)) for key, value in read.items())
    if isinstance(read, list):
        return [_from_json(element) for element in read]
    return read


def quorum_set_to_json(quorum_set: QuorumSet[NodeID]) -> Any:
    """A quorum set over node ids as a JSON value. [docs/protocol/scp.md#2.8]"""
    return _to_json(quorum_set_shape().write(quorum_set))


# -- writing a dump ------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, slots=True)
class ClearFolder:
    """Remove all files of a folder of the dump."""

    path: str


@dataclasses.dataclass(frozen=True, slots=True)
class WriteFile:
    """Write a file of the dump, over an older one."""

    path: str
    data: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class RemoveFile:
    """Remove a file of the dump."""

    path: str


FileAction: TypeAlias = ClearFolder | WriteFile | RemoveFile


def rotated_name(name: str, unix_seconds: int) -> str:
    """What an older dump's folder is renamed to."""
    return f"{name}.{unix_seconds}"


class DumpRecorder(Generic[V]):
    """Turns what happens to a node into changes of the dump's files. Pure.

    `record` is called for each entry in turn, with the slot it is about and the slot's state
    afterwards. An entry about a higher slot than before empties the log and begins it anew with
    `NodeSettings`; one about a lower slot is not logged.
    """

    def __init__(self, node_id: NodeID, quorum_set: QuorumSet[NodeID], value: Shape[V]) -> None:
        self._node_id = node_id
        self._quorum_set = quorum_set
        self._entry_shape = log_entry_shape(value)
        self._state_shape = slot_state_shape(value)
        self._slot_index: SlotIndex | None = None
        self._count = 0
        self._start_ms = 0
        self._states: list[SlotIndex] = []

    def record(
        self, entry: Entry[V], slot_index: SlotIndex, now_ms: int, state: SlotState[V] | None
    ) -> list[FileAction]:
        """The changes for one entry."""
        changes: list[FileAction] = []
        if self._slot_index is None or slot_index > self._slot_index:
            changes.append(ClearFolder(CUR_SLOT))
            self._slot_index, self._count, self._start_ms = slot_index, 0, now_ms
            settings = NodeSettings(self._node_id, self._quorum_set, slot_index)
            changes.append(self._write_entry(settings, now_ms))
        if slot_index < self._slot_index:
            return []
        changes.append(self._write_entry(entry, now_ms))
        if state is not None:
            changes.extend(self._write_state(state))
        return changes

    def _write_entry(self, entry: Entry[V], now_ms: int) -> WriteFile:
        path = f"{CUR_SLOT}/{self._count:08d}"
        self._count += 1
        logged = LogEntry(now_ms - self._start_ms, entry)
        return WriteFile(path, to_bytes(self._entry_shape, logged))

    def _write_state(self, state: SlotState[V]) -> Iterable[FileAction]:
        text = write_state(state, self._state_shape)
        yield WriteFile(_state_path(state.slot_index), text.encode())
        if state.slot_index not in self._states:
            self._states.append(state.slot_index)
            if len(self._states) > SLOT_STATES_MAX:
                yield RemoveFile(_state_path(self._states.pop(0)))


def _state_path(slot_index: SlotIndex) -> str:
    return f"{SLOT_STATES}/{slot_index:08d}.json"
