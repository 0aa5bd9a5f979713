from mcnode.slots.events import Abandoned, Heard, Proposed, TimersFired


def inputs(events):
    return [type(event.input) for event in events]


def test_what_goes_in_and_out(decided, make_value):
    first, *rest = decided.sinks[1][7]
    assert first.input == Proposed(tuple(map(make_value, (1, 2, 3, 9))))
    assert [refusal.value for refusal in first.judgement.refused] == [make_value(9)]
    assert {Heard} <= set(inputs(rest)) <= {Heard, TimersFired}
    [decision] = [event for event in rest if event.outcome.externalized is not None]
    assert decision.outcome.externalized == tuple(map(make_value, (3, 2, 1)))
    sent = [event.outcome.sent for event in rest if event.outcome.sent is not None]
    assert all(msg.slot_index == 7 for msg in sent)
    [combined] = [event for event in rest if event.judgement.combined]
    assert combined.judgement.combined[0].values == tuple(map(make_value, (3, 2, 1)))


def test_timers_are_recorded_when_they_are_due(stuck):
    fired = [event for event in stuck.sinks[1][7] if isinstance(event.input, TimersFired)]
    assert len(fired) == 5  # rounds of 1, 2, 3, 4, 5 s
    node = stuck.nodes[1]
    count = len(stuck.sinks[1][7])
    node.handle_timers(stuck.now)
    assert len(stuck.sinks[1][7]) == count


def test_a_decided_slot_goes_on(decided):
    """Statements about the slot before the current one belong to that slot's record."""
    late = [event for event in decided.sinks[4][7] if event.outcome.externalized is None]
    assert late[-1].tick > next(
        event.tick for event in decided.sinks[4][7] if event.outcome.externalized is not None
    )
    assert 8 not in decided.sinks[4]


def test_statements_of_other_slots_are_in_no_record(decided):
    [msg] = decided.sinks[1][7][-1].input.msgs
    node = decided.nodes[1]
    node.reset_slot_index(20)
    node.handle([msg], decided.now)
    assert set(decided.sinks[1]) == {7, 8}
    assert inputs(decided.sinks[1][8]) == [Abandoned]


def test_it_is_the_node_in_every_other_way(decided):
    node = decided.nodes[1]
    assert (node.slot_index, node.local_id) == (8, decided.start_of(1).node_id)
    assert node.quorum_set == decided.quorum_sets[1]
    assert node.slot_state(7).slot_index == 7
    assert node.metrics().voted_count == 0
    assert node.next_deadline is None
