"""Who knows and trusts whom in a local network. [docs/protocol/service.md#17]

dense5   five nodes, each connected to all others, each needs 3 of the 4 others
dense3   three nodes, each needs 1 of the 2 others
a-b-c    a chain: a and c know only b, all need both others
ring5    five nodes in a ring, each needs the next one
ring5b   the same, but a node pushes statements only to the next one
"""

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType

from mcnode.errors import InvalidError


class UnknownTopology(InvalidError):
    """There is no topology of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"unknown topology: {name}; choose one of {', '.join(TOPOLOGIES)}")


@dataclasses.dataclass(frozen=True, slots=True)
class NodePlan:
    """One node: whom it connects to (True: and pushes statements to), and whom it needs."""

    name: str
    peers: Mapping[str, bool]
    threshold: int
    members: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Topology:
    """A whole network."""

    name: str
    nodes: tuple[NodePlan, ...]

    @property
    def node_names(self) -> tuple[str, ...]:
        """Names in order; a node's position decides its ports."""
        return tuple(node.name for node in self.nodes)


def _dense(name: str, count: int, threshold: int) -> Topology:
    names = [f"{number}" for number in range(count)]
    nodes = []
    for own in names:
        others = [other for other in names if other != own]
        nodes.append(NodePlan(own, dict.fromkeys(others, True), threshold, tuple(others)))
    return Topology(name, tuple(nodes))


def _chain() -> Topology:
    neighbours = {"a": ["b"], "b": ["a", "c"], "c": ["b"]}
    nodes = []
    for own, peers in neighbours.items():
        others = tuple(other for other in neighbours if other != own)
        nodes.append(NodePlan(own, dict.fromkeys(peers, True), 2, others))
    return Topology("a-b-c", tuple(nodes))


def _ring(name: str, *, push_to_previous: bool) -> Topology:
    names = [f"{number}" for number in range(1, 6)]
    nodes = []
    for position, own in enumerate(names):
        previous, following = names[position - 1], names[(position + 1) % len(names)]
        peers = {previous: push_to_previous, following: True}
        nodes.append(NodePlan(own, peers, 1, (following,)))
    return Topology(name, tuple(nodes))


TOPOLOGIES: Mapping[str, Topology] = MappingProxyType(
    {
        topology.name: topology
        for topology in (
            _dense("dense5", 5, 3),
            _dense("dense3", 3, 1),
            _chain(),
            _ring("ring5", push_to_previous=True),
            _ring("ring5b", push_to_previous=False),
        )
    }
)


def topology(name: str) -> Topology:
    """The topology of that name. Raises `UnknownTopology`."""
    try:
        return TOPOLOGIES[name]
    except KeyError:
        raise UnknownTopology(name) from None
