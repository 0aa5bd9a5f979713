"""Whatever the schedule, no two nodes decide differently; and once messages flow, all decide."""

import dataclasses
import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from mcnode.scp import Msg, Node, NodeID, QuorumSet, Send, Timing, compare_topics
from mcnode.scp.actions import Action, Externalize
from mcnode.scp.invariants import check_invariants
from mcnode.scp.msg_rules import check_msg
from mcnode.scp.types import Commit, NominatePrepare, Prepare

SETTLE_ROUNDS = 400
SLOT = 3


def node_id(number: int) -> NodeID:
    return NodeID(f"node{number}:0", number.to_bytes(32))


def mesh(count: int, threshold: int) -> list[QuorumSet[NodeID]]:
    ids = [node_id(n) for n in range(count)]
    return [QuorumSet(threshold, tuple(i for i in ids if i != own)) for own in ids]


def organisations() -> list[QuorumSet[NodeID]]:
    """Three organisations of two; each node needs its twin and one node of both others."""
    ids = [node_id(n) for n in range(6)]
    pairs = [ids[0:2], ids[2:4], ids[4:6]]
    sets = []
    for own in ids:
        inner: list[NodeID | QuorumSet[NodeID] | None] = []
        for pair in pairs:
            inner.append(QuorumSet(1, tuple(node for node in pair if node != own)))
        sets.append(QuorumSet(3, tuple(inner)))
    return sets


TOPOLOGIES = {
    "mesh 3 of 2": mesh(3, 2),
    "mesh 4, two others": mesh(4, 2),
    "mesh 5, three others": mesh(5, 3),
    "mesh 5, all others": mesh(5, 4),
    "organisations": organisations(),
}


def combine(values: Sequence[int]) -> list[int]:
    return sorted(values, reverse=True)[:3]


class Network:
    """Nodes, every message under way, and what each node decided."""

    def __init__(self, sets: list[QuorumSet[NodeID]], seed: int, restart: bool) -> None:
        self.random = random.Random(seed)
        self.now = 0
        self.nodes: list[Node[int]] = [
            Node(
                node_id(n),
                quorum_set,
                lambda value: None,
                combine,
                slot_index=SLOT,
                timing=Timing(restart_ballot_timer=restart),
            )
            for n, quorum_set in enumerate(sets)
        ]
        self.under_way: list[tuple[int, Msg[int]]] = []
        self.last: dict[int, Msg[int]] = {}
        self.decided: dict[int, tuple[int, ...]] = {}

    def perform(self, number: int, actions: Sequence[Action[int]]) -> None:
        for action in actions:
            if isinstance(action, Externalize):
                assert number not in self.decided
                self.decided[number] = action.values
                assert len(set(self.decided.values())) == 1, self.decided
            elif isinstance(action, Send):
                self.send(number, action.msg)
        state = self.nodes[number].slot_state(SLOT)
        assert state is not None
        check_invariants(state)

    def send(self, number: int, msg: Msg[int]) -> None:
        check_msg(msg)
        last = self.last.get(number)
        if last is not None and not tell_the_same_ballots(msg, last):
            assert compare_topics(msg.topic, last.topic) > 0, (last, msg)
        self.last[number] = msg
        self.under_way += [(n, msg) for n in range(len(self.nodes)) if n != number]

    def propose(self, number: int, values: Sequence[int]) -> None:
        if number not in self.decided:
            self.perform(number, self.nodes[number].propose(values, self.now))

    def deliver(self, number: int, msgs: Sequence[Msg[int]]) -> None:
        self.perform(number, self.nodes[number].handle(msgs, self.now))

    def time_out(self, number: int) -> None:
        self.perform(number, self.nodes[number].handle_timers(self.now))

    def random_event(self) -> None:
        """A message delivered, lost, repeated or in a batch; time; a proposal."""
        draw = self.random.random()
        number = self.random.randrange(len(self.nodes))
        if draw < 0.7 and self.under_way:
            index = self.random.randrange(len(self.under_way))
            to, msg = self.under_way[index]
            if draw > 0.05:  # else it stays under way and comes again
                self.under_way[index] = self.under_way[-1]
                self.under_way.pop()
            if draw < 0.6:  # else it is lost
                also = [
                    m
                    for n, m in self.random.sample(self.under_way, k=min(2, len(self.under_way)))
                    if n == to
                ]
                self.deliver(to, [msg, *also])
        elif draw < 0.85:
            self.now += self.random.choice([1, 100, 1001, 5001])
            self.time_out(number)
        else:
            self.propose(number, self.random.sample(range(10), k=self.random.randint(0, 4)))

    def settle(self) -> None:
        """Let everybody hear everybody's newest message, over and over, until all have decided."""
        for number in range(len(self.nodes)):
            self.propose(number, [number])
        for _ in range(SETTLE_ROUNDS):
            if len(self.decided) == len(self.nodes):
                return
            newest = list(self.last.items())
            for number in range(len(self.nodes)):
                self.deliver(number, [msg for sender, msg in newest if sender != number])
            self.now += 1001
            for number in range(len(self.nodes)):
                self.time_out(number)
        raise AssertionError(f"only {sorted(self.decided)} of {len(self.nodes)} nodes decided")


def tell_the_same_ballots(left: Msg[int], right: Msg[int]) -> bool:
    """Whether two messages agree about B and P. The rest may change either way: PP and HN may fall,
    and the commit counter does not count in the network's order. Peers then keep the earlier
    message; the next counter tells them."""

    def told(topic: Any) -> object:
        if isinstance(topic, Commit):
            return topic.ballot, topic.prepared_counter, topic.high_counter
        if isinstance(topic, Prepare | NominatePrepare):
            return topic.prepare.ballot, topic.prepare.prepared
        return topic

    return type(left.topic) is type(right.topic) and told(left.topic) == told(right.topic)


@pytest.mark.parametrize("topology", TOPOLOGIES)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), length=st.integers(0, 400), restart=st.booleans())
def test_any_schedule_is_safe_and_ends(
    topology: str, seed: int, length: int, restart: bool
) -> None:
    note(f"topology {topology}, seed {seed}, {length} events")
    network = Network(TOPOLOGIES[topology], seed, restart)
    for _ in range(length):
        network.random_event()
    network.settle()


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), length=st.integers(0, 300))
def test_liars_below_the_threshold_cannot_split_the_rest(seed: int, length: int) -> None:
    """One of five (each needs three others) repeats anybody's statement as its own, to anybody."""
    note(f"seed {seed}, {length} events")
    network = Network(mesh(5, 3), seed, restart=True)
    liar = 4
    for _ in range(length):
        network.random_event()
        if network.last and network.random.random() < 0.3:
            said = network.random.choice(list(network.last.values()))
            lie = dataclasses.replace(
                said, sender_id=node_id(liar), quorum_set=network.nodes[liar].quorum_set
            )
            network.deliver(network.random.randrange(liar), [lie])
    # whatever the liar's own node did counts for nothing
    honest = {number: values for number, values in network.decided.items() if number != liar}
    assert len(set(honest.values())) <= 1
