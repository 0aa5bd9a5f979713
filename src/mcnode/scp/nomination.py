"""Nomination: the nodes agree on a set of values worth agreeing on.

A value climbs three steps, and never down: *voted* (X on the wire), *accepted* (Y), *confirmed*
(Z). A node votes the values that its leaders vote; it proposes values of its own (W) only while
it leads. A value is accepted when a quorum votes or accepts it, or a blocking set accepts it,
even one that this node never voted; it is confirmed when a quorum accepts it. Once one value is
confirmed no more are voted, but further ones may still be confirmed and join a later ballot.

Voted and accepted are kept apart: a value that is accepted leaves the votes. Leaders accumulate,
one more per round; the round ends by timer, and the timer stops when the first ballot is
confirmed prepared, not at the first confirmed value.

The sets are bits (`ValueTable`). Peers that say the same are counted together, and values with the
same supporters go through the quorum test together: `group_by_supporters` splits the candidates by
one distinct set of values after another, and in an ordinary slot one or two groups are left
whatever the number of values and of peers. [docs/protocol/scp.md#7.3]
"""

from collections.abc import Callable, Iterable

from mcnode.scp.leaders import next_leader, weights
from mcnode.scp.quorum_set import QuorumSet
from mcnode.scp.search import LOCAL, QuorumSearch
from mcnode.scp.statements import Statement
from mcnode.scp.types import NodeID, SlotIndex, V


def group_by_supporters(
    candidates: int, supports: Iterable[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Split `candidates` by who supports them.

    `supports` holds (values, bits of nodes that support all of them); the result (values, nodes
    that support each of them), no value twice, none left out.
    """
    groups = [(candidates, 0)] if candidates else []
    for values, bits in supports:
        split = []
        for group, nodes in groups:
            inside = group & values
            if inside:
                split.append((inside, nodes | bits))
            if inside != group:
                split.append((group ^ inside, nodes))
        groups = split
    return groups


class NominationTally:
    """Who supports which values, by the newest statements of all peers: masks of values that
    somebody votes or accepts, and accepts, each with the bits of all who do exactly that."""

    def __init__(self) -> None:
        self.supports: dict[int, int] = {}
        self.accepts: dict[int, int] = {}

    def replace(self, old: Statement[V] | None, new: Statement[V]) -> None:
        """Count `new` instead of the same sender's `old`. Who no longer nominates supports
        nothing."""
        if old is not None and old.nominates:
            _move(self.supports, old.voted | old.accepted, old.bit, counts=False)
            _move(self.accepts, old.accepted, old.bit, counts=False)
        if new.nominates:
            _move(self.supports, new.voted | new.accepted, new.bit, counts=True)
            _move(self.accepts, new.accepted, new.bit, counts=True)


def _move(tally: dict[int, int], values: int, bit: int, *, counts: bool) -> None:
    nodes = tally.get(values, 0) & ~bit | (bit if counts else 0)
    if nodes:
        tally[values] = nodes
    else:
        tally.pop(values, None)


def _passing(
    candidates: int, supports: Iterable[tuple[int, int]], is_enough: Callable[[int], bool]
) -> int:
    """Those of `candidates` whose supporters are enough."""
    passing = 0
    for values, nodes in group_by_supporters(candidates, supports):
        if is_enough(nodes):
            passing |= values
    return passing


class Nomination:
    """The nomination half of one slot. Value sets are bits of the slot's table."""

    def __init__(
        self,
        slot_index: SlotIndex,
        local_id: NodeID,
        quorum_set: QuorumSet[NodeID],
        search: QuorumSearch,
    ) -> None:
        self._slot_index = slot_index
        self._local_id = local_id
        self._search = search
        self._weights = weights(local_id, quorum_set)
        self.tally = NominationTally()
        self.proposed = 0
        self.voted = 0
        self.accepted = 0
        self.confirmed = 0
        self.round = 0
        self.leaders: list[NodeID] = []
        """In the order in which they came to lead."""
        self._leader_bits = 0
        self.next_round()

    def next_round(self) -> None:
        """Begin a round: one more leader."""
        self.round += 1
        leader = next_leader(
            self._slot_index, self.round, self._local_id, self._weights, set(self.leaders)
        )
        self.add_leaders([leader])

    def add_leaders(self, leaders: Iterable[NodeID]) -> None:
        """Let these lead too."""
        for leader in leaders:
            if leader not in self.leaders:
                self.leaders.append(leader)
                self._leader_bits |= self._search.bit_of(leader) or 0

    def restore_leaders(self, leaders: Iterable[NodeID], round_number: int) -> None:
        """Take up the leaders of an earlier state."""
        self.leaders, self._leader_bits, self.round = [], 0, round_number
        self.add_leaders(leaders)

    def step(self, statements: Iterable[Statement[V]]) -> None:
        """Follow those of `statements` that are leaders', then accept and confirm what the tally
        allows."""
        if not self.confirmed:
            self._follow_leaders(statements)
        self._accept()
        rising = self.accepted & ~self.confirmed
        self.confirmed |= _passing(rising, self.tally.accepts.items(), self._search.is_quorum)

    def _follow_leaders(self, statements: Iterable[Statement[V]]) -> None:
        votes = self.proposed if self._leader_bits & LOCAL else 0
        for statement in statements:
            if statement.bit & self._leader_bits and statement.nominates:
                votes |= statement.voted | statement.accepted
        self.voted |= votes & ~self.accepted

    def _accept(self) -> None:
        accepts = self.tally.accepts.items()
        candidates = 0
        for values, _ in accepts:
            candidates |= values
        accepted = _passing(candidates & ~self.accepted, accepts, self._search.is_blocking)
        supports = self.tally.supports.items()
        accepted |= _passing(self.voted & ~accepted, supports, self._search.is_quorum)
        self.accepted |= accepted
        self.voted &= ~accepted
