"""Quorum sets: whom a node listens to, and how many of them make it move.

A quorum set is `threshold` of `members`, each a node or another such set. A node's *slices* are
the ways to satisfy it; a *blocking set* is a set of nodes without which it cannot be satisfied:
enough members that fewer than `threshold` remain. [docs/protocol/scp.md#2.7]

The type is generic in what names a node: `QuorumSet[str]` over responder ids in configuration
files, `QuorumSet[NodeID]` in messages.
"""

import dataclasses
from collections.abc import Hashable, Iterator
from functools import total_ordering
from typing import Any, Generic, TypeVar

from mcnode.scp.errors import InvalidQuorumSetError

N = TypeVar("N", bound=Hashable)

DEPTH_MAX = 5
"""Levels of a quorum set taken from a peer, the outermost included: four of nesting. Published sets
have two levels; each multiplies work."""

NODES_MAX = 1000
"""Members, over all levels, of a quorum set taken from a peer: the whole network is far
smaller."""


@total_ordering
@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class QuorumSet(Generic[N]):
    """`threshold` of `members`. A member is a node, an inner set, or None (absent, never valid).

    Equality and hash ignore the order of members at every level; `<` compares as listed, a node
    before an inner set, as the network's derived order does.
    """

    threshold: int
    members: "tuple[N | QuorumSet[N] | None, ...]" = ()
    _key: list[tuple[Any, ...]] = dataclasses.field(default_factory=list, init=False, repr=False)

    def _sorted_key(self) -> tuple[Any, ...]:
        """Equal for sets that are equal up to the order of members. Computed once."""
        if not self._key:
            keys = (
                (1, *m._sorted_key())
                if isinstance(m, QuorumSet)
                else (-1,)
                if m is None
                else (0, m)
                for m in self.members
            )
            self._key.append((self.threshold, tuple(sorted(keys))))
        return self._key[0]

    def _listed_key(self) -> tuple[Any, ...]:
        keys = (
            (1, *m._listed_key()) if isinstance(m, QuorumSet) else (-1,) if m is None else (0, m)
            for m in self.members
        )
        return self.threshold, tuple(keys)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, QuorumSet):
            return NotImplemented
        if self is other:
            return True
        if self.threshold != other.threshold:
            return False
        return self.members == other.members or self._sorted_key() == other._sorted_key()

    def __lt__(self, other: "QuorumSet[N]") -> bool:
        return self._listed_key() < other._listed_key()

    def __hash__(self) -> int:
        return hash(self._sorted_key())

    def sorted(self) -> "QuorumSet[N]":
        """The same set with members in order at every level."""
        members = [m.sorted() if isinstance(m, QuorumSet) else m for m in self.members]

        def key(member: "N | QuorumSet[N] | None") -> tuple[Any, ...]:
            if isinstance(member, QuorumSet):
                return (1, *member._listed_key())
            return (-1,) if member is None else (0, member)

        return QuorumSet(self.threshold, tuple(sorted(members, key=key)))

    def iter_nodes(self) -> Iterator[N]:
        """Every node named at any level, in the order listed, repetitions included."""
        for member in self.members:
            if isinstance(member, QuorumSet):
                yield from member.iter_nodes()
            elif member is not None:
                yield member

    def nodes(self) -> frozenset[N]:
        """Every node named at any level."""
        return frozenset(self.iter_nodes())

    def is_valid(self) -> bool:
        """No threshold above its number of members and no absent member, at any level."""
        return self.threshold <= len(self.members) and all(
            m is not None and (not isinstance(m, QuorumSet) or m.is_valid()) for m in self.members
        )

    def weight(self, node: N) -> tuple[int, int]:
        """The share of slices that `node` is in, as (numerator, denominator). [#3]

        Thresholds over member counts, multiplied down to the first place where the node is
        listed; (0, 1) when it is not.
        """
        for member in self.members:
            if isinstance(member, QuorumSet):
                numerator, denominator = member.weight(node)
                if numerator:
                    return numerator * self.threshold, denominator * len(self.members)
            elif member == node:
                return self.threshold, len(self.members)
        return 0, 1


def check_quorum_set(quorum_set: QuorumSet[N]) -> None:
    """Raise unless the set is valid and within the bounds for sets that come from elsewhere.

    Raises:
        InvalidQuorumSetError: a threshold above its members, an absent member, too deep, too big.
    """
    _check_level(quorum_set, 1)
    count = sum(1 for _ in quorum_set.iter_nodes())
    if count > NODES_MAX:
        raise InvalidQuorumSetError(f"quorum set names {count} nodes, limit {NODES_MAX}")


def _check_level(quorum_set: QuorumSet[N], depth: int) -> None:
    if depth > DEPTH_MAX:
        raise InvalidQuorumSetError(f"quorum set is more than {DEPTH_MAX} levels deep")
    if not 0 <= quorum_set.threshold <= len(quorum_set.members):
        raise InvalidQuorumSetError(
            f"threshold is {quorum_set.threshold}, members {len(quorum_set.members)}"
        )
    if len(quorum_set.members) > NODES_MAX:
        raise InvalidQuorumSetError(
            f"quorum set has {len(quorum_set.members)} members, limit {NODES_MAX}"
        )
    for member in quorum_set.members:
        if member is None:
            raise InvalidQuorumSetError("quorum set has an absent member")
        if isinstance(member, QuorumSet):
            _check_level(member, depth + 1)
