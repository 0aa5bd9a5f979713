"""Whether two quorums can be disjoint: then the network can split. [docs/quorum.md#3]"""

import dataclasses
from collections.abc import Sequence
from enum import Enum

from mcnode.quorum.bounds import Bounds
from mcnode.quorum.compiled import CompiledSystem, bits
from mcnode.quorum.errors import SearchTooLarge, SolverMissing
from mcnode.quorum.formula import Formula
from mcnode.quorum.search import find_disjoint_quorums
from mcnode.quorum.solver import Solver, has_solver

_SEARCHED = "looking for two disjoint quorums"


class Verdict(Enum):
    """What is known about a system."""

    INTERSECTING = "intersecting"
    SPLIT = "split"
    NO_QUORUM = "no quorum"


@dataclasses.dataclass(frozen=True, slots=True)
class Intersection:
    """The verdict; for a split the witness: two minimal quorums (masks) without a common node."""

    verdict: Verdict
    witness: tuple[int, int] | None = None


def check_intersection(system: CompiledSystem, bounds: Bounds) -> Intersection:
    """Decide, exactly, by the SAT solver or, where that is not installed, by a plain search.

    Raises:
        SolverMissing: there is no solver and the plain search finds the system too large.
        SearchTooLarge: the formula would be.
        SearchStopped: the bounds say so.
    """
    if not system.components:
        return Intersection(Verdict.NO_QUORUM)
    if len(system.components) > 1 or not has_solver():
        witness = _without_solver(system, bounds)
    else:
        witness = _with_solver(system, bounds)
    verdict = Verdict.INTERSECTING if witness is None else Verdict.SPLIT
    return Intersection(verdict, witness)


def _without_solver(system: CompiledSystem, bounds: Bounds) -> tuple[int, int] | None:
    try:
        return find_disjoint_quorums(system, bounds)
    except SearchTooLarge as error:
        raise SolverMissing from error


def _with_solver(system: CompiledSystem, bounds: Bounds) -> tuple[int, int] | None:
    formula = two_sides(system)
    for shared in formula.shared:
        formula.add(-shared)
    with Solver(bounds, _SEARCHED) as solver:
        solver.add(formula.clauses)
        model = solver.solve()
    if model is None:
        return None
    sides = []
    for side in (formula.a, formula.b):
        present = sum(1 << number for number, literal in enumerate(side) if literal in model)
        sides.append(system.shrink(system.greatest_quorum(present)))
    return sides[0], sides[1]


def two_sides(system: CompiledSystem, units: Sequence[int] | None = None) -> Formula:
    """Two sets A and B, in each of which somebody is honest, that is: not shared; who is honest is
    satisfied. Outside the core nobody is honest: no quorum needs them."""
    formula = Formula(system, units)
    honest_a: list[int] = []
    honest_b: list[int] = []
    for number, in_a, in_b in zip(range(len(system)), formula.a, formula.b, strict=True):
        found = system.set_of[number]
        if found is None or not system.core >> number & 1:
            formula.add(-in_a, formula.shared[number])
            formula.add(-in_b, formula.shared[number])
            continue
        satisfied_a, satisfied_b = formula.satisfied(found)
        formula.add(-in_a, formula.shared[number], satisfied_a)
        formula.add(-in_b, formula.shared[number], satisfied_b)
        for side, honest in ((in_a, honest_a), (in_b, honest_b)):
            literal = formula.variable()
            formula.add(-literal, side)
            formula.add(-literal, -formula.shared[number])
            honest.append(literal)
    formula.add(*honest_a)
    formula.add(*honest_b)
    return formula


def names_of_witness(system: CompiledSystem, found: Intersection) -> list[list[str]]:
    """The witness as ids."""
    return [[system.ids[number] for number in bits(side)] for side in found.witness or ()]
