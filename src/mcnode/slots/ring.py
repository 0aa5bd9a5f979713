"""The records of a node's last slots on disk: one file each, the oldest removed.

    00000007.0.slot    slot 7, first attempt
    00000007.1.slot    slot 7 again, after a restart in the middle of it

Encoding and writing happen on a thread behind a bounded queue: a slow disk costs events of the
record, never time of consensus, and a broken one is logged once. [docs/slot-debugger.md]
"""

import dataclasses
import queue
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from mcnode.scp import NodeID, QuorumSet, SlotIndex, Tick, Timing
from mcnode.slots.events import FORMAT_VERSION, Abandoned, SlotEvent, SlotStart
from mcnode.slots.format import SlotEncoder

SLOTS_KEPT: Final = 20
"""Files that a ring keeps unless told otherwise: some minutes of a busy network."""
SLOT_BYTES_MAX: Final = 4 << 20
"""Of one file. A slot of five nodes with 100 values takes about 30 kB; one that never ends, as one
without a quorum does, must not fill the disk. All files together stay below 20 times as much."""
WAITING_MAX: Final = 1_000
"""Events that wait to be written."""
OPEN_SLOTS_MAX: Final = 2
"""The current slot and the one before, whose peers may still be catching up."""

_FILE_NAME: Final = re.compile(r"(\d{8,20})\.(\d{1,9})\.slot")

log = structlog.get_logger("mcnode.slots")


@dataclasses.dataclass(frozen=True, slots=True)
class SlotFile:
    """A record's file."""

    path: Path
    slot_index: SlotIndex
    attempt: int
    """0 unless the node was restarted within the slot."""


def slot_files(directory: Path) -> list[SlotFile]:
    """The records of a ring, by slot and attempt.

    Raises:
        OSError: the directory cannot be read.
    """
    found = []
    for path in directory.iterdir():
        match = _FILE_NAME.fullmatch(path.name)
        if match is not None:
            found.append(SlotFile(path, int(match[1]), int(match[2])))
    return sorted(found, key=lambda file: (file.slot_index, file.attempt))


@dataclasses.dataclass(frozen=True, slots=True)
class RingOwner:
    """The node whose slots a ring keeps."""

    node_id: NodeID
    quorum_set: QuorumSet[NodeID]
    timing: Timing = Timing()  # noqa: RUF009 - frozen


@dataclasses.dataclass(frozen=True, slots=True)
class _Entry:
    slot_index: SlotIndex
    event: SlotEvent
    unix_ms: int
    left_out: int
    """Events of this slot that found the queue full, just before this one."""


class _OpenSlot:
    """A file being written."""

    def __init__(self, path: Path, encoder: SlotEncoder) -> None:
        self.path = path
        self.encoder = encoder
        self.size = 0
        self.is_closed = False


class SlotRing:
    """Takes events from the consensus task and writes them from a thread of its own."""

    def __init__(
        self,
        directory: Path,
        owner: RingOwner,
        unix_time: Callable[[], float],
        *,
        slots_kept: int = SLOTS_KEPT,
        slot_bytes_max: int = SLOT_BYTES_MAX,
    ) -> None:
        """The directory is made when the first event is written."""
        self._directory = directory
        self._owner = owner
        self._unix_time = unix_time
        self._slots_kept = slots_kept
        self._slot_bytes_max = slot_bytes_max
        self._entries: queue.Queue[_Entry | None] = queue.Queue(WAITING_MAX)
        self._left_out: dict[SlotIndex, int] = {}
        self._open: dict[SlotIndex, _OpenSlot] = {}
        self._is_broken = False
        self._thread = threading.Thread(target=self._write_all, name="slot-ring", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def record(self, slot_index: SlotIndex, event: SlotEvent) -> None:
        """Queue an event; never waits. What finds no room is counted in the record."""
        left_out = self._left_out.pop(slot_index, 0)
        unix_ms = int(self._unix_time() * 1000)
        try:
            self._entries.put_nowait(_Entry(slot_index, event, unix_ms, left_out))
        except queue.Full:
            while len(self._left_out) >= OPEN_SLOTS_MAX:
                del self._left_out[min(self._left_out)]
            self._left_out[slot_index] = left_out + 1

    def close(self) -> None:
        """Write what waits, and end."""
        self._entries.put(None)
        self._thread.join()

    # On the thread.

    def _write_all(self) -> None:
        while (entry := self._entries.get()) is not None:
            if self._is_broken:
                continue
            try:
                self._write(entry)
            except Exception as error:  # outermost loop: recording must not end the node
                self._is_broken = True
                log.error(
                    "slots are no longer recorded",
                    directory=str(self._directory),
                    error=f"{type(error).__name__}: {error}",
                )

    def _write(self, entry: _Entry) -> None:
        opened = self._open.get(entry.slot_index)
        if opened is None:
            is_over = bool(self._open) and entry.slot_index < max(self._open)
            if is_over or isinstance(entry.event.input, Abandoned):
                return
            opened = self._begin(entry.slot_index, entry.event.tick, entry.unix_ms)
        if opened.is_closed:
            return
        if entry.left_out:
            self._break_off(opened, f"{entry.left_out} events are not recorded: disk too slow")
            return
        data = opened.encoder.encode(entry.event)
        if opened.size + len(data) > self._slot_bytes_max:
            self._break_off(opened, f"the record has {opened.size} bytes, its limit is reached")
            return
        _append(opened, data)

    def _begin(self, slot_index: SlotIndex, tick: Tick, unix_ms: int) -> _OpenSlot:
        """Make room, and a file for the slot."""
        while len(self._open) >= OPEN_SLOTS_MAX:
            del self._open[min(self._open)]
        self._directory.mkdir(parents=True, exist_ok=True)
        files = slot_files(self._directory)
        attempts = [file.attempt for file in files if file.slot_index == slot_index]
        path = self._directory / f"{slot_index:08d}.{max(attempts, default=-1) + 1}.slot"
        in_use = {opened.path for opened in self._open.values()}
        oldest_first = sorted(
            (file.path for file in files if file.path not in in_use),
            key=lambda each: each.stat().st_mtime_ns,
        )
        surplus = len(files) + 1 - max(self._slots_kept, OPEN_SLOTS_MAX)
        for old in oldest_first[: max(0, surplus)]:
            old.unlink(missing_ok=True)
        owner = self._owner
        start = SlotStart(
            FORMAT_VERSION,
            owner.node_id,
            owner.quorum_set,
            slot_index,
            owner.timing,
            tick,
            unix_ms,
        )
        self._open[slot_index] = opened = _OpenSlot(path, SlotEncoder(start))
        return opened

    def _break_off(self, opened: _OpenSlot, reason: str) -> None:
        """Nothing behind a hole would replay: the record ends here."""
        opened.is_closed = True
        if opened.size:
            _append(opened, opened.encoder.encode_lost(reason))


def _append(opened: _OpenSlot, data: bytes) -> None:
    with opened.path.open("ab") as file:
        file.write(data)
    opened.size += len(data)
