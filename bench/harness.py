"""Time a piece of work: the median of several runs, beside the bar it has to reach.

A module of this folder takes part by a function `benchmarks() -> Iterable[Benchmark]`. What a
benchmark needs is made inside that function, not when the module is imported.
"""

import dataclasses
import statistics
import time
from collections.abc import Callable


@dataclasses.dataclass(frozen=True, slots=True)
class Benchmark:
    """Something to time.

    `work` is called `repeat` times for one run, and there are `runs` of them. The figure is the
    median time of one call, divided by `per_call`, in `unit`. `bar` says what it should be.

    `clock` is what time is taken by: that on the wall, or, for work of one thread, that which the
    processor spent, which other programs disturb less.

    A benchmark that measures for itself (a process's memory, a cold start) gives `figure` instead,
    called once, whose result is taken as it is.
    """

    name: str
    unit: str
    bar: str
    work: Callable[[], object] | None = None
    figure: Callable[[], float] | None = None
    repeat: int = 20
    runs: int = 9
    per_call: int = 1
    clock: Callable[[], float] = time.perf_counter


SCALES = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """A benchmark's figure, with the spread of its runs."""

    benchmark: Benchmark
    median: float
    low: float
    high: float

    def line(self) -> str:
        """One line of the table."""
        spread = f"{self.low:.4g} to {self.high:.4g}" if self.high > self.low else ""
        unit = self.benchmark.unit
        value = f"{self.median:.4g} {unit}"
        return f"{self.benchmark.name:<52} {value:>14}  {spread:<20} bar {self.benchmark.bar}"


def measure(benchmark: Benchmark) -> Result:
    """Run a benchmark: once to warm up, then `runs` times."""
    if benchmark.figure is not None:
        value = benchmark.figure()
        return Result(benchmark, value, value, value)
    assert benchmark.work is not None
    work, times = benchmark.work, []
    work()
    for _ in range(benchmark.runs):
        begin = benchmark.clock()
        for _ in range(benchmark.repeat):
            work()
        times.append((benchmark.clock() - begin) / benchmark.repeat)
    scale = SCALES.get(benchmark.unit)
    if scale is None:  # a rate, such as `proofs/s`
        figures = [benchmark.per_call / each for each in times]
    else:
        figures = [each * scale / benchmark.per_call for each in times]
    return Result(benchmark, statistics.median(figures), min(figures), max(figures))
