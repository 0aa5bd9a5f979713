"""What is said and how it ranks. [docs/protocol/scp.md#2]"""

import itertools
from typing import Any

import pytest

from mcnode.scp import INFINITY, Ballot, NodeID, QuorumSet, compare_topics
from mcnode.scp.types import (
    TOPICS,
    Commit,
    Externalize,
    Nominate,
    NominatePayload,
    NominatePrepare,
    Prepare,
    PreparePayload,
    Topic,
    ballot_counter_of,
    nomination_of,
    prepare_of,
)
from mcnode.scp.values_of import values_of

B1, B2 = Ballot(1, ("x",)), Ballot(2, ("x",))
Y1 = Ballot(1, ("y",))


def nominate(voted: str = "", accepted: str = "") -> Nominate[str]:
    return Nominate(NominatePayload(tuple(voted), tuple(accepted)))


def prepare(*args: Any) -> Prepare[str]:
    return Prepare(PreparePayload(*args))


def test_the_key_alone_makes_the_node() -> None:
    one, other = NodeID("a:1", bytes(32)), NodeID("b:2", bytes(32))
    assert one == other
    assert len({one, other}) == 1
    assert NodeID("z:1", bytes(32)) < NodeID("a:1", b"\1" + bytes(31))
    assert str(one) == "a:1:" + "00" * 32


def test_a_message_shows_its_sender_by_name() -> None:
    quorum_set: QuorumSet[NodeID] = QuorumSet(1, (NodeID("a:1", bytes(32)),))
    assert "a:1" in repr(quorum_set)


def test_ballots_rank_by_counter_then_by_list() -> None:
    assert Ballot(2, (1,)) > Ballot(1, (9, 9))
    assert Ballot(1, (2000, 1000)) > Ballot(1, (1000, 2001))
    assert Ballot(1, (1,)) < Ballot(1, (1, 0))


RANKED: list[Topic[str]] = [
    nominate("z"),
    nominate("yz"),
    nominate("", "a"),
    nominate("q", "a"),
    nominate("", "b"),
    nominate("", "ab"),
    NominatePrepare(NominatePayload(("z",)), PreparePayload(B1)),
    NominatePrepare(NominatePayload((), ("a",)), PreparePayload(B1)),
    NominatePrepare(NominatePayload(), PreparePayload(B1, B1)),
    prepare(B1),
    prepare(B1, B1),
    prepare(B1, B1, None, 0, 1),
    prepare(Y1),
    prepare(B2, B1),
    prepare(B2, B2),
    prepare(B2, B2, B1),
    prepare(B2, B2, Y1),
    Commit(B1, 1, 1, 1),
    Commit(B1, 1, 1, 2),
    Commit(B1, 2, 1, 1),
    Commit(B2, 0, 0, 0),
    Externalize(B2, 1),
    Externalize(B1, 2),
]
"""Each lower than the next."""


def test_topics_rank_as_listed() -> None:
    for (i, left), (j, right) in itertools.product(enumerate(RANKED), repeat=2):
        assert compare_topics(left, right) == (i > j) - (i < j), (left, right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (prepare(B2, None, None, 1, 2), prepare(B2, None, None, 2, 2)),
        (Commit(B2, 2, 1, 2), Commit(B2, 2, 2, 2)),
        (Externalize(B1, 5), Externalize(B2, 5)),
        (  # a changed commit counter hides the grown nomination
            NominatePrepare(NominatePayload(), PreparePayload(B2, B2, None, 1, 2)),
            NominatePrepare(NominatePayload(("z",)), PreparePayload(B2, B2, None, 2, 2)),
        ),
    ],
)
def test_what_does_not_count_ranks_equal_without_being_equal(
    left: Topic[str], right: Topic[str]
) -> None:
    assert compare_topics(left, right) == 0
    assert left != right


def test_parts_of_topics() -> None:
    nomination, payload = NominatePayload(("a",), ("b",)), PreparePayload(B2, B1, None, 1, 1)
    both = NominatePrepare(nomination, payload)
    assert [nomination_of(t) for t in (Nominate(nomination), both)] == [nomination] * 2
    assert [prepare_of(t) for t in (both, Prepare(payload))] == [payload] * 2
    assert nomination_of(Prepare(payload)) is prepare_of(Nominate(nomination)) is None
    assert [t.__name__ for t in TOPICS] == [
        "Nominate",
        "NominatePrepare",
        "Prepare",
        "Commit",
        "Externalize",
    ]


def test_counters() -> None:
    topics = (nominate("a"), prepare(B2), Commit(B2, 1, 1, 1), Externalize(B1, 1))
    assert [ballot_counter_of(t) for t in topics] == [0, 2, 2, INFINITY]


@pytest.mark.parametrize(
    ("topic", "values"),
    [
        (nominate("a", "b"), "ab"),
        (
            NominatePrepare(
                NominatePayload(("a",)), PreparePayload(B1, Ballot(1, ("p",)), Ballot(1, ("q",)))
            ),
            "axpq",
        ),
        (prepare(B1), "x"),
        (Commit(B1, 0, 0, 0), "x"),
        (Externalize(Ballot(1, ("x", "y")), 1), "xy"),
    ],
)
def test_values_of_a_topic(topic: Topic[str], values: str) -> None:
    assert "".join(values_of(topic)) == values
