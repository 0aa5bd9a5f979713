"""Systems whose answers are known by arithmetic."""

import math
import sys

import pytest

from mcnode.quorum import intersection, minimal, search
from mcnode.quorum.bounds import UNBOUNDED, Bounds
from mcnode.quorum.compiled import CompiledSystem
from mcnode.quorum.errors import SearchStopped, SearchTooLarge, SolverMissing
from mcnode.quorum.intersection import Verdict, check_intersection
from mcnode.quorum.model import FederatedNode, FederatedSystem, Grouping, complete
from mcnode.quorum.summary import check_system, figures, find_sets
from mcnode.scp import QuorumSet


def named(found):
    return {frozenset(found.units.named(mask)) for mask in found}


def test_october_2021(ten):
    check = check_system(ten)
    assert check.intersection.verdict is Verdict.INTERSECTING
    assert check.quorum_count == 56
    found = find_sets(check.system, None)
    assert (found.quorums.count, found.quorums.sizes()) == (45, {8: 45})
    assert found.blocking.sizes() == {3: math.comb(10, 3)}
    assert found.splitting.sizes() == {6: math.comb(10, 6)}
    assert found.top_tier == (list(ten.nodes), True)


def test_october_2021_by_operator(ten):
    found = find_sets(CompiledSystem(ten), Grouping.ORGANISATION)
    assert named(found.blocking) == {frozenset("A"), frozenset("B"), frozenset("CD")}
    assert named(found.splitting) == {frozenset("AB"), frozenset("AC"), frozenset("BCD")}
    assert named(found.quorums) == {frozenset("ABC"), frozenset("ABD")}


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize(("count", "threshold"), [(16, 11), (24, 17)])
def test_alike_organisations(make_organisations, count, threshold, own):
    """Two nodes of three speak for one; a set without the own organisation asks for one less, as a
    quorum has the own organisation anyway."""
    system = make_organisations(count, 3, threshold - (not own), 2, own)
    check = check_system(system)
    assert check.intersection.verdict is Verdict.INTERSECTING
    found = find_sets(check.system, None)
    assert found.quorums.sizes() == {2 * threshold: math.comb(count, threshold) * 3**threshold}
    halting = count - threshold + 1
    assert found.blocking.sizes() == {2 * halting: math.comb(count, halting) * 3**halting}
    lying = 2 * threshold - count
    assert found.splitting.sizes() == {lying: math.comb(count, lying) * 3**lying}
    by_organisation = find_sets(check.system, Grouping.ORGANISATION)
    assert by_organisation.blocking.sizes() == {halting: math.comb(count, halting)}
    assert by_organisation.splitting.sizes() == {lying: math.comb(count, lying)}


def test_half_of_the_organisations_is_too_few(make_organisations):
    check = check_system(make_organisations(24, 3, 12, 2))
    assert check.intersection.verdict is Verdict.SPLIT
    one, other = check.intersection.witness
    assert not one & other
    assert one.bit_count() == other.bit_count() == 24
    for side in (one, other):
        assert check.system.greatest_quorum(side) == side == check.system.shrink(side)
    assert find_sets(check.system, None).splitting.shapes == (0,)


def test_two_networks_that_do_not_know_each_other(halves):
    check = check_system(halves)
    assert check.intersection.verdict is Verdict.SPLIT
    sides = [set(check.system.names(side)) for side in check.intersection.witness]
    assert [side <= known for side, known in zip(sides, ({*"abc"}, {*"def"}), strict=True)] == [
        True,
        True,
    ]
    assert set(check.system.names(check.system.core)) == {*"abcdef"}


def test_nobody_is_satisfied():
    system = FederatedSystem(complete([FederatedNode("a", QuorumSet(2, ("b", "c")))]))
    check = check_system(system)
    assert check.intersection.verdict is Verdict.NO_QUORUM
    assert check.quorum_count == 0
    found = find_sets(check.system, None)
    assert [len(x.shapes) for x in (found.quorums, found.blocking, found.splitting)] == [0, 0, 0]
    assert found.top_tier == ([], True)


def test_a_node_alone():
    check = check_system(FederatedSystem({"a": FederatedNode("a", QuorumSet(0))}))
    assert check.intersection.verdict is Verdict.INTERSECTING
    assert check.quorum_count == 1


def test_who_listens_to_nobody_else_is_outside_of_the_core(ten):
    follower = FederatedNode("follower:1", QuorumSet(1, (next(iter(ten.nodes)),)))
    with_follower = ten.with_nodes([*ten, follower])
    check = check_system(with_follower)
    assert check.system.names(check.system.core) == list(ten.nodes)
    assert find_sets(check.system, None).blocking.smallest == 3


def test_without_the_solver_small_systems_are_decided(ten, halves, monkeypatch):
    monkeypatch.setitem(sys.modules, "pysat.solvers", None)
    assert check_system(ten).intersection.verdict is Verdict.INTERSECTING
    assert check_system(halves).intersection.verdict is Verdict.SPLIT
    shown = dict(figures(ten).rows)
    assert shown["quorums"] == "56"
    assert "halted by the failure of (nodes)" not in shown
    with pytest.raises(SolverMissing, match="pip install"):
        find_sets(CompiledSystem(ten), None)


def test_without_the_solver_large_systems_are_refused(make_organisations, monkeypatch):
    monkeypatch.setattr(intersection, "has_solver", lambda: False)
    monkeypatch.setattr(search, "STEPS_MAX", 2_000)
    with pytest.raises(SolverMissing, match="python-sat"):
        check_intersection(CompiledSystem(make_organisations(16, 3, 11, 2)), UNBOUNDED)


def test_a_search_ends_when_it_is_told_to(ten):
    compiled = CompiledSystem(ten)
    at_once = Bounds(lambda: True)
    with pytest.raises(SearchStopped, match="time allowed is over"):
        check_intersection(compiled, at_once)
    found = find_sets(compiled, None, lambda: at_once)
    assert not found.blocking.is_complete
    assert found.blocking.searched_size == -1
    assert found.top_tier == ([], False)


def test_where_a_search_ended_one_set_is_known(ten):
    """The two ends between which the smallest is."""
    found = find_sets(CompiledSystem(ten), None, lambda: Bounds(lambda: True))
    for kind, size in ((found.quorums, 8), (found.blocking, 3), (found.splitting, 6)):
        assert kind.example is not None
        assert kind.example.bit_count() == size
        assert kind.shapes == ()
        assert kind.smallest is None
    assert found.to_json(0)["minimal_blocking_sets"]["example"] == list(ten.nodes)[:3]


def test_a_search_for_sets_ends_at_its_limit(monkeypatch):
    """Sets of many different shapes: the nodes differ, so none stands for others."""
    ids = [f"n{number}" for number in range(12)]
    nodes = [
        FederatedNode(own, QuorumSet(6 + n % 3, tuple(ids[: n // 2] + ids[n // 2 + 1 :])))
        for n, own in enumerate(ids)
    ]
    compiled = CompiledSystem(FederatedSystem(complete(nodes)))
    everything = find_sets(compiled, None)
    assert everything.blocking.is_complete
    monkeypatch.setattr(minimal, "SHAPES_MAX", 2)
    part = find_sets(compiled, None)
    assert not part.blocking.is_complete
    assert len(part.blocking.shapes) == 2
    assert part.blocking.smallest == everything.blocking.smallest
    whole = everything.blocking.sizes()
    known = part.blocking.sizes()
    assert all(known[size] == whole[size] for size in known if size <= part.blocking.searched_size)


def test_too_many_quorums_to_count(make_organisations, monkeypatch):
    monkeypatch.setattr(search, "STEPS_MAX", 10)
    check = check_system(make_organisations(8, 3, 6, 2))
    assert check.quorum_count is None
    assert check.intersection.verdict is Verdict.INTERSECTING


def test_a_formula_that_would_be_too_large(ten, monkeypatch):
    monkeypatch.setattr("mcnode.quorum.formula.CLAUSES_MAX", 100)
    with pytest.raises(SearchTooLarge, match="more than 100 clauses"):
        check_system(ten)
