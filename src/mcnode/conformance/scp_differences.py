"""Why a genuine trace and this build part: each difference must be one of the known defects.

The traces come from software whose agreement code has defects that this build does not copy; they
are numbered as in docs/protocol/scp.md section 7.9. A difference that none of them explains is a
failure. Some defects show in the state after the step or are named by the vector; where the trace
holds no state, one is accepted only if the peers' messages make it possible at all.
"""

import enum
from collections import Counter, defaultdict

from mcnode.conformance.vectors import Report
from mcnode.scp import INFINITY, Phase, SlotState
from mcnode.scp.statements import (
    accepts_commit,
    accepts_prepared,
    votes_or_accepts_commit,
    votes_or_accepts_prepared,
)
from mcnode.scp.types import Commit, Externalize, Topic, V, nomination_of


class Defect(enum.Enum):
    """What the network's own software does at the place of a difference."""

    D1 = "D1: stopped on an assertion after a re-entered pass"
    D1_D3 = "D1, D2 or D3: named by the vector"
    D2 = "D2: the outcome depends on hash order"
    D2_D4 = "D2, D3 or D4: peers differ about counters or values, which its searches mix up"
    D4 = "D4: its own commit votes end at H"
    D6 = "D6: commit voted from counter 0, or sought for the list of B instead of H"
    D7 = "D7: did not advance on an outcome found by timer"
    D10 = "D10: a counter wrapped"
    D12 = "D12: the next ballot forgot what was held as confirmed or accepted prepared"
    D13 = "D13: left an accepted-prepared ballot for a lower confirmed one that it aborts"


_PANICS = {"stack-overflow": Defect.D10, "commit-zero-ballot": Defect.D10}


def defect_of_panic(category: str) -> Defect:
    """The defect behind a process that stopped; every other category is a broken assertion."""
    return _PANICS.get(category, Defect.D1)


class Differences:
    """Counts cases by how they ended and writes the table into the notes of a report."""

    def __init__(self) -> None:
        self._whole = 0
        self._counts: Counter[Defect] = Counter()

    def add(self, defect: Defect | None) -> None:
        """One more case: parted by a defect, or None for one that agreed to its last step."""
        if defect is None:
            self._whole += 1
        else:
            self._counts[defect] += 1

    def note(self, report: Report) -> None:
        """Write the table."""
        report.notes.append(f"{self._whole} agree to the last step")
        for defect in sorted(self._counts, key=lambda d: d.name):
            report.notes.append(f"{self._counts[defect]} part by {defect.value}")


def visible_defect(before: SlotState[V], ours: SlotState[V], theirs: SlotState[V]) -> Defect | None:
    """The defect that the states after one step show; `before` is common to both."""
    if theirs.ballot.counter < before.ballot.counter:
        return Defect.D10
    if theirs.commit is not None and theirs.commit.counter == 0:
        return Defect.D10 if before.ballot.counter == INFINITY else Defect.D6
    if ours.high is not None and theirs.high is not None:
        if before.ballot.counter == 0 or (
            theirs.high.values != before.ballot.values and theirs.phase < ours.phase
        ):
            return Defect.D6
        if ours.phase >= Phase.COMMIT:
            return Defect.D4 if ours.high.counter > theirs.high.counter else None
        if ours.high == theirs.high and is_aborted(ours) and ours.ballot != theirs.ballot:
            return Defect.D13
    kept = before.high == ours.high == theirs.high and (before.high or before.prepared)
    return Defect.D12 if kept and ours.ballot != theirs.ballot else None


def is_aborted(state: SlotState[V]) -> bool:
    """Whether what is confirmed prepared conflicts with something higher accepted prepared."""
    high, prepared = state.high, state.prepared
    return bool(high and prepared and prepared > high and prepared.values != high.values)


def possible_defect(
    before: SlotState[V], after: SlotState[V], ours: Topic[V] | None, theirs: Topic[V] | None
) -> Defect | None:
    """A defect that can have acted in a step of this build, where no state is recorded."""
    if after.high is not None:
        if before.ballot.counter == 0 or before.ballot.values != after.high.values:
            return Defect.D6
        if _high_counter(ours) > _high_counter(theirs):
            return Defect.D4
    if _peers_differ(after):
        return Defect.D2_D4
    if is_aborted(after):
        return Defect.D13
    moved = after.ballot.counter > before.ballot.counter
    return Defect.D12 if moved and (before.high or before.prepared) else None


def _high_counter(topic: Topic[V] | None) -> int:
    """HN of a topic that commits, else 0."""
    return topic.high_counter if isinstance(topic, Commit | Externalize) else 0


def _peers_differ(state: SlotState[V]) -> bool:
    """Whether two peers nominate different values, or name different counters of one list.

    As long as all say the same, a greedy search is exact, and nothing more than what all say can be
    accepted.
    """
    nominated: set[object] = set()
    said: defaultdict[tuple[str, object], set[object]] = defaultdict(set)
    for msg in state.msgs:
        nomination = nomination_of(msg.topic)
        if nomination is not None:
            nominated.add((nomination.voted, nomination.accepted))
        for ballot in accepts_prepared(msg.topic):
            said["accepts", ballot.values].add(ballot.counter)
        for ballot in votes_or_accepts_prepared(msg.topic):
            said["votes", ballot.values].add(ballot.counter)
        accepted, voted = accepts_commit(msg.topic), votes_or_accepts_commit(msg.topic)
        if accepted is not None:
            said["accepts commit", accepted.values].add(accepted.counters)
        if voted is not None:
            said["votes commit", voted.values].add(voted.counters)
    return len(nominated) > 1 or any(len(counters) > 1 for counters in said.values())
