"""What messages imply and add up to. [docs/protocol/scp.md#7.4]"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcnode.scp import INFINITY, Ballot, Msg, NodeID, QuorumSet
from mcnode.scp.nomination import NominationTally
from mcnode.scp.statements import (
    CommitRange,
    CounterRange,
    Statement,
    Tally,
    accepts_commit,
    accepts_prepared,
    highest_counter,
    iter_runs,
    read_statement,
    supporters_at,
    votes_or_accepts_commit,
    votes_or_accepts_prepared,
)
from mcnode.scp.types import (
    Commit,
    Externalize,
    Nominate,
    NominatePayload,
    NominatePrepare,
    Prepare,
    PreparePayload,
    Topic,
)
from mcnode.scp.values import ValueTable

X, Y = ("x",), ("y",)
SILENT: Nominate[str] = Nominate(NominatePayload(X))
FULL = PreparePayload(Ballot(4, X), Ballot(3, X), Ballot(2, Y), 1, 3)


@pytest.mark.parametrize(
    ("topic", "votes", "accepts"),
    [
        (SILENT, (), ()),
        (Prepare(PreparePayload(Ballot(4, X))), (Ballot(4, X),), ()),
        (
            Prepare(FULL),
            (Ballot(4, X), Ballot(3, X), Ballot(2, Y)),
            (Ballot(3, X), Ballot(2, Y)),
        ),
        (
            NominatePrepare(NominatePayload(), PreparePayload(Ballot(4, X), Ballot(3, X))),
            (Ballot(4, X), Ballot(3, X)),
            (Ballot(3, X),),
        ),
        (Prepare(PreparePayload(Ballot(4, X), None, Ballot(2, Y))), (Ballot(4, X),), ()),
        (Commit(Ballot(5, X), 4, 2, 3), (Ballot(INFINITY, X),), (Ballot(4, X),)),
        (Externalize(Ballot(2, X), 3), (Ballot(INFINITY, X),), (Ballot(INFINITY, X),)),
    ],
)
def test_prepared(
    topic: Topic[str], votes: tuple[Ballot[str], ...], accepts: tuple[Ballot[str], ...]
) -> None:
    assert votes_or_accepts_prepared(topic) == votes
    assert accepts_prepared(topic) == accepts


@pytest.mark.parametrize(
    ("topic", "votes", "accepts"),
    [
        (SILENT, None, None),
        (Prepare(PreparePayload(Ballot(4, X), Ballot(3, X), None, 0, 3)), None, None),
        (Prepare(PreparePayload(Ballot(4, X), Ballot(3, X), None, 3, 2)), None, None),
        (Prepare(FULL), CommitRange(X, CounterRange(1, 3), 3), None),
        (
            Commit(Ballot(5, X), 4, 2, 3),
            CommitRange(X, CounterRange(2, INFINITY), 3),
            CommitRange(X, CounterRange(2, 3), 3),
        ),
        (Commit(Ballot(5, X), 4, 3, 2), CommitRange(X, CounterRange(3, INFINITY), 2), None),
        (
            Externalize(Ballot(2, X), 3),
            CommitRange(X, CounterRange(2, INFINITY), 3),
            CommitRange(X, CounterRange(2, INFINITY), 3),
        ),
    ],
)
def test_committed(
    topic: Topic[str], votes: CommitRange[str] | None, accepts: CommitRange[str] | None
) -> None:
    assert votes_or_accepts_commit(topic) == votes
    assert accepts_commit(topic) == accepts


def test_a_tally_gathers_per_list() -> None:
    table: ValueTable[str] = ValueTable(lambda value: None)
    topics: list[Topic[str]] = [
        Prepare(FULL),
        Commit(Ballot(5, X), 4, 2, 3),
        Nominate(NominatePayload(("v",), ("a", "b"))),
    ]
    statements = []
    quorum_set: QuorumSet[NodeID] = QuorumSet(0)
    for number, topic in enumerate(topics):
        msg = Msg(NodeID("", bytes(32)), 1, quorum_set, topic)
        statements.append(read_statement(2 << number, msg, table))
    tally: Tally[str] = Tally()
    for statement in statements:
        tally.replace(None, statement)
    x, y = table.intern(X), table.intern(Y)
    assert tally.accepts == {x: {4: 4, 3: 2}, y: {2: 2}}
    assert tally.votes == {x: {INFINITY: 4, 4: 2, 3: 2}, y: {2: 2}}
    assert tally.counters == {5: 4, 4: 2, 0: 8}
    assert tally.accepts_commit == {x: {CounterRange(2, 3): 4}}
    assert tally.votes_commit == {
        x: {(CounterRange(1, 3), 3): 2, (CounterRange(2, INFINITY), 3): 4}
    }
    nominated = statements[2]
    assert nominated.nominates
    assert table.ascending(nominated.voted) == ("v",)
    assert table.ascending(nominated.accepted) == ("a", "b")
    assert set(statements[0].lists()) == {x, y}


lists = st.sampled_from([(), X, Y, ("x", "y")])
counters = st.sampled_from([0, 1, 2, 3, INFINITY])
ballots = st.builds(Ballot, counters, lists)
nominations = st.builds(NominatePayload, lists, lists)
prepares = st.builds(
    PreparePayload,
    ballots,
    st.none() | ballots,
    st.none() | ballots,
    counters,
    counters,
)
topics = st.one_of(
    st.builds(Nominate, nominations),
    st.builds(NominatePrepare, nominations, prepares),
    st.builds(Prepare, prepares),
    st.builds(Commit, ballots, counters, counters, counters),
    st.builds(Externalize, ballots, counters),
)


@given(st.lists(st.tuples(st.sampled_from([2, 4, 8]), topics), max_size=12))
def test_a_tally_that_was_kept_is_one_made_anew(said: list[tuple[int, Topic[str]]]) -> None:
    table: ValueTable[str] = ValueTable(lambda value: None)
    quorum_set: QuorumSet[NodeID] = QuorumSet(0)
    newest: dict[int, Statement[str]] = {}
    kept: Tally[str] = Tally()
    kept_nominations = NominationTally()
    for bit, topic in said:
        statement = read_statement(bit, Msg(NodeID("", bytes(32)), 1, quorum_set, topic), table)
        kept.replace(newest.get(bit), statement)
        kept_nominations.replace(newest.get(bit), statement)
        newest[bit] = statement
    anew: Tally[str] = Tally()
    nominations_anew = NominationTally()
    for statement in newest.values():
        anew.replace(None, statement)
        nominations_anew.replace(None, statement)
    assert vars(kept) == vars(anew)
    assert vars(kept_nominations) == vars(nominations_anew)


support = st.lists(st.tuples(st.integers(0, 9), st.sampled_from([1, 2, 4, 8])), max_size=6)


@given(support, st.integers(0, 15), st.integers(0, 9))
def test_highest_counter_is_the_highest(
    pairs: list[tuple[int, int]], needed: int, limit: int
) -> None:
    def is_enough(nodes: int) -> bool:
        return nodes & needed == needed

    def supporters(counter: int) -> int:
        nodes = 0
        for at, bit in pairs:
            nodes |= bit if at >= counter else 0
        return nodes

    good = [counter for counter in range(limit + 1) if is_enough(supporters(counter))]
    named: dict[int, int] = {}
    for counter, bit in pairs:
        named[counter] = named.get(counter, 0) | bit
    found = highest_counter(named, is_enough, limit)
    assert found == max(good, default=None)


ranges = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 9), st.sampled_from([1, 2, 4])), max_size=5
)


@given(ranges, st.integers(1, 7))
def test_runs_are_those_of_trying_every_counter(
    drawn: list[tuple[int, int, int]], needed: int
) -> None:
    stated = [(CounterRange(min(a, b), max(a, b)), bit) for a, b, bit in drawn]

    def holds(counter: int) -> bool:
        return supporters_at(counter, stated) & needed == needed

    expected: list[list[int]] = []
    for counter in range(9, -1, -1):
        if holds(counter):
            if expected and expected[-1][0] == counter + 1:
                expected[-1][0] = counter
            else:
                expected.append([counter, counter])
    found = [[low, high] for low, high in iter_runs([r for r, _ in stated], holds)]
    assert found == expected
