"""Searches without a solver: for counting, and for deciding small systems.

Both decide node by node who is in, and give a branch up as soon as those who are in have no quorum
around them among those who are in or undecided. So every branch ends in a quorum, and the work
grows with the number of quorums, not with the number of sets of nodes. [docs/quorum.md#3]
"""

from collections.abc import Iterator

from mcnode.quorum.bounds import Bounds
from mcnode.quorum.compiled import CompiledSystem, bits
from mcnode.quorum.errors import SearchTooLarge
from mcnode.quorum.symmetry import Symmetry

STEPS_MAX = 100_000
"""Greatest quorums computed in one search: a few seconds."""


class _Steps:
    """Counts the steps of one search."""

    def __init__(self, bounds: Bounds, searched: str) -> None:
        self._left = STEPS_MAX
        self._bounds = bounds
        self._searched = searched

    def take(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise SearchTooLarge(f"{self._searched}: no answer within {STEPS_MAX} steps")
        if not self._left % 256:
            self._bounds.check(self._searched)


def count_quorums(system: CompiledSystem, symmetry: Symmetry, bounds: Bounds) -> int:
    """How many sets of nodes are quorums. Of sets of one shape only the canonical one is looked at.

    Raises:
        SearchTooLarge: there are too many.
        SearchStopped: the bounds say so.
    """
    before: dict[int, int] = {}
    for earlier, later in symmetry.ordered_pairs():
        before[later] = before.get(later, 0) | 1 << earlier
    steps = _Steps(bounds, "counting quorums")
    order = [unit for stack in symmetry.stacks for cell in stack for unit in symmetry.cells[cell]]
    total = 0
    waiting = [(0, system.greatest_quorum(system.everybody), 0)]
    while waiting:
        chosen, around, depth = waiting.pop()
        steps.take()
        while depth < len(order) and not around >> order[depth] & 1:
            depth += 1
        if depth == len(order):
            total += symmetry.count(chosen) if chosen else 0
            continue
        bit = 1 << order[depth]
        without = system.greatest_quorum(around & ~bit)
        if not chosen & ~without:
            waiting.append((chosen, without, depth + 1))
        if not before.get(order[depth], 0) & ~chosen:
            waiting.append((chosen | bit, around, depth + 1))
    return total


def find_disjoint_quorums(system: CompiledSystem, bounds: Bounds) -> tuple[int, int] | None:
    """Two minimal quorums without a common node, or None when every two have one.

    Raises:
        SearchTooLarge: the system has too many minimal quorums for this search.
        SearchStopped: the bounds say so.
    """
    if len(system.components) > 1:
        return system.shrink(system.components[0]), system.shrink(system.components[1])
    for quorum in _small_quorums(system, _Steps(bounds, "looking for two disjoint quorums")):
        other = system.greatest_quorum(system.core & ~quorum)
        if other:
            return system.shrink(quorum), system.shrink(other)
    return None


def _small_quorums(system: CompiledSystem, steps: _Steps) -> Iterator[int]:
    """Quorums, every minimal one of at most half of the core's nodes among them: of two disjoint
    quorums the smaller one is no larger."""
    largest = system.core.bit_count() // 2
    waiting = [(0, system.core)]
    while waiting:
        chosen, around = waiting.pop()
        steps.take()
        if chosen.bit_count() > largest:
            continue
        inside = system.greatest_quorum(chosen)
        if inside:
            yield inside
            continue
        undecided = around & ~chosen
        if not undecided:
            continue
        bit = _most_wanted(system, chosen, undecided)
        without = system.greatest_quorum(around & ~bit)
        if without and not chosen & ~without:
            waiting.append((chosen, without))
        waiting.append((chosen | bit, around))


def _most_wanted(system: CompiledSystem, chosen: int, undecided: int) -> int:
    """An undecided node that a chosen one listens to, so that sets grow into quorums."""
    for number in bits(chosen):
        found = system.set_of[number]
        wanted = 0 if found is None or found.is_satisfied(chosen) else found.named() & undecided
        if wanted:
            return wanted & -wanted
    return undecided & -undecided
