"""Nodes that can be exchanged without changing the system.

Operators run alike nodes, and networks list alike organisations: ten nodes that each ask 7 of the
other 9 have 45 minimal quorums, but only one shape of them. A search that looks for shapes finds
them all where a search for sets would not end. A *cell* is a list of units any two of which can be
exchanged; a *stack* is a list of equally long cells any two of which can be exchanged as wholes.
The shape of a set is how many units of each cell it has, cells of a stack in descending order; its
canonical set takes the first units of each cell. [docs/quorum.md#5]

A canonical set contains some exchanged copy of a shape exactly if it contains that shape's
canonical set, which is why it is enough to look at canonical sets only.
"""

import dataclasses
import itertools
import math
from collections import Counter
from collections.abc import Iterator, Sequence

from mcnode.quorum.compiled import CompiledSystem, MaskSet, bits, mask_set
from mcnode.quorum.model import Grouping

_EXCHANGES_MAX = 2_000_000
"""Members of sets looked at while searching for exchanges: about a second."""

Pairs = Sequence[tuple[int, int]]


@dataclasses.dataclass(frozen=True, slots=True)
class Symmetry:
    """Cells of unit numbers, every unit in one; stacks of cell numbers, every cell in one."""

    cells: tuple[tuple[int, ...], ...]
    stacks: tuple[tuple[int, ...], ...]

    def canonical(self, mask: int) -> int:
        """The canonical set of the shape of a set of units."""
        made = 0
        for stack in self.stacks:
            for cell, count in zip(stack, self._counts(stack, mask), strict=True):
                for unit in self.cells[cell][:count]:
                    made |= 1 << unit
        return made

    def count(self, mask: int) -> int:
        """How many sets have the shape of this one."""
        total = 1
        for stack in self.stacks:
            counts = self._counts(stack, mask)
            total *= math.factorial(len(counts))
            for times in Counter(counts).values():
                total //= math.factorial(times)
            for cell, count in zip(stack, counts, strict=True):
                total *= math.comb(len(self.cells[cell]), count)
        return total

    def images(self, mask: int) -> Iterator[int]:
        """Every set of the shape of this one."""
        parts = [list(self._stack_images(stack, mask)) for stack in self.stacks]
        for choice in itertools.product(*parts):
            yield sum(choice)

    def ordered_pairs(self) -> Iterator[tuple[int, int]]:
        """Units (u, v) such that a canonical set with v has u."""
        for cell in self.cells:
            yield from itertools.pairwise(cell)
        for stack in self.stacks:
            for earlier, later in itertools.pairwise(stack):
                yield from zip(self.cells[earlier], self.cells[later], strict=True)

    def _counts(self, stack: tuple[int, ...], mask: int) -> list[int]:
        return sorted(
            (sum(mask >> unit & 1 for unit in self.cells[cell]) for cell in stack), reverse=True
        )

    def _stack_images(self, stack: tuple[int, ...], mask: int) -> Iterator[int]:
        for counts in _arrangements(self._counts(stack, mask)):
            chosen = [
                itertools.combinations(self.cells[cell], count)
                for cell, count in zip(stack, counts, strict=True)
            ]
            for choice in itertools.product(*chosen):
                yield sum(1 << unit for unit in itertools.chain(*choice))


def _arrangements(counts: list[int]) -> Iterator[tuple[int, ...]]:
    """The different orders of some numbers."""
    if not counts:
        yield ()
        return
    for first in sorted(set(counts), reverse=True):
        rest = list(counts)
        rest.remove(first)
        for others in _arrangements(rest):
            yield (first, *others)


def trivial_symmetry(unit_count: int) -> Symmetry:
    """No two units can be exchanged."""
    numbers = range(unit_count)
    return Symmetry(tuple((n,) for n in numbers), tuple((n,) for n in numbers))


def find_symmetry(system: CompiledSystem, units: Sequence[int]) -> Symmetry:
    """Which of these disjoint masks of nodes can be exchanged, as wholes, with one another.

    What is found holds; not everything that holds is found: nodes are paired in their order.
    """
    size = 1 + sum(1 + len(found.inner) for found, _ in system.sets)
    if size * len(units) > _EXCHANGES_MAX:
        return trivial_symmetry(len(units))
    exchanges = _Exchanges(system)
    cells: list[list[int]] = []
    for number, unit in enumerate(units):
        for cell in cells:
            if exchanges.are_alike(_pairs(units[cell[0]], unit)):
                cell.append(number)
                break
        else:
            cells.append([number])
    stacks: list[list[int]] = []
    for number, cell in enumerate(cells):
        for stack in stacks:
            first = cells[stack[0]]
            if len(first) == len(cell) and exchanges.are_alike(_cell_pairs(units, first, cell)):
                stack.append(number)
                break
        else:
            stacks.append([number])
    return Symmetry(tuple(map(tuple, cells)), tuple(map(tuple, stacks)))


def group_masks(system: CompiledSystem, grouping: Grouping) -> tuple[list[str], list[int]]:
    """The names of the groups of nodes, and the nodes of each."""
    groups = system.system.groups(grouping)
    return list(groups), [system.mask(ids) for ids in groups.values()]


def _pairs(one: int, other: int) -> list[tuple[int, int]] | None:
    if one.bit_count() != other.bit_count():
        return None
    return list(zip(bits(one), bits(other), strict=True))


def _cell_pairs(
    units: Sequence[int], one: list[int], other: list[int]
) -> list[tuple[int, int]] | None:
    pairs: list[tuple[int, int]] = []
    for left, right in zip(one, other, strict=True):
        found = _pairs(units[left], units[right])
        if found is None:
            return None
        pairs += found
    return pairs


class _Exchanges:
    """Tests whether exchanging nodes pair by pair gives the same system again."""

    def __init__(self, system: CompiledSystem) -> None:
        self._set_of = system.set_of
        self._users = dict(system.sets)

    def are_alike(self, pairs: Pairs | None) -> bool:
        if pairs is None:
            return False
        moved = 0
        for one, other in pairs:
            moved |= 1 << one | 1 << other
            if (self._set_of[one] is None) != (self._set_of[other] is None):
                return False
        for one, other in pairs:  # fails early for most pairs that are not alike
            own, others = self._set_of[one], self._set_of[other]
            if own is not None and _exchanged_set(own, pairs, moved) != others:
                return False
        return all(
            self._users.get(_exchanged_set(found, pairs, moved)) == _exchanged(users, pairs)
            for found, users in self._users.items()
        )


def _exchanged(mask: int, pairs: Pairs) -> int:
    for one, other in pairs:
        if (mask >> one ^ mask >> other) & 1:
            mask ^= 1 << one | 1 << other
    return mask


def _exchanged_set(found: MaskSet, pairs: Pairs, moved: int) -> MaskSet:
    nodes = _exchanged(found.nodes, pairs) if found.nodes & moved else found.nodes
    if not found.inner:
        return found if nodes == found.nodes else MaskSet(found.threshold, nodes)
    inner = [_exchanged_set(each, pairs, moved) for each in found.inner]
    return mask_set(found.threshold, nodes, inner)
