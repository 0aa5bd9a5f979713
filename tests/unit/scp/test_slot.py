"""One slot: events in, messages out. [docs/protocol/scp.md#7]"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from mcnode.errors import InvalidError
from mcnode.scp import INFINITY, Ballot, Msg, NodeID, Phase, QuorumSet, SlotState, Timing
from mcnode.scp import search as search_module
from mcnode.scp import slot as module
from mcnode.scp import values as values_module
from mcnode.scp.actions import CombineFailed, Refuse
from mcnode.scp.invariants import check_invariants
from mcnode.scp.msg_rules import check_msg
from mcnode.scp.slot import Slot
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

SLOT = 7
IDS = [NodeID(f"n{n}:0", n.to_bytes(32)) for n in range(9)]
UPSTREAM_TIMERS = Timing(restart_ballot_timer=False)


def quorum_set(threshold: int, *members: Any) -> QuorumSet[NodeID]:
    return QuorumSet(
        threshold, tuple(IDS[m] if isinstance(m, int) else quorum_set(*m) for m in members)
    )


def ballot(counter: int, values: str) -> Ballot[str]:
    return Ballot(counter, tuple(values))


def nominate(voted: str = "", accepted: str = "") -> Nominate[str]:
    return Nominate(NominatePayload(tuple(voted), tuple(accepted)))


def prepare(
    b: Ballot[str], p: Any = None, pp: Any = None, cn: int = 0, hn: int = 0
) -> Prepare[str]:
    return Prepare(PreparePayload(b, p, pp, cn, hn))


def refuse(bad: str) -> Callable[[str], None]:
    def validate(value: str) -> None:
        if value in bad:
            raise InvalidError(f"{value} is bad")

    return validate


class Bench:
    """The slot of node 0, its peers' quorum sets, and a clock."""

    def __init__(
        self,
        local: QuorumSet[NodeID],
        peers: dict[int, QuorumSet[NodeID]] | None = None,
        *,
        bad: str = "",
        combine: Callable[[Sequence[str]], Sequence[str]] = tuple,
        timing: Timing = UPSTREAM_TIMERS,
        **state: Any,
    ) -> None:
        self.peers = peers or {}
        self.slot: Slot[str] = Slot(
            SLOT, IDS[0], local, validate=refuse(bad), combine=combine, timing=timing
        )
        self.slot.restore(dataclasses.replace(self.slot.state(), **state))
        self.now = 0

    def hear(self, number: int, topic: Topic[str]) -> Topic[str] | None:
        return self.hear_all((number, topic))

    def hear_all(self, *said: tuple[int, Topic[str]]) -> Topic[str] | None:
        return self._checked(self.slot.handle([self.msg(n, topic) for n, topic in said], self.now))

    def msg(self, number: int, topic: Topic[str]) -> Msg[str]:
        return Msg(IDS[number], SLOT, self.peers.get(number, quorum_set(1, 0)), topic)

    def propose(self, values: str) -> Topic[str] | None:
        return self._checked(self.slot.propose(values, self.now))

    def wait(self, ms: int) -> Topic[str] | None:
        self.now += ms
        return self._checked(self.slot.handle_timers(self.now))

    def _checked(self, msg: Msg[str] | None) -> Topic[str] | None:
        check_invariants(self.slot.state())
        if msg is None:
            return None
        check_msg(msg)
        assert (msg.sender_id, msg.slot_index) == (IDS[0], SLOT)
        assert msg.quorum_set is self.slot.quorum_set
        return msg.topic

    @property
    def state(self) -> SlotState[str]:
        return self.slot.state()


ONE_OF_ONE = quorum_set(1, 1)
TWO_OF_TWO = quorum_set(2, 1, 2)
DENSE = {n: quorum_set(2, *(m for m in range(3) if m != n)) for n in (1, 2)}
MESH = {n: quorum_set(2, *(m for m in range(4) if m != n)) for n in (1, 2, 3)}
TWO_OF_THREE = quorum_set(2, 1, 2, 3)


def dense(**state: Any) -> Bench:
    return Bench(TWO_OF_TWO, DENSE, **state)


def mesh(**state: Any) -> Bench:
    return Bench(TWO_OF_THREE, MESH, **state)


# -- 7.1 proposing -------------------------------------------------------------------------------


def test_a_leader_votes_what_it_proposes() -> None:
    bench = dense(leaders=(IDS[0],), bad="!")
    assert bench.propose("b!a") == nominate("ab")
    assert bench.propose("c") == nominate("abc")
    assert bench.propose("c") is None
    assert bench.state.proposed == ("a", "b", "c")


def test_a_follower_keeps_its_values_until_it_leads() -> None:
    bench = dense(leaders=(IDS[1],))
    assert bench.propose("a") is None
    assert bench.hear(2, nominate("x")) is None  # not a leader either
    assert bench.hear(1, nominate("yz")) == nominate("yz")


def test_nothing_valid_is_nothing_proposed() -> None:
    bench = dense(leaders=(IDS[0],), bad="!")
    assert bench.propose("!") is None
    assert bench.propose("") is None
    assert bench.state.nomination_deadline is None


def test_values_come_too_late_once_one_is_confirmed() -> None:
    alone = Bench(quorum_set(0))
    assert alone.propose("ba") == Externalize(ballot(1, "ab"), 1)
    assert alone.slot.externalized_values() == ("a", "b")
    assert alone.propose("c") is None
    confirmed = dense(leaders=(IDS[0],), accepted=("x",), confirmed=("x",), ballot=ballot(1, "x"))
    confirmed.propose("c")
    assert confirmed.state.proposed == ()


# -- 7.2 messages --------------------------------------------------------------------------------


def refusals(bench: Bench) -> list[str]:
    return [event.reason for event in bench.slot.take_events() if isinstance(event, Refuse)]


def test_own_and_foreign_messages_are_refused() -> None:
    bench = dense()
    assert bench.hear(0, nominate("x")) is None
    other = dataclasses.replace(bench.msg(1, nominate("x")), slot_index=SLOT + 1)
    assert bench.slot.handle([other], 0) is None
    assert len(refusals(bench)) == 2
    assert refusals(bench) == []
    assert bench.state.msgs == ()


def test_only_higher_messages_replace() -> None:
    bench = dense()
    bench.hear(1, nominate("ab"))
    bench.hear_all((1, nominate("a")), (1, nominate("b")), (1, nominate("ab")))
    assert [msg.topic for msg in bench.state.msgs] == [nominate("ab")]
    bench.hear(1, nominate("", "a"))
    assert [msg.topic for msg in bench.state.msgs] == [nominate("", "a")]
    assert refusals(bench) == []


def test_of_a_batch_the_highest_counts() -> None:
    bench = dense(leaders=(IDS[1],))
    assert bench.hear_all((1, nominate("a")), (1, nominate("abc")), (1, nominate("ab"))) == (
        nominate("abc")
    )


def test_one_bad_value_spoils_the_message_and_is_asked_about_again() -> None:
    bench = dense(leaders=(IDS[1],), bad="!")
    assert bench.hear(1, nominate("a!")) is None
    assert refusals(bench) == ["! is bad"]
    assert bench.state.msgs == ()
    assert bench.hear(1, nominate("a!")) is None
    assert refusals(bench) == ["! is bad"]


def test_a_broken_message_is_refused() -> None:
    bench = dense()
    assert bench.hear(1, nominate("a", "a")) is None
    assert refusals(bench)[0].startswith("X intersects Y")


def test_after_the_outcome_values_are_not_judged() -> None:
    bench = dense(bad="!")
    bench.hear_all((1, Externalize(ballot(1, "x"), 1)), (2, Externalize(ballot(1, "x"), 1)))
    assert bench.slot.phase == Phase.EXTERNALIZE
    bench.hear(1, Externalize(ballot(1, "!"), 2))
    assert refusals(bench) == []
    assert ballot(1, "!") in [getattr(msg.topic, "commit", None) for msg in bench.state.msgs]


def test_strangers_are_kept_and_count_once_named() -> None:
    """Node 4 is nobody's friend until node 1 says that it needs 4 instead of 2."""
    bench = Bench(quorum_set(1, 1), {1: quorum_set(1, 4), 4: quorum_set(1, 5), 5: quorum_set(1, 0)})
    assert bench.hear(5, nominate("", "x")) is None
    assert bench.hear(4, nominate("", "x")) is None
    assert bench.hear(4, nominate("", "w")) is None  # lower: not kept
    assert {msg.sender_id for msg in bench.state.msgs} == {IDS[4], IDS[5]}
    # 1 alone blocks: accepted; with 4 and 5 it is a quorum: confirmed
    told = bench.hear(1, nominate("", "x"))
    assert told == NominatePrepare(NominatePayload((), ("x",)), PreparePayload(ballot(1, "x")))


def test_a_stranger_that_names_too_many_is_refused_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the peer that named it, whose statement counts."""
    monkeypatch.setattr(search_module, "KNOWN_NODES_MAX", 3)
    bench = Bench(quorum_set(1, 1), {1: quorum_set(1, 4), 4: quorum_set(1, 5, 6)})
    assert bench.hear(4, nominate("", "x")) is None
    told = bench.hear(1, nominate("", "x"))
    assert told == Nominate(NominatePayload((), ("x",)))
    assert refusals(bench) == ["quorum set adds 2 nodes to 3, limit 3"]
    assert {msg.sender_id for msg in bench.state.msgs} == {IDS[1]}


def test_strangers_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STRANGERS_MAX", 2)
    bench = Bench(ONE_OF_ONE)
    for number in (4, 5, 6):
        bench.hear(number, nominate("x"))
    assert len(bench.state.msgs) == 2
    assert refusals(bench) == ["slot keeps messages of 2 strangers, the limit"]
    bench.hear(5, nominate("xy"))  # a known stranger may go on
    assert refusals(bench) == []


def test_lists_that_nothing_uses_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values_module, "LISTS_MAX", 3)
    bench = dense(ballot=ballot(1, "own"), phase=Phase.PREPARE)
    for counter in range(1, 30):
        values = f"v{counter}"
        bench.hear(1, prepare(ballot(counter, values), ballot(counter, values)))
        bench.hear(8, prepare(ballot(counter, "st"), ballot(counter, "st")))
        assert len(bench.slot._table._lists) <= 3 + 5
    assert bench.hear(2, prepare(ballot(29, "v29"), ballot(29, "v29"))) == prepare(
        ballot(29, "v29"), ballot(29, "v29"), None, 29, 29
    )


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

VOTING: dict[str, Any] = {
    "ballot": ballot(3, "x"),
    "prepared": ballot(3, "x"),
    "high": ballot(3, "x"),
    "commit": ballot(1, "x"),
    "phase": Phase.PREPARE,
}
COMMITTING: dict[str, Any] = {**VOTING, "commit": ballot(2, "x"), "phase": Phase.COMMIT}


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


# -- after the outcome ---------------------------------------------------------------------------


def test_a_fresh_node_joins_an_outcome() -> None:
    bench = Bench(ONE_OF_ONE)
    assert bench.hear(1, Externalize(ballot(1, "x"), 1)) == Externalize(ballot(1, "x"), INFINITY)


def test_a_decided_slot_tells_when_its_range_grows() -> None:
    bench = dense()
    bench.hear(1, Commit(ballot(3, "x"), 3, 1, 3))
    assert bench.hear(2, Commit(ballot(3, "x"), 3, 1, 3)) == Externalize(ballot(1, "x"), 3)
    assert bench.hear(1, Commit(ballot(5, "x"), 5, 1, 5)) is None
    assert bench.hear(2, Commit(ballot(5, "x"), 5, 1, 5)) == Externalize(ballot(1, "x"), 5)
    assert bench.hear(1, Commit(ballot(9, "y"), 9, 7, 9)) is None
    assert bench.slot.externalized_values() == ("x",)
    assert bench.wait(10**6) is None


def test_a_ballot_timer_of_a_decided_slot_does_not_start() -> None:
    bench = Bench(ONE_OF_ONE)
    bench.hear(1, Externalize(ballot(1, "x"), 1))
    bench.hear(1, Externalize(ballot(1, "x"), 2))
    assert bench.state.ballot_deadline is None


# -- what it shows -------------------------------------------------------------------------------


def test_metrics_and_values() -> None:
    bench = mesh(voted=tuple("ab"), accepted=tuple("cde"), confirmed=("c",), ballot=ballot(4, "c"))
    metrics = bench.slot.metrics()
    assert metrics.phase == 2
    assert (metrics.voted_count, metrics.accepted_count, metrics.confirmed_count) == (2, 3, 1)
    assert (metrics.nomination_round, metrics.ballot_counter) == (1, 4)
    assert bench.slot.externalized_values() is None
    assert [int(phase) for phase in Phase] == [2, 3, 4, 5]


def test_a_state_restores_to_itself() -> None:
    bench = mesh(leaders=(IDS[0],))
    bench.propose("ab")
    bench.hear(1, nominate("", "ab"))
    bench.hear(2, prepare(ballot(2, "ab"), ballot(1, "ab"), None, 0, 1))
    twin = mesh()
    twin.slot.restore(bench.state)
    assert twin.state == bench.state
    assert twin.hear(3, nominate("", "ab")) == bench.hear(3, nominate("", "ab"))
    done = Bench(ONE_OF_ONE)
    done.hear(1, Externalize(ballot(1, "x"), 1))
    again = Bench(ONE_OF_ONE, bad="!")
    again.slot.restore(done.state)
    assert again.slot.externalized_values() == ("x",)
    again.hear(1, Externalize(ballot(1, "!"), 3))
    assert refusals(again) == []


def test_a_fresh_slot_has_nothing_to_say() -> None:
    assert mesh().slot.msg() is None
    assert mesh().slot.reconsider(0) is None
