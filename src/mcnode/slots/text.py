"""A slot for people: its timeline, its state, its open questions, where its time went."""

import dataclasses
import datetime
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from mcnode.peers.consensus_value import ConsensusValue
from mcnode.scp import Phase, SlotState, Tick, Topic
from mcnode.scp.types import (
    Commit,
    Externalize,
    NominatePayload,
    PreparePayload,
    nomination_of,
    prepare_of,
)
from mcnode.slots.diagnosis import Diagnosis, OpenQuestion, Rung, diagnose, rung_of
from mcnode.slots.events import Abandoned, Heard, Proposed, Remark, SlotEvent, SlotRecord
from mcnode.slots.names import Names, counter_text, describe_value
from mcnode.slots.replay import Step

LEGEND_MAX: Final = 20
"""Values that the legend of a timeline spells out."""
PHASE_NAMES: Final = {
    Phase.NOMINATE_PREPARE: "nominate/prepare",
    Phase.PREPARE: "prepare",
    Phase.COMMIT: "commit",
    Phase.EXTERNALIZE: "externalized",
}

RUNG_NAMES: Final = {
    Rung.NOTHING: "until a first vote",
    Rung.VOTED: "until a nomination was accepted",
    Rung.ACCEPTED_NOMINATED: "until a nomination was confirmed",
    Rung.BALLOTING: "until a ballot was accepted prepared",
    Rung.ACCEPTED_PREPARED: "until a ballot was confirmed prepared",
    Rung.CONFIRMED_PREPARED: "until commit was accepted",
    Rung.COMMITTING: "until commit was confirmed",
    Rung.EXTERNALIZED: "externalized",
}


def outcome_text(record: SlotRecord) -> str:
    """`externalized 2 values`, `open`, …"""
    if record.externalized is not None:
        count = len(record.externalized)
        return f"externalized {count} value{'' if count == 1 else 's'}"
    if record.is_abandoned:
        return "left: caught up"
    return "breaks off" if record.breaks_off else "open"


def moment_text(unix_ms: int) -> str | None:
    """A time of day; None where it is not known."""
    if not unix_ms:
        return None
    moment = datetime.datetime.fromtimestamp(unix_ms / 1000, datetime.UTC)
    return moment.replace(tzinfo=None).isoformat(sep=" ", timespec="milliseconds")


def header(record: SlotRecord, names: Names) -> list[str]:
    """What the record is of."""
    start = record.start
    lines = [f"slot {start.slot_index} as {start.node_id.responder_id} saw it"]
    if start.unix_ms:
        lines.append(f"  began       {moment_text(start.unix_ms)} UTC")
    lines.append(f"  quorum set  {names.quorum_set(start.quorum_set)}")
    duration = "" if record.duration_ms is None else f" after {record.duration_ms} ms"
    lines.append(f"  outcome     {outcome_text(record)}{duration}, {len(record.events)} events")
    if record.breaks_off:
        lines.append(f"  breaks off  {record.breaks_off}")
    return lines


def timeline(record: SlotRecord, steps: Sequence[Step], names: Names) -> Iterator[str]:
    """Who said what when, and what that changed at this node."""
    width = max(names.width + 2, len("who"))
    margin = " " * (14 + width)
    yield f" step     ms  {'who':<{width}}  what"
    before = steps[0].state
    for step in steps[1:]:
        assert step.event is not None
        at_ms = step.tick - record.start.tick
        for position, (who, what) in enumerate(_said(step, names)):
            place = f"{step.number:5d} {at_ms:6d}" if position == 0 else " " * 12
            yield f"{place}  {who:<{width}}  {what}"
        for change in changes(before, step.state, names):
            yield f"{margin}  = {change}"
        if step.difference is not None:
            yield f"{margin}  ! replays otherwise: {step.difference}"
        before = step.state


def _said(step: Step, names: Names) -> Iterator[tuple[str, str]]:
    assert step.event is not None
    yield from heard(step.event, names)
    for refusal in step.outcome.refused:
        yield "", f"refused: {refusal}"
    if step.outcome.sent is not None:
        yield names.node(names.local_id) + " →", topic_text(step.outcome.sent.topic, names)


def heard(event: SlotEvent, names: Names) -> Iterator[tuple[str, str]]:
    """An input, by who and what."""
    local = names.node(names.local_id)
    match event.input:
        case Proposed(values):
            yield local, f"is given {names.values(values)}"
        case Heard(msgs):
            for msg in msgs:
                yield names.node(msg.sender_id), topic_text(msg.topic, names)
        case Abandoned():
            yield local, "leaves the slot: it caught up"
        case Remark(text):
            yield "", text
        case _:
            yield local, "timer"


def topic_text(topic: Topic[ConsensusValue], names: Names) -> str:
    """What a statement says."""
    parts: list[str] = []
    nomination, prepare = nomination_of(topic), prepare_of(topic)
    if nomination is not None:
        parts += _nomination_parts(nomination, names)
    if prepare is not None:
        parts += _prepare_parts(prepare, names)
    match topic:
        case Commit():
            parts.append(
                f"accepts commit {names.ballot(topic.ballot)} of counters "
                f"{_range(topic.commit_counter, topic.high_counter)}, "
                f"prepared {counter_text(topic.prepared_counter)}"
            )
        case Externalize():
            parts.append(
                f"externalizes {names.ballot(topic.commit)}, "
                f"highest {counter_text(topic.high_counter)}"
            )
    return "; ".join(parts) or "says nothing"


def _nomination_parts(said: NominatePayload[ConsensusValue], names: Names) -> Iterator[str]:
    if said.voted:
        yield f"votes {names.values(said.voted)}"
    if said.accepted:
        yield f"accepts {names.values(said.accepted)}"


def _prepare_parts(said: PreparePayload[ConsensusValue], names: Names) -> Iterator[str]:
    yield f"votes prepare {names.ballot(said.ballot)}"
    accepted = [names.ballot(b) for b in (said.prepared, said.prepared_prime) if b is not None]
    if accepted:
        yield f"accepts prepared {' and '.join(accepted)}"
    if said.commit_counter:
        yield f"votes commit of counters {_range(said.commit_counter, said.high_counter)}"
    elif said.high_counter:
        yield f"confirms prepared {counter_text(said.high_counter)}"


def _range(low: int, high: int) -> str:
    return counter_text(low) if low == high else f"{counter_text(low)} to {counter_text(high)}"


def changes(
    before: SlotState[ConsensusValue], after: SlotState[ConsensusValue], names: Names
) -> Iterator[str]:
    """What an event moved at this node, in words."""
    if after.nomination_round != before.nomination_round:
        yield f"nomination round {after.nomination_round}, led by {names.nodes(after.leaders)}"
    for word, old, new in (
        ("accepted nominated", before.accepted, after.accepted),
        ("confirmed nominated", before.confirmed, after.confirmed),
    ):
        added = [value for value in new if value not in set(old)]
        if added:
            yield f"{word} {names.values(added)}"
    if after.ballot != before.ballot:
        yield f"on ballot {names.ballot(after.ballot)}"
    for word, old_ballot, new_ballot in (
        ("accepted prepared", before.prepared, after.prepared),
        ("high", before.high, after.high),
        ("commit from", before.commit, after.commit),
    ):
        if new_ballot != old_ballot:
            yield f"{word} {names.ballot(new_ballot)}"
    if after.phase != before.phase:
        yield f"phase {PHASE_NAMES[after.phase]}"
    is_armed = after.ballot_deadline not in (None, before.ballot_deadline)
    if is_armed and after.ballot.counter:
        yield "a quorum is on this counter: its timer runs"


def state_lines(step: Step, names: Names) -> Iterator[str]:
    """All of a slot's own state, in the letters of the field."""
    state = step.state
    yield f"phase {PHASE_NAMES[state.phase]}"
    for letter, word, values in (
        ("W", "given", state.proposed),
        ("X", "voted", state.voted),
        ("Y", "accepted", state.accepted),
        ("Z", "confirmed", state.confirmed),
    ):
        yield f"  {letter:<2} {word:<18} {names.values(values) if values else '-'}"
    for letter, word, ballot in (
        ("B", "ballot", state.ballot),
        ("P", "accepted prepared", state.prepared),
        ("PP", "the same, below", state.prepared_prime),
        ("H", "high", state.high),
        ("C", "commit", state.commit),
    ):
        yield f"  {letter:<2} {word:<18} {names.ballot(ballot)}"
    yield f"  round {state.nomination_round}, led by {names.nodes(state.leaders)}"
    for word, deadline in (
        ("nomination", state.nomination_deadline),
        ("ballot", state.ballot_deadline),
    ):
        yield f"  {word} timer {_timer_text(deadline, step.tick)}"


def _timer_text(deadline: Tick | None, now: Tick) -> str:
    if deadline is None:
        return "not running"
    if deadline < now:
        return f"overdue by {now - deadline} ms"
    return f"fires in {deadline - now} ms"


def question_text(question: OpenQuestion[ConsensusValue], names: Names) -> str:
    """`accept prepared <1: v1> lacks 2 of node3, node4, node5 (has node2)`."""
    subject = names.values(question.values)
    if question.counter is not None:
        subject = f"<{counter_text(question.counter)}: {subject}>"
    lacks = names.nodes(question.missing) or "nobody who could help"
    if question.needed < len(question.missing):
        lacks = f"{question.needed} of {lacks}"
    has = names.nodes(question.supporters) or "no peer"
    return f"{question.predicate.value} {subject} lacks {lacks} (has {has})"


def question_lines(record: SlotRecord, step: Step, names: Names) -> Iterator[str]:
    """What the slot waits for at a step."""
    yield from diagnosis_lines(diagnose(step.state, record.start.quorum_set), names)


def diagnosis_lines(found: Diagnosis[ConsensusValue], names: Names) -> Iterator[str]:
    """Why a slot is not further; nothing of one that is decided."""
    if found.rung is Rung.EXTERNALIZED:
        return
    for question in found.questions:
        yield question_text(question, names)
    if found.silent_leaders:
        yield f"a first vote: {names.nodes(found.silent_leaders)}, leading, said nothing yet"
    if found.silent:
        yield f"not heard from: {names.nodes(found.silent)}"


def step_lines(record: SlotRecord, step: Step, names: Names) -> Iterator[str]:
    """One step for a reader: the event, what it led to, the state, what is waited for."""
    last = len(record.events)
    at_ms = step.tick - record.start.tick
    yield f"slot {record.start.slot_index}, step {step.number} of {last}, at {at_ms} ms"
    if step.event is None:
        yield "  before everything"
    else:
        for who, what in _said(step, names):
            yield f"  {who:<{names.width + 2}}  {what}"
    if step.difference is not None:
        yield f"  ! replays otherwise: {step.difference}"
    yield ""
    yield from state_lines(step, names)
    waiting = list(question_lines(record, step, names))
    if waiting:
        yield ""
        yield "waiting for"
        yield from (f"  {line}" for line in waiting)


def legend_lines(names: Names) -> Iterator[str]:
    """What the names of values stand for."""
    named = names.values_named()
    for value in named[:LEGEND_MAX]:
        yield f"{names.value(value)} = {describe_value(value)}"
    if len(named) > LEGEND_MAX:
        yield f"… {len(named) - LEGEND_MAX} more values"


@dataclasses.dataclass(frozen=True, slots=True)
class Stage:
    """A stretch of time on one rung."""

    name: str
    ms: int
    counters: tuple[int, int]
    """Ballot counters at its beginning and end."""
    waited_for: tuple[str, ...]
    """Before the longest silence in it."""


def stages(record: SlotRecord, steps: Sequence[Step], names: Names) -> list[Stage]:
    """Where the time went."""
    found: list[Stage] = []
    begin = 1
    for position in range(2, len(steps)):
        is_last = position == len(steps) - 1
        if rung_of(steps[position].state) != rung_of(steps[begin].state) or is_last:
            found.append(_stage(record, steps[begin : position + 1], names))
            begin = position
    return [stage for stage in found if stage.name != RUNG_NAMES[Rung.EXTERNALIZED]]


def _stage(record: SlotRecord, stretch: Sequence[Step], names: Names) -> Stage:
    waits = list(itertools.pairwise(stretch))
    waited: tuple[str, ...] = ()
    if waits:
        before, _ = max(waits, key=lambda pair: pair[1].tick - pair[0].tick)
        waited = tuple(question_lines(record, before, names))
    state = stretch[0].state
    return Stage(
        RUNG_NAMES[rung_of(state)],
        stretch[-1].tick - stretch[0].tick,
        (state.ballot.counter, stretch[-1].state.ballot.counter),
        waited,
    )


def stage_lines(found: Iterable[Stage]) -> Iterator[str]:
    """The stages as text."""
    for stage in found:
        first, last = stage.counters
        counters = f", ballot counter {first} to {last}" if last > first > 0 else ""
        yield f"{stage.ms:6d} ms  {stage.name}{counters}"
        for line in stage.waited_for:
            yield f"           waiting: {line}"
