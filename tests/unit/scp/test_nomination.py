"""Grouping values by who supports them, and leaders. [docs/protocol/scp.md#6.1, #7.3]"""

from hypothesis import given
from hypothesis import strategies as st

from mcnode.scp import NodeID, QuorumSet
from mcnode.scp.leaders import neighbours, next_leader, weights
from mcnode.scp.nomination import Nomination, group_by_supporters
from mcnode.scp.search import QuorumSearch

IDS = [NodeID(f"n{n}:0", n.to_bytes(32)) for n in range(6)]

supports = st.lists(st.integers(0, 2**12 - 1), max_size=6).map(
    lambda masks: [(mask, 2 << n) for n, mask in enumerate(masks)]
)


@given(st.integers(0, 2**12 - 1), supports)
def test_groups_split_the_candidates_by_supporters(
    candidates: int, drawn: list[tuple[int, int]]
) -> None:
    seen = 0
    for values, nodes in group_by_supporters(candidates, drawn):
        assert values
        assert not values & seen
        seen |= values
        for supported, bit in drawn:
            assert supported & values == (values if nodes & bit else 0)
    assert seen == candidates


def test_a_hundred_values_of_one_mind_are_one_group() -> None:
    everything = 2**100 - 1
    groups = group_by_supporters(everything, [(everything, 2), (everything, 4), (0, 8)])
    assert groups == [(everything, 6)]


def test_the_local_node_always_has_full_weight() -> None:
    quorum_set = QuorumSet(1, (IDS[0], IDS[1], QuorumSet(1, (IDS[2], IDS[3]))))
    found = weights(IDS[0], quorum_set)
    whole = 2**256 - 1
    assert found == {
        IDS[0]: whole,
        IDS[1]: whole // 3,
        IDS[2]: whole // 6,
        IDS[3]: whole // 6,
    }


def test_without_weight_no_node_ever_leads() -> None:
    quorum_set = QuorumSet(0, tuple(IDS[1:]))
    found = weights(IDS[0], quorum_set)
    for round_number in range(1, 21):
        assert neighbours(3, round_number, found) == [IDS[0]]
        assert next_leader(3, round_number, IDS[0], found, {IDS[0]}) == IDS[0]


def test_leaders_accumulate_until_all_lead() -> None:
    quorum_set = QuorumSet(5, tuple(IDS[1:]))
    nomination = Nomination(3, IDS[0], quorum_set, QuorumSearch(IDS[0], quorum_set))
    for expected in (*range(1, 7), 6, 6):
        assert len(nomination.leaders) == expected
        nomination.next_round()
    assert nomination.round == 9
    assert set(nomination.leaders) == set(IDS)


def test_every_node_finds_the_same_leader() -> None:
    """With all weights full, the first leader depends on the slot alone."""
    for slot_index in range(20):
        first = {
            next_leader(
                slot_index,
                1,
                own,
                weights(own, QuorumSet(5, tuple(n for n in IDS if n != own))),
                set(),
            )
            for own in IDS
        }
        assert len(first) == 1
