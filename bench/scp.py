"""Agreement on one slot in a flat mesh: CPU per message that a node handles.

Every node hears every message of the others, one by one; in the lines "in batches" up to five at a
time, as a node takes them from its queue. Each receiver gets a copy of its own, as from the wire:
no value, list or identity is one object with what it heard before, so nothing is saved by that.
Making the copies is not counted; what the nodes do is, with everything from their own side: a slot
of one node is its messages times the figure. Messages per second are a million divided by it.
"""

import gc
import math
import statistics
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

from bench.harness import Benchmark
from mcnode.peers.consensus_value import ConsensusValue, tx_hash_value
from mcnode.scp import Action, Ballot, Msg, Node, NodeID, QuorumSet, Send
from mcnode.scp.search import QuorumSearch
from mcnode.scp.types import (
    Commit,
    Externalize,
    NominatePayload,
    PreparePayload,
    nomination_of,
    prepare_of,
)

VALUES_PER_SLOT = 100
"""What a node proposes at most."""

RUNS = 7
"""Of small slots, at the least; a slot of more than `LARGE` messages times values is run once."""

RUNS_SECONDS = 1.0
"""So long small slots are repeated: a few milliseconds say more of the machine than of the code."""

LARGE = 100_000

SLOTS = {
    (5, 1): "11 to 12",
    (10, 1): "43 to 57",
    (15, 1): "500; 7157",
    (25, 1): "(no slot in 5 min)",
    (50, 1): "-",
    (100, 1): "-",
    (5, 100): "102 to 116",
    (10, 100): "210 to 286",
    (15, 100): "500",
    (25, 100): "-",
    (50, 100): "-",
    (100, 100): "-",
    (5, 5000): "-",
    (10, 5000): "-",
    (25, 5000): "-",
    (50, 5000): "-",
}
"""(nodes, values) to what the network's own native code takes, in us; 500 is a bar beside it."""


def node_ids(count: int) -> list[NodeID]:
    return [NodeID(f"node{n}:0", n.to_bytes(32)) for n in range(1, count + 1)]


def threshold(node_count: int) -> int:
    """How many of the others each needs: all but a third of the mesh, itself included."""
    return node_count - (node_count - 1) // 3 - 1


def mesh_sets(node_count: int) -> dict[NodeID, QuorumSet[NodeID]]:
    ids = node_ids(node_count)
    return {own: QuorumSet(threshold(node_count), tuple(n for n in ids if n != own)) for own in ids}


def values(count: int) -> list[ConsensusValue]:
    return [tx_hash_value(n.to_bytes(4) * 8) for n in range(count)]


def _copy_values(its_values: tuple[ConsensusValue, ...]) -> tuple[ConsensusValue, ...]:
    return tuple([ConsensusValue(value.kind, value.content) for value in its_values])


def _copy_ballot(ballot: Ballot[ConsensusValue] | None) -> Any:
    return None if ballot is None else Ballot(ballot.counter, _copy_values(ballot.values))


def _copy_id(node: NodeID) -> NodeID:
    return NodeID(node.responder_id, node.public_key)


def copy_of(msg: Msg[ConsensusValue]) -> Msg[ConsensusValue]:
    """An equal message that has no part in common with it."""
    topic = msg.topic
    changes: dict[str, Any] = {}
    nomination, prepare = nomination_of(topic), prepare_of(topic)
    if nomination is not None:
        lists = (_copy_values(each) for each in (nomination.voted, nomination.accepted))
        changes["nomination"] = NominatePayload(*lists)
    if prepare is not None:
        ballots = (prepare.ballot, prepare.prepared, prepare.prepared_prime)
        changes["prepare"] = PreparePayload(
            *map(_copy_ballot, ballots), prepare.commit_counter, prepare.high_counter
        )
    if isinstance(topic, Commit):
        changes["ballot"] = _copy_ballot(topic.ballot)
    if isinstance(topic, Externalize):
        changes["commit"] = _copy_ballot(topic.commit)
    members = tuple(_copy_id(n) for n in msg.quorum_set.members if isinstance(n, NodeID))
    return replace(
        msg,
        sender_id=_copy_id(msg.sender_id),
        quorum_set=QuorumSet(msg.quorum_set.threshold, members),
        topic=replace(topic, **changes),
    )


class Mesh:
    """A network in one process; messages go in order of sending. Counts messages and CPU time."""

    def __init__(self, node_count: int, batch: int = 1) -> None:
        self._batch = batch
        self._nodes: dict[NodeID, Node[ConsensusValue]] = {
            own: Node(own, quorum_set, lambda value: None, sorted, slot_index=1)
            for own, quorum_set in mesh_sets(node_count).items()
        }
        self._inboxes: dict[NodeID, deque[Msg[ConsensusValue]]] = {n: deque() for n in self._nodes}
        self.messages = 0
        self.cpu_seconds = 0.0

    def agree(self, proposed: Sequence[ConsensusValue]) -> None:
        """Go through one slot, until there is nothing left to say."""
        index = self.slot_index()
        for node in self._nodes.values():
            self._send(self._timed(node.propose, proposed))
        while any(self._inboxes.values()):
            for own, inbox in self._inboxes.items():
                if inbox:
                    count = min(self._batch, len(inbox))
                    msgs = [copy_of(inbox.popleft()) for _ in range(count)]
                    self.messages += count
                    self._send(self._timed(self._nodes[own].handle, msgs))
        assert self.slot_index() == index + 1

    def slot_index(self) -> int:
        """The slot that all nodes are at."""
        (index,) = {node.slot_index for node in self._nodes.values()}
        return index

    def _timed(
        self, work: Callable[[Any, int], list[Action[ConsensusValue]]], given: Sequence[Any]
    ) -> list[Action[ConsensusValue]]:
        begin = time.process_time()
        actions = work(given, 0)
        self.cpu_seconds += time.process_time() - begin
        return actions

    def _send(self, actions: Iterable[Action[ConsensusValue]]) -> None:
        for action in actions:
            if isinstance(action, Send):
                for own, inbox in self._inboxes.items():
                    if own != action.msg.sender_id:
                        inbox.append(action.msg)


class SlotCost(NamedTuple):
    """A slot of one node."""

    messages: int
    us_per_message: float


@cache
def slot_cost(node_count: int, value_count: int, batch: int = 1) -> SlotCost:
    """Run slots of a mesh, and take the median."""
    proposed = values(value_count)
    figures: list[float] = []
    seconds = 0.0
    while len(figures) < RUNS or seconds < RUNS_SECONDS:
        gc.collect()
        mesh = Mesh(node_count, batch)
        mesh.agree(proposed)
        seconds += mesh.cpu_seconds
        figures.append(mesh.cpu_seconds * 1e6 / mesh.messages)
        if mesh.messages * value_count > LARGE:
            break
    return SlotCost(mesh.messages // node_count, statistics.median(figures))


def growth(value_count: int, small: int, large: int) -> float:
    """The power of the number of nodes with which a node's work for a slot grows."""
    work = [math.prod(slot_cost(count, value_count)) for count in (small, large)]
    return math.log(work[1] / work[0]) / math.log(large / small)


def values_per_second(value_count: int) -> float:
    """Many slots of five nodes, copies and proposals counted too."""
    waiting = values(value_count)
    mesh = Mesh(5)
    gc.collect()
    begin = time.process_time()
    for first in range(0, value_count, VALUES_PER_SLOT):
        mesh.agree(waiting[first : first + VALUES_PER_SLOT])
    return value_count / (time.process_time() - begin)


def quorum_searches(node_count: int) -> dict[str, Callable[[], None]]:
    """Questions about a flat mesh, each asked of a search that remembers no answer."""
    sets = mesh_sets(node_count)
    local, *others = sets
    enough = threshold(node_count)
    sets[others[0]] = QuorumSet(node_count - 1, sets[others[0]].members)
    search = QuorumSearch(local, sets[local])
    bits = [bit for node in others if (bit := search.bit_of(node)) is not None]
    for bit, node in zip(bits, others, strict=True):
        search.set_peer(bit, sets[node])

    def asked(supporters: list[int], answer: bool) -> Callable[[], None]:
        mask = sum(supporters)

        def ask() -> None:
            search._memo.clear()
            assert (search.quorum(mask) != 0) is answer

        return ask

    return {
        "one too few": asked(bits[1:enough], False),
        "enough, one asks for more": asked(bits[:enough], False),
        "found": asked(bits[1:], True),
    }


def benchmarks() -> Iterable[Benchmark]:
    for (node_count, value_count), bar in SLOTS.items():
        messages = 8 * (node_count - 1)
        yield Benchmark(
            f"{node_count} nodes, {value_count} values, {messages} messages: each",
            "us CPU",
            bar,
            figure=lambda n=node_count, v=value_count: slot_cost(n, v).us_per_message,
        )
    for (node_count, value_count), bar in SLOTS.items():
        if node_count <= 10 and value_count <= VALUES_PER_SLOT:
            yield Benchmark(
                f"  in batches of 5: {node_count} nodes, {value_count} values",
                "us CPU",
                f"{bar}, by 3 to 7",
                figure=lambda n=node_count, v=value_count: slot_cost(n, v, 5).us_per_message,
            )
    for value_count in (1, 100):
        for small, large in ((5, 10), (10, 25), (25, 50), (50, 100)):
            yield Benchmark(
                f"a node's slot, {value_count} values, {small} to {large} nodes",
                "power",
                "polynomial",
                figure=lambda v=value_count, s=small, g=large: growth(v, s, g),
            )
    yield Benchmark(
        "5 nodes, 10,000 values in slots of 100",
        "values/s CPU",
        "1200 to 1550",
        figure=lambda: values_per_second(10_000),
    )
    for node_count, bar in ((5, "1"), (10, "130"), (13, "5600"), (25, "-"), (100, "-")):
        for name, ask in quorum_searches(node_count).items():
            yield Benchmark(
                f"quorum test, {node_count} nodes: {name}",
                "us",
                bar if name == "one too few" else "-",
                ask,
                repeat=200,
            )
