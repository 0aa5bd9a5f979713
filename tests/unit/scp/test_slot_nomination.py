"""One slot while it nominates, and the timers. [docs/protocol/scp.md#7.3, 6.2]"""

from collections.abc import Sequence
from typing import Any

import pytest

from mcnode.errors import InvalidError
from mcnode.scp import INFINITY, Phase, Timing
from mcnode.scp.actions import CombineFailed
from mcnode.scp.types import (
    Commit,
    NominatePayload,
    NominatePrepare,
    Prepare,
    PreparePayload,
)
from support.slot_bench import COMMITTING, IDS, SLOT, ballot, dense, mesh, nominate, prepare

# -- 7.3 nomination ------------------------------------------------------------------------------


def test_accepted_by_a_blocking_set_without_a_vote() -> None:
    bench = dense()
    assert bench.hear(1, nominate("", "x")) == nominate("", "x")
    assert bench.hear(1, nominate("", "xy")) == nominate("", "xy")


def test_values_with_different_supporters_fare_differently() -> None:
    bench = mesh(voted=tuple("abc"), leaders=(IDS[0],))
    bench.hear(1, nominate("ab"))
    assert bench.hear(2, nominate("bc")) == nominate("ac", "b")
    assert bench.hear(3, nominate("a")) == nominate("c", "ab")


def test_confirmed_values_start_a_ballot_and_may_grow() -> None:
    bench = mesh(voted=("x",), leaders=(IDS[0],))
    bench.hear(1, nominate("", "x"))
    begun = NominatePrepare(NominatePayload((), ("x",)), PreparePayload(ballot(1, "x")))
    assert bench.hear(2, nominate("", "x")) == begun
    bench.hear_all((1, nominate("", "xy")), (2, nominate("", "xy")))
    assert bench.state.confirmed == ("x", "y")
    assert bench.state.ballot == ballot(1, "x")


def test_a_failed_combination_leaves_the_ballot_alone() -> None:
    def combine(values: Sequence[str]) -> Sequence[str]:
        raise InvalidError("not today")

    bench = dense(combine=combine)
    bench.hear_all((1, nominate("", "x")), (2, nominate("", "x")))
    assert bench.state.confirmed == ("x",)
    assert bench.state.ballot.counter == 0
    failed = [e for e in bench.slot.take_events() if isinstance(e, CombineFailed)]
    assert failed[0] == CombineFailed(SLOT, "not today")


def test_the_order_of_the_combination_is_kept() -> None:
    bench = dense(combine=lambda values: sorted(values, reverse=True))
    told = bench.hear_all((1, nominate("", "abc")), (2, nominate("", "abc")))
    assert isinstance(told, NominatePrepare)
    assert told.prepare.ballot == ballot(1, "cba")


# -- 6.2 timers ----------------------------------------------------------------------------------


def test_rounds_grow_longer_and_add_leaders() -> None:
    bench = mesh(timing=Timing(nomination_base_ms=100, ballot_base_ms=10**9))
    bench.propose("x")
    lengths = []
    for round_number in range(1, 4):
        assert bench.state.nomination_round == round_number
        deadline = bench.slot.next_deadline()
        assert deadline is not None
        lengths.append(deadline - bench.now)
        assert bench.wait(deadline - bench.now) is None  # not after the deadline yet
        bench.wait(1)
    assert lengths == [100, 200, 300]
    assert len(set(bench.state.leaders)) == len(bench.state.leaders) == 3
    assert IDS[0] in bench.state.leaders
    assert bench.state.voted == ("x",)


def test_the_nomination_timer_stops_when_a_ballot_is_confirmed_prepared() -> None:
    bench = dense()
    bench.hear(1, prepare(ballot(1, "x"), ballot(1, "x")))
    assert bench.state.nomination_deadline is not None
    bench.hear(2, prepare(ballot(1, "x"), ballot(1, "x")))
    assert bench.state.nomination_deadline is None


def test_the_ballot_timer_needs_a_quorum_at_the_counter() -> None:
    bench = dense(ballot=ballot(2, "x"), phase=Phase.PREPARE)
    bench.hear(1, prepare(ballot(2, "x")))
    assert bench.state.ballot_deadline is None
    bench.hear(2, prepare(ballot(1, "x")))
    assert bench.state.ballot_deadline is None
    bench.hear(2, prepare(ballot(2, "x")))
    assert bench.state.ballot_deadline == 3000
    assert bench.wait(3001) == prepare(ballot(3, "x"), ballot(2, "x"))


@pytest.mark.parametrize(("restart", "deadline"), [(True, 3000), (False, 2000)])
def test_the_timer_may_start_anew_with_the_counter(restart: bool, deadline: int) -> None:
    """The counter rises because H brings another list."""
    bench = mesh(
        ballot=ballot(1, "x"),
        phase=Phase.PREPARE,
        timing=Timing(restart_ballot_timer=restart),
    )
    bench.hear_all((1, prepare(ballot(1, "y"))), (2, prepare(ballot(1, "y"))))
    assert bench.state.ballot_deadline == 2000
    for number in (1, 2):
        bench.hear(number, prepare(ballot(2, "y"), ballot(1, "y")))
    assert bench.state.ballot == ballot(2, "y")
    bench.hear(3, prepare(ballot(2, "y")))
    assert bench.state.ballot_deadline == deadline


def test_both_timers_give_one_message() -> None:
    bench = mesh(accepted=("x",), confirmed=("x",), ballot=ballot(1, "x"))
    bench.hear(1, prepare(ballot(1, "x")))
    bench.hear(2, prepare(ballot(1, "x")))
    told = bench.wait(5000)
    assert isinstance(told, NominatePrepare)
    assert told.prepare.ballot == ballot(2, "x")
    assert bench.state.nomination_round == 2


def test_a_timer_without_anything_to_ballot_on_changes_nothing() -> None:
    bench = dense(timing=Timing(nomination_base_ms=10**9))
    bench.hear_all((1, nominate("a")), (2, nominate("b")))
    said = bench.slot.msg()
    assert bench.state.ballot_deadline == 1000
    assert bench.wait(1001) is None
    assert bench.slot.msg() == said
    assert bench.state.ballot.counter == 0
    assert bench.state.ballot_deadline == 2001


@pytest.mark.parametrize(
    ("state", "values"),
    [
        ({"high": ballot(1, "h"), "prepared": ballot(2, "p"), "confirmed": ("z",)}, "h"),
        ({"prepared": ballot(2, "p"), "confirmed": ("z",)}, "z"),
        ({"prepared": ballot(2, "p")}, "p"),
        ({}, "b"),
    ],
)
def test_what_the_next_ballot_holds(state: dict[str, Any], values: str) -> None:
    accepted = state.get("confirmed", ())
    phase = Phase.PREPARE if "high" in state else Phase.NOMINATE_PREPARE
    bench = dense(ballot=ballot(2, "b"), accepted=accepted, phase=phase, ballot_deadline=0, **state)
    bench.wait(1)
    assert bench.state.ballot == ballot(3, values)


def test_a_committing_node_only_counts() -> None:
    bench = dense(**COMMITTING, ballot_deadline=0)
    assert bench.wait(1) == Commit(ballot(4, "x"), 3, 2, 3)


def test_counters_do_not_wrap() -> None:
    bench = dense(ballot=ballot(INFINITY, "x"), phase=Phase.PREPARE, ballot_deadline=0)
    told = bench.wait(1)
    assert isinstance(told, Prepare)
    assert told.prepare.ballot == ballot(INFINITY, "x")
    bench = dense(
        ballot=ballot(INFINITY, "x"), phase=Phase.PREPARE, high=ballot(1, "y"), ballot_deadline=0
    )
    bench.wait(1)
    assert bench.state.ballot == ballot(INFINITY, "y")
