"""Many seeds, each another network and other faults, on several processes."""

import dataclasses
import multiprocessing
from collections.abc import Iterator, Sequence

from mcnode.simulation.faults import Fault
from mcnode.simulation.run import SimConfig, SimResult, simulate
from mcnode.simulation.topology import SimNetwork, mesh

NODES_MIN, NODES_MAX = 4, 10
SEEDS_PER_TASK = 4
"""Handed to a process at a time: keeps all busy to the end."""


@dataclasses.dataclass(frozen=True, slots=True)
class Sweep:
    """What is the same for all seeds. Without `network` each seed has a mesh of its own size."""

    network: SimNetwork | None
    faults: tuple[Fault | str, ...]
    active_us: int
    tx_interval_us: int

    def config(self, seed: int) -> SimConfig:
        """The run of one seed."""
        return SimConfig(
            self.network or standard_network(seed),
            seed,
            self.faults,
            active_us=self.active_us,
            tx_interval_us=self.tx_interval_us,
        )


def quorum_for(count: int) -> int:
    """How many of `count` equals must agree so that a third, less one, may lie."""
    return (count + (count - 1) // 3) // 2 + 1


def standard_network(seed: int) -> SimNetwork:
    """A mesh of 4 to 10 nodes, by seed."""
    count = NODES_MIN + seed % (NODES_MAX - NODES_MIN + 1)
    return mesh(count, quorum_for(count) - 1)


def run_sweep(sweep: Sweep, seeds: Sequence[int], jobs: int) -> Iterator[SimResult]:
    """The results in order of seeds. With one job everything happens in this process."""
    configs = map(sweep.config, seeds)
    if jobs <= 1:
        yield from map(_without_trace, configs)
        return
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap(_without_trace, configs, chunksize=SEEDS_PER_TASK)


def _without_trace(config: SimConfig) -> SimResult:
    return dataclasses.replace(simulate(config), trace_tail=())
