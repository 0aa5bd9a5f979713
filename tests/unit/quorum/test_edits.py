"""What-if edits and suggested sets."""

import pytest

from mcnode.quorum.compiled import CompiledSystem
from mcnode.quorum.errors import EditError, SuggestionError, SystemFormatError, UnknownNode
from mcnode.quorum.lint import has_errors, lint_system
from mcnode.quorum.model import FederatedNode, FederatedSystem, complete
from mcnode.quorum.suggest import (
    Organisation,
    Tier,
    organisations_of,
    read_organisations,
    suggest,
)
from mcnode.quorum.summary import figures
from mcnode.quorum.whatif import (
    add_organisation,
    drop_group,
    drop_node,
    set_threshold,
    stop_node,
)
from mcnode.scp import QuorumSet


def shown(system):
    return dict(figures(system).rows)


def test_dropping_is_not_stopping(ten):
    dropped, stopped = drop_node("A1")(ten), stop_node("A1")(ten)
    assert len(dropped) == 9
    assert dropped.find("B5").quorum_set.threshold == 7
    assert len(dropped.find("B5").quorum_set.members) == 8
    assert len(stopped) == 10
    assert stopped.find("B5").quorum_set == ten.find("B5").quorum_set
    # nine nodes that need eight: with one gone nobody else may fail, but two, not three, now can
    assert shown(dropped)["halted by the failure of (nodes)"] == "2"
    assert shown(stopped)["halted by the failure of (nodes)"] == "2"
    assert shown(dropped)["split by the lies of (nodes)"] == "7"
    assert shown(stopped)["split by the lies of (nodes)"] == "6"


def test_dropping_an_organisation_lowers_what_cannot_be(ten):
    smaller = drop_group("A")(ten)
    assert {node.quorum_set.threshold for node in smaller} == {5}
    assert shown(smaller)["halted by the failure of (nodes)"] == "1"
    assert shown(smaller)["split by the lies of (nodes)"] == "none"
    nested = FederatedSystem(
        complete([FederatedNode("a", QuorumSet(2, (QuorumSet(1, ("b",)), "c")))])
    )
    assert drop_node("b")(nested).nodes["a"].quorum_set == QuorumSet(1, ("c",))


def test_thresholds(ten):
    assert shown(set_threshold("4")(ten))["verdict"] == "split"
    assert shown(set_threshold("4")(ten))["split by the lies of (nodes)"] == "0 (split as it is)"
    changed = set_threshold("A1=5")(ten)
    assert [node.quorum_set.threshold for node in changed] == [5] + 9 * [7]
    nested = FederatedSystem(
        complete([FederatedNode("a:1", QuorumSet(2, ("c", QuorumSet(1, ("b", "d")))))])
    )
    edited = set_threshold("a:1#2=2")(nested).nodes["a:1"].quorum_set
    assert edited == QuorumSet(2, ("c", QuorumSet(2, ("b", "d"))))


def test_an_organisation_joins_lists_and_groups(ten, make_organisations):
    flat = add_organisation("E=e1:1,e2:1,e3:1")(ten)
    assert len(flat) == 13
    assert len(CompiledSystem(flat).sets) == 1
    assert flat.find("A1").quorum_set.threshold == 10  # 8 of 10 with itself: 11 of 13
    nested = add_organisation("E=e1:1,e2:1,e3:1/3")(make_organisations(4, 3, 3, 2))
    quorum_set = nested.find("o0-0:1").quorum_set
    assert (quorum_set.threshold, quorum_set.members[-1].threshold) == (4, 3)
    assert "e1:1" not in nested.find("e1:1").quorum_set.nodes()
    assert shown(nested)["verdict"] == "intersecting"


@pytest.mark.parametrize(
    ("edit", "error", "reason"),
    [
        (lambda: drop_node("nobody"), UnknownNode, "no node nobody"),
        (lambda: drop_group("Z"), EditError, "no organisation Z; there are A, B, C, D"),
        (lambda: set_threshold("x=y"), EditError, "x=y is no threshold"),
        (lambda: set_threshold("10"), EditError, "above the 9 members"),
        (lambda: set_threshold("A1#2=1"), EditError, "member 2 is no inner set"),
        (lambda: set_threshold("A1#99=1"), EditError, "member 99 is no inner set"),
        (lambda: add_organisation("E"), EditError, "is no organisation"),
        (lambda: add_organisation("E=a:1,a:1"), EditError, "is no organisation"),
        (lambda: add_organisation("E=a:1/2"), EditError, "2 is no threshold over 1 nodes"),
        (lambda: add_organisation("E=node1.example:8443"), EditError, "in the system already"),
    ],
)
def test_refused_edits(ten, edit, error, reason):
    with pytest.raises(error, match=reason):
        edit()(ten)


def test_nothing_is_left():
    system = FederatedSystem({"a": FederatedNode("a")})
    with pytest.raises(EditError, match="no node would be left"):
        drop_node("a")(system)
    with pytest.raises(EditError, match="not known"):
        set_threshold("1")(system)
    with pytest.raises(EditError, match="no quorum set is known"):
        add_organisation("E=e:1")(system)


# -- suggestions -----------------------------------------------------------------------------------


def organisation(name, nodes=3, tier=Tier.HIGH):
    return Organisation(name, tuple(f"{name}{k}:1" for k in range(nodes)), tier)


@pytest.mark.parametrize(("count", "threshold"), [(2, 2), (3, 3), (4, 3), (6, 5), (7, 5), (10, 7)])
def test_all_but_a_third(count, threshold):
    made = suggest([organisation(f"o{n}") for n in range(count)])
    assert made.quorum_set.threshold == threshold
    assert {inner.threshold for inner in made.quorum_set.members} == {2}
    found = shown(made.system())
    assert found["verdict"] == "intersecting"
    lying = "none" if threshold == count else str(2 * threshold - count)
    assert found["split by the lies of (organisations)"] == lying
    assert not has_errors(lint_system(made.system()))


def test_tiers_are_nested():
    made = suggest(
        [
            organisation("must", tier=Tier.CRITICAL),
            *(organisation(f"big{n}") for n in range(4)),
            organisation("small1", 1, Tier.LOW),
            organisation("small2", 2, Tier.LOW),
        ]
    )
    top = made.quorum_set
    assert (top.threshold, len(top.members)) == (2, 2)
    high = top.members[1]
    assert (high.threshold, len(high.members)) == (4, 5)
    assert high.members[4] == QuorumSet(2, ("small10:1", QuorumSet(2, ("small20:1", "small21:1"))))
    assert any("each of them alone can halt" in reason for reason in made.reasons)
    assert any("silent whenever one" in reason for reason in made.reasons)
    own = made.for_node("big00:1")
    assert "big00:1" not in own.nodes()
    assert own.members[1].members[0] == QuorumSet(1, ("big01:1", "big02:1"))


def test_a_tier_of_one_and_a_node_alone():
    made = suggest([organisation("a"), organisation("b", tier=Tier.LOW)])
    assert made.quorum_set.members[1] == QuorumSet(2, ("b0:1", "b1:1", "b2:1"))
    alone = suggest([organisation("a", 1)])
    assert alone.quorum_set == QuorumSet(1, ("a0:1",))
    assert alone.for_node("a0:1") == QuorumSet(0)


def test_organisations_of_a_file_and_of_a_system(ten, halves):
    text = '{"organisations": [{"name": "a", "nodes": ["a:1"], "tier": "low", "country": "NO"}]}'
    assert read_organisations(text, "f") == [Organisation("a", ("a:1",), Tier.LOW, "NO")]
    assert [len(each.nodes) for each in organisations_of(ten)] == [4, 3, 2, 1]
    with pytest.raises(SuggestionError, match="give a mapping"):
        organisations_of(halves)
    with pytest.raises(SuggestionError, match="tier is top, must be one of critical, high"):
        read_organisations(text.replace("low", "top"), "f")
    with pytest.raises(SystemFormatError, match="organisations"):
        read_organisations("{}", "f")


@pytest.mark.parametrize(
    ("organisations", "reason"),
    [
        ([], "no organisation"),
        ([organisation("a", 0)], "a has no nodes"),
        ([organisation("a"), organisation("a")], "a0:1 is of a and of a"),
    ],
)
def test_no_suggestion(organisations, reason):
    with pytest.raises(SuggestionError, match=reason):
        suggest(organisations)
