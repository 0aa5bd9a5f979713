"""Every finding once where it belongs, and silence where nothing is wrong."""

import pytest

from mcnode.quorum.lint import Severity, has_errors, lint_node, lint_system
from mcnode.quorum.model import FederatedNode, FederatedSystem, Form, complete
from mcnode.quorum.sources import SourceText, read_system
from mcnode.scp import QuorumSet


def lint(quorum_set, *, form=Form.STELLARBEAT, peers=None, others=(), own="own"):
    node = FederatedNode(own, quorum_set, organisation="home")
    known = {node.id for node in others}
    silent = [
        FederatedNode(named, QuorumSet(1, (own,)))
        for named in sorted(quorum_set.nodes() - {own} - known)
    ]
    system = FederatedSystem(
        complete([node, *others, *silent]), form, {} if peers is None else {own: frozenset(peers)}
    )
    return lint_node(system, node)


def codes(findings, severity=None):
    return {f.code for f in findings if severity in (None, f.severity)}


@pytest.mark.parametrize(
    ("quorum_set", "code", "place"),
    [
        (QuorumSet(3, ("a", "b")), "threshold-above-members", "own"),
        (QuorumSet(0, ("a", "b")), "threshold-zero", "own"),
        (QuorumSet(2, ("a", QuorumSet(0, ("b", "c")))), "threshold-zero", "own, member 2"),
        (QuorumSet(1, (QuorumSet(0),)), "threshold-zero", "own, member 1"),
        (QuorumSet(2, ("a", "b", None)), "absent-member", "own, member 3"),
        (QuorumSet(2, ("a", "b", "a")), "duplicate", "own"),
        (QuorumSet(2, ("a", QuorumSet(2, ("b", "a")))), "duplicate", "own"),
        (QuorumSet(1, ("a", "b", "c")), "weak-threshold", "own"),
        (QuorumSet(501, tuple(f"n{k}" for k in range(1001))), "too-large", "own"),
    ],
)
def test_errors(quorum_set, code, place):
    found = [f for f in lint(quorum_set) if f.severity is Severity.ERROR]
    assert [(f.code, f.place) for f in found] == [(code, place)]
    assert found[0].message
    assert found[0].remedy


@pytest.mark.parametrize(
    "quorum_set",
    [
        QuorumSet(0),
        QuorumSet(3, ("a", "b", "c", "d")),
        QuorumSet(1, ("a", "b")),  # two of three with the node itself
        QuorumSet(3, tuple(QuorumSet(2, tuple(f"{o}{k}" for k in range(3))) for o in "abcd")),
    ],
)
def test_sets_without_errors(quorum_set):
    assert not has_errors(lint(quorum_set))


def test_depth():
    nested = QuorumSet(1, ("a",))
    found = []
    for _ in range(6):
        nested = QuorumSet(1, (nested,))
        found = lint(nested)
    assert codes(found, Severity.ERROR) == {"too-deep"}
    assert [f.place for f in found if f.code == "too-deep"] == ["own, member 1.1.1.1.1"]
    assert [f.place for f in found if f.code == "deep"] == ["own, member 1.1"]


def test_own_id_matters_in_network_files_only():
    quorum_set = QuorumSet(3, ("own", "a", "b", "c"))
    assert codes(lint(quorum_set), Severity.ERROR) == set()
    assert codes(lint(quorum_set), Severity.NOTE) == {"own-id"}
    found = lint(quorum_set, form=Form.NETWORK_FILES)
    assert codes(found, Severity.ERROR) == {"own-id"}


def test_members_without_a_peer_uri():
    found = lint(QuorumSet(2, ("a", "b", "c")), peers=["a", "c"])
    assert [(f.code, "b" in f.message) for f in found] == [("unknown-member", True)]


def test_members_whose_set_is_not_known():
    found = lint(QuorumSet(2, ("a", "b", "c")), others=[FederatedNode("b", name="Bee")])
    assert codes(found) == {"silent-member"}
    assert "Bee" in found[0].message


def test_inner_thresholds():
    weak = QuorumSet(2, (QuorumSet(1, ("a", "b", "c")), "d"))
    assert codes(lint(weak), Severity.WARNING) >= {"weak-inner-threshold"}
    of_the_own_organisation = QuorumSet(2, (QuorumSet(1, ("a", "b")), "d"))
    assert "weak-inner-threshold" in codes(lint(of_the_own_organisation), Severity.NOTE)


def test_single_nodes_that_matter():
    found = {f.code: f.message for f in lint(QuorumSet(1, ("a",)))}
    assert "when one of these stops: a" in found["one-node-halts"]
    assert "believes each of these alone: a" in found["one-node-decides"]
    many = QuorumSet(8, tuple(f"n{k}" for k in range(8)))
    assert "and 3 more" in {f.code: f.message for f in lint(many)}["one-node-halts"]


def test_groups_that_matter(ten):
    found = lint_node(ten, ten.find("C8"))
    assert {(f.code, f.message) for f in found} == {
        ("organisation-halts", "stops agreeing when organisation A (4 nodes) stops"),
        ("organisation-halts", "stops agreeing when organisation B (3 nodes) stops"),
    }
    big = [FederatedNode(f"b{k}", QuorumSet(0), organisation="big") for k in range(4)]
    found = lint(QuorumSet(4, ("b0", "b1", "b2", "b3", "x")), others=big)
    assert "organisation-decides" in codes(found, Severity.WARNING)


def test_below_two_thirds():
    (found,) = lint(QuorumSet(3, tuple("abcdef")))
    assert found.code == "below-two-thirds"
    assert "asks for 4 of 7 with the node itself: 1 lying members" in found.message
    assert "4 stopped ones halt it" in found.message


def test_the_whole(ten, halves):
    assert codes(lint_system(ten)) == {"organisation-halts"}
    found = [f for f in lint_system(halves) if f.place == "w"]
    assert codes(found) == {"silent-member", "unheard"}
    lonely = FederatedSystem(
        complete([FederatedNode("a", QuorumSet(1, ("gone",)))]), Form.STELLARBEAT
    )
    assert "never-agrees" in codes(lint_system(lonely), Severity.ERROR)


def test_assumed_sets_are_not_complained_about():
    text = """{"quorum_set": {"threshold": 1, "members": [
        {"type": "Node", "args": "a:1"}, {"type": "Node", "args": "b:1"}]},
        "broadcast_peers": ["mcp://a:1", "mcp://b:1"]}"""
    found = lint_system(read_system([SourceText(text, "file")]))
    assert [(f.code, f.place) for f in found] == [("one-node-decides", "(this node)")]
