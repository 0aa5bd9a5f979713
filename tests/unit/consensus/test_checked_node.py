"""Debug runs: what breaks an invariant of agreement ends the node, what does not goes through."""

import pytest

from mcnode.consensus.checked_node import CheckedNode
from mcnode.errors import BugError
from mcnode.peers.consensus_value import tx_hash_value
from mcnode.scp import Ballot, Externalize, Msg, Node, NodeID, Phase, QuorumSet, Send, SlotState
from mcnode.scp.types import Externalize as ExternalizeTopic
from mcnode.scp.types import Nominate, NominatePayload

LOCAL = NodeID("node1.test:8443", b"\1" * 32)
ONE, OTHER = (tx_hash_value(bytes([n]) * 32) for n in (1, 2))


def make_node():
    node = Node(LOCAL, QuorumSet(0), lambda value: None, sorted, slot_index=3)
    return CheckedNode(node)


def send(topic, slot=3):
    return Send(Msg(LOCAL, slot, QuorumSet(0), topic))


def test_a_sound_node_goes_through():
    node = make_node()
    assert any(isinstance(action, Externalize) for action in node.propose([ONE], 0))
    assert node.slot_index == 4
    assert any(isinstance(action, Externalize) for action in node.propose([OTHER], 1))
    node.handle_timers(10_000)
    node.reset_slot_index(9)
    assert node.slot_index == 9


class Broken:
    """A node that gives what it is told to."""

    slot_index = 3

    def __init__(self, *batches, state=None):
        self._batches, self._state = list(batches), state

    def handle_timers(self, now):
        return self._batches.pop(0)

    def slot_state(self, slot_index):
        return self._state


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (Broken([], state=SlotState(3, LOCAL, voted=(ONE,), accepted=(ONE,))), "disjoint"),
        (Broken([], state=SlotState(3, LOCAL, phase=Phase.COMMIT)), "committing"),
        (Broken([send(Nominate(NominatePayload((ONE,), (ONE,))))]), "X intersects Y"),
        (
            Broken(
                [send(ExternalizeTopic(Ballot(1, (ONE,)), 1))],
                [send(ExternalizeTopic(Ballot(1, (OTHER,)), 2))],
            ),
            "externalizes two lists",
        ),
        (
            Broken([Externalize(3, (ONE,))], [Externalize(3, (OTHER,))]),
            "decided twice",
        ),
    ],
)
def test_a_broken_one_ends(node, text):
    checked = CheckedNode(node)
    with pytest.raises(BugError, match=text):
        for _ in range(2):
            checked.handle_timers(0)
