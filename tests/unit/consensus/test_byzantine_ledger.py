"""The decision core, with the real agreement protocol between fakes."""

import random

import pytest

from mcnode.consensus.actions import (
    Broadcast,
    CompleteSlot,
    FetchTxs,
    Relay,
    Report,
    SyncLedger,
)
from mcnode.consensus.byzantine_ledger import (
    PENDING_VALUES_TO_NOMINATE_MAX,
    SYNC_BLOCKS_MAX,
    after_tick,
    to_tick,
)
from mcnode.consensus.message_queue import FUTURE_SLOTS_MAX
from mcnode.consensus.missing_txs import FETCH_GRACE_S, FETCH_PATIENCE_S
from mcnode.consensus.pending_values import PENDING_VALUES_MAX, PendingValuesFull
from mcnode.consensus.sync_state import GRACE_PERIOD_FAR_S, GRACE_PERIOD_S
from mcnode.errors import BugError
from mcnode.peers.relay import LATE_RELAY_S
from mcnode.scp import Ballot
from mcnode.scp.types import Commit, Externalize, Nominate, NominatePayload


def relayed(world, actions):
    """(author, slot) of every statement that is passed on."""
    return [
        (action.msg.scp_msg.sender_id, action.msg.scp_msg.slot_index)
        for action in world.of(actions, Relay)
    ]


# -- clocks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("tick", [0, 1, 1001, 1003, 8191, 86_400_000, 10**10 + 7])
def test_after_a_deadline_it_has_passed(tick: int) -> None:
    assert to_tick(after_tick(tick)) == tick + 1


# -- statements: slots -----------------------------------------------------------------------------


def test_statements_of_the_previous_and_the_current_slot_are_taken(world) -> None:
    world.receive(world.externalize(2, 1, slot=2))
    world.receive(world.nominate(3, 1, slot=3))
    actions = world.tick()
    assert relayed(world, actions) == [(world.node_id(2), 2), (world.node_id(3), 3)]
    assert not world.of(actions, Report)


def test_slot_0_and_slots_before_the_previous_one_are_dropped(world) -> None:
    world.receive(world.nominate(2, 1, slot=0))
    world.receive(world.nominate(2, 1, slot=1))
    assert world.tick() == []
    assert world.core.snapshot().queued_messages == 0


def test_slot_0_does_not_count_for_the_network_state(world) -> None:
    world.receive(world.nominate(2, 1, slot=0))
    assert world.network.heights() == {}


def test_an_old_statement_still_tells_how_far_its_author_is(world) -> None:
    world.receive(world.externalize(2, 1, slot=1))
    assert world.network.heights() == {"node2.test:8443": 1}
    world.receive(world.nominate(3, 1, slot=1))
    assert world.network.heights()["node3.test:8443"] == 0


def test_a_later_slot_waits_for_its_turn(world) -> None:
    later = world.msg(4, world.nominate(4, 9).scp_msg.topic, slot=4, prev=bytes(32))
    world.receive(later)
    assert world.tick() == []
    assert world.core.snapshot().queued_messages == 1
    actions = world.decide(1)
    world.complete(actions)
    reports = world.of(world.tick(), Report)
    assert [report.slot_index for report in reports] == [4]  # taken up, and of another chain


def test_slots_too_far_ahead_are_forgotten(world) -> None:
    world.receive(world.nominate(2, 1, slot=3 + FUTURE_SLOTS_MAX))
    world.receive(world.nominate(3, 1, slot=4 + FUTURE_SLOTS_MAX))
    world.tick()
    assert world.core.snapshot().queued_messages == 1


def test_a_queued_statement_whose_slot_has_passed_is_dropped_silently(world) -> None:
    world.values.absent.add(world.value(9))
    world.receive(world.nominate(4, 9))
    world.tick()
    for number in (1, 2):
        world.complete(world.decide(number))
    assert world.tick() == []
    assert world.core.snapshot().queued_messages == 0


# -- statements: history ---------------------------------------------------------------------------


def test_a_statement_of_another_chain_is_reported_and_dropped(world) -> None:
    world.receive(world.msg(2, world.nominate(2, 1).scp_msg.topic, prev=b"\7" * 32))
    [report] = world.tick()
    assert isinstance(report, Report)
    assert (report.author, report.slot_index, report.is_other_chain) == ("node2.test:8443", 3, True)
    assert ("07" * 32) in report.reason
    assert world.ledger.ids[2].hex() in report.reason
    assert world.core.snapshot().refused_messages == 1


# -- statements: transactions ----------------------------------------------------------------------


def test_missing_transactions_get_a_moment_and_are_then_fetched(world) -> None:
    world.values.absent.add(world.value(9))
    world.receive(world.nominate(2, 8, 9))
    assert world.tick() == []
    assert world.core.next_deadline() == pytest.approx(world.now + FETCH_GRACE_S)
    [fetch] = world.tick(FETCH_GRACE_S)
    assert fetch == FetchTxs("node2.test:8443", (world.value(9).content,))
    assert world.tick(0.1) == []  # it is under way

    world.values.absent.clear()
    world.core.txs_fetched("node2.test:8443", [])
    assert relayed(world, world.tick()) == [(world.node_id(2), 3)]


def test_transactions_that_come_by_themselves_are_not_fetched(world) -> None:
    world.values.absent.add(world.value(9))
    world.receive(world.nominate(2, 9))
    world.tick()
    world.values.absent.clear()
    actions = world.tick(FETCH_GRACE_S)
    assert relayed(world, actions) == [(world.node_id(2), 3)]
    assert not world.of(actions, FetchTxs)


def test_a_neighbour_that_lacks_them_is_not_asked_again_but_another_one_is(make_world) -> None:
    world = make_world(peers=(2, 3, 4, 5))
    world.values.absent.add(world.value(9))
    msg = world.nominate(4, 9)
    world.receive(msg, source=2)
    world.tick()
    world.tick(FETCH_GRACE_S)
    world.core.txs_fetched("node2.test:8443", [world.value(9).content])
    assert world.tick() == []
    assert world.tick(5.0) == []

    world.receive_copy(msg, source=3)
    assert world.core.next_deadline() == 0.0
    [fetch] = world.tick()
    assert fetch.peer == "node3.test:8443"
    world.values.absent.clear()
    world.core.txs_fetched("node3.test:8443", [])
    assert relayed(world, world.tick()) == [(world.node_id(4), 3)]


def test_a_slow_neighbour_is_not_waited_for_alone(world) -> None:
    world.values.absent.add(world.value(9))
    msg = world.nominate(4, 9)
    world.receive(msg, source=2)
    world.receive_copy(msg, source=3)
    world.tick()
    [first] = world.tick(FETCH_GRACE_S)
    assert first.peer == "node2.test:8443"
    assert world.tick() == []
    assert world.core.next_deadline() == pytest.approx(world.now + FETCH_PATIENCE_S)
    [second] = world.tick(FETCH_PATIENCE_S)
    assert second.peer == "node3.test:8443"
    assert world.tick(FETCH_PATIENCE_S) == []  # nobody is left


def test_a_copy_of_nothing_that_waits_changes_nothing(world) -> None:
    msg = world.nominate(2, 1)
    world.receive(msg)
    world.tick()
    world.receive_copy(msg, source=3)
    assert world.tick() == []


def test_in_the_next_slot_everybody_may_be_asked_again(world) -> None:
    world.values.absent.add(world.value(9))
    world.receive(world.nominate(2, 9))
    world.tick()
    world.tick(FETCH_GRACE_S)
    world.core.txs_fetched("node2.test:8443", [world.value(9).content])
    world.complete(world.decide(1))
    world.receive(world.nominate(2, 9, slot=4))
    world.tick()
    assert world.of(world.tick(FETCH_GRACE_S), FetchTxs)


def test_a_newer_statement_waits_no_longer_than_the_one_it_replaces(world) -> None:
    world.values.absent.add(world.value(9))
    world.receive(world.nominate(2, 9))
    world.tick()
    world.receive(world.nominate(2, 8, 9))
    [fetch] = world.tick(FETCH_GRACE_S)
    assert fetch.peer == "node2.test:8443"


# -- statements: relay, refusals -------------------------------------------------------------------


def test_a_statement_goes_on_to_everybody_but_author_and_neighbour(make_world) -> None:
    world = make_world(threshold=2, peers=(2, 3, 4, 5))
    world.receive(world.nominate(2, 1), source=3)
    [relay] = world.of(world.tick(), Relay)
    assert relay.recipients == ["node4.test:8443", "node5.test:8443"]


def test_peers_with_a_route_of_their_own_get_it_late_and_only_while_it_matters(world) -> None:
    first, second = world.nominate(2, 1), world.nominate(2, 1, 2)
    world.receive(first)
    world.receive_copy(first, source=3)
    world.receive_copy(first, source=4)
    world.tick()
    world.receive(second)
    assert not world.of(world.tick(), Relay)
    assert world.core.next_deadline() <= world.now + LATE_RELAY_S
    [relay] = world.of(world.tick(LATE_RELAY_S), Relay)
    assert relay.msg == second
    assert set(relay.recipients) == {"node3.test:8443", "node4.test:8443"}


def test_what_agreement_refuses_is_reported(world) -> None:
    world.values.invalid.add(world.value(1))
    world.receive(world.nominate(2, 1))
    [report] = world.of(world.tick(), Report)
    assert report.author == "node2.test:8443"
    assert "is not valid" in report.reason
    assert not report.is_other_chain


def test_values_that_do_not_combine_are_reported(make_world) -> None:
    world = make_world(threshold=0, peers=())
    world.values.can_combine = False
    world.core.propose([world.value(1)], None)
    actions = world.tick()
    assert any("do not go together" in report.reason for report in world.of(actions, Report))
    assert not world.of(actions, CompleteSlot)


# -- what is said ----------------------------------------------------------------------------------


def test_a_decided_block_is_stored_before_anybody_hears_of_it(world) -> None:
    actions = world.decide(1, 2)
    kinds = [type(action) for action in actions]
    assert kinds.index(CompleteSlot) < kinds.index(Broadcast)
    [broadcast] = world.of(actions, Broadcast)
    assert isinstance(broadcast.scp_msg.topic, Externalize)
    assert broadcast.scp_msg.slot_index == 3
    assert broadcast.prev_block_id == world.ledger.ids[2]


def test_several_statements_of_a_tick_are_one_broadcast(world) -> None:
    world.core.propose([world.value(1)], 1000.0)
    for author in (2, 3, 4):
        world.receive(world.nominate(author, 1))
    actions = world.tick(5.0)
    assert len(world.of(actions, Broadcast)) == 1
    assert actions[-1] is world.of(actions, Broadcast)[0]


def test_statements_about_two_slots_are_two_broadcasts(world) -> None:
    """The decided slot's range grows while the next one is being nominated."""
    for author in (2, 3):
        world.receive(commit(world, author, 3))
    world.complete(world.tick())
    world.tick()
    for author in (2, 3):
        world.receive(commit(world, author, 5))
        accepted = NominatePayload((), (world.value(2),))
        world.receive(world.msg(author, Nominate(accepted), slot=4))
    broadcasts = world.of(world.tick(), Broadcast)
    assert [each.scp_msg.slot_index for each in broadcasts] == [3, 4]
    assert [each.prev_block_id for each in broadcasts] == world.ledger.ids[2:4]


def commit(world, author: int, high_counter: int):
    ballot = Ballot(5, (world.value(1),))
    return world.msg(author, Commit(ballot, high_counter, 1, high_counter))


def test_nothing_is_done_while_a_block_is_being_formed(world) -> None:
    actions = world.decide(1)
    world.core.propose([world.value(2)], None)
    world.receive(world.nominate(4, 2, slot=4))
    assert world.tick(5.0) == []
    assert world.core.next_deadline() is None
    world.complete(actions)
    assert world.tick() != []


def test_a_node_alone_decides_at_once(make_world) -> None:
    world = make_world(threshold=0, peers=())
    world.core.propose([world.value(1), world.value(2)], 999.0)
    actions = world.tick()
    assert [type(action) for action in actions] == [CompleteSlot, Broadcast]
    assert list(actions[0].values) == [world.value(1), world.value(2)]
    assert world.core.waiting_since(actions[0].values) == [999.0, 999.0]


# -- proposals -------------------------------------------------------------------------------------


def test_the_oldest_values_are_nominated_up_to_a_limit(world) -> None:
    numbers = range(1, PENDING_VALUES_TO_NOMINATE_MAX + 11)
    world.core.propose(map(world.value, numbers), None)
    world.receive(world.nominate(2, 1000))  # somebody leads the nomination
    world.receive(world.nominate(3, 1000))
    world.tick(0.0)
    proposed = world.node.slot_state(3).proposed + world.node.slot_state(3).voted
    assert set(map(world.value, numbers[:PENDING_VALUES_TO_NOMINATE_MAX])) <= set(proposed)
    assert world.value(PENDING_VALUES_TO_NOMINATE_MAX + 1) not in proposed
    assert world.core.pending_count() == len(numbers)


def test_invalid_and_known_values_do_not_wait(world) -> None:
    world.values.invalid.add(world.value(2))
    world.core.propose([world.value(1), world.value(2), world.value(1)], None)
    assert world.core.pending_count() == 1
    world.tick()
    world.core.propose([world.value(1)], None)
    assert world.core.next_deadline() != 0.0


def test_too_many_values_are_refused(world) -> None:
    world.core.propose(map(world.value, range(PENDING_VALUES_MAX)), None)
    with pytest.raises(PendingValuesFull):
        world.core.propose([world.value(PENDING_VALUES_MAX)], None)


def test_after_a_block_the_rest_is_nominated_and_what_is_invalid_now_is_forgotten(world) -> None:
    world.core.propose([world.value(1), world.value(2), world.value(3)], 990.0)
    actions = world.decide(1)
    assert world.core.waiting_since([world.value(1), world.value(9)]) == [990.0]
    world.values.invalid.update({world.value(1), world.value(2)})  # spent by the block
    world.complete(actions)
    assert world.core.pending_count() == 1
    assert world.values.completed == [4]
    assert world.core.next_deadline() == 0.0
    world.tick()
    state = world.node.slot_state(4)
    assert state.proposed == (world.value(3),)


def test_the_ledger_must_grow_by_exactly_one_block(world) -> None:
    world.decide(1)
    with pytest.raises(BugError, match="ledger has 3 blocks after a slot, needs 4"):
        world.core.block_appended()


# -- catching up -----------------------------------------------------------------------------------


def say_peers_are_at(world, block: int) -> None:
    """Two peers, which we can trust together, have decided `block`."""
    for author in (2, 3):
        world.receive(world.externalize(author, 1, slot=block))


def test_a_single_missing_block_is_waited_for(world) -> None:
    world.values.absent.add(world.value(1))  # so that we cannot follow
    say_peers_are_at(world, 3)
    world.tick()
    assert not world.core.is_behind()
    assert not world.of(world.tick(GRACE_PERIOD_S), SyncLedger)
    assert world.of(world.tick(0.1), SyncLedger) == [SyncLedger(SYNC_BLOCKS_MAX)]
    assert world.core.is_behind()
    assert world.core.snapshot().is_behind
    assert world.core.snapshot().highest_peer_block == 3


def test_two_missing_blocks_are_fetched_soon(world) -> None:
    say_peers_are_at(world, 4)
    world.tick()
    assert world.tick(GRACE_PERIOD_FAR_S + 0.1) == [SyncLedger(SYNC_BLOCKS_MAX)]


def test_one_peer_alone_does_not_make_us_behind(world) -> None:
    world.receive(world.externalize(2, 1, slot=9))
    world.tick()
    world.tick(60.0)
    assert not world.core.is_behind()


def behind(world) -> None:
    say_peers_are_at(world, 5)
    world.tick()
    assert world.tick(GRACE_PERIOD_FAR_S + 0.1) == [SyncLedger(SYNC_BLOCKS_MAX)]


def test_while_catching_up_nothing_else_happens(world) -> None:
    behind(world)
    world.core.propose([world.value(2)], None)
    world.receive(world.nominate(4, 2))
    assert world.tick(30.0) == []
    assert world.core.next_deadline() is None


def test_failed_attempts_are_repeated_with_growing_pauses(world) -> None:
    behind(world)
    for pause_s in (1.0, 2.0, 3.0):
        world.core.sync_finished(succeeded=False, now=world.now)
        assert world.tick() == []
        assert world.core.next_deadline() == pytest.approx(world.now + pause_s)
        assert world.tick(pause_s) == [SyncLedger(SYNC_BLOCKS_MAX)]


def test_attempts_follow_each_other_until_level(world) -> None:
    behind(world)
    world.ledger.append([world.value(1)])
    world.core.sync_finished(succeeded=True, now=world.now)
    assert world.core.next_deadline() <= world.now
    assert world.tick() == [SyncLedger(SYNC_BLOCKS_MAX)]


def test_level_again_the_node_goes_on_at_the_new_slot(world) -> None:
    world.core.propose([world.value(1), world.value(7)], None)
    behind(world)
    for _ in range(3):
        world.ledger.append([world.value(1)])
    world.values.invalid.add(world.value(1))
    world.core.sync_finished(succeeded=True, now=world.now)
    world.tick()
    assert not world.core.is_behind()
    assert world.core.snapshot().slot_index == 6
    assert world.node.slot_index == 6
    assert world.values.completed == [6]
    assert world.core.pending_count() == 1
    state = world.node.slot_state(6)
    assert state.proposed == (world.value(7),)


def test_deciding_the_missing_block_after_all_ends_the_doubt(world) -> None:
    world.values.absent.add(world.value(1))
    say_peers_are_at(world, 3)
    world.tick()
    world.values.absent.clear()
    world.complete(world.tick(GRACE_PERIOD_S - 1))
    world.tick(2.0)
    assert not world.core.is_behind()


def test_an_attempt_that_ends_when_it_does_not_matter_any_more_is_no_fault(world) -> None:
    world.core.sync_finished(succeeded=False, now=world.now)
    assert not world.core.is_behind()


# -- figures ---------------------------------------------------------------------------------------


def test_slot_states_are_those_of_the_current_and_the_previous_slot(world) -> None:
    assert [state.slot_index for state in world.core.slot_states()] == [3]
    world.complete(world.decide(1))
    assert [state.slot_index for state in world.core.slot_states()] == [3, 4]


# -- no busy loop ----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
def test_deadlines_always_lie_ahead_of_a_finished_tick(make_world, seed: int) -> None:
    """Whatever comes in, a few ticks at one moment do all the work that there is."""
    print(f"seed {seed}")
    rng = random.Random(seed)
    world = make_world()
    for _ in range(150):
        world.now += rng.choice((0.0, 0.001, 0.05, 0.4, 1.2))
        disturb(world, rng)
        for _ in range(10):
            deadline = world.core.next_deadline()
            if deadline is None or deadline > world.now:
                break
            perform(world, world.core.tick(world.now), rng)
        else:
            pytest.fail(f"deadline {deadline} at {world.now} after ten ticks")


def disturb(world, rng: random.Random) -> None:
    """Something happens."""
    slot = world.ledger.num_blocks() + rng.choice((-2, -1, 0, 0, 0, 0, 1, 3))
    numbers = [rng.randrange(20) for _ in range(rng.randrange(1, 4))]
    author, source = rng.choice((2, 3, 4, 5)), rng.choice((2, 3, 4))
    match rng.randrange(8):
        case 0:
            world.core.propose(map(world.value, numbers), None)
        case 1:
            world.receive(world.externalize(author, *set(numbers), slot=max(0, slot)), source)
        case 2 | 3:
            msg = world.nominate(author, *set(numbers), slot=max(0, slot))
            world.receive(msg, source)
            world.receive_copy(msg, rng.choice((2, 3, 4)))
        case 4:
            world.values.absent = {world.value(rng.randrange(20)) for _ in range(6)}
        case 5:
            world.core.txs_fetched(f"node{source}.test:8443", [world.value(numbers[0]).content])
        case 6:
            world.values.invalid = {world.value(rng.randrange(20)) for _ in range(2)}
        case 7:
            if world.core._is_syncing:
                caught_up = rng.random() < 0.7
                while caught_up and world.ledger.num_blocks() <= (
                    world.core.snapshot().highest_peer_block
                ):
                    world.ledger.append([])
                world.core.sync_finished(succeeded=caught_up, now=world.now)


def perform(world, actions, rng: random.Random) -> None:
    for action in actions:
        if isinstance(action, CompleteSlot):
            world.ledger.append(action.values)
            world.core.block_appended()
        elif isinstance(action, Broadcast):
            assert action.prev_block_id == world.ledger.block_id(action.scp_msg.slot_index - 1)
            assert not isinstance(action.scp_msg.topic, Nominate) or action.scp_msg.slot_index
