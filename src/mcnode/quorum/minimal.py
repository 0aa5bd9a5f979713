"""All minimal sets of units with a property, smallest first.

A *unit* is what fails or lies as a whole: a node, or all nodes of an organisation, host or country.
The property is a formula over one variable per unit. Candidates are found by size: once every set
of fewer units is known and its supersets are excluded, a candidate of this size has no smaller one
inside it, so no candidate has to be reduced. [docs/quorum.md#4]
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence

from mcnode.quorum.bounds import Bounds
from mcnode.quorum.compiled import CompiledSystem, MaskSet, bits
from mcnode.quorum.errors import SearchStopped
from mcnode.quorum.formula import Formula, Member, halves, members
from mcnode.quorum.model import Grouping
from mcnode.quorum.solver import Solver
from mcnode.quorum.symmetry import Symmetry, find_symmetry, group_masks

SHAPES_MAX = 5_000
"""Shapes of sets after which a search ends; nobody reads more."""

Within = Callable[[int], int | None]
"""Given units: those of them that have the property together, or None when none do."""

Refine = Callable[[int], int | None]
"""Given the mask of a candidate: None to take it, or units of which the next must have one."""


@dataclasses.dataclass(frozen=True, slots=True)
class Units:
    """The units of a system: their names, their nodes, and which of them are alike."""

    names: tuple[str, ...]
    masks: tuple[int, ...]
    symmetry: Symmetry
    are_nodes: bool

    def nodes(self, units: int) -> int:
        """The nodes of some units."""
        mask = 0
        for number in bits(units):
            mask |= self.masks[number]
        return mask

    def named(self, units: int) -> list[str]:
        """The names of some units."""
        return [self.names[number] for number in bits(units)]


def units_of(system: CompiledSystem, grouping: Grouping | None) -> Units:
    """The nodes of a system, or its groups."""
    if grouping is None:
        masks = [1 << number for number in range(len(system))]
        return Units(tuple(system.ids), tuple(masks), find_symmetry(system, masks), True)
    names, masks = group_masks(system, grouping)
    return Units(tuple(names), tuple(masks), find_symmetry(system, masks), False)


@dataclasses.dataclass(frozen=True, slots=True)
class MinimalSets:
    """What was found: one canonical set of units per shape, by size.

    When the search was ended, `is_complete` is false; sets of at most `searched_size` units are all
    there. If it ended before the first one, `example` is one that was come down to from above: not
    the smallest, perhaps, but an upper end.
    """

    units: Units
    shapes: tuple[int, ...]
    is_complete: bool
    searched_size: int
    example: int | None = None

    @property
    def count(self) -> int:
        """How many sets there are; of a search that was ended, how many were found."""
        return sum(self.units.symmetry.count(shape) for shape in self.shapes)

    @property
    def smallest(self) -> int | None:
        """The size of the smallest set, None when there is none or none was found."""
        return self.shapes[0].bit_count() if self.shapes else None

    def sizes(self) -> dict[int, int]:
        """How many sets of each size."""
        found: dict[int, int] = {}
        for shape in self.shapes:
            size = shape.bit_count()
            found[size] = found.get(size, 0) + self.units.symmetry.count(shape)
        return found

    def __iter__(self) -> Iterator[int]:
        """Every set, as a mask of units."""
        for shape in self.shapes:
            yield from self.units.symmetry.images(shape)

    def involved(self) -> int:
        """The units that are in some set."""
        symmetry, mask = self.units.symmetry, 0
        for shape in self.shapes:
            for stack in symmetry.stacks:
                if any(shape >> unit & 1 for cell in stack for unit in symmetry.cells[cell]):
                    for cell in stack:
                        mask |= sum(1 << unit for unit in symmetry.cells[cell])
        return mask


def enumerate_minimal(
    formula: Formula,
    units: Units,
    literals: Sequence[int],
    cost: Sequence[int],
    *,
    bounds: Bounds,
    searched: str,
    refine: Refine = lambda candidate: None,
    within: Within | None = None,
) -> MinimalSets:
    """All minimal sets of units whose literals are true in a model of the formula.

    `cost` counts the literals in unary. Only canonical sets are looked for, so the formula must not
    change when alike units are exchanged. `within` is only needed where the formula does not say
    all of the property.
    """
    for earlier, later in units.symmetry.ordered_pairs():
        formula.add(-literals[later], literals[earlier])
    shapes: list[int] = []
    size = 0
    with Solver(bounds, searched) as solver:
        solver.add(formula.clauses)
        try:
            while solver.solve() is not None:
                limit = [-cost[size]] if size < len(cost) else []
                while (model := solver.solve(limit)) is not None:
                    candidate = sum(1 << n for n, each in enumerate(literals) if each in model)
                    needed = refine(candidate)
                    if needed is not None:
                        solver.add([[literals[unit] for unit in bits(needed)]])
                        continue
                    shapes.append(candidate)
                    bounds.report(searched, len(shapes))
                    solver.add([[-literals[unit] for unit in bits(candidate)]])
                    if len(shapes) >= SHAPES_MAX:
                        return MinimalSets(units, tuple(shapes), False, size - 1)
                size += 1
        except SearchStopped:
            example = None
            if not shapes:
                example = _come_down(units, within or _models(solver, literals))
            return MinimalSets(units, tuple(shapes), False, size - 1, example)
    return MinimalSets(units, tuple(shapes), True, len(units.masks))


def _models(solver: Solver, literals: Sequence[int]) -> Within:
    """By the formula, as far as one round of the solver goes."""

    def within(units: int) -> int | None:
        excluded = [-literal for unit, literal in enumerate(literals) if not units >> unit & 1]
        model = solver.attempt(excluded)
        if model is None:
            return None
        return sum(1 << unit for unit, literal in enumerate(literals) if literal in model)

    return within


def _come_down(units: Units, within: Within) -> int | None:
    """A set from which no unit can be left out: all units, without one after another.

    Later units go first, as canonical sets have the earlier ones.
    """
    found = within((1 << len(units.masks)) - 1)
    if found is None:
        return None
    for unit in reversed(range(len(units.masks))):
        if found >> unit & 1:
            smaller = within(found & ~(1 << unit))
            found = found if smaller is None else smaller
    return found


# -- counting units --------------------------------------------------------------------------------

Demand = Callable[[MaskSet], int]
"""How many members of an inner set count when the set does: its threshold, or its overlap."""
Counted = Callable[[tuple[int, ...]], Sequence[int]]
"""The unary counter of what counts among the members at these places of the global order."""


def cost_counter(formula: Formula, literals: Sequence[int]) -> tuple[int, ...]:
    """A unary counter over the units, with no knowledge of the system."""
    return _balanced(formula, list(literals))


def aligned_cost_counter(
    formula: Formula,
    system: CompiledSystem,
    units: Units,
    literals: Sequence[int],
    *,
    demand: Demand,
    counted: Counted,
) -> tuple[int, ...]:
    """The same, built along the tree of the set that most nodes ask for.

    At every node of that tree it is said what the members that count cost at least. Where a unit
    has a part in two members of that set, nothing can be said, and it is a plain counter.
    """
    found = max(system.sets, key=lambda each: each[1].bit_count())[0]
    by_place = dict(formula.placed_members(found))
    if not by_place:
        return cost_counter(formula, literals)
    parts = {place: _touched(units, member) for place, member in by_place.items()}
    taken = 0
    for part in parts.values():
        if not part or part & taken:
            return cost_counter(formula, literals)
        taken |= part
    weights = {place: _weight(member, demand, units) for place, member in by_place.items()}

    def tree(places: tuple[int, ...]) -> tuple[int, ...]:
        if len(places) == 1:
            made = _balanced(formula, [literals[unit] for unit in bits(parts[places[0]])])
        else:
            left, right = halves(places)
            made = formula.count_up(tree(left), tree(right))
        least, total = sorted(weights[place] for place in places), 0
        for literal, weight in zip(counted(places), least, strict=False):
            total += weight
            if total:
                formula.add(-literal, made[min(total, len(made)) - 1])
        return made

    others = [literal for unit, literal in enumerate(literals) if not taken >> unit & 1]
    made = tree(tuple(by_place))
    return formula.count_up(made, _balanced(formula, others)) if others else made


def _touched(units: Units, member: Member) -> int:
    nodes = 1 << member if isinstance(member, int) else member.named()
    return sum(1 << number for number, mask in enumerate(units.masks) if mask & nodes)


def _weight(member: Member, demand: Demand, units: Units) -> int:
    """The least number of units that it takes for a member to count."""
    if isinstance(member, int):
        return 1
    inside = sorted(_weight(each, demand, units) for each in members(member))
    total = sum(inside[: max(0, demand(member))])
    return total if units.are_nodes and not _has_repetition(member) else min(total, 1)


def _has_repetition(found: MaskSet) -> bool:
    """Whether a node is named twice in it."""
    seen = found.nodes
    for inner in found.inner:
        named = inner.named()
        if seen & named or _has_repetition(inner):
            return True
        seen |= named
    return False


def _balanced(formula: Formula, literals: list[int]) -> tuple[int, ...]:
    if len(literals) < 2:
        return tuple(literals)
    middle = len(literals) // 2
    return formula.count_up(
        _balanced(formula, literals[:middle]), _balanced(formula, literals[middle:])
    )
