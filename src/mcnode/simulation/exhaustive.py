"""Every order of events of one slot of a few nodes, up to a stated number of events.

The wires lose, repeat and reorder as they like, so the network is the set of all that was ever
said: at any moment any node may hear anything that another one has said. Hearing something that is
not newer than what it has of that author changes nothing and is left out. A timer may fire whenever
it is set. From each state all of these are tried; states seen before are not gone into again.

A state is what every node holds and what it has said; deadlines count only as set or not. The
invariants are checked in each:

* each node's own state is consistent (`mcnode.scp.invariants`),
* no two nodes have decided differently,
* what nodes have accepted does not contradict: none accepts a ballot prepared that aborts one which
  another accepts committed.

The search is exhaustive up to its depth and says nothing beyond. [docs/protocol/scp.md#7.8]
"""

import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from mcnode.errors import BugError
from mcnode.scp import Ballot, Msg, Timing, compare_topics
from mcnode.scp.ballot import Phase
from mcnode.scp.invariants import check_invariants
from mcnode.scp.slot import Slot
from mcnode.scp.state import SlotState
from mcnode.simulation.topology import SimNetwork

SLOT_INDEX = 1
_DUE, _NOT_DUE = -1, 1
"""Deadlines of states between events, where the time is always 0."""

Value = int
Said = tuple[Msg[Value], ...]


class NodeState(NamedTuple):
    """One node: what it holds, and all that it has said, oldest first."""

    slot: SlotState[Value]
    said: Said


State = tuple[NodeState, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Level:
    """What was found at a number of events."""

    depth: int
    new_states: int
    events: int
    decided: int
    """New states in which every node has decided."""


class Exhaustive:
    """The search over one network, in which node n proposes `proposals[n]`."""

    def __init__(
        self,
        network: SimNetwork,
        proposals: Sequence[Sequence[Value]],
        *,
        with_timers: bool = True,
    ) -> None:
        self._ids = network.node_ids
        self._sets = network.quorum_sets
        self._with_timers = with_timers
        self._positions = {node: position for position, node in enumerate(self._ids)}
        self._first = tuple(self._propose(n, values) for n, values in enumerate(proposals))
        self.states = 0
        self.events = 0

    def levels(self, depth_max: int, states_max: int) -> Iterator[Level]:
        """Breadth first; ends after `depth_max` events or once there are `states_max` states.

        Raises:
            BugError: an invariant does not hold; the text has the whole state.
        """
        check_state(self._first)
        seen = {hash_of(self._first)}
        frontier = [self._first]
        self.states = 1
        for depth in range(1, depth_max + 1):
            following: list[State] = []
            before = self.events
            for state in frontier:
                for successor in self._successors(state):
                    self.events += 1
                    key = hash_of(successor)
                    if key not in seen:
                        seen.add(key)
                        check_state(successor)
                        following.append(successor)
                if len(seen) > states_max:
                    return
            self.states = len(seen)
            decided = sum(map(_all_decided, following))
            yield Level(depth, len(following), self.events - before, decided)
            if not following:
                return
            frontier = following

    # -- events -----------------------------------------------------------------------------------

    def _successors(self, state: State) -> Iterator[State]:
        for number, node in enumerate(state):
            for changed in self._changes(state, number, node):
                yield (*state[:number], changed, *state[number + 1 :])

    def _changes(self, state: State, number: int, node: NodeState) -> Iterator[NodeState]:
        held = {msg.sender_id: msg for msg in node.slot.msgs}
        for other in state:
            for msg in other.said:
                known = held.get(msg.sender_id)
                if msg.sender_id != self._ids[number] and (
                    known is None or compare_topics(msg.topic, known.topic) > 0
                ):
                    yield self._step(node, number, functools.partial(_hear, msg))
        if self._with_timers:
            for ready in _due_states(node.slot):
                yield self._step(NodeState(ready, node.said), number, _fire_timer)

    def _propose(self, number: int, values: Sequence[Value]) -> NodeState:
        slot = self._slot(number)
        msg = slot.propose(values, 0)
        return _node_state(slot, () if msg is None else (msg,))

    def _step(
        self, node: NodeState, number: int, event: Callable[[Slot[Value]], Msg[Value] | None]
    ) -> NodeState:
        slot = self._slot(number)
        slot.restore(node.slot)
        msg = event(slot)
        return _node_state(slot, node.said if msg is None else (*node.said, msg))

    def _slot(self, number: int) -> Slot[Value]:
        return Slot(
            SLOT_INDEX,
            self._ids[number],
            self._sets[number],
            validate=_any_value,
            combine=sorted,
            timing=Timing(),
        )


def _hear(msg: Msg[Value], slot: Slot[Value]) -> Msg[Value] | None:
    return slot.handle([msg], 0)


def _fire_timer(slot: Slot[Value]) -> Msg[Value] | None:
    return slot.handle_timers(0)


def _due_states(slot: SlotState[Value]) -> Iterator[SlotState[Value]]:
    """The state with either of its timers about to fire."""
    if slot.nomination_deadline is not None:
        yield dataclasses.replace(slot, nomination_deadline=_DUE)
    if slot.ballot_deadline is not None:
        yield dataclasses.replace(slot, ballot_deadline=_DUE)


def _any_value(_value: Value) -> None:
    """Every value may be agreed on."""


def _node_state(slot: Slot[Value], said: Said) -> NodeState:
    state = slot.state()
    nomination = None if state.nomination_deadline is None else _NOT_DUE
    ballot = None if state.ballot_deadline is None else _NOT_DUE
    msgs = tuple(sorted(state.msgs, key=lambda msg: msg.sender_id))
    return NodeState(
        dataclasses.replace(
            state, msgs=msgs, nomination_deadline=nomination, ballot_deadline=ballot
        ),
        said,
    )


def hash_of(state: State) -> int:
    """Stands for a state; two of a million states share one with a chance of one in ten million."""
    return hash(tuple((hash(node.slot), len(node.said), hash(node.said)) for node in state))


# -- invariants ---------------------------------------------------------------------------------


def check_state(state: State) -> None:
    """Raise unless every invariant holds.

    Raises:
        BugError: names the one that does not.
    """
    for node in state:
        check_invariants(node.slot)
    decided = {
        node.slot.commit.values
        for node in state
        if node.slot.phase == Phase.EXTERNALIZE and node.slot.commit is not None
    }
    if len(decided) > 1:
        raise BugError(f"nodes have decided {len(decided)} lists, limit 1: {state}")
    for node in state:
        commit = node.slot.commit
        if node.slot.phase >= Phase.COMMIT and commit is not None:
            for other in state:
                _check_no_abort(commit, other.slot)


def _check_no_abort(commit: Ballot[Value], other: SlotState[Value]) -> None:
    for prepared in (other.prepared, other.prepared_prime):
        if prepared is not None and prepared.values != commit.values and prepared > commit:
            raise BugError(
                f"{other.node_id} accepts {prepared} prepared, against {commit} accepted committed"
            )


def _all_decided(state: State) -> bool:
    return all(node.slot.phase == Phase.EXTERNALIZE for node in state)


def two_values(network: SimNetwork) -> list[list[Value]]:
    """Every node proposes one of two values, by turns."""
    return [[1 + number % 2] for number in range(network.size)]
