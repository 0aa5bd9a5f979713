"""Agreement on one slot in a flat mesh: CPU per message that a node handles.

Every node hears every message of the others. Each receiver gets a copy of its own, as from the
wire: no list of values is shared between two nodes, so nothing is saved by their being one object.
"""

import itertools
import statistics
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from bench.harness import Benchmark
from mcnode.peers.consensus_value import ConsensusValue, tx_hash_value
from mcnode.scp import Ballot, Msg, Node, NodeID, QuorumSet, Send
from mcnode.scp.types import (
    Commit,
    Externalize,
    NominatePayload,
    PreparePayload,
    nomination_of,
    prepare_of,
)

THRESHOLDS = {5: 3, 10: 6}
"""Nodes: how many of the others each needs."""

RUNS = 7

BARS = {(5, 1): "11", (10, 1): "47", (5, 100): "102 to 116", (10, 100): "210 to 286"}
"""The network's own native code on one machine, in us."""


def node_ids(count: int) -> list[NodeID]:
    return [NodeID(f"node{n}:0", n.to_bytes(32)) for n in range(1, count + 1)]


def values(count: int) -> list[ConsensusValue]:
    return [tx_hash_value(bytes([n]) * 32) for n in range(count)]


def _copy_ballot(ballot: Ballot[Any] | None) -> Any:
    return None if ballot is None else Ballot(ballot.counter, (*ballot.values,))


def copy_of(msg: Msg[Any]) -> Msg[Any]:
    """An equal message with lists of its own."""
    topic = msg.topic
    changes: dict[str, Any] = {}
    nomination, prepare = nomination_of(topic), prepare_of(topic)
    if nomination is not None:
        lists = ((*each,) for each in (nomination.voted, nomination.accepted))
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
    quorum_set = QuorumSet(msg.quorum_set.threshold, (*msg.quorum_set.members,))
    return replace(msg, quorum_set=quorum_set, topic=replace(topic, **changes))


class Mesh:
    """A network in one process; messages go in order of sending."""

    def __init__(self, node_count: int, batch: int = 1) -> None:
        ids = node_ids(node_count)
        self._batch = batch
        self._nodes: dict[NodeID, Node[ConsensusValue]] = {
            own: Node(
                own,
                QuorumSet(THRESHOLDS[node_count], tuple(n for n in ids if n != own)),
                lambda value: None,
                sorted,
                slot_index=1,
            )
            for own in ids
        }

    def record(self, proposed: list[ConsensusValue]) -> list[tuple[NodeID, list[Msg[Any]]]]:
        """Agree on one slot; what each node got, in order."""
        inboxes: dict[NodeID, deque[Msg[Any]]] = {own: deque() for own in self._nodes}
        calls = []
        self._send(inboxes, *(self._nodes[own].propose(proposed, 0) for own in self._nodes))
        for own in itertools.cycle(self._nodes):
            inbox = inboxes[own]
            if not any(inboxes.values()):
                return calls
            if inbox:
                msgs = [inbox.popleft() for _ in range(min(self._batch, len(inbox)))]
                calls.append((own, msgs))
                self._send(inboxes, self._nodes[own].handle(msgs, 0))
        raise AssertionError

    def _send(self, inboxes: dict[NodeID, deque[Msg[Any]]], *results: Iterable[Any]) -> None:
        for action in itertools.chain(*results):
            if isinstance(action, Send):
                for own, inbox in inboxes.items():
                    if own != action.msg.sender_id:
                        inbox.append(copy_of(action.msg))

    def replay(
        self, proposed: list[ConsensusValue], calls: list[tuple[NodeID, list[Msg[Any]]]]
    ) -> None:
        """The same work again, without the network around it."""
        for node in self._nodes.values():
            node.propose(proposed, 0)
        for own, msgs in calls:
            self._nodes[own].handle(msgs, 0)

    def is_done(self) -> bool:
        return all(node.slot_index == 2 for node in self._nodes.values())


def benchmarks() -> Iterable[Benchmark]:
    for batch in (1, 5):
        for (node_count, value_count), bar in BARS.items():
            proposed = values(value_count)
            mesh = Mesh(node_count, batch)
            calls = mesh.record(proposed)
            assert mesh.is_done()

            def cpu_us(
                node_count: int = node_count,
                proposed: list[ConsensusValue] = proposed,
                calls: list[tuple[NodeID, list[Msg[Any]]]] = calls,
            ) -> float:
                times = []
                for _ in range(RUNS):
                    fresh = Mesh(node_count)
                    begin = time.process_time()
                    fresh.replay(proposed, calls)
                    times.append(time.process_time() - begin)
                return statistics.median(times) * 1e6 / sum(len(msgs) for _, msgs in calls)

            name = f"message of a slot, {node_count} nodes, {value_count} values"
            yield Benchmark(
                name if batch == 1 else f"  in batches of {batch}: {name}",
                "us CPU",
                bar if batch == 1 else "a third to a seventh",
                figure=cpu_us,
            )
