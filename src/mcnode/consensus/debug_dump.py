"""`--scp-debug-dump`: what happens to the agreement protocol, in files, for a debugger.

`RecordingNode` stands in for the node of the agreement protocol and tells a `DumpWriter` what goes
in and out. Encoding and writing happen on a thread of the writer, behind a bounded queue: a slow
disk costs entries, never time of consensus, and a broken one is logged once: a member of a quorum
does not go away over a debugging aid.

A recorded node takes statements one at a time, not in batches, so that a replay of the files makes
the same statements again. [docs/protocol/scp.md#8]
"""

import dataclasses
import queue
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import structlog

from mcnode.errors import UnavailableError
from mcnode.peers.consensus_value import ConsensusValue
from mcnode.peers.value_wire import VALUE_SHAPE
from mcnode.scp import Action, Msg, Send, SlotIndex, SlotState, Tick
from mcnode.scp.debug import (
    CUR_SLOT,
    SLOT_STATES,
    DumpRecorder,
    Entry,
    IncomingMsg,
    Marker,
    OutgoingMsg,
    ProcessTimeouts,
    Proposal,
    rotated_name,
)
from mcnode.slots.agreement_node import AgreementNode, SurroundedNode
from mcnode.slots.dump import apply

WAITING_MAX: Final = 1_000
"""Entries that wait to be written; beyond it new ones are left out, and a remark says how many."""
ENTRIES_PER_SLOT_MAX: Final = 10_000
"""A slot that goes on for ever, as one without a quorum does, must not fill the disk."""

log = structlog.get_logger("mcnode.consensus.debug_dump")


class DumpDirectoryError(UnavailableError):
    """The directory of the dump cannot be made."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Record:
    entry: Entry[ConsensusValue]
    slot_index: SlotIndex
    now_ms: Tick
    state: SlotState[ConsensusValue] | None


class DumpWriter:
    """Writes entries from a thread of its own; see `start_dump`."""

    def __init__(self, directory: Path, recorder: DumpRecorder[ConsensusValue]) -> None:
        self._directory = directory
        self._recorder = recorder
        self._records: queue.Queue[_Record | None] = queue.Queue(WAITING_MAX)
        self._left_out = 0
        self._slot_index: SlotIndex | None = None
        self._entries_of_slot = 0
        self._is_broken = False
        self._thread = threading.Thread(target=self._write_all, name="scp-debug-dump", daemon=True)

    def start(self) -> None:
        """Begin to write. The folders of the dump must be there."""
        self._thread.start()

    def record(
        self,
        entry: Entry[ConsensusValue],
        slot_index: SlotIndex,
        now_ms: Tick,
        state: SlotState[ConsensusValue] | None,
    ) -> None:
        """Queue an entry; never waits. What was left out before is remarked upon first."""
        if self._left_out:
            remark = Marker(f"{self._left_out} entries are left out here: the disk is too slow")
            if not self._put(_Record(remark, slot_index, now_ms, None)):
                self._left_out += 1
                return
            self._left_out = 0
        if not self._put(_Record(entry, slot_index, now_ms, state)):
            self._left_out += 1

    def close(self) -> None:
        """Write what waits, and end."""
        self._records.put(None)
        self._thread.join()

    def _put(self, record: _Record) -> bool:
        try:
            self._records.put_nowait(record)
        except queue.Full:
            return False
        return True

    # On the thread.

    def _write_all(self) -> None:
        while (record := self._records.get()) is not None:
            if not self._is_broken:
                self._write(record)

    def _write(self, record: _Record) -> None:
        if self._slot_index is None or record.slot_index > self._slot_index:
            self._slot_index, self._entries_of_slot = record.slot_index, 0
        self._entries_of_slot += 1
        if self._entries_of_slot > ENTRIES_PER_SLOT_MAX:
            return
        entry = record.entry
        if self._entries_of_slot == ENTRIES_PER_SLOT_MAX:
            entry = Marker(f"nothing more of this slot: limit {ENTRIES_PER_SLOT_MAX} entries")
        changes = self._recorder.record(entry, record.slot_index, record.now_ms, record.state)
        try:
            for change in changes:
                apply(self._directory, change)
        except OSError as error:
            self._is_broken = True
            log.error("scp debug dump ends here", directory=str(self._directory), error=str(error))


def start_dump(directory: Path, node: AgreementNode, unix_seconds: int) -> DumpWriter | None:
    """Begin a new dump of a node; None, and a record in the log, when the disk does not let us."""
    try:
        prepare_directory(directory, unix_seconds)
    except DumpDirectoryError as error:
        log.error("no scp debug dump", error=str(error))
        return None
    writer = DumpWriter(directory, DumpRecorder(node.local_id, node.quorum_set, VALUE_SHAPE))
    writer.start()
    return writer


def prepare_directory(directory: Path, unix_seconds: int) -> None:
    """Make the folders of a dump; an older dump in the directory is renamed.

    Raises:
        DumpDirectoryError: the system does not let us.
    """
    try:
        if directory.exists():
            directory.rename(directory.with_name(rotated_name(directory.name, unix_seconds)))
        for folder in (CUR_SLOT, SLOT_STATES):
            (directory / folder).mkdir(parents=True)
    except OSError as error:
        raise DumpDirectoryError(
            f"cannot make the directory of --scp-debug-dump {directory}: {error.strerror}"
        ) from error


class RecordingNode(SurroundedNode[AgreementNode]):
    """A node of the agreement protocol that tells a `DumpWriter` about everything."""

    def __init__(self, node: AgreementNode, writer: DumpWriter) -> None:
        super().__init__(node)
        self._writer = writer

    def propose(
        self, values: Iterable[ConsensusValue], now: Tick
    ) -> Sequence[Action[ConsensusValue]]:
        """See `Node`."""
        values = tuple(values)
        slot_index = self._node.slot_index
        actions = self._node.propose(values, now)
        self._record(Proposal(slot_index, values), slot_index, now)
        self._record_sent(actions, now)
        return actions

    def handle(
        self, msgs: Iterable[Msg[ConsensusValue]], now: Tick
    ) -> Sequence[Action[ConsensusValue]]:
        """See `Node`; one at a time."""
        actions: list[Action[ConsensusValue]] = []
        for msg in msgs:
            answer = self._node.handle([msg], now)
            self._record(IncomingMsg(msg), msg.slot_index, now)
            self._record_sent(answer, now)
            actions += answer
        return actions

    def handle_timers(self, now: Tick) -> Sequence[Action[ConsensusValue]]:
        """See `Node`; recorded only if something is said."""
        slot_index = self._node.slot_index
        actions = self._node.handle_timers(now)
        sent = tuple(action.msg for action in actions if isinstance(action, Send))
        if sent:
            self._record(ProcessTimeouts(sent), slot_index, now)
        return actions

    def _record_sent(self, actions: Sequence[Action[ConsensusValue]], now: Tick) -> None:
        for action in actions:
            if isinstance(action, Send):
                self._record(OutgoingMsg(action.msg), action.msg.slot_index, now)

    def _record(self, entry: Entry[ConsensusValue], slot_index: SlotIndex, now: Tick) -> None:
        self._writer.record(entry, slot_index, now, self._node.slot_state(slot_index))
