"""Where recorded slots are found: a node's ledger directory, its ring, a dump, or one file."""

import dataclasses
from pathlib import Path
from typing import Final

from mcnode.errors import InvalidError, UnavailableError
from mcnode.files import UnfitFileError, read_bytes
from mcnode.scp import SlotIndex
from mcnode.slots.dump import is_dump, read_dump
from mcnode.slots.events import SlotRecord, SlotRecordError
from mcnode.slots.format import read_record
from mcnode.slots.ring import SlotFile, slot_files

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


@dataclasses.dataclass(frozen=True, slots=True)
class Unreadable:
    """A file of a ring that is no record, as one that was being begun when the disk was full."""

    path: Path
    reason: str


def read_all(path: Path) -> tuple[list[Entry], list[Unreadable]]:
    """Every slot at a place, by slot and attempt, and what could not be read.

    Raises:
        NoRecords: there is none.
        SlotRecordError: a file or dump that was named itself is no record.
        OSError: a file cannot be read.
    """
    files = _ring(path)
    if not files:
        return [_read_single(path)], []
    entries: list[Entry] = []
    unreadable: list[Unreadable] = []
    for file in files:
        try:
            entries.append(Entry(_read_file(file.path), file.attempt, file.path))
        except SlotRecordError as error:
            unreadable.append(Unreadable(file.path, str(error)))
    return entries, unreadable


def read_slot(path: Path, slot_index: SlotIndex | None, attempt: int | None = None) -> Entry:
    """One slot: the last attempt unless told otherwise; the newest slot if none is named.

    Raises:
        NoSuchSlot: it is not there.
        NoRecords, OSError: as `read_all`.
        SlotRecordError: its file is no record.
    """
    files = _ring(path)
    if not files:
        entry = _read_single(path)
        if slot_index in (None, entry.record.start.slot_index) and attempt in (None, 0):
            return entry
        raise _no_such_slot(path, slot_index, attempt, [entry.record.start.slot_index])
    known = sorted({file.slot_index for file in files})
    wanted = known[-1] if slot_index is None else slot_index
    for file in reversed(files):
        if file.slot_index == wanted and attempt in (None, file.attempt):
            return Entry(_read_file(file.path), file.attempt, file.path)
    raise _no_such_slot(path, wanted, attempt, known)


def _no_such_slot(
    path: Path, slot_index: SlotIndex | None, attempt: int | None, known: list[SlotIndex]
) -> NoSuchSlot:
    what = "slot" if slot_index is None else f"slot {slot_index}"
    if attempt is not None:
        what = f"attempt {attempt} at {what}"
    return NoSuchSlot(f"{what} is not recorded at {path}, which has {_ranges(known)}")


def _ring(path: Path) -> list[SlotFile]:
    """The files of a ring, in the directory or in its folder of slots."""
    for directory in (path / SLOTS_FOLDER, path):
        if directory.is_dir():
            files = slot_files(directory)
            if files:
                return files
    return []


def _read_single(path: Path) -> Entry:
    if path.is_file():
        return Entry(_read_file(path), 0, path)
    if is_dump(path):
        return Entry(read_dump(path), 0, path)
    raise NoRecords(path)


def _read_file(path: Path) -> SlotRecord:
    try:
        return read_record(read_bytes(path, RECORD_BYTES_MAX))
    except UnfitFileError as error:
        raise SlotRecordError(f"no record of a slot: {error}") from None


def _ranges(numbers: list[int]) -> str:
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(low) if low == high else f"{low} to {high}" for low, high in runs)
