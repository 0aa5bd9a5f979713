"""A recorded slot once more: the same inputs into a fresh slot, every answer compared.

The application's answers come from the record. A debug dump has none: its values count as valid, a
combination takes the order of the list that the node went on to ballot on, and timers that made
the node say nothing are fired when their deadline is clearly over.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Final

from mcnode.errors import InvalidError
from mcnode.peers.consensus_value import ConsensusValue
from mcnode.scp import (
    Ballot,
    CombineFailed,
    Externalize,
    Msg,
    Refuse,
    Send,
    SlotState,
    Tick,
)
from mcnode.scp.slot import Slot
from mcnode.scp.types import prepare_of
from mcnode.slots.events import (
    Abandoned,
    Combination,
    Heard,
    Judgement,
    Outcome,
    Proposed,
    Remark,
    SlotEvent,
    SlotRecord,
    TimersFired,
)
from mcnode.slots.recorder import outcome_of

DUMP_LIST_MAX: Final = 5_000
"""What a combination is cut to where nothing tells what the application made of it."""
TIMER_LATE_MS: Final = 50
"""An entry of timers in a dump stands for deadlines that are not older than this."""


class NotRecorded(InvalidError):
    """The slot asks what it did not ask when it was recorded."""


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """An event, replayed."""

    number: int
    """From 1; step 0 is the slot before everything."""
    tick: Tick
    event: SlotEvent | None
    """None for step 0."""
    outcome: Outcome
    """What the slot did this time."""
    state: SlotState[ConsensusValue]
    """Afterwards."""
    difference: str | None = None
    """How the outcome is not the recorded one."""


class _Answers:
    """The application, played from the record."""

    def __init__(self, *, is_dump: bool) -> None:
        self._is_dump = is_dump
        self._refused: dict[ConsensusValue, str] = {}
        self._combined: list[Combination] = []
        self._expected: Outcome = Outcome()

    def prepare(self, judgement: Judgement, expected: Outcome) -> None:
        """Take up the answers of the next event."""
        self._refused = {refusal.value: refusal.reason for refusal in judgement.refused}
        self._combined = list(judgement.combined)
        self._expected = expected

    def left(self) -> int:
        """Combinations that were asked for when recorded, and not now."""
        return len(self._combined)

    def check(self, value: ConsensusValue) -> None:
        if value in self._refused:
            raise InvalidError(self._refused[value])

    def combine(self, values: Sequence[ConsensusValue]) -> Sequence[ConsensusValue]:
        if self._is_dump:
            return self._guess(values)
        if not self._combined:
            raise NotRecorded("combination is not in the record")
        combination = self._combined.pop(0)
        if combination.values is None:
            raise InvalidError(combination.reason)
        return combination.values

    def _guess(self, values: Sequence[ConsensusValue]) -> Sequence[ConsensusValue]:
        """The order of the node's next ballot, if that is of these values; else ascending."""
        sent = self._expected.sent
        payload = None if sent is None else prepare_of(sent.topic)
        if payload is not None and payload.ballot.values:
            listed = payload.ballot.values
            if set(listed) <= set(values):
                return listed
        return sorted(set(values))[:DUMP_LIST_MAX]


class SlotPlayer:
    """A fresh slot that the events of a record are played into."""

    def __init__(self, record: SlotRecord) -> None:
        self._record = record
        self._answers = _Answers(is_dump=record.is_dump)
        start = record.start
        self._slot: Slot[ConsensusValue] = Slot(
            start.slot_index,
            start.node_id,
            start.quorum_set,
            validate=self._answers.check,
            combine=self._answers.combine,
            timing=start.timing,
        )
        self._was_externalized = False

    def state(self) -> SlotState[ConsensusValue]:
        """All that the slot holds now."""
        return self._slot.state()

    def play(self, event: SlotEvent) -> Outcome:
        """Feed one event in; `event.outcome` helps to guess what a dump does not tell."""
        self._answers.prepare(event.judgement, event.outcome)
        return self._outcome(self._feed(event))

    def answers_left(self) -> int:
        """Combinations that the last event asked for when recorded, and not now."""
        return self._answers.left()

    def fire_silent_timers(self, event: SlotEvent) -> str | None:
        """Fire what a dump does not tell of, up to an event; what they say to it, if anything."""
        after_ms = self._record.silent_timers_after_ms
        if after_ms is None:
            return None
        limit = event.tick - after_ms
        if isinstance(event.input, TimersFired):
            limit -= TIMER_LATE_MS
        while (deadline := self._slot.next_deadline()) is not None and deadline < limit:
            sent = self._slot.handle_timers(deadline + 1)
            if sent is not None:
                topic = type(sent.topic).__name__
                return f"a timer at {deadline - self._record.start.tick} ms makes it say {topic}"
        return None

    def _feed(self, event: SlotEvent) -> Msg[ConsensusValue] | None:
        match event.input:
            case Proposed(values):
                return self._slot.propose(values, event.tick)
            case Heard(msgs):
                return self._slot.handle(msgs, event.tick)
            case TimersFired():
                return self._slot.handle_timers(event.tick)
            case Abandoned() | Remark():
                return None

    def _outcome(self, sent: Msg[ConsensusValue] | None) -> Outcome:
        actions: list[
            Externalize[ConsensusValue]
            | Send[ConsensusValue]
            | Refuse[ConsensusValue]
            | CombineFailed
        ] = [
            action
            for action in self._slot.take_events()
            if isinstance(action, Refuse | CombineFailed)
        ]
        values = self._slot.externalized_values()
        if values is not None and not self._was_externalized:
            self._was_externalized = True
            actions.append(Externalize(self._slot.slot_index, values))
        if sent is not None:
            actions.append(Send(sent))
        return outcome_of(actions, self._slot.slot_index)


def _shown(thing: object) -> str:
    match thing:
        case None:
            return "nothing"
        case Msg(topic=topic):
            return str(topic)
        case Ballot() | tuple():
            return repr(thing)
        case _:
            return str(thing)


def replay(record: SlotRecord) -> Iterator[Step]:
    """Every step of a slot, from the empty one on; what differs is in the step."""
    player = SlotPlayer(record)
    start = record.start
    yield Step(0, start.tick, None, Outcome(), player.state())
    for number, event in enumerate(record.events, 1):
        difference = player.fire_silent_timers(event)
        outcome = player.play(event)
        difference = difference or _difference(event.outcome, outcome, is_dump=record.is_dump)
        if difference is None and not record.is_dump and player.answers_left():
            count = player.answers_left()
            difference = f"{count} combinations are recorded that are not asked for now"
        yield Step(number, event.tick, event, outcome, player.state(), difference)


def _difference(recorded: Outcome, found: Outcome, *, is_dump: bool) -> str | None:
    """The first part that is not the same; a dump tells only what was sent."""
    for name in ("sent",) if is_dump else ("sent", "externalized", "refused"):
        before, now = getattr(recorded, name), getattr(found, name)
        if before != now:
            return f"{name}: recorded {_shown(before)}, now {_shown(now)}"
    return None
