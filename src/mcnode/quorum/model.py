"""A federated system: nodes and whom each of them listens to. [docs/quorum.md#1]

A node is named by a text: its responder id (`host:port`) in this network's files, its public key in
lists of the stellarbeat kind. Quorum sets are `mcnode.scp.QuorumSet` over those texts.
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum

from mcnode.quorum.errors import UnknownNode
from mcnode.scp.quorum_set import QuorumSet

NODES_MAX = 2000
"""Nodes of a system. Published networks have a few dozen, the largest lists some hundreds."""


class Form(Enum):
    """Where a system comes from; a set that names its own node is usual in one of them only."""

    NETWORK_FILES = "network files"
    STELLARBEAT = "stellarbeat list"


class Grouping(Enum):
    """What nodes have in common when they fail or lie together."""

    ORGANISATION = "organisation"
    HOST = "host"
    COUNTRY = "country"


@dataclasses.dataclass(frozen=True, slots=True)
class FederatedNode:
    """One node. `quorum_set` is None when nobody said what it is."""

    id: str
    quorum_set: QuorumSet[str] | None = None
    name: str = ""
    organisation: str | None = None
    host: str | None = None
    country: str | None = None
    is_assumed: bool = False
    """The quorum set is a guess, made from that of another node."""

    @property
    def label(self) -> str:
        """What people call it."""
        return self.name or self.id

    def group(self, grouping: Grouping) -> str | None:
        """The group it belongs to, if that is known."""
        match grouping:
            case Grouping.ORGANISATION:
                return self.organisation
            case Grouping.HOST:
                return self.host
            case Grouping.COUNTRY:
                return self.country


@dataclasses.dataclass(frozen=True, slots=True)
class FederatedSystem:
    """All nodes, in a stable order, the ones that are only named by others included."""

    nodes: Mapping[str, FederatedNode]
    form: Form = Form.NETWORK_FILES
    peers: Mapping[str, frozenset[str]] = dataclasses.field(default_factory=dict)
    """For each node whose network file was read: the responder ids it has a peer URI for."""
    notes: tuple[str, ...] = ()
    """What was assumed while reading."""

    def __iter__(self) -> Iterator[FederatedNode]:
        return iter(self.nodes.values())

    def __len__(self) -> int:
        return len(self.nodes)

    def label(self, node_id: str) -> str:
        """What people call a node."""
        return self.nodes[node_id].label if node_id in self.nodes else node_id

    def find(self, text: str) -> FederatedNode:
        """The node of that id or name, or the only one whose id begins so.

        Raises:
            UnknownNode: there is none, or there are several.
        """
        if text in self.nodes:
            return self.nodes[text]
        found = [node for node in self if node.name == text]
        found = found or [node for node in self if node.id.startswith(text)]
        if len(found) == 1:
            return found[0]
        if found:
            raise UnknownNode(f"{text} fits {len(found)} nodes: write the whole id")
        raise UnknownNode(f"no node {text}; there are {', '.join(n.label for n in self)}")

    def has_groups(self, grouping: Grouping) -> bool:
        """Whether the group of any node is known."""
        return any(node.group(grouping) is not None for node in self)

    def groups(self, grouping: Grouping) -> dict[str, list[str]]:
        """Node ids by group, in the order of the nodes; a node without one stands alone."""
        found: dict[str, list[str]] = {}
        for node in self:
            found.setdefault(node.group(grouping) or node.label, []).append(node.id)
        return found

    def groupings(self) -> list[Grouping]:
        """The groupings that put two nodes together; others say the same as the nodes."""
        return [
            grouping
            for grouping in Grouping
            if any(len(ids) > 1 for ids in self.groups(grouping).values())
        ]

    def with_nodes(self, nodes: Iterable[FederatedNode]) -> "FederatedSystem":
        """The same system with other nodes."""
        return dataclasses.replace(self, nodes={node.id: node for node in nodes})


def complete(nodes: Iterable[FederatedNode]) -> dict[str, FederatedNode]:
    """Nodes by id, with an entry for each one that is only named in a quorum set.

    Raises:
        UnknownNode: there are more than `NODES_MAX`.
    """
    by_id = {node.id: node for node in nodes}
    for node in list(by_id.values()):
        if node.quorum_set is not None:
            for named in node.quorum_set.iter_nodes():
                if named not in by_id:
                    by_id[named] = FederatedNode(named, host=host_of(named))
    if len(by_id) > NODES_MAX:
        raise UnknownNode(f"{len(by_id)} nodes, limit {NODES_MAX}")
    return by_id


def host_of(node_id: str) -> str | None:
    """The host of a responder id; None for anything else, and for this machine's own name: a
    network for tests is not one that a single host can halt."""
    host, colon, port = node_id.rpartition(":")
    is_local = host in ("localhost", "[::1]") or host.startswith("127.")
    return host if colon and port.isdigit() and not is_local else None


def map_sets(
    quorum_set: QuorumSet[str], change: Callable[[QuorumSet[str]], QuorumSet[str]]
) -> QuorumSet[str]:
    """The set after `change` was made at every level, innermost first."""
    members = tuple(
        map_sets(m, change) if isinstance(m, QuorumSet) else m for m in quorum_set.members
    )
    return change(QuorumSet(quorum_set.threshold, members))


def with_self(quorum_set: QuorumSet[str], own: str) -> QuorumSet[str]:
    """The same requirement with the node counted as a member of its own set.

    A node always agrees with itself: "7 of the 9 others" and "8 of us 10" say the same.
    """
    if own in quorum_set.nodes() or not quorum_set.members:
        return quorum_set
    return QuorumSet(quorum_set.threshold + 1, (own, *quorum_set.members))


def without_self(quorum_set: QuorumSet[str], own: str) -> QuorumSet[str]:
    """The same requirement in a set that does not name the node itself."""

    def dropped(level: QuorumSet[str]) -> QuorumSet[str]:
        others = tuple(m for m in level.members if m != own)
        met = len(level.members) - len(others)
        kept = tuple(m for m in others if not (isinstance(m, QuorumSet) and _is_met(m)))
        met += len(others) - len(kept)
        return QuorumSet(max(0, level.threshold - met), kept)

    return map_sets(quorum_set, dropped) if own in quorum_set.nodes() else quorum_set


def _is_met(quorum_set: QuorumSet[str]) -> bool:
    return quorum_set.threshold == 0


def most_usual_set(nodes: Iterable[FederatedNode]) -> QuorumSet[str]:
    """The set, with the own node counted, that most nodes ask for; at least one has to be known."""
    times: dict[QuorumSet[str], int] = {}
    for node in nodes:
        if node.quorum_set is not None:
            counted = with_self(node.quorum_set, node.id)
            times[counted] = times.get(counted, 0) + 1
    return max(times, key=lambda each: times[each])
