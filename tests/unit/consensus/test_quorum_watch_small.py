"""The analysis of announced quorum sets, where there is hardly anything to analyse."""

import pytest

from mcnode.consensus.quorum_watch import analyse
from mcnode.quorum.bounds import Bounds
from mcnode.scp.quorum_set import QuorumSet
from mcnode.scp.types import NodeID

A = NodeID("a.test:1", bytes([1]) * 32)
B = NodeID("b.test:1", bytes([2]) * 32)
ALONE = QuorumSet(0, ())


@pytest.mark.parametrize(
    "sets",
    [
        {A: ALONE},
        {A: ALONE, B: None},
        {A: QuorumSet(1, (B,)), B: ALONE},
        {A: QuorumSet(1, (B,)), B: None},
    ],
    ids=["a node alone", "and one unheard", "one needs the other", "that is unheard"],
)
def test_small_systems_have_a_report(sets):
    assert analyse(sets, Bounds()).named == len(sets)
