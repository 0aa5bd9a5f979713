"""A node across slots. [docs/protocol/scp.md#5]"""

from typing import Any

import pytest

from mcnode.errors import BugError
from mcnode.scp import (
    Ballot,
    Externalize,
    InvalidQuorumSetError,
    Msg,
    Node,
    NodeID,
    Phase,
    QuorumSet,
    Refuse,
    Send,
    SetTimer,
    Timing,
)
from mcnode.scp.types import Externalize as ExternalizeTopic
from mcnode.scp.types import Nominate, NominatePayload, Prepare, PreparePayload, Topic

A, B = (NodeID(f"n{n}:0", n.to_bytes(32)) for n in (1, 2))
SET_A, SET_B = QuorumSet(1, (B,)), QuorumSet(1, (A,))


def node(slots: int = 1, **options: Any) -> Node[str]:
    return Node(
        A, SET_A, lambda value: None, sorted, slot_index=5, externalized_slots_max=slots, **options
    )


def from_b(slot_index: int, topic: Topic[str]) -> Msg[str]:
    return Msg(B, slot_index, SET_B, topic)


def outcome(slot_index: int, value: str = "x", high: int = 1) -> Msg[str]:
    return from_b(slot_index, ExternalizeTopic(Ballot(1, (value,)), high))


def kinds(actions: list[Any]) -> list[type]:
    return [type(action) for action in actions]


def test_a_new_node() -> None:
    made = node()
    assert made.slot_index == 5
    assert made.next_deadline is None
    assert made.metrics().phase == Phase.NOMINATE_PREPARE
    assert made.slot_state(4) is made.slot_state(6) is None
    state = made.slot_state(5)
    assert state is not None
    assert state.node_id == A
    assert made.handle_timers(10**9) == []
    assert made.propose([], 0) == []


def test_a_set_that_cannot_be_satisfied_is_refused() -> None:
    with pytest.raises(InvalidQuorumSetError):
        Node(A, QuorumSet(2, (B,)), lambda value: None, sorted, slot_index=1)


def test_an_outcome_is_stored_before_it_is_told_and_the_node_goes_on() -> None:
    made = node()
    actions = made.handle([outcome(5)], 0)
    assert kinds(actions) == [Externalize, Send]
    assert actions[0] == Externalize(5, ("x",))
    assert made.slot_index == 6
    assert made.externalized_values(5) == ("x",)
    assert made.externalized_values(6) is None
    assert made.slot_state(5) is not None


def test_an_outcome_by_proposing() -> None:
    alone = Node(A, QuorumSet(0), lambda value: None, sorted, slot_index=1)
    actions = alone.propose(["b", "a"], 0)
    assert actions[0] == Externalize(1, ("a", "b"))
    assert alone.slot_index == 2


def test_an_outcome_by_timer() -> None:
    """The network's own software stays on the slot here (D7).

    B has gone on to counter 2 without A, which needs B or C: only when its timer takes it to
    counter 2 can A follow.
    """
    either = QuorumSet(1, (B, NodeID("n3:0", bytes(32))))
    for slot_index in range(100):
        made: Node[str] = Node(A, either, lambda value: None, sorted, slot_index=slot_index)
        state = made.slot_state(slot_index)
        if state is not None and state.leaders == (A,):
            break
    one = Ballot(1, ("x",))
    made.propose(["x"], 0)
    made.handle([from_b(slot_index, Nominate(NominatePayload((), ("x",))))], 0)
    made.handle([from_b(slot_index, Prepare(PreparePayload(one, one)))], 0)
    made.handle([from_b(slot_index, ExternalizeTopic(Ballot(2, ("x",)), 2))], 0)
    assert made.metrics().phase == Phase.PREPARE
    assert made.next_deadline == 2000
    actions = made.handle_timers(2001)
    assert kinds(actions) == [Externalize, Send, SetTimer]
    assert actions[0] == Externalize(slot_index, ("x",))
    assert made.slot_index == slot_index + 1


def test_messages_find_their_slot() -> None:
    made = node(slots=2)
    for slot_index in (5, 6, 7):
        made.handle([outcome(slot_index)], 0)
    assert made.slot_index == 8
    assert [made.externalized_values(s) for s in (5, 6, 7)] == [None, ("x",), ("x",)]
    assert made.handle([outcome(5, "y", 9)], 0) == []
    future = outcome(9)
    assert made.handle([future], 0) == [Refuse(future, "message is for slot 9, current is 8")]
    own = Msg(A, 8, SET_A, Nominate(NominatePayload(("x",))))
    assert kinds(made.handle([own], 0)) == [Refuse]


def test_a_batch_is_split_by_slot_and_decided_slots_go_first() -> None:
    one = Node(A, SET_A, lambda value: None, sorted, slot_index=5, externalized_slots_max=3)
    commit = Prepare(PreparePayload(Ballot(1, ("x",)), Ballot(1, ("x",)), None, 1, 1))
    one.handle([outcome(5, high=3)], 0)
    actions = one.handle([from_b(6, commit), outcome(5, high=4), outcome(6)], 0)
    assert [a.slot_index for a in actions if isinstance(a, Externalize)] == [6]
    sent = [a.msg.slot_index for a in actions if isinstance(a, Send)]
    assert sent == sorted(sent)


def test_fewer_retained_slots_take_effect_on_the_next() -> None:
    made = node(slots=3)
    for slot_index in (5, 6, 7):
        made.handle([outcome(slot_index)], 0)
    made.externalized_slots_max = 1
    assert made.externalized_values(5) == ("x",)
    made.handle([outcome(8)], 0)
    assert [made.externalized_values(s) for s in (6, 7, 8)] == [None, None, ("x",)]
    with pytest.raises(BugError, match="minimum 1"):
        made.externalized_slots_max = 0
    assert made.externalized_slots_max == 1


def test_a_leap_forgets() -> None:
    made = node()
    made.handle([outcome(5)], 0)
    made.handle([from_b(6, Nominate(NominatePayload(("x",))))], 0)
    assert made.reset_slot_index(20) == [SetTimer(None)]
    assert made.slot_index == 20
    assert made.externalized_values(5) is None
    assert made.next_deadline is None
    with pytest.raises(BugError, match="reset to 20, current is 20"):
        made.reset_slot_index(20)


def test_the_timer_is_told_when_it_changes() -> None:
    made = node(timing=Timing(nomination_base_ms=100, ballot_base_ms=70))
    actions = made.handle([from_b(5, Nominate(NominatePayload(("x",))))], 1000)
    assert actions[-1] == SetTimer(1070)
    assert made.next_deadline == 1070
    assert made.handle_timers(1070) == []
    assert made.handle_timers(1071)[-1] == SetTimer(1100)
    assert not any(isinstance(a, SetTimer) for a in made.handle_timers(1072))
