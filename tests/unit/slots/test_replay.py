import dataclasses
import random

import pytest

from mcnode.scp import Timing
from mcnode.slots.events import Combination, Heard, Judgement, Outcome
from mcnode.slots.format import SlotEncoder, read_record
from mcnode.slots.replay import replay


def differences(record):
    return [(step.number, step.difference) for step in replay(record) if step.difference]


def with_event(record, number, **changes):
    events = list(record.events)
    events[number - 1] = dataclasses.replace(events[number - 1], **changes)
    return dataclasses.replace(record, events=tuple(events))


def find(record, condition):
    return next(n for n, event in enumerate(record.events, 1) if condition(event))


def test_recorded_slots_replay_identically(decided, stuck):
    for mesh in (decided, stuck):
        for number in mesh.numbers:
            if number not in mesh.stopped:
                record = mesh.record(number)
                assert differences(record) == []
                *_, last = replay(record)
                assert last.state == mesh.nodes[number].slot_state(7)


def test_with_restarting_and_with_running_timers(make_mesh):
    for restarts in (True, False):
        mesh = make_mesh(5, 3, timing=Timing(300, 200, restarts), latency_ms=150)
        for number in mesh.numbers:
            mesh.propose(number, number)
        mesh.run(20_000)
        assert set(mesh.outcomes[7]) == set(mesh.numbers)
        assert all(differences(mesh.record(number)) == [] for number in mesh.numbers)


@pytest.mark.parametrize("seed", range(10))
def test_lossy_networks(make_mesh, make_value, seed):
    """Losses, reordering, timeouts and refused values: whatever happened happens again."""
    draws = random.Random(seed)
    mesh = make_mesh(5, 3, timing=Timing(400, 300, restart_ballot_timer=bool(seed % 2)))
    mesh.delay_of = lambda *_: None if draws.random() < 0.25 else draws.randrange(1, 900)
    mesh.invalid.add(make_value(seed))
    for number in mesh.numbers:
        mesh.propose(number, *draws.sample(range(30), 5))
    mesh.run(30_000)
    for number in mesh.numbers:
        record = mesh.record(number)
        assert differences(record) == []
        encoder = SlotEncoder(record.start)
        assert read_record(b"".join(map(encoder.encode, record.events))) == record


def test_another_outcome_is_found(decided, make_value):
    record = decided.record(2)
    number = find(record, lambda event: event.outcome.sent is not None)
    changed = with_event(record, number, outcome=Outcome())
    [(step, difference)] = differences(changed)
    assert step == number
    assert difference.startswith("sent: recorded nothing, now Nominate")
    number = find(record, lambda event: event.outcome.externalized is not None)
    outcome = dataclasses.replace(record.events[number - 1].outcome, externalized=(make_value(5),))
    [(step, difference)] = differences(with_event(record, number, outcome=outcome))
    assert (step, difference.split(":")[0]) == (number, "externalized")


def test_a_missing_input_is_found(decided):
    record = decided.record(3)
    number = find(record, lambda event: isinstance(event.input, Heard))
    assert differences(with_event(record, number, input=Heard(())))


def test_what_the_application_answered_counts(decided):
    records = [decided.record(number) for number in decided.numbers]
    forgotten = [
        differences(
            with_event(
                record,
                find(record, lambda event: event.judgement.refused),
                judgement=Judgement(),
            )
        )
        for record in records
    ]
    assert any(forgotten)  # at the first leader, which would vote the value
    record = records[0]
    number = find(record, lambda event: event.judgement.combined)
    found = differences(with_event(record, number, judgement=Judgement()))
    assert found[0][0] == number
    judgement = record.events[number - 1].judgement
    twice = dataclasses.replace(judgement, combined=judgement.combined * 2)
    assert differences(with_event(record, number, judgement=twice)) == [
        (number, "1 combinations are recorded that are not asked for now")
    ]


def test_a_combination_that_failed_fails_again(decided):
    record = decided.record(1)
    number = find(record, lambda event: event.judgement.combined)
    failed = Judgement(combined=(Combination(None, "a transaction is not here"),))
    [first, *_] = differences(with_event(record, number, judgement=failed))
    assert first[0] == number
    steps = list(replay(with_event(record, number, judgement=failed)))
    assert steps[number].outcome.refused == ("a transaction is not here",)


@pytest.mark.parametrize("name", ["decided", "stuck"])
def test_step_0_is_the_empty_slot(request, name):
    record = request.getfixturevalue(name).record(1)
    first = next(replay(record))
    assert (first.number, first.event, first.state.msgs) == (0, None, ())
