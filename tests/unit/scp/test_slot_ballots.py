"""One slot while it prepares and commits ballots. [docs/protocol/scp.md#7.4-5]"""

import pytest

from mcnode.scp import INFINITY, Ballot, Phase, Timing
from mcnode.scp.msg_rules import check_msg
from mcnode.scp.types import (
    Commit,
    Externalize,
)
from support.slot_bench import COMMITTING, VOTING, ballot, dense, mesh, nominate, prepare

# -- 7.5 preparing -------------------------------------------------------------------------------


def test_accept_prepared_by_quorum_of_votes() -> None:
    bench = mesh(ballot=ballot(3, "x"), phase=Phase.PREPARE)
    bench.hear(1, prepare(ballot(2, "x")))
    assert bench.state.prepared is None
    assert bench.hear(2, prepare(ballot(5, "x"))) == prepare(ballot(3, "x"), ballot(2, "x"))


def test_accept_prepared_exactly_what_all_of_a_blocking_set_accept() -> None:
    """Two of three block. One accepts up to 1, one up to 5: both accept only up to 1."""
    bench = mesh(ballot=ballot(9, "z"), phase=Phase.PREPARE)
    bench.hear(1, prepare(ballot(5, "x"), ballot(5, "x")))
    bench.hear(2, prepare(ballot(5, "x"), ballot(1, "x")))
    assert bench.state.prepared == ballot(1, "x")


def test_conflicting_ballots_become_p_and_pp_and_are_cut_on_the_wire() -> None:
    bench = dense(ballot=ballot(2, "v"), phase=Phase.PREPARE)
    bench.hear(1, prepare(ballot(2, "v"), ballot(2, "v")))
    told = bench.hear(2, prepare(ballot(2, "w"), ballot(2, "w")))
    assert (bench.state.prepared, bench.state.prepared_prime) == (ballot(2, "w"), ballot(2, "v"))
    assert told == prepare(ballot(2, "v"), ballot(1, "w"), ballot(1, "v"))


@pytest.mark.parametrize(
    ("own", "prepared", "prime", "sent", "sent_prime"),
    [
        (ballot(5, "m"), ballot(3, "x"), ballot(2, "y"), ballot(3, "x"), ballot(2, "y")),
        (ballot(5, "m"), ballot(7, "a"), None, ballot(5, "a"), None),
        (ballot(5, "m"), ballot(7, "z"), None, ballot(4, "z"), None),
        (ballot(5, "m"), ballot(7, "m"), None, ballot(5, "m"), None),
        (ballot(1, "m"), ballot(2, "n"), ballot(1, "z"), ballot(0, "n"), None),
        (ballot(1, "m"), ballot(2, "n"), ballot(1, "a"), ballot(0, "n"), ballot(0, "a")),
        (ballot(5, "m"), ballot(3, "x"), ballot(0, "y"), ballot(3, "x"), None),
    ],
)
def test_p_and_pp_fit_below_b_on_the_wire(
    own: Ballot[str],
    prepared: Ballot[str],
    prime: Ballot[str] | None,
    sent: Ballot[str],
    sent_prime: Ballot[str] | None,
) -> None:
    bench = dense(ballot=own, prepared=prepared, prepared_prime=prime, phase=Phase.PREPARE)
    msg = bench.slot.msg()
    assert msg is not None
    check_msg(msg)
    assert msg.topic == prepare(own, sent, sent_prime)


def test_a_lower_accepted_ballot_ends_the_pass() -> None:
    bench = dense(ballot=ballot(5, "x"), prepared=ballot(4, "y"), phase=Phase.PREPARE)
    assert bench.hear(1, prepare(ballot(9, "x"), ballot(3, "x"))) == prepare(
        ballot(5, "x"), ballot(4, "y")
    )


def test_confirm_prepared_votes_commit() -> None:
    bench = mesh(ballot=ballot(7, "x"), prepared=ballot(7, "x"), phase=Phase.PREPARE)
    bench.hear(1, prepare(ballot(7, "x"), ballot(7, "x")))
    assert bench.hear(2, prepare(ballot(7, "x"), ballot(7, "x"))) == prepare(
        ballot(7, "x"), ballot(7, "x"), None, 7, 7
    )


def test_a_higher_conflict_aborts_the_commit_vote() -> None:
    bench = mesh(**VOTING)
    for number in (1, 2):
        bench.hear(number, prepare(ballot(4, "y"), ballot(4, "y")))
    assert bench.state.prepared == bench.state.high == ballot(4, "y")
    assert bench.state.commit == ballot(3, "y")  # above the vote for <3, x>
    aborted = dense(**VOTING)
    aborted.hear(1, prepare(ballot(4, "y"), ballot(4, "y")))  # blocks alone, confirms nothing
    assert aborted.state.prepared == ballot(4, "y")
    assert aborted.state.high == ballot(3, "x")
    assert aborted.state.commit is None


def test_an_accepted_prepared_ballot_is_not_left_for_one_that_it_aborts() -> None:
    bench = dense(
        ballot=ballot(3, "y"),
        prepared=ballot(3, "y"),
        prepared_prime=ballot(2, "x"),
        high=ballot(2, "x"),
        phase=Phase.PREPARE,
    )
    bench.hear(1, prepare(ballot(3, "y"), ballot(3, "y"), ballot(2, "x")))
    assert bench.state.ballot == ballot(3, "y")
    assert bench.state.commit is None
    free = dense(ballot=ballot(3, "y"), high=ballot(2, "x"), phase=Phase.PREPARE)
    free.hear(1, nominate("q"))
    assert free.state.ballot == ballot(4, "x")


@pytest.mark.parametrize(
    ("own", "prime", "commit"),
    [
        (ballot(0, ""), None, ballot(1, "m")),  # nothing voted, nothing aborted
        (ballot(2, "m"), None, ballot(2, "m")),
        (ballot(2, "a"), None, ballot(2, "m")),
        (ballot(2, "z"), None, ballot(3, "m")),
        (ballot(2, "m"), ballot(4, "a"), ballot(4, "m")),
        (ballot(2, "m"), ballot(4, "z"), ballot(5, "m")),
    ],
)
def test_commit_is_voted_from_the_lowest_counter_that_nothing_aborts(
    own: Ballot[str], prime: Ballot[str] | None, commit: Ballot[str]
) -> None:
    bench = dense(ballot=own, phase=Phase.PREPARE)
    said = prepare(ballot(6, "m"), ballot(6, "m"), prime)
    bench.hear_all((1, said), (2, said))
    assert bench.state.high == ballot(6, "m")
    assert bench.state.prepared_prime == prime
    assert bench.state.commit == commit


def test_no_commit_vote_for_counter_0() -> None:
    bench = dense(ballot=ballot(1, "a"), phase=Phase.PREPARE)
    said = prepare(ballot(1, "a"), ballot(0, "z"))
    bench.hear_all((1, said), (2, said))
    assert bench.state.high == ballot(0, "z")
    assert bench.state.commit is None


# -- 7.5 committing ------------------------------------------------------------------------------


def test_accept_commit_by_quorum_of_votes() -> None:
    bench = dense(**VOTING)
    bench.hear(1, prepare(ballot(3, "x"), ballot(3, "x"), None, 1, 3))
    assert bench.state.phase == Phase.PREPARE
    assert bench.hear(2, prepare(ballot(3, "x"), ballot(3, "x"), None, 2, 3)) == Commit(
        ballot(3, "x"), 3, 2, 3
    )


def test_accept_commit_by_blocking_set_at_once() -> None:
    bench = dense()
    assert bench.hear(1, Commit(ballot(5, "x"), 3, 1, 3)) == Commit(ballot(5, "x"), 3, 1, 3)


def test_accept_commit_of_another_list_than_the_one_voted() -> None:
    bench = dense(**VOTING)
    told = bench.hear(1, Commit(ballot(6, "y"), 6, 5, 6))
    assert told == Commit(ballot(6, "y"), 6, 5, 6)
    lowest = dense()
    lowest.hear_all((1, Commit(ballot(6, "y"), 6, 5, 6)), (2, Commit(ballot(6, "z"), 6, 4, 6)))
    assert lowest.state.commit == ballot(4, "z")
    torn = dense()
    torn.hear_all(
        (1, Commit(ballot(6, "y"), 6, 5, 6)), (2, prepare(ballot(9, "z"), ballot(9, "z")))
    )
    assert (torn.state.phase, torn.state.prepared) == (Phase.COMMIT, ballot(6, "y"))


def test_the_list_committed_is_fixed() -> None:
    bench = dense()
    bench.hear(1, Commit(ballot(5, "x"), 3, 1, 3))
    told = bench.hear(2, Commit(ballot(9, "y"), 9, 7, 9))
    assert bench.state.ballot.values == ("x",)
    assert told == Commit(ballot(9, "x"), 3, 1, 3)


def test_confirm_commit_where_ranges_overlap() -> None:
    bench = dense()
    bench.hear(1, Commit(ballot(3, "x"), 3, 2, 4))
    assert bench.hear(2, Commit(ballot(3, "x"), 3, 3, 3)) == Externalize(ballot(3, "x"), 3)
    assert bench.slot.externalized_values() == ("x",)
    assert bench.slot.next_deadline() is None


def test_votes_raise_the_accepted_range_without_losing_it() -> None:
    """Peers vote for every counter above their C; someone names 5."""
    bench = mesh(**COMMITTING)
    bench.hear(1, Commit(ballot(5, "x"), 5, 2, 5))
    assert bench.hear(2, Commit(ballot(3, "x"), 3, 2, 3)) == Externalize(ballot(2, "x"), 3)
    lone = mesh(**COMMITTING)
    lone.hear(1, prepare(ballot(5, "x"), ballot(5, "x"), None, 2, 5))
    lone.hear(2, prepare(ballot(5, "x"), ballot(5, "x"), None, 4, 5))
    assert lone.state.high == ballot(5, "x")
    assert lone.state.commit == ballot(4, "x")
    apart = dense(**{**COMMITTING, "high": ballot(2, "x")})
    apart.hear(1, Commit(ballot(5, "x"), 5, 2, 2))  # blocks alone: 2 is accepted
    apart.hear(2, prepare(ballot(9, "x"), ballot(9, "x"), None, 7, 9))  # and so would 7 to 9 be
    assert (apart.state.commit, apart.state.high) == (ballot(2, "x"), ballot(2, "x"))


def test_a_blocking_set_drags_the_counter() -> None:
    bench = dense(ballot=ballot(2, "x"), phase=Phase.PREPARE)
    bench.hear(1, prepare(ballot(6, "y")))
    assert bench.state.ballot == ballot(6, "x")
    committing = dense(**COMMITTING)
    committing.hear(1, prepare(ballot(8, "y")))
    assert committing.state.ballot == ballot(8, "x")
    fresh = dense()
    fresh.hear(1, prepare(ballot(6, "y")))
    assert fresh.state.ballot.counter == 0


@pytest.mark.parametrize(("restart", "runs"), [(True, True), (False, False)])
def test_the_timer_after_being_dragged_while_committing(restart: bool, runs: bool) -> None:
    bench = dense(**COMMITTING, timing=Timing(restart_ballot_timer=restart))
    for number in (1, 2):
        bench.hear(number, prepare(ballot(8, "y")))
    assert bench.state.ballot == ballot(8, "x")
    if restart:
        assert bench.state.ballot_deadline == 9000
    else:
        bench = dense(**COMMITTING)
        bench.hear_all((1, prepare(ballot(8, "y"))), (2, prepare(ballot(8, "y"))))
        assert bench.state.ballot_deadline is None


def test_a_rerun_may_go_on_into_the_commit_phase() -> None:
    """A fresh node that sees peers far ahead must not stop between two phases (D1)."""
    bench = mesh()
    ahead = prepare(ballot(5, "x"), ballot(3, "x"), None, 1, 3)
    told = bench.hear_all((1, ahead), (2, ahead))
    assert told == Commit(ballot(5, "x"), 5, 1, 3)


def test_conflicting_peers_at_infinity_do_not_spin() -> None:
    """The network's own software never returns from this (D10)."""
    bench = mesh(ballot=ballot(2, "x"), high=ballot(1, "x"), phase=Phase.PREPARE)
    bench.hear_all(
        (1, Externalize(ballot(1, "y"), 1)),
        (2, prepare(ballot(INFINITY, "z"), ballot(INFINITY, "z"))),
        (3, Externalize(ballot(1, "z"), 1)),
    )
    assert bench.state.ballot.counter == INFINITY
