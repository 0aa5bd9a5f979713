"""Minimal quorums, minimal blocking sets, minimal splitting sets, top tier. [docs/quorum.md#3]

* **Minimal quorum**: a quorum that has none inside it. By group: groups whose nodes together have
  one.
* **Minimal blocking set**: when these fail, no quorum is left and the network halts.
* **Minimal splitting set**: when these lie, two honest parts of the core can agree on different
  blocks. Whoever lies may say different things to different nodes and count on both sides.
* **Top tier**: the nodes in some minimal quorum; the same nodes are those in some blocking set.
"""

from mcnode.quorum.bounds import Bounds
from mcnode.quorum.compiled import CompiledSystem, MaskSet
from mcnode.quorum.formula import Formula
from mcnode.quorum.intersection import two_sides
from mcnode.quorum.minimal import (
    MinimalSets,
    Units,
    aligned_cost_counter,
    cost_counter,
    enumerate_minimal,
)


def minimal_quorums(system: CompiledSystem, units: Units, bounds: Bounds) -> MinimalSets:
    """The minimal quorums, as sets of units. Raises `SolverMissing`, `SearchTooLarge`."""
    formula = Formula(system)
    for in_b in formula.b:
        formula.add(-in_b)
    literals = [formula.variable() for _ in units.masks]
    somebody = []
    for number, in_a in enumerate(formula.a):
        found = system.set_of[number]
        if found is None or not system.core >> number & 1:
            formula.add(-in_a)
            continue
        formula.add(-in_a, formula.satisfied(found)[0])
        somebody.append(in_a)
    formula.add(*somebody)
    for unit, literal in zip(units.masks, literals, strict=True):
        for number, in_a in enumerate(formula.a):
            if unit >> number & 1:
                formula.add(-in_a, literal)
    if not system.core:
        return MinimalSets(units, (), True, len(units.masks))
    cost = aligned_cost_counter(
        formula,
        system,
        units,
        literals,
        demand=_threshold,
        counted=lambda places: formula.tree(places).a,
    )
    return enumerate_minimal(
        formula, units, literals, cost, bounds=bounds, searched="minimal quorums"
    )


def minimal_blocking_sets(system: CompiledSystem, units: Units, bounds: Bounds) -> MinimalSets:
    """The minimal sets of units without whose nodes there is no quorum.

    A candidate that leaves a quorum teaches the search that quorum: the next one has to meet it.
    Raises `SolverMissing`, `SearchTooLarge`.
    """
    if not system.core:
        return MinimalSets(units, (), True, len(units.masks))
    everything = (1 << len(units.masks)) - 1
    formula = Formula(system, units.masks)
    formula.clauses.clear()  # about units alone: the system is asked, not described

    def refine(candidate: int) -> int | None:
        quorum = system.greatest_quorum(system.core & ~units.nodes(candidate))
        if not quorum:
            return None
        met = _units_of(units, system.shrink(quorum))
        return everything ^ units.symmetry.canonical(everything ^ met)

    cost = cost_counter(formula, formula.units)
    return enumerate_minimal(
        formula,
        units,
        formula.units,
        cost,
        bounds=bounds,
        searched="minimal blocking sets",
        refine=refine,
        within=lambda candidate: candidate if refine(candidate) is None else None,
    )


def minimal_splitting_sets(system: CompiledSystem, units: Units, bounds: Bounds) -> MinimalSets:
    """The minimal sets of units that can split the rest by lying; the empty one when the system is
    split as it is. Raises `SolverMissing`, `SearchTooLarge`."""
    if not system.core:
        return MinimalSets(units, (), True, len(units.masks))
    formula = two_sides(system, units.masks)
    cost = aligned_cost_counter(
        formula,
        system,
        units,
        formula.units,
        demand=_overlap,
        counted=lambda places: _counted(formula, places),
    )
    return enumerate_minimal(
        formula, units, formula.units, cost, bounds=bounds, searched="minimal splitting sets"
    )


def top_tier(quorums: MinimalSets, blocking: MinimalSets) -> tuple[int, bool]:
    """The units in some minimal quorum, and whether that is all of them: either search, if it came
    to its end, has met every one."""
    if blocking.is_complete:
        return blocking.involved(), True
    return quorums.involved() | blocking.involved(), quorums.is_complete


def _units_of(units: Units, nodes: int) -> int:
    return sum(1 << number for number, mask in enumerate(units.masks) if mask & nodes)


def _threshold(found: MaskSet) -> int:
    return found.threshold


def _overlap(found: MaskSet) -> int:
    return 2 * found.threshold - found.member_count


def _counted(formula: Formula, places: tuple[int, ...]) -> tuple[int, ...]:
    """The counter of shared members, where none is shared for nothing."""
    shared = formula.tree(places).shared
    return () if shared.free else shared.counted
