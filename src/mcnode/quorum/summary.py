"""The answers about one system, put together for people and for programs. [docs/quorum.md#7]"""

import dataclasses
import itertools
from typing import Any

from mcnode.quorum.bounds import UNBOUNDED, Bounds, MakeBounds, unbounded
from mcnode.quorum.compiled import CompiledSystem
from mcnode.quorum.errors import SearchStopped, SearchTooLarge
from mcnode.quorum.intersection import Intersection, Verdict, check_intersection, names_of_witness
from mcnode.quorum.minimal import MinimalSets, units_of
from mcnode.quorum.model import FederatedSystem, Grouping
from mcnode.quorum.search import count_quorums
from mcnode.quorum.sets import (
    minimal_blocking_sets,
    minimal_quorums,
    minimal_splitting_sets,
    top_tier,
)
from mcnode.quorum.solver import has_solver
from mcnode.quorum.symmetry import find_symmetry

SHOWN_SETS = 20
"""Sets listed one by one unless more are asked for."""


@dataclasses.dataclass(frozen=True, slots=True)
class SetsByUnit:
    """The minimal sets over nodes, or over one kind of group."""

    grouping: Grouping | None
    quorums: MinimalSets
    blocking: MinimalSets
    splitting: MinimalSets

    @property
    def top_tier(self) -> tuple[list[str], bool]:
        """The units in the top tier, and whether these are all."""
        mask, is_whole = top_tier(self.quorums, self.blocking)
        return self.quorums.units.named(mask), is_whole

    def to_json(self, shown: int) -> dict[str, Any]:
        """For programs; at most `shown` sets of each kind are listed."""
        tier, is_whole = self.top_tier
        return {
            "unit": "node" if self.grouping is None else self.grouping.value,
            "minimal_quorums": _sets_json(self.quorums, shown),
            "minimal_blocking_sets": _sets_json(self.blocking, shown),
            "minimal_splitting_sets": _sets_json(self.splitting, shown),
            "top_tier": {"members": tier, "is_complete": is_whole},
        }


def _sets_json(found: MinimalSets, shown: int) -> dict[str, Any]:
    return {
        "smallest": found.smallest,
        "count": found.count,
        "count_by_size": {str(size): count for size, count in found.sizes().items()},
        "is_complete": found.is_complete,
        "complete_up_to_size": found.searched_size,
        "example": None if found.example is None else found.units.named(found.example),
        "sets": [found.units.named(mask) for mask in itertools.islice(found, shown)],
    }


@dataclasses.dataclass(frozen=True, slots=True)
class Check:
    """Whether a system can split. `quorum_count` is None when there are too many to count."""

    system: CompiledSystem
    intersection: Intersection
    quorum_count: int | None

    def to_json(self) -> dict[str, Any]:
        """For programs. `witness` holds two disjoint quorums, or nothing."""
        return {
            "verdict": self.intersection.verdict.value,
            "nodes": len(self.system),
            "nodes_that_decide": self.system.core.bit_count(),
            "quorums": self.quorum_count,
            "witness": names_of_witness(self.system, self.intersection),
            "notes": list(self.system.system.notes),
        }


def check_system(
    system: FederatedSystem, bounds: Bounds = UNBOUNDED, *, count: bool = True
) -> Check:
    """Decide whether two quorums can be disjoint, and count quorums where that is possible.

    Raises:
        SolverMissing, SearchTooLarge, SearchStopped: there is no answer.
    """
    compiled = CompiledSystem(system)
    found = check_intersection(compiled, bounds)
    return Check(compiled, found, _count(compiled, bounds) if count else None)


def _count(compiled: CompiledSystem, bounds: Bounds) -> int | None:
    nodes = [1 << number for number in range(len(compiled))]
    try:
        return count_quorums(compiled, find_symmetry(compiled, nodes), bounds)
    except (SearchTooLarge, SearchStopped):
        return None


def find_sets(
    compiled: CompiledSystem, grouping: Grouping | None, bounds: MakeBounds = unbounded
) -> SetsByUnit:
    """All minimal sets over nodes or groups; each search may end early by bounds of its own.

    Raises:
        SolverMissing, SearchTooLarge: there is no answer.
    """
    units = units_of(compiled, grouping)
    return SetsByUnit(
        grouping,
        minimal_quorums(compiled, units, bounds()),
        minimal_blocking_sets(compiled, units, bounds()),
        minimal_splitting_sets(compiled, units, bounds()),
    )


# -- a few figures, for comparing ------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, slots=True)
class Figures:
    """What changes when a system changes: one line of a table each, as text."""

    rows: tuple[tuple[str, str], ...]
    verdict: Verdict

    def to_json(self) -> dict[str, str]:
        """For programs."""
        return dict(self.rows)


def figures(system: FederatedSystem, bounds: MakeBounds = unbounded) -> Figures:
    """The figures of a system. Raises `SolverMissing`, `SearchTooLarge`, `SearchStopped`."""
    check = check_system(system, bounds())
    rows = [
        ("nodes", str(len(system))),
        ("nodes that decide", str(check.system.core.bit_count())),
        ("verdict", check.intersection.verdict.value),
        ("quorums", "not counted" if check.quorum_count is None else str(check.quorum_count)),
    ]
    kinds: list[Grouping | None] = [None, *system.groupings()]
    for grouping in kinds if has_solver() else ():
        found = find_sets(check.system, grouping, bounds)
        unit = "nodes" if grouping is None else _PLURALS[grouping]
        rows += [
            (f"smallest quorum ({unit})", _size(found.quorums)),
            (f"halted by the failure of ({unit})", _size(found.blocking)),
            (f"split by the lies of ({unit})", _size(found.splitting)),
        ]
    return Figures(tuple(rows), check.intersection.verdict)


_PLURALS = {
    Grouping.ORGANISATION: "organisations",
    Grouping.HOST: "hosts",
    Grouping.COUNTRY: "countries",
}


def _size(found: MinimalSets) -> str:
    if found.smallest == 0:
        return "0 (split as it is)"
    if found.smallest is not None:
        return str(found.smallest)
    if found.example is not None:
        return f"{found.searched_size + 1} to {found.example.bit_count()}"
    return "none" if found.is_complete else f"more than {found.searched_size}"
