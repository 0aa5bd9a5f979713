"""Quorums and blocking sets against trying every set of nodes. [docs/protocol/scp.md#3]"""

import itertools
import random

import pytest

from mcnode.scp import NodeID, QuorumSet
from mcnode.scp.errors import InvalidMsgError
from mcnode.scp.search import KNOWN_NODES_MAX, LOCAL, QuorumSearch

Set = QuorumSet[NodeID]
IDS = [NodeID(f"{n}:0", n.to_bytes(32)) for n in range(8)]


def made(threshold: int, *members: "int | Set") -> Set:
    return QuorumSet(threshold, tuple(IDS[m] if isinstance(m, int) else m for m in members))


def satisfied(quorum_set: Set, nodes: set[NodeID]) -> bool:
    count = sum(
        satisfied(m, nodes) if isinstance(m, QuorumSet) else m in nodes for m in quorum_set.members
    )
    return count >= quorum_set.threshold


def blocked(quorum_set: Set, nodes: set[NodeID]) -> bool:
    count = sum(
        blocked(m, nodes) if isinstance(m, QuorumSet) else m in nodes for m in quorum_set.members
    )
    return count > len(quorum_set.members) - quorum_set.threshold


def has_quorum(sets: dict[NodeID, Set], local: NodeID, supporters: set[NodeID]) -> bool:
    """Whether some set of supporters with the local node satisfies all of its own sets."""
    peers = [node for node in sets if node in supporters and node != local]
    return any(
        all(satisfied(sets[node], {local, *chosen}) for node in (local, *chosen))
        for size in range(len(peers) + 1)
        for chosen in itertools.combinations(peers, size)
    )


def search_over(sets: dict[NodeID, Set], local: NodeID) -> QuorumSearch:
    search = QuorumSearch(local, sets[local])
    for node in search.named_nodes():
        if node in sets and node != local:
            bit = search.bit_of(node)
            assert bit is not None
            search.set_peer(bit, sets[node])
    return search


def bits(search: QuorumSearch, nodes: set[NodeID]) -> int:
    return sum(search.bit_of(node) or 0 for node in nodes)


def random_set(draw: random.Random, depth: int = 2) -> Set:
    members: list[NodeID | Set | None] = []
    for _ in range(draw.randint(1, 4)):
        inner = depth > 0 and draw.random() < 0.3
        members.append(random_set(draw, depth - 1) if inner else draw.choice(IDS[:6]))
    return QuorumSet(draw.randint(0, len(members)), tuple(members))


@pytest.mark.parametrize("seed", range(60))
def test_answers_are_exact(seed: int) -> None:
    draw = random.Random(seed)
    sets = {node: random_set(draw) for node in IDS[:6]}
    local = IDS[0]
    search = search_over(sets, local)
    for size in range(6):
        for chosen in itertools.combinations(IDS[1:6], size):
            supporters = set(chosen)
            mask = bits(search, supporters)
            expected = has_quorum(sets, local, supporters)
            assert search.is_quorum(mask) is expected
            found = set(search.nodes(search.quorum(mask)))
            assert bool(found) is expected
            assert found <= {local, *supporters}
            for node in found:
                assert satisfied(sets[node], found)
            assert search.is_blocking(mask) is blocked(sets[local], supporters)


def test_a_node_listed_twice_counts_twice() -> None:
    search = QuorumSearch(IDS[0], made(2, 1, 1, 2))
    one = bits(search, {IDS[1]})
    assert search.local_set.is_satisfied_by(one)
    assert search.is_blocking(one)
    assert not search.local_set.is_satisfied_by(bits(search, {IDS[2]}))


def test_absent_members_only_count() -> None:
    search = QuorumSearch(IDS[0], QuorumSet(1, (IDS[1], None)))
    one = bits(search, {IDS[1]})
    assert search.local_set.is_satisfied_by(one)
    assert not search.is_blocking(one)


def test_supporters_without_a_known_set_do_not_count() -> None:
    search = QuorumSearch(IDS[0], made(1, 1))
    one = bits(search, {IDS[1]})
    assert not search.is_quorum(one)
    search.set_peer(one, made(1, 0))
    assert search.nodes(search.quorum(one)) == {IDS[0], IDS[1]}


def test_a_changed_set_is_noticed_and_an_equal_one_costs_nothing() -> None:
    search = QuorumSearch(IDS[0], made(1, 1, 2))
    one = bits(search, {IDS[1]})
    search.set_peer(one, made(1, 0))
    assert search.is_quorum(one)
    search.set_peer(one, made(1, 0))
    search.set_peer(one, made(1, 2))
    assert not search.is_quorum(one)


def test_what_is_remembered_of_quorums_changes_no_answer() -> None:
    """Sets come and change between the questions, as they do within a slot."""
    for seed in range(60):
        draw = random.Random(seed)
        local, sets = IDS[0], {IDS[0]: random_set(draw)}
        search = QuorumSearch(local, sets[local])
        for _ in range(40):
            node = draw.choice(IDS[1:6])
            bit = search.bit_of(node)
            if bit is not None and (node not in sets or draw.random() < 0.1):
                sets[node] = random_set(draw)
                search.set_peer(bit, sets[node])
            supporters = {each for each in IDS[1:6] if draw.random() < 0.6}
            named = {each for each in supporters if search.bit_of(each) is not None}
            expected = has_quorum(sets, local, named)
            assert search.is_quorum(bits(search, named)) is expected, f"seed {seed}"


def test_the_local_node_is_bit_0_and_blocks_nothing_by_itself() -> None:
    search = QuorumSearch(IDS[0], made(0))
    assert search.bit_of(IDS[0]) == LOCAL
    assert search.is_quorum(0)
    assert not search.is_blocking(LOCAL)


def test_strangers_have_no_bit() -> None:
    assert QuorumSearch(IDS[0], made(1, 1)).bit_of(IDS[5]) is None


def test_memory_is_bounded() -> None:
    search = QuorumSearch(IDS[0], made(1, 1))
    fresh = (NodeID("x:0", n.to_bytes(32)) for n in itertools.count(1000))
    with pytest.raises(InvalidMsgError, match=f"limit {KNOWN_NODES_MAX}"):
        while True:
            search.compile(QuorumSet(1, tuple(itertools.islice(fresh, 500))))
    assert len(search.named_nodes()) <= KNOWN_NODES_MAX
    for mask in range(10_000):
        search.quorum(mask << 1)
    assert len(search._memo) <= 4096


def test_compiled_sets_are_forgotten_in_time() -> None:
    search = QuorumSearch(IDS[0], made(1, 1))
    one = bits(search, {IDS[1]})
    for members in itertools.combinations_with_replacement(IDS[:6], 5):
        for threshold in range(6):
            search.set_peer(one, QuorumSet(threshold, members))
    search.set_peer(one, made(1, 0))
    assert len(search._compiled) <= 1024
    assert search.is_quorum(one)


def test_a_mesh_with_one_node_missing_is_no_trouble() -> None:
    """A search that tries every path would take longer than the age of the network."""
    count = 60
    ids = [NodeID(f"{n}:0", n.to_bytes(32)) for n in range(count)]
    sets = {own: QuorumSet(count - 1, tuple(n for n in ids if n != own)) for own in ids}
    search = search_over(sets, ids[0])
    everybody = bits(search, set(ids[1:]))
    assert search.is_quorum(everybody)
    assert not search.is_quorum(everybody ^ bits(search, {ids[7]}))
