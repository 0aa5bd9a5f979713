import os
import threading

import pytest
import structlog

from mcnode.slots import ring as ring_module
from mcnode.slots.events import Abandoned, SlotEvent
from mcnode.slots.format import read_record
from mcnode.slots.ring import RingOwner, SlotRing, slot_files


@pytest.fixture
def make_ring(tmp_path, decided):
    """Rings of node1 in one directory; whatever is open is closed in the end."""
    rings = []

    def make(**options):
        start = decided.start_of(1)
        owner = RingOwner(start.node_id, start.quorum_set, start.timing)
        made = SlotRing(tmp_path / "slots", owner, lambda: start.unix_ms / 1000, **options)
        made.start()
        rings.append(made)
        return made

    yield make
    for made in rings:
        if made._thread.is_alive():
            made.close()


def names(directory):
    return [file.path.name for file in slot_files(directory)]


def write(ring, slot_index, events):
    for event in events:
        ring.record(slot_index, event)


def test_what_is_written_is_the_record(make_ring, tmp_path, decided):
    ring = make_ring()
    record = decided.record(1)
    write(ring, 7, record.events)
    ring.close()
    [file] = slot_files(tmp_path / "slots")
    assert (file.path.name, file.slot_index, file.attempt) == ("00000007.0.slot", 7, 0)
    assert read_record(file.path.read_bytes()) == record


def test_only_the_last_slots_are_kept(make_ring, tmp_path, decided):
    ring = make_ring(slots_kept=3)
    first = decided.record(1).events[:1]
    for slot_index in range(7, 15):
        write(ring, slot_index, first)
    ring.close()
    assert names(tmp_path / "slots") == [f"{n:08d}.0.slot" for n in (12, 13, 14)]


def test_a_restart_within_a_slot_is_another_attempt(make_ring, tmp_path, decided):
    events = decided.record(1).events
    for _ in range(2):
        ring = make_ring()
        write(ring, 7, events)
        ring.close()
    assert names(tmp_path / "slots") == ["00000007.0.slot", "00000007.1.slot"]


def test_records_of_a_ledger_that_was_put_back_go_by_age(make_ring, tmp_path, decided):
    """Older files go first, whatever their numbers."""
    first = decided.record(1).events[:1]
    ring = make_ring(slots_kept=2)
    write(ring, 900, first)
    ring.close()
    os.utime(tmp_path / "slots" / "00000900.0.slot", ns=(1, 1))
    ring = make_ring(slots_kept=2)
    write(ring, 7, first)
    write(ring, 8, first)
    ring.close()
    assert names(tmp_path / "slots") == ["00000007.0.slot", "00000008.0.slot"]


def test_two_slots_are_written_at_a_time(make_ring, tmp_path, decided):
    """The one before gets late statements; one before that does not come back to life."""
    events = decided.record(1).events
    ring = make_ring()
    write(ring, 7, events[:-1])
    write(ring, 8, events[:1])
    write(ring, 7, events[-1:])
    write(ring, 9, events[:1])
    write(ring, 7, events[-1:])
    ring.close()
    found = [read_record(file.path.read_bytes()) for file in slot_files(tmp_path / "slots")]
    assert [len(record.events) for record in found] == [len(events), 1, 1]


def test_a_slot_that_goes_on_for_ever_is_cut(make_ring, tmp_path, decided):
    events = decided.record(1).events
    ring = make_ring(slot_bytes_max=2_000)
    write(ring, 7, events * 50)
    ring.close()
    [file] = slot_files(tmp_path / "slots")
    record = read_record(file.path.read_bytes())
    assert file.path.stat().st_size < 2_100
    assert record.events == (events * 50)[: len(record.events)]
    assert "its limit is reached" in record.breaks_off


def test_a_slow_disk_costs_events_not_time(make_ring, tmp_path, decided, monkeypatch):
    """The queue is full: the record ends at the hole, and says so."""
    begun, go_on = threading.Event(), threading.Event()
    append = ring_module._append

    def slow_append(opened, data):
        begun.set()
        assert go_on.wait(20)
        append(opened, data)

    monkeypatch.setattr(ring_module, "_append", slow_append)
    monkeypatch.setattr(ring_module, "WAITING_MAX", 2)
    events = decided.record(1).events
    ring = make_ring()
    ring.record(7, events[0])
    assert begun.wait(20)  # one in hand, two may wait, two are left out
    write(ring, 7, events[1:5])
    go_on.set()
    while not ring._entries.empty():
        threading.Event().wait(0.001)
    ring.record(7, events[5])
    ring.close()
    [file] = slot_files(tmp_path / "slots")
    record = read_record(file.path.read_bytes())
    assert record.events == events[:3]
    assert record.breaks_off == "2 events are not recorded: disk too slow"


def test_a_broken_disk_is_logged_once(make_ring, tmp_path, decided):
    (tmp_path / "slots").write_text("in the way")
    with structlog.testing.capture_logs() as logs:
        ring = make_ring()
        write(ring, 7, decided.record(1).events)
        write(ring, 8, decided.record(1).events)
        ring.close()
    [entry] = logs
    assert entry["log_level"] == "error"
    assert entry["event"] == "slots are no longer recorded"
    assert "FileExistsError" in entry["error"]


def test_a_slot_that_was_left_before_it_began_makes_no_file(make_ring, tmp_path):
    ring = make_ring()
    ring.record(7, SlotEvent(5, Abandoned()))
    ring.close()
    assert not (tmp_path / "slots").exists()


def test_other_files_are_left_alone(make_ring, tmp_path, decided):
    (tmp_path / "slots").mkdir()
    (tmp_path / "slots" / "notes.txt").write_text("mine")
    ring = make_ring(slots_kept=2)
    for slot_index in range(7, 12):
        write(ring, slot_index, decided.record(1).events[:1])
    ring.close()
    assert (tmp_path / "slots" / "notes.txt").read_text() == "mine"
    assert len(names(tmp_path / "slots")) == 2
