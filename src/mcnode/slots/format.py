"""A slot's record as bytes: frames that are only ever appended.

    frame   = length (4 bytes, big-endian), one CBOR item
    item    = Start | Value | Source | Event | Lost, a map of one entry each

A statement names its values and its sender by number. `Value` and `Source` give the numbers, from
0, in the order of their appearance, so that a hundred transactions that stand in every list of
every statement are written once. `Start` comes first and once. `Lost` says that events are missing
from here on, and why. A file that ends within a frame is whole up to there: the node was killed.
[docs/slot-debugger.md]
"""

import dataclasses
from collections.abc import Iterator
from typing import Final, Generic, NamedTuple, TypeVar

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
    Variant,
    from_bytes,
    to_bytes,
)
from mcnode.peers.consensus_value import ConsensusValue
from mcnode.peers.value_wire import VALUE_SHAPE
from mcnode.scp import Msg, NodeID, QuorumSet, SlotIndex, Timing, Topic
from mcnode.scp.values_of import values_of
from mcnode.scp.wire import node_id_shape, quorum_set_shape, topic_shape
from mcnode.slots.events import (
    FORMAT_VERSION,
    Abandoned,
    Combination,
    Heard,
    Input,
    Judgement,
    Outcome,
    Proposed,
    Refusal,
    Remark,
    SlotEvent,
    SlotRecord,
    SlotRecordError,
    SlotStart,
    TimersFired,
)

LENGTH_BYTES: Final = 4

T = TypeVar("T")


class Source(NamedTuple):
    """A sender with the quorum set that it announces."""

    node_id: NodeID
    quorum_set: QuorumSet[NodeID]


@dataclasses.dataclass(frozen=True, slots=True)
class Lost:
    """Events are missing from here on."""

    reason: str


class _Numbers(Generic[T]):
    """Things by number, both ways."""

    def __init__(self) -> None:
        self.things: list[T] = []
        self._numbers: dict[T, int] = {}

    def add(self, thing: T) -> bool:
        """Give it the next number; False if it has one."""
        if thing in self._numbers:
            return False
        self._numbers[thing] = len(self.things)
        self.things.append(thing)
        return True

    def shape(self) -> Shape[T]:
        """Written as its number."""
        return _Numbered(self)

    def number(self, thing: T) -> int:
        return self._numbers[thing]


class _Numbered(Generic[T]):
    def __init__(self, numbers: _Numbers[T]) -> None:
        self._numbers = numbers

    def write(self, value: T) -> Item:
        return self._numbers.number(value)

    def read(self, item: Item) -> T:
        number = U32.read(item)
        if number >= len(self._numbers.things):
            raise CborError(f"number {number} is not given out yet")
        return self._numbers.things[number]


_TIMING: Shape[Timing] = Struct(
    Timing,
    Member("nomination_base_ms", U64),
    Member("ballot_base_ms", U64),
    Member("restart_ballot_timer", Mapped(U32, bool, int)),
)
_START: Shape[SlotStart] = Struct(
    SlotStart,
    Member("version", U32),
    Member("node_id", node_id_shape()),
    Member("quorum_set", quorum_set_shape()),
    Member("slot_index", U64),
    Member("timing", _TIMING),
    Member("tick", U64),
    Member("unix_ms", U64),
)
_SOURCE: Shape[Source] = Struct(
    Source, Member("node_id", node_id_shape()), Member("quorum_set", quorum_set_shape())
)
_LOST: Shape[Lost] = Struct(Lost, Member("reason", TEXT))


class _Statement(NamedTuple):
    """A message without the slot, which is the record's."""

    source: Source
    topic: Topic[ConsensusValue]


def _event_shape(
    value: Shape[ConsensusValue], source: Shape[Source], slot_index: SlotIndex
) -> Shape[SlotEvent]:
    values = Seq(value)
    statement = Struct(_Statement, Member("source", source), Member("topic", topic_shape(value)))
    msg: Shape[Msg[ConsensusValue]] = Mapped(
        statement,
        lambda s: Msg(s.source.node_id, slot_index, s.source.quorum_set, s.topic),
        lambda m: _Statement(Source(m.sender_id, m.quorum_set), m.topic),
    )
    its_input: Shape[Input] = Enum(
        Variant("Proposed", Proposed, Struct(Proposed, Member("values", values))),
        Variant("Heard", Heard, Struct(Heard, Member("msgs", Seq(msg)))),
        Variant("TimersFired", TimersFired, Struct(TimersFired)),
        Variant("Abandoned", Abandoned, Struct(Abandoned)),
        Variant("Remark", Remark, Struct(Remark, Member("text", TEXT))),
    )
    judgement = Struct(
        Judgement,
        Member("refused", Seq(Struct(Refusal, Member("value", value), Member("reason", TEXT)))),
        Member(
            "combined",
            Seq(Struct(Combination, Member("values", Option(values)), Member("reason", TEXT))),
        ),
    )
    outcome = Struct(
        Outcome,
        Member("sent", Option(msg)),
        Member("externalized", Option(values)),
        Member("refused", Seq(TEXT)),
    )
    return Struct(
        SlotEvent,
        Member("tick", U64),
        Member("input", its_input),
        Member("judgement", judgement),
        Member("outcome", outcome),
    )


class _Tables:
    """The shape of a frame, with the numbers given out so far in one record."""

    def __init__(self, slot_index: SlotIndex) -> None:
        self.values: _Numbers[ConsensusValue] = _Numbers()
        self.sources: _Numbers[Source] = _Numbers()
        event = _event_shape(self.values.shape(), self.sources.shape(), slot_index)
        self.frame: Shape[SlotStart | ConsensusValue | Source | SlotEvent | Lost] = Enum(
            Variant("Start", SlotStart, _START),
            Variant("Value", ConsensusValue, VALUE_SHAPE),
            Variant("Source", Source, _SOURCE),
            Variant("Event", SlotEvent, event),
            Variant("Lost", Lost, _LOST),
        )


class SlotEncoder:
    """Turns one slot's events into bytes to append."""

    def __init__(self, start: SlotStart) -> None:
        self._tables = _Tables(start.slot_index)
        self._start: SlotStart | None = start

    def encode(self, event: SlotEvent) -> bytes:
        """The frames of one event; the first time, those of the start too."""
        out = bytearray()
        if self._start is not None:
            out += self._frame(self._start)
            self._start = None
        for value in _values_in(event):
            if self._tables.values.add(value):
                out += self._frame(value)
        for msg in _msgs_in(event):
            source = Source(msg.sender_id, msg.quorum_set)
            if self._tables.sources.add(source):
                out += self._frame(source)
        return bytes(out + self._frame(event))

    def encode_lost(self, reason: str) -> bytes:
        """The frame that says that nothing whole comes behind it."""
        return self._frame(Lost(reason))

    def _frame(self, thing: SlotStart | ConsensusValue | Source | SlotEvent | Lost) -> bytes:
        data = to_bytes(self._tables.frame, thing)
        return len(data).to_bytes(LENGTH_BYTES) + data


def _msgs_in(event: SlotEvent) -> Iterator[Msg[ConsensusValue]]:
    if isinstance(event.input, Heard):
        yield from event.input.msgs
    if event.outcome.sent is not None:
        yield event.outcome.sent


def _values_in(event: SlotEvent) -> Iterator[ConsensusValue]:
    if isinstance(event.input, Proposed):
        yield from event.input.values
    for msg in _msgs_in(event):
        yield from values_of(msg.topic)
    for refusal in event.judgement.refused:
        yield refusal.value
    for combination in event.judgement.combined:
        yield from combination.values or ()
    yield from event.outcome.externalized or ()


def read_start(data: bytes) -> SlotStart:
    """How a record begins.

    Raises:
        SlotRecordError: it is no record, or of another version.
    """
    first = next(_frames(data), None)
    if first is None:
        raise SlotRecordError(f"not a record of a slot: {len(data)} bytes without a whole frame")
    try:
        start = from_bytes(_Tables(0).frame, first)
    except CborError as error:
        raise SlotRecordError(f"not a record of a slot: {error}") from error
    if not isinstance(start, SlotStart):
        raise SlotRecordError("not a record of a slot: it has no start")
    if start.version != FORMAT_VERSION:
        raise SlotRecordError(f"record has version {start.version}, needs {FORMAT_VERSION}")
    return start


def read_record(data: bytes) -> SlotRecord:
    """A slot's record.

    Raises:
        SlotRecordError: it is no record, or of another version.
    """
    start = read_start(data)
    tables = _Tables(start.slot_index)
    events: list[SlotEvent] = []
    used = 0
    breaks_off = None
    for number, frame in enumerate(_frames(data)):
        used += LENGTH_BYTES + len(frame)
        try:
            thing = from_bytes(tables.frame, frame)
        except CborError as error:
            raise SlotRecordError(f"frame {number} of the record: {error}") from error
        match thing:
            case SlotEvent() if breaks_off is None:
                events.append(thing)
            case ConsensusValue():
                tables.values.add(thing)
            case Source():
                tables.sources.add(thing)
            case Lost(reason):
                breaks_off = breaks_off or reason
    if breaks_off is None and used < len(data):
        breaks_off = f"the file ends within a frame, {len(data) - used} bytes of it are there"
    return SlotRecord(start, tuple(events), breaks_off)


def _frames(data: bytes) -> Iterator[bytes]:
    position = 0
    while position + LENGTH_BYTES <= len(data):
        begin = position + LENGTH_BYTES
        position = begin + int.from_bytes(data[position:begin])
        if position > len(data):
            return
        yield data[begin:position]
