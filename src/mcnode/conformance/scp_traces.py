"""Genuine traces of single slots, replayed step by step with full state."""

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

from mcnode.conformance.scp_differences import (
    Defect,
    Differences,
    defect_of_panic,
    visible_defect,
)
from mcnode.conformance.scp_notation import (
    NODES,
    ballot,
    combine,
    optional_ballot,
    topic,
    validate_except,
)
from mcnode.conformance.vectors import Report, VectorFile, expect, expect_equal, runs
from mcnode.scp import Msg, Phase, SlotState, Timing
from mcnode.scp.invariants import check_invariants
from mcnode.scp.msg_rules import check_msg
from mcnode.scp.slot import Slot

TIMING = Timing(restart_ballot_timer=False)
"""Ballot timers as the traces have them."""

PHASES = {
    "NP": Phase.NOMINATE_PREPARE,
    "P": Phase.PREPARE,
    "C": Phase.COMMIT,
    "E": Phase.EXTERNALIZE,
}
_FIELDS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "W": ("proposed", tuple),
    "X": ("voted", tuple),
    "Y": ("accepted", tuple),
    "Z": ("confirmed", tuple),
    "B": ("ballot", ballot),
    "P": ("prepared", optional_ballot),
    "PP": ("prepared_prime", optional_ballot),
    "H": ("high", optional_ballot),
    "C": ("commit", optional_ballot),
    "ph": ("phase", PHASES.__getitem__),
    "L": ("leaders", lambda numbers: tuple(NODES[n] for n in numbers)),
    "r": ("nomination_round", int),
}
"""Key of a trace: field of `SlotState`, how to read it."""


def _written_state(found: SlotState[Any]) -> SlotState[Any]:
    """The state without what traces leave out, leaders in order of their numbers."""
    return dataclasses.replace(
        found,
        msgs=(),
        last_sent=None,
        valid_values=(),
        nomination_deadline=None,
        ballot_deadline=None,
        leaders=tuple(NODES[n] for n in NODES.numbers(found.leaders)),
    )


class _SlotReplay:
    """One case of a slot trace."""

    def __init__(self, case: dict[str, Any]) -> None:
        self._case = {key: value for key, value in case.items() if value is not None}
        self._sets = [NODES.quorum_set(written) for written in case["qs"]]
        self._slot: Slot[Any] = Slot(
            case["slot"],
            NODES[case["self"]],
            self._sets[case["selfq"]],
            validate=validate_except(case["bad"]),
            combine=combine(case["combine"]),
            timing=TIMING,
        )
        self._now = 0
        self._theirs: SlotState[Any] = SlotState(
            case["slot"], NODES[case["self"]], leaders=tuple(NODES[n] for n in case["L0"])
        )

    def run(self) -> Defect | None:
        """The defect at which the trace and this build part, None if they never do."""
        expect_equal("initial state", _written_state(self._slot.state()), self._theirs)
        parted: Defect | None = None
        after = self._slot.state()
        for number, step in enumerate(self._case["steps"]):
            before = after
            emitted = self._do(step)
            after = self._slot.state()
            if after != before:
                check_invariants(after)
            if emitted is not None:
                check_msg(emitted)
            if parted is None:
                parted = self._compare(number, step, (before, after), emitted)
        return parted

    def _do(self, step: dict[str, Any]) -> Msg[Any] | None:
        if "p" in step:
            return self._slot.propose(step["p"], self._now)
        if "h" in step:
            return self._slot.handle([self._msg(written) for written in step["h"]], self._now)
        self._now += step["t"]
        return self._slot.handle_timers(self._now)

    def _msg(self, written: dict[str, Any]) -> Msg[Any]:
        slot_index = written.get("i", self._case["slot"])
        quorum_set = self._sets[written["q"]]
        return Msg(NODES[written["s"]], slot_index, quorum_set, topic(written))

    def _compare(
        self,
        number: int,
        step: dict[str, Any],
        states: tuple[SlotState[Any], SlotState[Any]],
        emitted: Msg[Any] | None,
    ) -> Defect | None:
        before, after = states
        if "panic" in step:
            return defect_of_panic(step["panic"])
        if "alt" in step:
            return (
                None if self._is_among(step["alt"], _written_state(after), emitted) else Defect.D2
            )
        moved = "d" in step or after != before
        if "d" in step:
            self._theirs = _with(self._theirs, step["d"])
        if number >= self._case.get("re", number + 1):
            return Defect.D1_D3
        found = None if emitted is None else emitted.topic
        expected = topic(step["e"]) if "e" in step else None
        ours = _written_state(after) if moved else self._theirs
        same_state = ours == self._theirs or number >= self._case.get("rs", number + 1)
        if not same_state or found != expected:
            ours = _written_state(after)
            outcome = f"found {found} {ours}, expected {expected} {self._theirs}"
            defect = visible_defect(before, ours, self._theirs)
            expect(defect is not None, f"step {number}: {outcome}")
            return defect
        _check_stored(number, step, before, after)
        return None

    def _is_among(
        self,
        outcomes: Iterable[dict[str, Any]],
        ours: SlotState[Any],
        emitted: Msg[Any] | None,
    ) -> bool:
        return any(
            "panic" not in outcome
            and _with(self._theirs, outcome.get("d", {})) == ours
            and (topic(outcome["e"]) if "e" in outcome else None) == (emitted and emitted.topic)
            for outcome in outcomes
        )


def _check_stored(
    number: int, step: dict[str, Any], before: SlotState[Any], after: SlotState[Any]
) -> None:
    held = {msg.sender_id: msg for msg in before.msgs}
    changed = [msg.sender_id for msg in after.msgs if held.get(msg.sender_id) is not msg]
    expect_equal(f"step {number}: stored", NODES.numbers(changed), step.get("k", []))


def _with(state: SlotState[Any], changes: dict[str, Any]) -> SlotState[Any]:
    read = {_FIELDS[key][0]: _FIELDS[key][1](value) for key, value in changes.items()}
    return dataclasses.replace(state, **read)


@runs("scp", r"genuine[^/]*/(slot_traces|known_cases)[^/]*\.jsonl")
def slot_traces(file: VectorFile, report: Report) -> None:
    """One slot of one node: every step's state and message."""
    differences = Differences()
    for case in file.json_lines():
        with report.case(case["id"]):
            differences.add(_SlotReplay(case).run())
    differences.note(report)
