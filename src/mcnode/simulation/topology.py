"""The network that is simulated: who is connected to whom, and who needs whom."""

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence

from mcnode.errors import InvalidError
from mcnode.scp import NodeID, QuorumSet, Timing

NODES_MAX = 100
"""Work grows with the square of it; published networks have a tenth."""


class NotANetwork(InvalidError):
    """Nodes and quorum sets that make no network."""


@dataclasses.dataclass(frozen=True, slots=True)
class SimNetwork:
    """Nodes by position.

    `peers[n]`: positions that node n connects to, with whether it pushes statements to each.
    `quorum_sets[n]`: whom it needs. `timing`: everybody's timers.
    """

    name: str
    quorum_sets: tuple[QuorumSet[NodeID], ...]
    peers: tuple[Mapping[int, bool], ...]
    node_ids: tuple[NodeID, ...]
    timing: Timing = Timing()  # noqa: RUF009 - frozen

    @property
    def size(self) -> int:
        """Number of nodes."""
        return len(self.node_ids)

    def quorum_size(self) -> int | None:
        """How many nodes a quorum has, when the network is a full mesh of equals; else None."""
        first = self.quorum_sets[0]
        for own, quorum_set in zip(self.node_ids, self.quorum_sets, strict=True):
            others = {node for node in self.node_ids if node != own}
            if set(quorum_set.members) != others or quorum_set.threshold != first.threshold:
                return None
        return first.threshold + 1


@dataclasses.dataclass(frozen=True, slots=True)
class Tolerance:
    """What a network stands, counted in nodes.

    `safe`: that many may lie, and no two honest nodes ever decide differently.
    `live`: that many may be silent, and the others still decide.
    """

    safe: int
    live: int


def tolerance(network: SimNetwork) -> Tolerance:
    """Of a mesh of equals: two quorums of q of n nodes share 2q - n, one of them must be honest.

    Other shapes count as tolerating nothing; `mcnode quorum` tells what they really stand.
    """
    quorum = network.quorum_size()
    if quorum is None:
        return Tolerance(0, 0)
    return Tolerance(max(0, 2 * quorum - network.size - 1), network.size - quorum)


def node_id(number: int) -> NodeID:
    """The identity at a position. Keys are labels here: nothing is signed."""
    key = hashlib.sha256(b"simulated node %d" % number).digest()
    return NodeID(f"node{number}.sim:8443", key)


def mesh(count: int, threshold: int, name: str | None = None) -> SimNetwork:
    """Everybody connected to everybody, each needing `threshold` of the others.

    Raises:
        NotANetwork: there cannot be such a mesh.
    """
    if not 1 <= count <= NODES_MAX:
        raise NotANetwork(f"{count} nodes, needs 1 to {NODES_MAX}")
    if not 0 <= threshold < count:
        raise NotANetwork(f"threshold is {threshold}, others are {count - 1}")
    members = [[n for n in range(count) if n != own] for own in range(count)]
    peers = [dict.fromkeys(others, True) for others in members]
    return from_positions(
        name or f"mesh {count} of {threshold}", peers, [threshold] * count, members
    )


def from_positions(
    name: str,
    peers: Sequence[Mapping[int, bool]],
    thresholds: Sequence[int],
    members: Sequence[Sequence[int]],
) -> SimNetwork:
    """A network of flat quorum sets, everything by position."""
    ids = tuple(node_id(number) for number in range(len(peers)))
    quorum_sets = tuple(
        QuorumSet(threshold, tuple(ids[n] for n in needed))
        for threshold, needed in zip(thresholds, members, strict=True)
    )
    return SimNetwork(name, quorum_sets, tuple(peers), ids)


def from_quorum_set(
    name: str, quorum_set: QuorumSet[str], timing: Timing | None = None
) -> SimNetwork:
    """The network in which everybody uses one quorum set and these timers, as from a network file.

    Each node leaves itself out where it is listed, and needs one member less there: it counts for
    itself anyway.

    Raises:
        NotANetwork: the set names no node.
    """
    names = sorted(quorum_set.nodes())
    if not names:
        raise NotANetwork("the quorum set names 0 nodes, needs 1")
    if len(names) > NODES_MAX:
        raise NotANetwork(f"{len(names)} nodes, limit {NODES_MAX}")
    ids = {each: NodeID(each, hashlib.sha256(each.encode()).digest()) for each in names}
    sets = tuple(_without(quorum_set, own, ids) for own in names)
    others = [
        dict.fromkeys((n for n in range(len(names)) if n != own), True) for own in range(len(names))
    ]
    node_ids = tuple(ids[each] for each in names)
    return SimNetwork(name, sets, tuple(others), node_ids, timing or Timing())


def _without(quorum_set: QuorumSet[str], own: str, ids: Mapping[str, NodeID]) -> QuorumSet[NodeID]:
    members: list[NodeID | QuorumSet[NodeID] | None] = []
    threshold = quorum_set.threshold
    for member in quorum_set.members:
        if member == own:
            threshold = max(0, threshold - 1)
        elif isinstance(member, QuorumSet):
            members.append(_without(member, own, ids))
        else:
            members.append(None if member is None else ids[member])
    return QuorumSet(threshold, tuple(members))
