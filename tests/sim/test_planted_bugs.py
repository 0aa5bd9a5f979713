"""The sweep finds bugs: five are planted in the code under test, one at a time.

Each is found within the seeds named here, replays to the same hash, and becomes a short schedule.
Where the range does not begin at 0, the seeds before it show nothing and are left out for time.
"""

import dataclasses
from collections.abc import Callable

import pytest

from mcnode.consensus.values import ValueJudge
from mcnode.scp.search import LOCAL, CompiledQuorumSet, QuorumSearch
from mcnode.scp.slot import Slot
from mcnode.simulation.faults import SECOND_US, parse_faults
from mcnode.simulation.host import Host
from mcnode.simulation.minimise import minimise
from mcnode.simulation.run import SimConfig, SimResult, simulate
from mcnode.simulation.sweep import Sweep, run_sweep


def weakened_quorum_test(patch: pytest.MonkeyPatch) -> None:
    """One node fewer than the threshold is taken for enough."""
    is_satisfied_by = CompiledQuorumSet.is_satisfied_by

    def weak(self: CompiledQuorumSet, nodes: int) -> bool:
        fewer = dataclasses.replace(self, threshold=self.threshold - 1)
        return is_satisfied_by(fewer, nodes)

    patch.setattr(CompiledQuorumSet, "is_satisfied_by", weak)


def skipped_validation(patch: pytest.MonkeyPatch) -> None:
    """Values are not judged against the ledger."""
    patch.setattr(ValueJudge, "check", lambda self, value: None)


def forgotten_timer(patch: pytest.MonkeyPatch) -> None:
    """Nomination never gets another leader."""

    def nominate(self: Slot, now: int) -> None:
        self._nomination.step(self._statements.values())
        self._ballots.start()

    patch.setattr(Slot, "_nominate", nominate)


def wrong_narrowing(patch: pytest.MonkeyPatch) -> None:
    """The search narrows supporters down, and then forgets whether its own slice is left."""

    def narrowed(self: QuorumSearch, supporters: int) -> int:
        nodes = LOCAL | supporters
        for bit, peer in self._peer_sets.items():
            if bit & supporters and not peer.is_satisfied_by(nodes):
                nodes &= ~bit
        return nodes

    patch.setattr(QuorumSearch, "_greatest_quorum", narrowed)


def lost_message_after_restart(patch: pytest.MonkeyPatch) -> None:
    """What peers tell a node that has just started is dropped."""
    patch.setattr(Host, "_answered", lambda self, name, msg: self.heard_from(name))


@dataclasses.dataclass(frozen=True)
class Planted:
    """A bug, the faults that bring it out, the kind of finding, and the seeds tried."""

    plant: Callable[[pytest.MonkeyPatch], None]
    kind: str
    seeds: range
    found_by: int
    """The first of them that finds it."""
    faults: str = "standard"
    active_us: int = 12 * SECOND_US
    tx_interval_us: int = SECOND_US


PLANTED = {
    "weakened quorum test": Planted(weakened_quorum_test, "agreement", range(20, 30), 23),
    "skipped validation": Planted(skipped_validation, "validity", range(4), 0),
    "forgotten timer": Planted(forgotten_timer, "liveness", range(4, 10), 5),
    "wrong narrowing": Planted(wrong_narrowing, "agreement", range(6), 0),
    "lost message after restart": Planted(
        lost_message_after_restart,
        "liveness",
        range(12),
        0,
        "crash@4s..90s:1",
        90 * SECOND_US,
        25 * SECOND_US,
    ),
}


def sweep_of(planted: Planted) -> Sweep:
    return Sweep(None, parse_faults(planted.faults), planted.active_us, planted.tx_interval_us)


def find(planted: Planted) -> tuple[SimConfig, SimResult]:
    """The first seed that shows the bug."""
    sweep = sweep_of(planted)
    for result in run_sweep(sweep, planted.seeds, 1):
        if result.finding is not None:
            return sweep.config(result.seed), result
    raise AssertionError(f"no finding in seeds {planted.seeds}")


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_bug_is_found_by_its_seed_and_by_it_alone(name: str) -> None:
    """The same run without the bug is sound, so that nothing else is found in its place."""
    planted = PLANTED[name]
    config = sweep_of(planted).config(planted.found_by)
    with pytest.MonkeyPatch.context() as patch:
        planted.plant(patch)
        finding = simulate(config).finding
    assert finding is not None
    assert finding.kind == planted.kind
    assert simulate(config).finding is None


QUICK = {"skipped validation"}


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[] if n in QUICK else pytest.mark.slow) for n in PLANTED]
)
def test_a_planted_bug_is_found_replays_and_becomes_short(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = PLANTED[name]
    planted.plant(monkeypatch)
    config, result = find(planted)
    assert result.finding is not None
    print(f"{name}: seed {config.seed}, {result.finding}")
    assert result.finding.kind == planted.kind
    assert config.seed == planted.found_by
    assert simulate(config).trace_hash == result.trace_hash
    short = minimise(config, result)
    assert short.result.finding is not None
    assert short.result.finding.kind == planted.kind
    assert len(short.config.faults) <= len(result.faults)
    assert simulate(short.config).trace_hash == short.result.trace_hash
