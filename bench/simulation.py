"""Virtual hours per second, scenarios of Twins per minute, by CPU time on one core; finality in
virtual time, which is the same on every machine."""

import functools
import itertools
import time
from collections.abc import Iterable

from bench.harness import Benchmark
from mcnode.simulation.faults import SECOND_US, parse_faults
from mcnode.simulation.run import SimConfig, simulate
from mcnode.simulation.sweep import quorum_for
from mcnode.simulation.topology import mesh

HOUR_US = 3600 * SECOND_US
TWINS_SCENARIOS = 40
LINKS_MS = (0, 50, 200)


def hours_per_second(nodes: int, tx_interval_us: int) -> float:
    """One run without faults; keepalive and all timers go on."""
    config = SimConfig(
        mesh(nodes, quorum_for(nodes) - 1),
        1,
        parse_faults("latency=10ms..30ms"),
        active_us=HOUR_US,
        tx_interval_us=tx_interval_us,
        check_slots=False,
    )
    begin = time.process_time()
    result = simulate(config)
    assert result.finding is None
    return result.virtual_us / HOUR_US / (time.process_time() - begin)


def twins_per_minute() -> float:
    """Four nodes, one of them twins, a partition; two seconds of faults, then a last payment."""
    faults = parse_faults("latency=5ms..50ms,twins=1,partition=1")
    begin = time.process_time()
    for seed in itertools.islice(itertools.count(), TWINS_SCENARIOS):
        config = SimConfig(
            mesh(4, 2), seed, faults, active_us=2 * SECOND_US, tx_interval_us=SECOND_US
        )
        assert simulate(config).finding is None
    return 60 * TWINS_SCENARIOS / (time.process_time() - begin)


@functools.cache
def waits_ms(nodes: int, link_ms: int) -> list[float]:
    """From a client's submission to the block at the node that took it in, ascending; half an hour
    with a payment every two seconds."""
    config = SimConfig(
        mesh(nodes, quorum_for(nodes) - 1),
        1,
        parse_faults(f"latency={link_ms}ms"),
        active_us=HOUR_US // 2,
        tx_interval_us=2 * SECOND_US,
        check_slots=False,
    )
    result = simulate(config)
    assert result.finding is None
    return [wait * 1000 for wait in sorted(result.waits_s)]


def finality_ms(nodes: int, link_ms: int, share: float) -> float:
    """The wait that a share of the payments does not exceed."""
    waits = waits_ms(nodes, link_ms)
    return waits[min(len(waits) - 1, int(len(waits) * share))]


def benchmarks() -> Iterable[Benchmark]:
    yield Benchmark(
        "5 nodes, a payment every 10 min",
        "h/s",
        "1",
        figure=lambda: hours_per_second(5, 600 * SECOND_US),
    )
    yield Benchmark(
        "5 nodes, a payment every minute",
        "h/s",
        "",
        figure=lambda: hours_per_second(5, 60 * SECOND_US),
    )
    yield Benchmark(
        "20 nodes, a payment every 10 min",
        "h/s",
        "",
        figure=lambda: hours_per_second(20, 600 * SECOND_US),
    )
    yield Benchmark("Twins scenarios", "1/min", "1000", figure=twins_per_minute)
    for link_ms, share in itertools.product(LINKS_MS, (0.5, 0.99)):
        yield Benchmark(
            f"finality p{share * 100:.0f}, 5 nodes, {link_ms} ms links",
            "ms",
            "",
            figure=functools.partial(finality_ms, 5, link_ms, share),
        )
