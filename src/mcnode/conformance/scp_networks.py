"""Genuine traces of nodes across slots and of whole networks, replayed event by event."""

from collections.abc import Iterable
from typing import Any, TypeAlias

from mcnode.conformance.scp_differences import (
    Defect,
    Differences,
    defect_of_panic,
    possible_defect,
)
from mcnode.conformance.scp_notation import NODES, combine, topic, validate_except
from mcnode.conformance.scp_traces import PHASES, TIMING
from mcnode.conformance.vectors import MismatchError, Report, VectorFile, runs
from mcnode.scp import Msg, Node, NodeID, QuorumSet, Send, SlotState, Topic
from mcnode.scp.actions import Action, Externalize
from mcnode.scp.invariants import check_invariants

_PHASE_NAMES = {phase: name for name, phase in PHASES.items()}

_Sent: TypeAlias = list[tuple[int, Topic[Any]]]
"""Slot and topic of each message sent."""

_States: TypeAlias = dict[int, SlotState[Any]]
"""By slot."""


def _node(case: dict[str, Any], number: int) -> Node[Any]:
    return Node(
        NODES[number],
        NODES.quorum_set(case["qs"][number - 1]),
        validate_except(case["bad"]),
        combine(case["combine"]),
        slot_index=case["slot0"],
        timing=TIMING,
    )


def _node_msg(case: dict[str, Any], written: dict[str, Any]) -> Msg[Any]:
    """A message whose quorum set is that of its sender; a stranger's is empty."""
    sender: NodeID = NODES[written["s"]]
    sets = case["qs"]
    known = written["s"] <= len(sets)
    quorum_set = NODES.quorum_set(sets[written["s"] - 1]) if known else QuorumSet(0)
    return Msg(sender, written["i"], quorum_set, topic(written))


def _sent(actions: Iterable[Action[Any]]) -> _Sent:
    return [(a.msg.slot_index, a.msg.topic) for a in actions if isinstance(a, Send)]


def _states(node: Node[Any]) -> _States:
    """The states of the current slot and the one before."""
    around = (node.slot_index - 1, node.slot_index)
    return {s: state for s in around if (state := node.slot_state(s)) is not None}


def _explain(where: str, node: Node[Any], before: _States, outcomes: tuple[_Sent, _Sent]) -> Defect:
    """The defect that can have acted in one of the slots that moved; a mismatch when none can."""
    ours, theirs = dict(outcomes[0]), dict(outcomes[1])
    for slot_index, state in before.items():
        after = node.slot_state(slot_index)
        if after is not None and after != state:
            topics = ours.get(slot_index), theirs.get(slot_index)
            defect = possible_defect(state, after, *topics)
            if defect is not None:
                return defect
    raise MismatchError(f"{where}: found {outcomes[0]}, expected {outcomes[1]}")


class _NodeReplay:
    """One case of a node trace."""

    def __init__(self, case: dict[str, Any]) -> None:
        self._case = case
        self._node = _node(case, case["self"])
        self._now = 0

    def run(self) -> Defect | None:
        """The defect at which the trace and this build part, None if they never do."""
        for number, step in enumerate(self._case["steps"]):
            before = _states(self._node)
            actions = self._do(step)
            for state in _states(self._node).values():
                check_invariants(state)
            if "panic" in step:
                return defect_of_panic(step["panic"])
            outcomes = _sent(actions), [(m["i"], topic(m)) for m in step.get("e", [])]
            gauges = tuple(step[key] for key in ("cur", "m", "x", "snap"))
            if outcomes[0] != outcomes[1] or self._gauges() != gauges:
                return self._explain(number, step, before, outcomes)
        return None

    def _do(self, step: dict[str, Any]) -> list[Action[Any]]:
        if "p" in step:
            return self._node.propose(step["p"], self._now)
        if "h" in step:
            return self._node.handle([_node_msg(self._case, m) for m in step["h"]], self._now)
        if "t" in step:
            self._now += step["t"]
            return self._node.handle_timers(self._now)
        if "reset" in step:
            return self._node.reset_slot_index(step["reset"])
        self._node.externalized_slots_max = step["max"]
        return []

    def _gauges(self) -> tuple[int, list[Any], dict[str, list[Any]], list[int]]:
        node = self._node
        metrics = node.metrics()
        written = [
            _PHASE_NAMES[metrics.phase],
            metrics.voted_count,
            metrics.accepted_count,
            metrics.confirmed_count,
            metrics.nomination_round,
            metrics.ballot_counter,
        ]
        around = range(max(0, node.slot_index - 5), node.slot_index + 2)
        values = {
            str(slot): list(found)
            for slot in around
            if (found := node.externalized_values(slot)) is not None
        }
        shown = [slot for slot in around if node.slot_state(slot) is not None]
        return node.slot_index, written, values, shown

    def _explain(
        self,
        number: int,
        step: dict[str, Any],
        before: _States,
        outcomes: tuple[_Sent, _Sent],
    ) -> Defect:
        by_timer = "t" in step and any(
            m["t"] == "E" and m["i"] == step["cur"] for m in step.get("e", [])
        )
        if by_timer and self._node.slot_index == step["cur"] + 1:
            return Defect.D7
        return _explain(f"step {number}", self._node, before, outcomes)


@runs("scp", r"genuine[^/]*/node_traces[^/]*\.jsonl")
def node_traces(file: VectorFile, report: Report) -> None:
    """One node across slots: messages, current slot, outcomes, gauges."""
    differences = Differences()
    for case in file.json_lines():
        with report.case(case["id"]):
            differences.add(_NodeReplay(case).run())
    differences.note(report)


class _NetReplay:
    """One network: each honest node gets what it got in the run, whatever this build would send.

    A node that has parted from the run takes no further part: the others go on hearing what the
    run's node said in its place.
    """

    def __init__(self, case: dict[str, Any]) -> None:
        self._case = case
        honest = [n for n in range(1, case["nodes"] + 1) if n not in case["byzantine"]]
        self._nodes = {number: _node(case, number) for number in honest}
        self._msgs = [_node_msg(case, written) for written in case["msgs"]]
        self._varies = {int(number): event for number, event in case.get("nd", {}).items()}
        self._now = 0
        self._parted: dict[int, Defect] = {}
        self._held = {number: _states(node) for number, node in self._nodes.items()}
        """States of each node when it last sent anything."""

    def run(self) -> list[Defect | None]:
        """Per node, the defect at which run and build part, None where they never do."""
        for number, event in enumerate(self._case["ev"]):
            if "c" in event:
                self._now += event["c"]
            elif "b" not in event:
                who = event["t"] if "t" in event else event.get("p", event.get("d"))[0]
                if who not in self._parted:
                    self._event(number, who, event)
        return [self._parted.get(number) for number in self._nodes]

    def _event(self, number: int, who: int, event: dict[str, Any]) -> None:
        actions = self._do(self._nodes[who], event)
        sent = _sent(actions)
        expected = [
            (msg.slot_index, msg.topic) for msg in map(self._msgs.__getitem__, event.get("o", []))
        ]
        outcome = [[a.slot_index, list(a.values)] for a in actions if isinstance(a, Externalize)]
        expected_outcome = [event["x"]] if "x" in event else []
        if (sent, outcome) != (expected, expected_outcome):
            where = f"event {number}, node {who}"
            varies = self._varies.get(who, number + 1) <= number
            self._parted[who] = (
                Defect.D2
                if varies
                else _explain(where, self._nodes[who], self._held[who], (sent, expected))
            )
        if sent:
            self._held[who] = _states(self._nodes[who])
            for state in self._held[who].values():
                check_invariants(state)

    def _do(self, node: Node[Any], event: dict[str, Any]) -> list[Action[Any]]:
        if "p" in event:
            return node.propose(event["p"][1], self._now)
        if "d" in event:
            return node.handle([self._msgs[i] for i in event["d"][1]], self._now)
        return node.handle_timers(self._now)


@runs("scp", r"genuine[^/]*/net_runs[^/]*\.jsonl")
def net_runs(file: VectorFile, report: Report) -> None:
    """Whole networks, each honest node on its own: messages and outcomes."""
    differences = Differences()
    for case in file.json_lines():
        with report.case(case["id"]):
            for defect in _NetReplay(case).run():
                differences.add(defect)
    differences.note(report)
