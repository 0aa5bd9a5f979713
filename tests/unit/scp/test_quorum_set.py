"""Quorum sets as values. [docs/protocol/scp.md#2.7]"""

import pytest

from mcnode.scp import InvalidQuorumSetError, QuorumSet, check_quorum_set
from mcnode.scp.quorum_set import DEPTH_MAX, NODES_MAX

NESTED = QuorumSet(2, ("b", QuorumSet(1, ("d", "c")), "a"))
SHUFFLED = QuorumSet(2, (QuorumSet(1, ("c", "d")), "a", "b"))


def test_order_of_members_does_not_count_for_equality() -> None:
    assert NESTED == SHUFFLED
    assert hash(NESTED) == hash(SHUFFLED)
    assert NESTED.sorted().members == SHUFFLED.sorted().members
    assert NESTED.sorted().members == ("a", "b", QuorumSet(1, ("c", "d")))
    assert QuorumSet(1, NESTED.members) != NESTED
    assert QuorumSet(1, ("a",)) != QuorumSet(1, ("a", "a"))
    assert QuorumSet(1, ("a",)) != "a"


def test_order_of_sets_compares_as_listed() -> None:
    assert QuorumSet(1, ("a", "b")) < QuorumSet(1, ("b", "a"))
    assert QuorumSet(1, ("z",)) < QuorumSet(1, (QuorumSet(0),))
    assert QuorumSet(1, ("z", "z")) < QuorumSet(2, ("a", "a"))
    assert QuorumSet(1, ("a",)) < QuorumSet(1, ("a", "b"))
    assert QuorumSet(1, (QuorumSet(1, ("b",)),)) > QuorumSet(1, (QuorumSet(1, ("a",)),))


def test_absent_members_sort_first_and_are_skipped() -> None:
    quorum_set: QuorumSet[str] = QuorumSet(1, ("a", None))
    assert quorum_set.sorted().members == (None, "a")
    assert quorum_set == QuorumSet(1, (None, "a"))
    assert QuorumSet(1, (None,)) < QuorumSet(1, ("a",))
    assert quorum_set.nodes() == {"a"}
    assert quorum_set.weight("a") == (1, 2)


@pytest.mark.parametrize(
    ("quorum_set", "valid"),
    [
        (QuorumSet(0), True),
        (QuorumSet(0, ("a",)), True),
        (QuorumSet(2, ("a", "b", "c")), True),
        (QuorumSet(3, ("a", "b", "c")), True),
        (QuorumSet(4, ("a", "b", "c")), False),
        (QuorumSet(1, ("a", "a", "a")), True),
        (NESTED, True),
        (QuorumSet(1, ("a", QuorumSet(20, ("b", "c", "d")))), False),
        (QuorumSet(1, ("a", None)), False),
    ],
)
def test_validity(quorum_set: QuorumSet[str], valid: bool) -> None:
    assert quorum_set.is_valid() is valid
    if valid:
        check_quorum_set(quorum_set)
    else:
        with pytest.raises(InvalidQuorumSetError):
            check_quorum_set(quorum_set)


def nested(levels: int) -> QuorumSet[str]:
    quorum_set: QuorumSet[str] = QuorumSet(1, ("a",))
    for _ in range(levels - 1):
        quorum_set = QuorumSet(1, (quorum_set,))
    return quorum_set


def test_bounds() -> None:
    check_quorum_set(nested(DEPTH_MAX))
    with pytest.raises(InvalidQuorumSetError, match=f"more than {DEPTH_MAX} levels"):
        check_quorum_set(nested(DEPTH_MAX + 1))
    check_quorum_set(QuorumSet(1, ("a",) * NODES_MAX))
    with pytest.raises(InvalidQuorumSetError, match=f"{NODES_MAX + 1} members"):
        check_quorum_set(QuorumSet(1, ("a",) * (NODES_MAX + 1)))
    half = QuorumSet(1, ("a",) * (NODES_MAX // 2 + 1))
    with pytest.raises(InvalidQuorumSetError, match=f"names {NODES_MAX + 2} nodes"):
        check_quorum_set(QuorumSet(1, (half, half)))
    with pytest.raises(InvalidQuorumSetError, match="threshold is -1"):
        check_quorum_set(QuorumSet(-1))


def test_weight_multiplies_down_to_the_first_mention() -> None:
    quorum_set = QuorumSet(3, ("a", "b", QuorumSet(1, ("c", "a")), "d", "e"))
    assert quorum_set.weight("a") == (3, 5)
    assert quorum_set.weight("c") == (3, 10)
    assert quorum_set.weight("z") == (0, 1)
