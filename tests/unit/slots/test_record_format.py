import pytest

from mcnode.slots.events import Abandoned, Remark, SlotEvent, SlotRecordError
from mcnode.slots.format import LENGTH_BYTES, SlotEncoder, read_record, read_start


def written(record):
    encoder = SlotEncoder(record.start)
    return b"".join(map(encoder.encode, record.events))


def test_round_trip(decided, stuck):
    for record in (decided.record(1), decided.record(4), stuck.record(2)):
        assert read_record(written(record)) == record


def test_a_list_of_values_is_written_once(make_mesh):
    """A hundred values, in dozens of statements, cost a few bytes each time."""
    mesh = make_mesh(4, 2)
    mesh.propose(1, *range(1, 101))
    mesh.propose(2, *range(1, 101))
    mesh.run(3_000)
    record = mesh.record(1)
    assert len(record.events) > 10
    assert len(written(record)) < 30_000


def test_every_prefix_is_a_record_or_refused(decided):
    """What a killed node leaves can be read up to its last whole frame."""
    record = decided.record(1)
    data = written(record)
    first = LENGTH_BYTES + int.from_bytes(data[:LENGTH_BYTES])
    for length in range(0, len(data), 7):
        if length < first:
            with pytest.raises(SlotRecordError):
                read_record(data[:length])
            continue
        found = read_record(data[:length])
        assert found.events == record.events[: len(found.events)]
        assert found.start == record.start
    assert read_record(data[:-1]).breaks_off.startswith("the file ends within a frame")
    assert read_record(data).breaks_off is None


def test_events_behind_a_hole_do_not_count(decided):
    record = decided.record(1)
    encoder = SlotEncoder(record.start)
    frames = [encoder.encode(event) for event in record.events[:4]]
    frames.insert(2, encoder.encode_lost("2 events are missing"))
    found = read_record(b"".join(frames))
    assert found.events == record.events[:2]
    assert found.breaks_off == "2 events are missing"


def test_other_inputs(decided):
    record = decided.record(1)
    encoder = SlotEncoder(record.start)
    events = (SlotEvent(1, Remark("näher")), SlotEvent(2, Abandoned()))
    assert read_record(b"".join(map(encoder.encode, events))).events == events


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "0 bytes without a whole frame"),
        (b"\0\0\0\1\xf6", "not a record of a slot"),
        (b"\0\0\0\7\xa1\x65Event", "not a record of a slot"),
        (b"\0\0\0\x0f\xa1\x64Lost\xa1\x66reason\x61", "not a record of a slot"),
    ],
)
def test_no_record(data, reason):
    with pytest.raises(SlotRecordError, match=reason):
        read_start(data)


def test_another_version(decided):
    data = written(decided.record(1))
    changed = data.replace(b"\x67version\x01", b"\x67version\x02", 1)
    with pytest.raises(SlotRecordError, match="record has version 2, needs 1"):
        read_record(changed)


def test_a_number_that_was_not_given_out(decided):
    record = decided.record(1)
    encoder = SlotEncoder(record.start)
    start_and_first = encoder.encode(record.events[0])
    length = LENGTH_BYTES + int.from_bytes(start_and_first[:LENGTH_BYTES])
    later = encoder.encode(record.events[0])  # names values by number only
    with pytest.raises(
        SlotRecordError, match="frame 1 of the record: input: values: number 0 is not"
    ):
        read_record(start_and_first[:length] + later)
