"""The SAT solver behind the exact searches, in short rounds so that a search can be ended."""

from collections.abc import Iterable, Sequence
from typing import Any

from mcnode.quorum.bounds import Bounds
from mcnode.quorum.errors import SolverMissing

SOLVER = "glucose4"
CONFLICTS_PER_ROUND = 2_000
"""Between two looks at the bounds: some tens of milliseconds on the formulas made here."""


def has_solver() -> bool:
    """Whether the solver is installed."""
    try:
        _load()
    except SolverMissing:
        return False
    return True


def _load() -> Any:
    try:
        from pysat.solvers import Solver as PysatSolver
    except ImportError as error:
        raise SolverMissing from error
    return PysatSolver


class Solver:
    """Clauses in, models out. A context manager, since the solver's memory is not Python's.

    Variables are counted from 1, a negative number is a negated one.
    """

    def __init__(self, bounds: Bounds, searched: str) -> None:
        """Raises `SolverMissing`."""
        self._solver = _load()(name=SOLVER)
        self._bounds = bounds
        self._searched = searched

    def __enter__(self) -> "Solver":
        return self

    def __exit__(self, *reason: object) -> None:
        self._solver.delete()

    def add(self, clauses: Iterable[Sequence[int]]) -> None:
        """Demand more."""
        self._solver.append_formula(clauses)

    def solve(self, assumptions: Sequence[int] = ()) -> frozenset[int] | None:
        """The variables that are true in a model, or None when there is no model.

        Raises:
            SearchStopped: the bounds say so.
        """
        while True:
            self._bounds.check(self._searched)
            self._solver.conf_budget(CONFLICTS_PER_ROUND)
            answer = self._solver.solve_limited(assumptions=list(assumptions))
            if answer is True:
                return frozenset(literal for literal in self._solver.get_model() if literal > 0)
            if answer is False:
                return None

    def attempt(self, assumptions: Sequence[int]) -> frozenset[int] | None:
        """The same within one round, whatever the bounds say: None also when that did not do."""
        self._solver.conf_budget(CONFLICTS_PER_ROUND)
        if self._solver.solve_limited(assumptions=list(assumptions)) is not True:
            return None
        return frozenset(literal for literal in self._solver.get_model() if literal > 0)
