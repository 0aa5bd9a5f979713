"""Where recorded slots are found: a node's ledger directory, its ring, a dump, or one file."""

import dataclasses
from pathlib import Path
from typing import Final

from mcnode.errors import InvalidError, UnavailableError
from mcnode.scp import SlotIndex
from mcnode.slots.dump import is_dump, read_dump
from mcnode.slots.events import SlotRecord
from mcnode.slots.format import read_record
from mcnode.slots.ring import slot_files

SLOTS_FOLDER: Final = "slots"
"""Inside a ledger's directory, which no two nodes share."""
RECORD_BYTES_MAX: Final = 64 << 20
"""Of a file that is read; a node's own ring makes far smaller ones."""


class NoSuchSlot(InvalidError):
    """The slot asked for is not among the recorded ones."""


class NoRecords(UnavailableError):
    """There are no recorded slots at a place."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"no recorded slots at {path}: name a ledger's directory, its folder {SLOTS_FOLDER}, a "
            "debug dump or a .slot file"
        )


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """A slot that can be read."""

    record: SlotRecord
    attempt: int
    path: Path


def read_all(path: Path) -> list[Entry]:
    """Every slot at a place, by slot and attempt.

    Raises:
        NoRecords: there is none.
        SlotRecordError: a file is no record.
        OSError: a file cannot be read.
    """
    entries = [_read(file, attempt) for file, attempt in _files(path)]
    if not entries:
        raise NoRecords(path)
    return entries


def read_slot(path: Path, slot_index: SlotIndex | None, attempt: int | None = None) -> Entry:
    """One slot: the last attempt unless told otherwise; the newest slot if none is named.

    Raises:
        NoSuchSlot: it is not there.
        NoRecords, SlotRecordError, OSError: as `read_all`.
    """
    entries = read_all(path)
    known = sorted({entry.record.start.slot_index for entry in entries})
    wanted = known[-1] if slot_index is None else slot_index
    found = [
        entry
        for entry in entries
        if entry.record.start.slot_index == wanted and attempt in (None, entry.attempt)
    ]
    if not found:
        what = f"slot {wanted}" if attempt is None else f"attempt {attempt} at slot {wanted}"
        raise NoSuchSlot(f"{what} is not recorded at {path}, which has {_ranges(known)}")
    return found[-1]


def _files(path: Path) -> list[tuple[Path, int]]:
    if path.is_file():
        return [(path, 0)]
    if is_dump(path):
        return [(path, 0)]
    for directory in (path / SLOTS_FOLDER, path):
        if directory.is_dir():
            files = slot_files(directory)
            if files:
                return [(file.path, file.attempt) for file in files]
    return []


def _read(path: Path, attempt: int) -> Entry:
    if path.is_dir():
        return Entry(read_dump(path), attempt, path)
    with path.open("rb") as file:
        data = file.read(RECORD_BYTES_MAX + 1)
    if len(data) > RECORD_BYTES_MAX:
        raise NoSuchSlot(f"{path} has more than {RECORD_BYTES_MAX} bytes: not a record of a slot")
    return Entry(read_record(data), attempt, path)


def _ranges(numbers: list[int]) -> str:
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(low) if low == high else f"{low} to {high}" for low, high in runs)
