"""Saying again what was said: when nothing moves, and to those that missed a decision."""

import pytest

from mcnode.consensus.actions import Broadcast, Relay
from mcnode.consensus.message_queue import QueuedMsg
from mcnode.consensus.repeats import (
    LAG_GRACE_S,
    REPEAT_AFTER_S,
    REPEAT_PAUSE_S_MAX,
    Repeats,
)

P2, P3, P4 = (f"node{n}.test:8443" for n in (2, 3, 4))


@pytest.fixture
def repeats():
    made = Repeats([P2, P3, P4])
    made.enter_slot(3)
    made.due(1000.0)
    return made


def hear(repeats, msg, source: str, now: float) -> None:
    repeats.heard(QueuedMsg.create(msg, source), now)


def own(world, number: int = 1, slot: int = 3) -> Broadcast:
    return Broadcast(world.nominate(1, number, slot=slot).scp_msg, bytes(32))


def test_without_statements_there_is_nothing_to_repeat(repeats) -> None:
    assert repeats.next_due() is None
    assert repeats.due(5000.0) == []


def test_after_a_silence_all_is_said_again_to_those_that_may_lack_it(repeats, world) -> None:
    said, of_2, of_9 = own(world), world.nominate(2, 1), world.nominate(9, 1)
    repeats.said(said, 1000.0)
    hear(repeats, of_2, P2, 1001.0)
    hear(repeats, of_9, P3, 1002.0)
    assert repeats.next_due() == 1002.0 + REPEAT_AFTER_S
    assert repeats.due(1002.0 + REPEAT_AFTER_S - 0.1) == []
    assert repeats.due(1002.0 + REPEAT_AFTER_S) == [
        said,
        Relay(of_2, [P3, P4]),
        Relay(of_9, [P2, P4]),
    ]


def test_whoever_handed_a_copy_over_has_it(repeats, world) -> None:
    msg = world.nominate(9, 1)
    hear(repeats, msg, P2, 1000.0)
    for source in (P3, P4):
        repeats.repeated(3, world.node_id(9).public_key, source, 1001.0)
    assert repeats.due(2000.0) == []


def test_pauses_grow_until_something_moves(repeats, world) -> None:
    repeats.said(own(world), 1000.0)
    now, pauses = 1000.0, []
    for _ in range(6):
        pauses.append(repeats.next_due() - now)
        now = repeats.next_due()
        assert len(repeats.due(now)) == 1
    assert pauses == [5.0, 10.0, 20.0, 40.0, REPEAT_PAUSE_S_MAX, REPEAT_PAUSE_S_MAX]
    hear(repeats, world.nominate(2, 1), P2, now)
    assert repeats.next_due() == now + REPEAT_AFTER_S


def test_only_the_newest_of_an_author_is_said_again(repeats, world) -> None:
    for numbers in ((1,), (1, 2), (1, 2, 3)):
        hear(repeats, world.nominate(2, *numbers), P2, 1000.0)
        repeats.said(own(world, numbers[-1]), 1000.0)
    assert repeats.due(2000.0) == [own(world, 3), Relay(world.nominate(2, 1, 2, 3), [P3, P4])]


def test_a_decided_slot_is_not_repeated(repeats, world) -> None:
    repeats.said(own(world), 1000.0)
    repeats.enter_slot(4)
    assert repeats.next_due() is None
    hear(repeats, world.nominate(2, 1, slot=3), P2, 1001.0)  # of the slot before
    assert repeats.next_due() is None


def decided(repeats, world) -> Broadcast:
    """Slot 3 is decided here at 1001; what we and node 3 said about it."""
    said = Broadcast(world.externalize(1, 1).scp_msg, bytes(32))
    repeats.said(said, 1000.0)
    hear(repeats, world.nominate(2, 1), P2, 1000.0)
    hear(repeats, world.externalize(3, 1), P3, 1000.0)
    repeats.enter_slot(4)
    repeats.due(1001.0)
    return said


def test_a_neighbour_that_missed_the_decision_gets_what_is_held(repeats, world) -> None:
    said = decided(repeats, world)
    repeats.repeated(3, world.node_id(2).public_key, P2, 1001.0 + LAG_GRACE_S)
    help_ = [said, Relay(world.externalize(3, 1), [P2])]
    assert repeats.due(1004.0) == help_
    assert repeats.due(1004.0) == []
    repeats.repeated(3, world.node_id(2).public_key, P2, 1005.0)
    assert repeats.due(1005.0) == []  # not so soon again
    repeats.repeated(3, world.node_id(2).public_key, P2, 1004.0 + REPEAT_AFTER_S)
    assert repeats.due(1004.0 + REPEAT_AFTER_S) == help_


def test_a_newer_statement_about_a_decided_slot_shows_it_too(repeats, world) -> None:
    said = decided(repeats, world)
    hear(repeats, world.nominate(2, 1, 2), P2, 1010.0)
    assert repeats.due(1010.0) == [said, Relay(world.externalize(3, 1), [P2])]


@pytest.mark.parametrize(
    ("author", "source", "slot", "now"),
    [
        (2, P2, 3, 1001.0 + LAG_GRACE_S - 0.1),  # it may still get there by itself
        (2, P4, 3, 1010.0),  # passed on by somebody else
        (3, P3, 3, 1010.0),  # it has decided
        (4, P4, 3, 1010.0),  # we know nothing of it
        (2, P2, 2, 1010.0),  # long ago
        (2, P2, 4, 1010.0),  # the open slot
    ],
)
def test_others_have_not_missed_anything(repeats, world, author, source, slot, now) -> None:
    decided(repeats, world)
    repeats.repeated(slot, world.node_id(author).public_key, source, now)
    assert repeats.due(now) == []


def test_what_is_held_goes_with_its_slot(repeats, world) -> None:
    decided(repeats, world)
    repeats.enter_slot(5)
    repeats.due(1002.0)
    assert len(repeats._held) == 0
    assert repeats._own == {}
