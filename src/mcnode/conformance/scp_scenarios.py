"""Scenarios with exact messages: unit cases of the network's software, and stellar-core's own."""

import dataclasses
from collections import Counter
from typing import Any

from mcnode.conformance.scp_differences import possible_defect
from mcnode.conformance.scp_notation import (
    NODES,
    ballot,
    combine,
    long_topic,
    optional_ballot,
    validate_except,
)
from mcnode.conformance.vectors import Report, VectorFile, expect, expect_equal, runs
from mcnode.scp import Msg, Node, Phase, Send, SlotState, Timing, Topic
from mcnode.scp.invariants import check_invariants
from mcnode.scp.slot import Slot
from mcnode.scp.types import Externalize, NominatePayload, NominatePrepare, Prepare

_TIMING = Timing(nomination_base_ms=10**15, restart_ballot_timer=False)
"""Nomination rounds never end; ballot timers as the network's software has them."""

_PHASES = {
    "NominatePrepare": Phase.NOMINATE_PREPARE,
    "Prepare": Phase.PREPARE,
    "Commit": Phase.COMMIT,
    "Externalize": Phase.EXTERNALIZE,
}
_VALUE_FIELDS = {"W": "proposed", "X": "voted", "Y": "accepted", "Z": "confirmed"}
_BALLOT_FIELDS = {"P": "prepared", "PP": "prepared_prime", "H": "high", "C": "commit"}


def _msg(written: dict[str, Any]) -> Msg[Any]:
    return Msg(
        NODES[written["sender"]],
        written["slot_index"],
        NODES.quorum_set(written["quorum_set"]),
        long_topic(written["topic"]),
    )


def _slot(case: dict[str, Any]) -> Slot[Any]:
    return Slot(
        case["slot_index"],
        NODES[case["local"]],
        NODES.quorum_set(case["network"][str(case["local"])]),
        validate=validate_except(()),
        combine=combine("sort"),
        timing=_TIMING,
    )


def _state(fresh: SlotState[Any], overrides: dict[str, Any]) -> SlotState[Any]:
    """A fresh state with the fields that a scenario sets."""
    read: dict[str, Any] = {}
    for key, value in overrides.items():
        if key in _VALUE_FIELDS:
            read[_VALUE_FIELDS[key]] = tuple(value)
        elif key in _BALLOT_FIELDS:
            read[_BALLOT_FIELDS[key]] = optional_ballot(value)
        elif key == "B":
            read["ballot"] = ballot(value)
        elif key == "phase":
            read["phase"] = _PHASES[value]
        elif key == "messages":
            read["msgs"] = tuple(map(_msg, value))
        elif key == "leaders_add":
            read["leaders"] = (*fresh.leaders, *(NODES[number] for number in value))
    return dataclasses.replace(fresh, **read)


class _Scenario:
    """One slot, put into its initial state."""

    def __init__(self, case: dict[str, Any]) -> None:
        self._case = case
        self._now = 0
        overrides = case.get("initial_state", {})
        self._become(_state(_slot(case).state(), overrides))
        last_sent = overrides.get("record_current_message_as_last_sent")
        if last_sent:
            said = self.slot.msg()
            if isinstance(last_sent, dict):
                expect_equal("current message", said, _msg(last_sent))
            self._become(dataclasses.replace(self.slot.state(), last_sent=said))

    def _become(self, state: SlotState[Any]) -> None:
        self.slot = _slot(self._case)
        self.slot.restore(state)

    def do(self, step: dict[str, Any]) -> None:
        """One step with all that is expected of it."""
        match step["op"]:
            case "handle":
                self._expect_emitted(step, self.slot.handle([_msg(step["msg"])], self._now))
            case "propose":
                self._expect_emitted(step, self.slot.propose(step["values"], self._now))
            case "ballot_timeout":
                self._expect_emitted(step, self.time_out())
            case "store":
                self.slot.handle([_msg(step["msg"])], self._now)
                self._query(step["query"], step["expect"])
            case "update_nominated":
                self.slot.reconsider(self._now)
                found = getattr(self.slot.state(), _VALUE_FIELDS[step["expect_set"]])
                expect_equal(step["expect_set"], list(found), step["expect_values"])
            case "check_ballot_timer_armed":
                armed = self.slot.state().ballot_deadline is not None
                expect_equal("ballot timer", armed, step["expect"])
            case unknown:
                expect(False, f"unknown step {unknown}")
        check_invariants(self.slot.state())

    def _query(self, query: str, expected: list[Any]) -> None:
        """What the stored messages add up to, for the slot has taken it in at once."""
        state = self.slot.state()
        if "nominated" in query:
            found = state.confirmed if "confirmed" in query else state.accepted
            expect_equal(query, list(found), expected)
        elif "accepted_prepared" in query:
            ballots = sorted(map(ballot, expected))
            conflicting = [b for b in ballots if b.values != ballots[-1].values]
            top = ballots[-1] if ballots else None
            expect_equal(query, state.prepared, top)
            expect_equal(query, state.prepared_prime, max(conflicting, default=None))
        else:
            expect(False, f"unknown query {query}")

    def time_out(self) -> Msg[Any] | None:
        """Let the ballot timer fire, running or not."""
        self._now += 1
        self._become(dataclasses.replace(self.slot.state(), ballot_deadline=self._now - 1))
        return self.slot.handle_timers(self._now)

    @staticmethod
    def _expect_emitted(step: dict[str, Any], emitted: Msg[Any] | None) -> None:
        wanted = step["expect_emitted"]
        if wanted != "any":
            expect_equal("emitted", emitted, None if wanted is None else _msg(wanted))


@runs("scp", r"slot_scenarios[^/]*\.jsonl")
def slot_scenarios(file: VectorFile, report: Report) -> None:
    """Unit cases: a slot in a given state, steps with their messages."""
    for case in file.json_lines():
        with report.case(case["name"]):
            if "ping_pong" in case:
                _ping_pong(case)
                continue
            scenario = _Scenario(case)
            for step in case["steps"]:
                scenario.do(step)


def _ping_pong(case: dict[str, Any]) -> None:
    """Two nodes that hand each other every message."""
    nodes: dict[int, Node[Any]] = {
        int(number): Node(
            NODES[int(number)],
            NODES.quorum_set(written),
            validate_except(()),
            combine("sort"),
            slot_index=case["slot_index"],
            timing=_TIMING,
        )
        for number, written in case["network"].items()
    }
    script = case["ping_pong"]
    actions = nodes[script["propose_to"]].propose(script["values"], 0)
    found: list[Msg[Any]] = []
    while sent := [action.msg for action in actions if isinstance(action, Send)]:
        found += sent
        actions = [
            action
            for msg in sent
            for number, node in nodes.items()
            if NODES[number] != msg.sender_id
            for action in node.handle([msg], 0)
        ]
    expected = list(map(_msg, script["messages"]))
    expect_equal("messages", found[: len(expected)], expected)
    for msg in found[len(expected) :]:  # a decided slot may tell again that its range has grown
        expect(isinstance(msg.topic, Externalize), f"unexpected {msg.topic}")


@runs("scp", r"stellar_ballot_scenarios[^/]*\.jsonl")
def stellar_ballot_scenarios(file: VectorFile, report: Report) -> None:
    """stellar-core's ballot cases.

    Each step gives what stellar-core says and what this network's rules say by a literal model with
    the defects of those rules; this build must say one of the two, or part by a known defect.
    """
    endings: Counter[str] = Counter()
    for case in file.json_lines():
        with report.case(case["name"]):
            endings[_stellar_case(case)] += 1
    report.notes.extend(f"{count} {ending}" for ending, count in sorted(endings.items()))


def _stellar_case(case: dict[str, Any]) -> str:
    scenario = _Scenario(case | {"initial_state": _begun(case["start_value"])})
    for number, step in enumerate(case["steps"]):
        before = scenario.slot.state()
        emitted = _stellar_step(scenario, case, step)
        check_invariants(scenario.slot.state())
        found = None if emitted is None else _without_nomination(emitted.topic)
        here, there = (
            None if step.get(key) is None else long_topic(step[key])
            for key in ("mobilecoin_last_emitted", "stellar_last_emitted")
        )
        if found == here:
            continue
        if found == there:
            return "leave the model and say what stellar-core says"
        defect = possible_defect(before, scenario.slot.state(), found, here)
        outcome = f"step {number}: found {found}, expected {here} or {there}"
        expect(defect is not None, outcome)
        return f"part by {defect.value if defect else ''}"
    return "agree with the model of this network's rules throughout"


def _without_nomination(topic: Topic[Any]) -> Topic[Any]:
    """The cases are about ballots alone: an empty nomination part is left out."""
    if isinstance(topic, NominatePrepare) and topic.nomination == NominatePayload():
        return Prepare(topic.prepare)
    return topic


def _begun(start_value: Any) -> dict[str, Any]:
    """The state after ballot <1, value> was begun with nothing else nominated."""
    if start_value is None:
        return {}
    values = [start_value]
    return {
        "phase": "Prepare",
        "Y": values,
        "Z": values,
        "B": {"N": 1, "X": values},
        "record_current_message_as_last_sent": True,
    }


def _stellar_step(
    scenario: _Scenario, case: dict[str, Any], step: dict[str, Any]
) -> Msg[Any] | None:
    """The last message of a step in which each sender sends the same statement."""
    last: Msg[Any] | None = None
    for sender in step["from"]:
        if sender == "timeout":
            emitted = scenario.time_out()
        else:
            quorum_set = NODES.quorum_set(case["network"][str(sender)])
            statement = long_topic(step["statement"])
            msg = Msg(NODES[sender], case["slot_index"], quorum_set, statement)
            emitted = scenario.slot.handle([msg], 0)
        last = emitted or last
    return last
