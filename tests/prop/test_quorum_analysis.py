"""The analysis against the definitions, on every small system that hypothesis thinks of.

The oracle looks at all sets of nodes and knows nothing of masks, components, shapes or solvers.
"""

import itertools
from collections.abc import Callable, Iterable

from hypothesis import given, note, settings
from hypothesis import strategies as st

from mcnode.quorum.bounds import UNBOUNDED, Bounds
from mcnode.quorum.compiled import CompiledSystem
from mcnode.quorum.intersection import Verdict, check_intersection
from mcnode.quorum.minimal import MinimalSets, units_of
from mcnode.quorum.model import FederatedNode, FederatedSystem, Grouping, complete
from mcnode.quorum.search import count_quorums, find_disjoint_quorums
from mcnode.quorum.sets import (
    minimal_blocking_sets,
    minimal_quorums,
    minimal_splitting_sets,
    top_tier,
)
from mcnode.scp import QuorumSet

NODES = "abcdef"
Nodes = frozenset[str]


@st.composite
def quorum_sets(draw: st.DrawFn, depth: int = 1) -> QuorumSet[str]:
    nodes = st.sampled_from(NODES)
    member = st.one_of(nodes, quorum_sets(depth - 1)) if depth else nodes
    members = draw(st.lists(member, min_size=1, max_size=5))
    return QuorumSet(draw(st.integers(0, len(members) + 1)), tuple(members))


@st.composite
def systems(draw: st.DrawFn) -> FederatedSystem:
    """Sets of all kinds: alike ones (so that shapes matter), odd ones, silent nodes."""
    count = draw(st.integers(1, len(NODES)))
    common = draw(quorum_sets())
    kinds = st.one_of(st.just(common), st.none(), quorum_sets())
    flat = draw(st.integers(0, count))
    nodes = []
    for own in NODES[:count]:
        others = tuple(other for other in NODES[:count] if other != own)
        majority = QuorumSet(min(flat, len(others)), others)
        quorum_set = draw(st.one_of(st.just(majority), kinds)) if others else None
        nodes.append(FederatedNode(own, quorum_set, organisation=draw(st.sampled_from("XYZ"))))
    return FederatedSystem(complete(nodes))


def is_satisfied(quorum_set: QuorumSet[str], present: Nodes) -> bool:
    met = sum(
        is_satisfied(m, present) if isinstance(m, QuorumSet) else m in present
        for m in quorum_set.members
    )
    return met >= quorum_set.threshold


def satisfied_nodes(system: FederatedSystem, honest: Nodes, liars: Nodes = frozenset()) -> bool:
    """Whether each honest node is satisfied by the honest ones and the liars."""
    present = honest | liars
    sets = [system.nodes[node].quorum_set for node in honest]
    return all(found is not None and is_satisfied(found, present) for found in sets)


def subsets(items: Iterable[str]) -> list[Nodes]:
    found = sorted(items)
    sizes = range(len(found) + 1)
    return [frozenset(each) for n in sizes for each in itertools.combinations(found, n)]


def all_quorums(system: FederatedSystem) -> list[Nodes]:
    return [each for each in subsets(system.nodes) if each and satisfied_nodes(system, each)]


def minimal(found: Iterable[Nodes]) -> set[Nodes]:
    every = set(found)
    return {each for each in every if not any(other < each for other in every)}


def core_of(system: FederatedSystem) -> Nodes:
    """The nodes of the quorums that lie within a strongly connected part with a minimal quorum."""
    alive = frozenset().union(*all_quorums(system))
    reach = {node: {node} for node in alive}
    for _ in alive:
        for node in alive:
            quorum_set = system.nodes[node].quorum_set
            named = quorum_set.nodes() if quorum_set else frozenset()
            for other in named & alive:
                reach[node] |= reach[other]
    core: Nodes = frozenset()
    for quorum in all_quorums(system):
        if all(b in reach[a] for a in quorum for b in quorum):
            core |= quorum
    return core


def split_by(system: FederatedSystem, liars: Nodes, core: Nodes) -> bool:
    parts = [
        each for each in subsets(core - liars) if each and satisfied_nodes(system, each, liars)
    ]
    return any(not one & other for one, other in itertools.combinations(parts, 2))


def by_units(
    system: FederatedSystem, grouping: Grouping | None
) -> tuple[dict[str, Nodes], Callable[[Nodes], Nodes]]:
    groups = (
        {node: frozenset({node}) for node in system.nodes}
        if grouping is None
        else {name: frozenset(ids) for name, ids in system.groups(grouping).items()}
    )
    return groups, lambda units: frozenset().union(*(groups[unit] for unit in units))


def named(found: MinimalSets) -> set[Nodes]:
    listed = [frozenset(found.units.named(mask)) for mask in found]
    assert len(listed) == len(set(listed)) == found.count
    assert found.is_complete
    return set(listed)


@settings(max_examples=150, deadline=None)
@given(systems())
def test_intersection_and_count_agree_with_the_definition(system: FederatedSystem) -> None:
    compiled = CompiledSystem(system)
    quorums = all_quorums(system)
    found = check_intersection(compiled, UNBOUNDED)
    disjoint = any(not one & other for one, other in itertools.combinations(quorums, 2))
    expected = Verdict.SPLIT if disjoint else Verdict.INTERSECTING
    assert found.verdict is (expected if quorums else Verdict.NO_QUORUM)
    plain = find_disjoint_quorums(compiled, UNBOUNDED) if quorums else None
    assert (plain is not None) == disjoint
    for witness in (found.witness, plain):
        if witness is not None:
            one, other = (frozenset(compiled.names(side)) for side in witness)
            assert {one, other} <= minimal(quorums)
            assert not one & other
    symmetry = units_of(compiled, None).symmetry
    assert count_quorums(compiled, symmetry, UNBOUNDED) == len(quorums)


@settings(max_examples=100, deadline=None)
@given(systems(), st.sampled_from([None, Grouping.ORGANISATION]))
def test_minimal_sets_agree_with_the_definition(
    system: FederatedSystem, grouping: Grouping | None
) -> None:
    note(str(system))
    compiled = CompiledSystem(system)
    units = units_of(compiled, grouping)
    groups, nodes_of = by_units(system, grouping)
    quorums = all_quorums(system)
    everything = frozenset(system.nodes)

    found = minimal_quorums(compiled, units, UNBOUNDED)
    holding = [u for u in subsets(groups) if any(q <= nodes_of(u) for q in quorums)]
    assert named(found) == minimal(holding)

    blocking = minimal_blocking_sets(compiled, units, UNBOUNDED)
    halting = [
        u for u in subsets(groups) if not any(q <= everything - nodes_of(u) for q in quorums)
    ]
    assert named(blocking) == (minimal(halting) if quorums else set())

    core = core_of(system)
    splitting = minimal_splitting_sets(compiled, units, UNBOUNDED)
    liars = [u for u in subsets(groups) if split_by(system, nodes_of(u), core)]
    assert named(splitting) == minimal(liars)

    tier, is_whole = top_tier(found, blocking)
    assert is_whole
    assert frozenset(units.named(tier)) == frozenset().union(*minimal(holding))


@settings(max_examples=60, deadline=None)
@given(systems(), st.sampled_from([None, Grouping.ORGANISATION]))
def test_what_an_ended_search_came_down_to_is_minimal(
    system: FederatedSystem, grouping: Grouping | None
) -> None:
    compiled = CompiledSystem(system)
    units = units_of(compiled, grouping)
    for search in (minimal_quorums, minimal_blocking_sets, minimal_splitting_sets):
        whole = search(compiled, units, UNBOUNDED)
        ended = search(compiled, units, Bounds(lambda: True))
        if ended.is_complete:
            assert not whole.shapes
            continue
        note(search.__name__)
        if ended.example is None:
            assert not whole.shapes
        else:
            assert units.symmetry.canonical(ended.example) in whole.shapes
