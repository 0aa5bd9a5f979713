"""Every order of events of a small slot to the last state; invariants that can fail."""

import pytest

from mcnode.errors import BugError
from mcnode.scp.search import CompiledQuorumSet
from mcnode.simulation.exhaustive import Exhaustive, Start, two_values
from mcnode.simulation.local_steps import Bounds
from mcnode.simulation.topology import mesh

NO_TIMER = Bounds(round_max=1, counter_max=0)
TWO_BALLOTS = Bounds(round_max=1, counter_max=2)


def search(nodes, threshold, bounds=NO_TIMER, start=Start.NOMINATION, states_max=500_000):
    network = mesh(nodes, threshold)
    made = Exhaustive(network, two_values(network), bounds, start)
    levels = list(made.levels(1000, states_max))
    return made, levels


def test_three_nodes_who_all_need_each_other_from_nomination_to_the_last_state() -> None:
    made, levels = search(3, 2)
    assert made.is_complete
    assert made.states == 14_869
    assert sum(level.all_decided for level in levels) == 9_292
    assert made.outcomes == {(1,)}


def test_two_of_three_at_odds_about_the_ballot() -> None:
    made, levels = search(3, 1, start=Start.BALLOTS)
    assert made.is_complete
    assert made.states == 13_373
    assert levels[-1].new_states == 0
    assert sum(level.some_decided for level in levels) > 1_000


def test_a_ballot_that_nobody_can_win_is_left_for_the_next() -> None:
    made, _ = search(3, 2, TWO_BALLOTS, Start.BALLOTS)
    assert made.is_complete
    assert made.states == 14_993
    assert made.outcomes == {(1, 2)}


@pytest.mark.slow
def test_where_ballots_may_go_on_different_outcomes_are_possible() -> None:
    """And in no state do two nodes differ; the search stops by its number of states."""
    made, _ = search(3, 1, TWO_BALLOTS, Start.BALLOTS, states_max=200_000)
    assert not made.is_complete
    assert made.outcomes == {(1,), (1, 2)}


@pytest.mark.slow
def test_two_of_three_from_nomination_to_the_last_state() -> None:
    made, levels = search(3, 1)
    assert made.is_complete
    assert made.states == 445_242
    assert levels[-1].depth == 21


def test_a_node_that_takes_itself_for_a_quorum_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CompiledQuorumSet, "is_satisfied_by", lambda self, nodes: True)
    with pytest.raises(BugError):
        search(3, 2, start=Start.BALLOTS)


def test_a_commit_vote_that_is_kept_though_aborted_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nodes at odds; after a timeout one decides what the others have aborted."""
    monkeypatch.setattr("mcnode.scp.ballot._conflicts_above", lambda ballot, other: False)
    with pytest.raises(BugError):
        search(3, 1, TWO_BALLOTS, Start.BALLOTS, states_max=200_000)


def test_a_quorum_of_one_too_few_splits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two disjoint quorums: nodes do decide differently."""
    monkeypatch.setattr(
        "mcnode.simulation.exhaustive.check_no_abort", lambda committing, other: None
    )
    network = mesh(4, 1)
    made = Exhaustive(network, [1, 1, 2, 2], NO_TIMER, Start.BALLOTS)
    with pytest.raises(BugError, match="decided differently"):
        list(made.levels(1000, 200_000))
