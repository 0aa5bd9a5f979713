import pytest

from mcnode.scp import (
    Ballot,
    Msg,
    Phase,
    QuorumSet,
    SlotState,
)
from mcnode.scp.types import (
    Commit,
    Nominate,
    NominatePayload,
    NominatePrepare,
    Prepare,
    PreparePayload,
)
from mcnode.slots.diagnosis import NEVER, Predicate, Rung, diagnose, is_under_way, rung_of


@pytest.fixture
def nodes(make_node_id):
    """node1 is the local one."""
    return [make_node_id(number) for number in range(7)]


@pytest.fixture
def v(make_value):
    return make_value(1)


@pytest.fixture
def flat(nodes):
    """3 of the four others."""
    return QuorumSet(3, tuple(nodes[2:6]))


def others(nodes, sender, threshold=3):
    return QuorumSet(threshold, tuple(n for n in nodes[1:6] if n != sender))


def says(nodes, number, topic, quorum_set=None):
    sender = nodes[number]
    return Msg(sender, 7, quorum_set or others(nodes, sender), topic)


def state(nodes, msgs=(), **fields):
    return SlotState(slot_index=7, node_id=nodes[1], msgs=tuple(msgs), **fields)


def only(found):
    [question] = found.questions
    return question


def test_votes_missing_for_a_nomination(nodes, v, flat):
    msgs = [
        says(nodes, 2, Nominate(NominatePayload(voted=(v,)))),
        says(nodes, 3, Nominate(NominatePayload(voted=()))),
    ]
    found = diagnose(state(nodes, msgs, voted=(v,)), flat)
    question = only(found)
    assert question.predicate is Predicate.ACCEPT_NOMINATION
    assert (question.values, question.counter) == ((v,), None)
    assert question.supporters == (nodes[2],)
    assert question.missing == (nodes[3], nodes[4], nodes[5])
    assert question.needed == 2
    assert found.silent == (nodes[4], nodes[5])
    assert (found.rung, found.missing) == (Rung.VOTED, question.missing)


def test_values_with_the_same_supporters_are_one_question(nodes, make_value, flat):
    values = tuple(map(make_value, range(1, 6)))
    msgs = [says(nodes, 2, Nominate(NominatePayload(voted=values[:3])))]
    found = diagnose(state(nodes, msgs, voted=values), flat)
    assert [question.values for question in found.questions] == [values[:3], values[3:]]


def test_accepts_missing_to_confirm(nodes, v, flat):
    accepts = Nominate(NominatePayload(accepted=(v,)))
    votes = Nominate(NominatePayload(voted=(v,)))
    msgs = [says(nodes, 2, accepts), says(nodes, 3, accepts), says(nodes, 4, votes)]
    found = diagnose(state(nodes, msgs, accepted=(v,)), flat)
    question = only(found)
    assert question.predicate is Predicate.CONFIRM_NOMINATION
    assert (question.missing, question.needed) == ((nodes[4], nodes[5]), 1)
    assert found.silent == (nodes[5],)


def test_nothing_to_vote_for(nodes, v, flat):
    found = diagnose(state(nodes, proposed=(v,), leaders=(nodes[3],)), flat)
    assert found.questions == ()
    assert found.silent_leaders == found.missing == (nodes[3],)


def test_ballot_from_prepare_to_timer(nodes, v, flat):
    ballot = Ballot(2, (v,))
    lower = NominatePrepare(NominatePayload(), PreparePayload(Ballot(1, (v,))))
    same = Prepare(PreparePayload(ballot, ballot))
    msgs = [says(nodes, 2, same), says(nodes, 3, lower), says(nodes, 4, lower)]
    found = diagnose(state(nodes, msgs, ballot=ballot), flat)
    assert [q.predicate for q in found.questions] == [
        Predicate.ACCEPT_PREPARED,
        Predicate.START_TIMER,
    ]
    assert all(q.supporters == (nodes[2],) and q.needed == 2 for q in found.questions)
    running = state(nodes, msgs, ballot=ballot, prepared=ballot, ballot_deadline=9)
    question = only(diagnose(running, flat))
    assert (question.predicate, question.counter) == (Predicate.CONFIRM_PREPARED, 2)


def test_commit(nodes, v, flat):
    ballot = Ballot(2, (v,))
    votes = Prepare(PreparePayload(ballot, ballot, None, 2, 2))
    accepts = Commit(Ballot(3, (v,)), 2, 2, 2)
    msgs = [says(nodes, 2, votes), says(nodes, 3, accepts)]
    fields = {"ballot": ballot, "prepared": ballot, "high": ballot, "commit": ballot}
    prepare = state(nodes, msgs, phase=Phase.PREPARE, ballot_deadline=1, **fields)
    question = only(diagnose(prepare, flat))
    assert question.predicate is Predicate.ACCEPT_COMMIT
    assert (question.supporters, question.needed) == ((nodes[2], nodes[3]), 1)
    commit = state(nodes, msgs, phase=Phase.COMMIT, ballot_deadline=1, **fields)
    question = only(diagnose(commit, flat))
    assert question.predicate is Predicate.CONFIRM_COMMIT
    assert (question.supporters, question.needed) == ((nodes[3],), 2)
    done = state(nodes, msgs, phase=Phase.EXTERNALIZE, **fields)
    assert diagnose(done, flat).questions == ()


def test_a_peer_whose_own_set_is_short(nodes, v, flat):
    """All that this node needs agree, but one of them needs somebody who does not."""
    votes = Nominate(NominatePayload(voted=(v,)))
    picky = QuorumSet(1, (nodes[6],))
    msgs = [
        says(nodes, 2, votes, picky),
        says(nodes, 3, votes),
        says(nodes, 4, votes),
    ]
    question = only(diagnose(state(nodes, msgs, voted=(v,)), flat))
    assert question.supporters == (nodes[2], nodes[3], nodes[4])
    assert (question.missing, question.needed) == ((nodes[6],), 1)


def test_inner_sets(nodes, v):
    inner = QuorumSet(2, (nodes[4], nodes[5], nodes[6]))
    nested = QuorumSet(2, (nodes[2], inner))
    votes = Nominate(NominatePayload(voted=(v,)))
    msgs = [says(nodes, 4, votes, QuorumSet(1, (nodes[1],)))]
    question = only(diagnose(state(nodes, msgs, voted=(v,)), nested))
    assert question.missing == (nodes[2], nodes[5], nodes[6])
    assert question.needed == 2


def test_an_absent_member_helps_nobody(nodes, v):
    quorum_set = QuorumSet(2, (nodes[2], None))
    question = only(diagnose(state(nodes, voted=(v,)), quorum_set))
    assert question.needed == NEVER


def test_a_stranger_alone_makes_no_slot(nodes, v, flat):
    stranger = says(nodes, 6, Nominate(NominatePayload(voted=(v,))))
    assert not is_under_way(state(nodes), flat)
    assert not is_under_way(state(nodes, [stranger]), flat)
    assert is_under_way(state(nodes, proposed=(v,)), flat)
    member = says(nodes, 2, Nominate(NominatePayload(voted=(v,))))
    assert is_under_way(state(nodes, [member]), flat)


def test_questions_are_those_that_the_slot_cannot_answer(decided, stuck):
    """Whatever is asked would move the slot on: a slot that got on had no such question left."""
    for mesh in (decided, stuck):
        for number in set(mesh.numbers) - mesh.stopped:
            found = diagnose(mesh.nodes[number].slot_state(7), mesh.quorum_sets[number])
            if mesh is decided:
                assert (found.rung, found.questions) == (Rung.EXTERNALIZED, ())
            else:
                assert set(found.missing) == set(map(mesh_id(mesh), (4, 5)))
                assert set(found.silent) == set(map(mesh_id(mesh), (4, 5)))


def mesh_id(mesh):
    return lambda number: mesh.nodes[number].local_id


def test_rungs_rise_in_every_step(decided):
    from mcnode.slots.replay import replay

    for number in decided.numbers:
        rungs = [rung_of(step.state) for step in replay(decided.record(number))]
        assert rungs == sorted(rungs)
        assert rungs[-1] is Rung.EXTERNALIZED
