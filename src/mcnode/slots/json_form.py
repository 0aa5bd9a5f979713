"""Slots for scripts: the same facts as `mcnode.slots.text`, as JSON values."""

from typing import Any

from mcnode.peers.consensus_value import ConsensusValue
from mcnode.scp import Ballot
from mcnode.slots.diagnosis import OpenQuestion, diagnose
from mcnode.slots.events import SlotRecord
from mcnode.slots.library import Entry
from mcnode.slots.names import Names, describe_value
from mcnode.slots.replay import Step
from mcnode.slots.text import PHASE_NAMES, Stage, heard, outcome_text, topic_text


def entry_json(entry: Entry) -> dict[str, Any]:
    """A line of the list."""
    record = entry.record
    start = record.start
    return {
        "slot_index": start.slot_index,
        "attempt": entry.attempt,
        "node": start.node_id.responder_id,
        "began_unix_ms": start.unix_ms or None,
        "outcome": outcome_text(record),
        "value_count": None if record.externalized is None else len(record.externalized),
        "duration_ms": record.duration_ms,
        "events": len(record.events),
        "breaks_off": record.breaks_off,
        "path": str(entry.path),
    }


def step_json(record: SlotRecord, step: Step, names: Names) -> dict[str, Any]:
    """A step with the state after it, and what the slot waits for."""
    state = step.state
    found = diagnose(state, record.start.quorum_set)
    return {
        "step": step.number,
        "ms": step.tick - record.start.tick,
        "input": []
        if step.event is None
        else [{"who": who, "what": what} for who, what in heard(step.event, names)],
        "sent": None if step.outcome.sent is None else topic_text(step.outcome.sent.topic, names),
        "refused": list(step.outcome.refused),
        "difference": step.difference,
        "phase": PHASE_NAMES[state.phase],
        "W": _values(state.proposed, names),
        "X": _values(state.voted, names),
        "Y": _values(state.accepted, names),
        "Z": _values(state.confirmed, names),
        "B": _ballot(state.ballot, names),
        "P": _ballot(state.prepared, names),
        "PP": _ballot(state.prepared_prime, names),
        "H": _ballot(state.high, names),
        "C": _ballot(state.commit, names),
        "nomination_round": state.nomination_round,
        "leaders": [names.node(node) for node in state.leaders],
        "nomination_timer_ms": _remaining(state.nomination_deadline, step),
        "ballot_timer_ms": _remaining(state.ballot_deadline, step),
        "waiting_for": [_question(question, names) for question in found.questions],
        "not_heard_from": [names.node(node) for node in found.silent],
    }


def stage_json(stage: Stage) -> dict[str, Any]:
    """Where time went."""
    return {
        "stage": stage.name,
        "ms": stage.ms,
        "ballot_counters": list(stage.counters),
        "waited_for": list(stage.waited_for),
    }


def legend_json(names: Names) -> dict[str, str]:
    """What the names of values stand for."""
    return {names.value(value): describe_value(value) for value in names.values_named()}


def _question(question: OpenQuestion[ConsensusValue], names: Names) -> dict[str, Any]:
    return {
        "predicate": question.predicate.value,
        "values": _values(question.values, names),
        "counter": question.counter,
        "has": [names.node(node) for node in question.supporters],
        "lacks": [names.node(node) for node in question.missing],
        "needed": question.needed,
    }


def _values(values: tuple[ConsensusValue, ...], names: Names) -> list[str]:
    return [names.value(value) for value in values]


def _ballot(ballot: Ballot[ConsensusValue] | None, names: Names) -> dict[str, Any] | None:
    if ballot is None or not ballot.counter:
        return None
    return {"counter": ballot.counter, "values": _values(ballot.values, names)}


def _remaining(deadline: int | None, step: Step) -> int | None:
    return None if deadline is None else deadline - step.tick
