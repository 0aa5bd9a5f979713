"""From a failing run to a short schedule of faults that still fails: delta debugging. Pure."""

import dataclasses
from collections.abc import Callable, Sequence

from mcnode.simulation.faults import SECOND_US, Fault
from mcnode.simulation.run import SimConfig, SimResult, simulate

RUNS_MAX = 150
"""Attempts; a schedule has a dozen faults, so this is plenty."""
ACTIVE_US_MIN = 2 * SECOND_US

Try = Callable[[Sequence[Fault]], bool]


@dataclasses.dataclass(frozen=True, slots=True)
class Minimised:
    """The short run, how it went, and how many attempts that took."""

    config: SimConfig
    result: SimResult
    runs: int


def ddmin(faults: Sequence[Fault], fails: Try) -> list[Fault]:
    """A part of `faults` that still fails, and of which nothing can be left out by itself."""
    left, parts = list(faults), 2
    while left:
        size = -(-len(left) // parts)
        for start in range(0, len(left), size):
            without = left[:start] + left[start + size :]
            if fails(without):
                left, parts = without, max(2, parts - 1)
                break
        else:
            if size == 1:
                return left
            parts = min(len(left), parts * 2)
    return left


def minimise(config: SimConfig, result: SimResult) -> Minimised:
    """Leave out faults, then time, as long as a finding of the same kind comes of it."""
    assert result.finding is not None
    kind = result.finding.kind
    best = Minimised(dataclasses.replace(config, faults=result.faults), result, 0)

    def fails(attempt: SimConfig) -> bool:
        nonlocal best
        if best.runs >= RUNS_MAX:
            return False
        outcome = simulate(attempt)
        failed = outcome.finding is not None and outcome.finding.kind == kind
        best = (
            Minimised(attempt, outcome, best.runs + 1)
            if failed
            else dataclasses.replace(best, runs=best.runs + 1)
        )
        return failed

    ddmin(result.faults, lambda part: fails(dataclasses.replace(config, faults=tuple(part))))
    while best.config.active_us > ACTIVE_US_MIN:
        shorter = max(ACTIVE_US_MIN, best.config.active_us * 2 // 3)
        if not fails(dataclasses.replace(best.config, active_us=shorter)):
            break
    return best
