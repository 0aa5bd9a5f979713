"""Who contradicts itself in simulated networks: those who lie or forget, and nobody else."""

import pytest

from mcnode.consensus.equivocation import EquivocationWatch
from mcnode.simulation.faults import BEHAVIOURS, SECOND_US, parse_faults
from mcnode.simulation.host import Host
from mcnode.simulation.run import SimConfig, simulate
from mcnode.simulation.sweep import Sweep
from mcnode.simulation.topology import mesh
from mcnode.simulation.trace import GOOD_SIGNATURE

LIARS = {*BEHAVIOURS, "crash", "quorum"}


@pytest.fixture
def accused(monkeypatch):
    """Run a configuration; the positions of the nodes that any honest node has evidence against."""

    def run(config):
        ids = config.network.node_ids
        names = {node.public_key: node.responder_id for node in ids}
        position = {node.public_key: number for number, node in enumerate(ids)}
        watches, found = {}, set()
        take_statement = Host.take_statement

        def heard(self, msg, received_from):
            take_statement(self, msg, received_from)
            if self.is_honest and msg.signature == GOOD_SIGNATURE:
                watch = watches.setdefault(self.instance, EquivocationWatch(names, lambda: 0.0))
                evidence = watch.hear(msg, self.ledger.num_blocks())
                if evidence is not None:
                    found.add(position[evidence.author.public_key])

        with monkeypatch.context() as patch:
            patch.setattr(Host, "take_statement", heard)
            result = simulate(config)
        return result, found

    return run


@pytest.mark.parametrize("kind", ["equivocate", "twins"])
def test_two_stories_are_noticed(kind, accused):
    faults = parse_faults(f"{kind}:2,latency=5ms..80ms")
    for seed in range(3):
        _, found = accused(SimConfig(mesh(5, 3), seed, faults, 10 * SECOND_US, SECOND_US))
        assert found == {2}


@pytest.mark.parametrize("seed", range(4))
def test_the_honest_are_never_accused(seed, accused):
    sweep = Sweep(None, parse_faults("standard"), 8 * SECOND_US, SECOND_US)
    result, found = accused(sweep.config(seed))
    assert found <= {fault.node for fault in result.faults if fault.kind in LIARS}
