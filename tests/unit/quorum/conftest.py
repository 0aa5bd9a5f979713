"""Systems that several tests look at."""

import pytest

from mcnode.quorum.model import FederatedNode, FederatedSystem, Form, complete
from mcnode.scp import QuorumSet

OPERATORS = "AAAABBBCCD"


def october_2021() -> FederatedSystem:
    """The real network's shape then: ten nodes of four operators, each asks 7 of the others."""
    ids = [f"node{number}.example:8443" for number in range(1, 11)]
    return FederatedSystem(
        {
            own: FederatedNode(
                own,
                QuorumSet(7, tuple(other for other in ids if other != own)),
                f"{operator}{number}",
                operator,
            )
            for number, (own, operator) in enumerate(zip(ids, OPERATORS, strict=True), 1)
        }
    )


def organisations(count: int, nodes: int, threshold: int, inner: int, own: bool = True):
    """Alike organisations; each node asks for `inner` nodes of `threshold` organisations, of all or
    of all but its own."""
    members = [tuple(f"o{n}-{k}:1" for k in range(nodes)) for n in range(count)]
    found = []
    for number, ids in enumerate(members):
        listed = [each for n, each in enumerate(members) if own or n != number]
        quorum_set = QuorumSet(threshold, tuple(QuorumSet(inner, each) for each in listed))
        found += [FederatedNode(each, quorum_set, "", f"o{number}") for each in ids]
    return FederatedSystem(complete(found), Form.STELLARBEAT)


@pytest.fixture
def ten():
    return october_2021()


@pytest.fixture
def make_organisations():
    return organisations


@pytest.fixture
def halves():
    """Two triangles that do not know each other, and a node that listens to both."""

    def triangle(*ids: str) -> list[FederatedNode]:
        return [FederatedNode(a, QuorumSet(1, tuple(b for b in ids if b != a))) for a in ids]

    watcher = FederatedNode("w", QuorumSet(2, ("a", "d", "gone")))
    nodes = [*triangle("a", "b", "c"), *triangle("d", "e", "f"), watcher]
    return FederatedSystem(complete(nodes), Form.STELLARBEAT)
