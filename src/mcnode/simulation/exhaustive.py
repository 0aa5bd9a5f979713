"""Every order of events of one slot of a few nodes: to a depth, or to the last state there is.

The wires lose, repeat and reorder as they like, so the network is the set of all that was ever
said: at any moment any node may hear anything that another one has said, or never hear it. Hearing
something that is not newer than what it has of that author changes nothing and is left out. A timer
may fire whenever it is set, up to a round of nomination and a ballot counter that bound the search.
From each state all of these are tried; states seen before are not gone into again.

A state is what every node holds and what it has said that somebody may still take in. The
invariants are checked in each:

* each node's own state is consistent (`mcnode.scp.invariants`),
* no two nodes have decided differently,
* what nodes have accepted does not contradict: none accepts a ballot prepared that aborts one which
  another accepts committed.

All of them are about one node or two, so each node's state and each pair of states is looked at
once. Where no new state is left, the search is complete for its bounds; where it ends by depth or
number, it says nothing beyond. [docs/protocol/scp.md#7.8]
"""

import dataclasses
import enum
from collections.abc import Iterator, Sequence

from mcnode.errors import BugError
from mcnode.scp import Ballot, Phase, SlotState
from mcnode.simulation.local_steps import Bounds, LocalSteps, Statements, Step, Value
from mcnode.simulation.topology import SimNetwork

State = tuple[int, ...]
"""The number of each node's state, then for each the statements (bits) that somebody may take."""


@dataclasses.dataclass(frozen=True, slots=True)
class Level:
    """What was found at a number of events."""

    depth: int
    new_states: int
    events: int
    some_decided: int
    """New states in which at least two nodes have decided: agreement is at stake."""
    all_decided: int
    """New states in which every node has."""


class Start(enum.Enum):
    """Where a search begins; every node has one value of its own."""

    NOMINATION = "nomination"
    """Each node has proposed its value."""
    BALLOTS = "ballots"
    """Each node has confirmed all values, and has begun a ballot on its own before that: the
    nodes are at odds."""


class Exhaustive:
    """The search over one network, in which node n begins with `values[n]`."""

    def __init__(
        self,
        network: SimNetwork,
        values: Sequence[Value],
        bounds: Bounds,
        start: Start = Start.NOMINATION,
    ) -> None:
        self._size = network.size
        self._statements = [Statements() for _ in network.node_ids]
        self._nodes = [
            LocalSteps(number, network, self._statements, bounds) for number in range(self._size)
        ]
        self._others = [
            tuple(other for other in range(self._size) if other != number)
            for number in range(self._size)
        ]
        self._pairs: set[tuple[int, int, int, int]] = set()
        self._decided: list[dict[int, bool]] = [{} for _ in network.node_ids]
        begun = [
            node.begin([value])
            if start is Start.NOMINATION
            else node.begin_ballot(sorted(set(values)), [value])
            for node, value in zip(self._nodes, values, strict=True)
        ]
        self._first: State = (*(step.state for step in begun), *(step.said for step in begun))
        self.states = 0
        self.events = 0
        self.is_complete = False
        """Whether every state within the bounds was seen."""
        self.outcomes: set[tuple[Value, ...]] = set()
        """The lists that any node has decided in any state."""

    @property
    def node_states(self) -> int:
        """Distinct states of single nodes."""
        return sum(len(node.states) for node in self._nodes)

    @property
    def statements(self) -> int:
        """Distinct statements of all nodes."""
        return sum(map(len, self._statements))

    @property
    def pairs(self) -> int:
        """Pairs of states of two nodes that were held against each other."""
        return len(self._pairs)

    def levels(self, depth_max: int, states_max: int) -> Iterator[Level]:
        """Breadth first; ends after `depth_max` events, beyond `states_max` states, or complete.

        Raises:
            BugError: an invariant does not hold; the text has the states concerned.
        """
        for number in range(len(self._nodes)):
            self._check(self._first, number)
        seen = {self._first}
        frontier = [self._first]
        self.states = 1
        for depth in range(1, depth_max + 1):
            following: list[State] = []
            before = self.events
            for state in frontier:
                for number, successor in self._successors(state):
                    self.events += 1
                    if successor not in seen:
                        seen.add(successor)
                        self._check(successor, number)
                        following.append(successor)
                if len(seen) > states_max:
                    return
            self.states = len(seen)
            counts = [self._count_decided(state) for state in following]
            yield Level(
                depth,
                len(following),
                self.events - before,
                sum(count > 1 for count in counts),
                sum(count == len(self._nodes) for count in counts),
            )
            if not following:
                self.is_complete = True
                return
            frontier = following

    # -- events -----------------------------------------------------------------------------------

    def _successors(self, state: State) -> Iterator[tuple[int, State]]:
        """Each state that one event leads to, and the node that it happens to."""
        size = self._size
        for number, node in enumerate(self._nodes):
            own = state[number]
            held = node.held[own]
            for author in self._others[number]:
                said = state[size + author]
                news = said and said & self._statements[author].news_to(held[author])
                if news:
                    for step in node.hear(own, author, news):
                        yield number, self._after(state, number, step, author)
            for step in node.fire(own):
                yield number, self._after(state, number, step, None)

    def _after(self, state: State, number: int, step: Step, heard: int | None) -> State:
        """The state after a step of one node, which may have heard a statement of another."""
        after = list(state)
        after[number] = step.state
        if step.said:
            self._set_said(after, number, state[self._size + number] | step.said)
        if heard is not None:
            self._set_said(after, heard, state[self._size + heard])
        return tuple(after)

    def _set_said(self, state: list[int], author: int, said: int) -> None:
        """Keep of an author's statements those that are news to anybody."""
        news_to = self._statements[author].news_to
        wanted = 0
        for other in self._others[author]:
            wanted |= news_to(self._nodes[other].held[state[other]][author])
        state[self._size + author] = said & wanted

    # -- invariants -------------------------------------------------------------------------------

    def _check(self, state: State, number: int) -> None:
        """Hold the state of one node, which is new, against those of the others."""
        for other in self._others[number]:
            first, second = sorted((number, other))
            pair = (first, state[first], second, state[second])
            if pair not in self._pairs:
                self._pairs.add(pair)
                self._check_pair(*pair)

    def _check_pair(self, one: int, one_state: int, other: int, other_state: int) -> None:
        left, right = self._nodes[one].states[one_state], self._nodes[other].states[other_state]
        check_agreement(left, right)
        check_no_abort(left, right)
        check_no_abort(right, left)

    def _count_decided(self, state: State) -> int:
        return sum(self._is_decided(n, each) for n, each in enumerate(state[: self._size]))

    def _is_decided(self, number: int, state: int) -> bool:
        known = self._decided[number]
        if state not in known:
            outcome = outcome_of(self._nodes[number].states[state])
            known[state] = outcome is not None
            if outcome is not None:
                self.outcomes.add(outcome)
        return known[state]


def outcome_of(state: SlotState[Value]) -> tuple[Value, ...] | None:
    """What a node has decided."""
    if state.phase != Phase.EXTERNALIZE or state.commit is None:
        return None
    return state.commit.values


def check_agreement(one: SlotState[Value], other: SlotState[Value]) -> None:
    """Two nodes decide the same. Raises `BugError`."""
    outcomes = outcome_of(one), outcome_of(other)
    if None not in outcomes and outcomes[0] != outcomes[1]:
        raise BugError(f"two nodes have decided differently: {one} and {other}")


def check_no_abort(committing: SlotState[Value], other: SlotState[Value]) -> None:
    """Nothing aborts what somebody accepts committed. Raises `BugError`."""
    commit = committing.commit
    if committing.phase < Phase.COMMIT or commit is None:
        return
    for prepared in (other.prepared, other.prepared_prime):
        if prepared is not None and _aborts(prepared, commit):
            raise BugError(
                f"{other.node_id} accepts {prepared} prepared, against {commit} accepted committed"
            )


def _aborts(prepared: Ballot[Value], commit: Ballot[Value]) -> bool:
    return prepared.values != commit.values and prepared > commit


def two_values(network: SimNetwork) -> list[Value]:
    """One of two values for every node, by turns."""
    return [1 + number % 2 for number in range(network.size)]
