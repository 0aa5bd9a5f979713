"""Every order of events of a small slot, and invariants that can fail."""

import pytest

from mcnode.errors import BugError
from mcnode.scp.search import CompiledQuorumSet
from mcnode.simulation.exhaustive import Exhaustive, two_values
from mcnode.simulation.topology import mesh


def test_three_nodes_with_timers() -> None:
    network = mesh(3, 1)
    levels = list(Exhaustive(network, two_values(network)).levels(4, 100_000))
    assert [level.new_states for level in levels] == [5, 20, 72, 258]


@pytest.mark.slow
def test_four_nodes_deeper() -> None:
    network = mesh(4, 2)
    for level in Exhaustive(network, two_values(network)).levels(6, 200_000):
        print(level)


def test_a_node_that_takes_itself_for_a_quorum_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CompiledQuorumSet, "is_satisfied_by", lambda self, nodes: True)
    network = mesh(3, 2)
    with pytest.raises(BugError):
        list(Exhaustive(network, two_values(network)).levels(8, 50_000))
