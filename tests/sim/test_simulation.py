"""The simulator: runs end well, replay exactly, and find what must be found."""

import os
import subprocess
import sys

import pytest

from mcnode.scp.slot import Slot
from mcnode.scp.types import Nominate, NominatePayload
from mcnode.simulation.faults import (
    SECOND_US,
    Fault,
    FaultSyntaxError,
    faults_text,
    parse_faults,
)
from mcnode.simulation.minimise import ddmin, minimise
from mcnode.simulation.plan import TooManyFaults, particulars
from mcnode.simulation.run import SimConfig, simulate
from mcnode.simulation.sweep import Sweep, run_sweep, standard_network
from mcnode.simulation.topology import mesh, tolerance

HASH_IN_ANOTHER_PROCESS = """
from mcnode.simulation.faults import parse_faults
from mcnode.simulation.run import SimConfig, simulate
from mcnode.simulation.topology import mesh
print(simulate(SimConfig(mesh(5, 3), 5, parse_faults("standard"), active_us=8_000_000)).trace_hash)
"""


@pytest.mark.parametrize("seed", range(4))
def test_mixed_faults_within_tolerance_break_nothing(seed: int) -> None:
    sweep = Sweep(None, parse_faults("standard"), 8 * SECOND_US, 2 * SECOND_US)
    [result] = run_sweep(sweep, [seed], 1)
    print(f"seed {seed}, faults {faults_text(result.faults)}")
    assert result.finding is None
    assert result.blocks > 0


@pytest.mark.parametrize(
    "kind", ["silent", "equivocate", "twins", "stale", "mutate", "flood", "externalize"]
)
def test_one_byzantine_of_four_breaks_nothing(kind: str) -> None:
    config = SimConfig(mesh(4, 2), 3, parse_faults(f"{kind}:2"), active_us=6 * SECOND_US)
    assert simulate(config).finding is None


@pytest.mark.parametrize(
    "seed",
    [
        3990,  # two nodes were given up for a slot whose transactions a partition kept from us
    ],
)
def test_seeds_of_the_standard_sweep_that_once_failed(seed: int) -> None:
    sweep = Sweep(None, parse_faults("standard"), 15 * SECOND_US, 2 * SECOND_US)
    assert simulate(sweep.config(seed)).finding is None


OVERLOAD = Sweep(mesh(5, 3), parse_faults("overload"), 30 * SECOND_US, 2 * SECOND_US)
SPLITS = 1
"""A seed with which three twins of five nodes split the rest."""


def test_more_twins_than_tolerated_split_the_network() -> None:
    result = simulate(OVERLOAD.config(SPLITS))
    assert result.finding is not None
    assert result.finding.kind == "agreement"


@pytest.mark.slow
def test_a_finding_becomes_a_short_schedule_that_replays() -> None:
    config = OVERLOAD.config(SPLITS)
    result = simulate(config)
    short = minimise(config, result)
    assert len(short.config.faults) < len(result.faults)
    assert simulate(short.config).trace_hash == short.result.trace_hash


def test_the_trace_hash_is_the_same_in_every_process() -> None:
    hashes = {
        subprocess.run(
            [sys.executable, "-c", HASH_IN_ANOTHER_PROCESS],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(hashes) == 1


def test_particulars_read_back_as_they_are_written() -> None:
    for seed in range(30):
        network = standard_network(seed)
        faults = particulars(("standard",), network, seed, 20 * SECOND_US)
        assert parse_faults(faults_text(faults)) == faults
        assert particulars(faults, network, seed, 20 * SECOND_US) == faults


def test_standard_stays_within_tolerance() -> None:
    lasting = ("silent", "equivocate", "twins", "stale", "mutate", "flood", "externalize")
    for seed in range(60):
        network = standard_network(seed)
        limits = tolerance(network)
        faults = particulars(("standard",), network, seed, 20 * SECOND_US)
        liars = [f.node for f in faults if f.kind in lasting]
        restarted = [f.node for f in faults if f.kind in ("crash", "quorum")]
        assert len(set(liars + restarted)) <= limits.safe
        assert len(liars) <= limits.live


@pytest.mark.parametrize(
    "text",
    ["rain=1", "loss", "loss=5", "crash@9s..5s:1", "crash:1", "latency=9s..1s", "slow@1s..2s:1"],
)
def test_text_that_is_no_fault_is_refused(text: str) -> None:
    with pytest.raises(FaultSyntaxError):
        parse_faults(text)


def test_a_node_that_does_not_exist_is_refused() -> None:
    with pytest.raises(TooManyFaults):
        particulars(parse_faults("silent:9"), mesh(4, 2), 0, SECOND_US)


def test_what_ddmin_leaves_is_needed() -> None:
    faults = [Fault("loss", amount=(n,)) for n in range(8)]
    needed = {faults[2], faults[7]}
    assert set(ddmin(faults, needed.issubset)) == needed


KNOWN_HASHES = {
    0: "6f2a00f31eb00326a1eb2ebfb786a57ca7b3e93f3f03fec0a3a7ef536d36c349",
    1: "f480197f41d3e213e2573a597a1159be11917469bab0439a6fe539030580d7a2",
    9: "2ad9ecedb6fc1466352e4f8b6600c8c49be615db969f98e0b31ac84caa375710",
}
"""Of short runs with mixed faults. What changes what nodes say, or when, changes them: then look at
what the change should do, and write the new ones down. A faster way to do the same must not."""


@pytest.mark.parametrize("seed", KNOWN_HASHES)
def test_the_trace_hash_is_the_same_on_every_machine(seed: int) -> None:
    sweep = Sweep(None, parse_faults("standard"), 6 * SECOND_US, SECOND_US)
    assert simulate(sweep.config(seed)).trace_hash == KNOWN_HASHES[seed]


def test_an_honest_node_that_takes_back_a_vote_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """It names only the last value that it votes for."""
    topic_of = Slot._topic

    def forgetful(self: Slot) -> object:
        topic = topic_of(self)
        if isinstance(topic, Nominate):
            return Nominate(NominatePayload(topic.nomination.voted[-1:], topic.nomination.accepted))
        return topic

    monkeypatch.setattr(Slot, "_topic", forgetful)
    faults = parse_faults("latency=200ms")
    config = SimConfig(mesh(4, 2), 0, faults, 10 * SECOND_US, SECOND_US // 5)
    finding = simulate(config).finding
    assert finding is not None
    assert finding.kind == "state"
    assert "takes back its vote" in finding.text
