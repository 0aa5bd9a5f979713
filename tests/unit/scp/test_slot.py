"""One slot: proposals, messages, and what is shown of it. [docs/protocol/scp.md#7.1-2]"""

import dataclasses

import pytest

from mcnode.scp import INFINITY, Phase
from mcnode.scp import search as search_module
from mcnode.scp import slot as module
from mcnode.scp import values as values_module
from mcnode.scp.actions import Refuse
from mcnode.scp.types import (
    Commit,
    Externalize,
    Nominate,
    NominatePayload,
    NominatePrepare,
    PreparePayload,
)
from support.slot_bench import (
    IDS,
    ONE_OF_ONE,
    SLOT,
    Bench,
    ballot,
    dense,
    mesh,
    nominate,
    prepare,
    quorum_set,
)

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
