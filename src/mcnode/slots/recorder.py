"""The node of the agreement protocol, with all that happens to its slots noted.

`RecordedJudge` stands between the node and the application, `RecordedNode` between the node and the
decision core. Both only look: what goes through is not changed, and nothing waits.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from mcnode.errors import InvalidError
from mcnode.peers.consensus_value import ConsensusValue
from mcnode.scp import (
    Action,
    CombineFailed,
    Externalize,
    Msg,
    Node,
    Refuse,
    Send,
    SlotIndex,
    Tick,
)
from mcnode.slots.agreement_node import SurroundedNode
from mcnode.slots.events import (
    Abandoned,
    Combination,
    Heard,
    Input,
    Judgement,
    Outcome,
    Proposed,
    Refusal,
    SlotEvent,
    TimersFired,
)


class SlotSink(Protocol):
    """Where events go. Must not wait."""

    def record(self, slot_index: SlotIndex, event: SlotEvent) -> None:
        """Take an event of a slot."""
        ...


class RecordedJudge:
    """Passes the node's questions on and remembers the answers of one event."""

    def __init__(
        self,
        check: Callable[[ConsensusValue], None],
        combine: Callable[[Sequence[ConsensusValue]], Sequence[ConsensusValue]],
    ) -> None:
        self._check = check
        self._combine = combine
        self._refused: dict[ConsensusValue, str] = {}
        self._combined: list[Combination] = []

    def check(self, value: ConsensusValue) -> None:
        """Whether a value is valid; raises `InvalidError` as the application does."""
        try:
            self._check(value)
        except InvalidError as error:
            self._refused[value] = str(error)
            raise

    def combine(self, values: Sequence[ConsensusValue]) -> Sequence[ConsensusValue]:
        """The list of confirmed values; raises `InvalidError` as the application does."""
        try:
            combined = self._combine(values)
        except InvalidError as error:
            self._combined.append(Combination(None, str(error)))
            raise
        self._combined.append(Combination(tuple(combined)))
        return combined

    def take(self) -> Judgement:
        """The answers since the last call."""
        if not self._refused and not self._combined:
            return _NOTHING_ASKED
        refused = tuple(Refusal(value, reason) for value, reason in self._refused.items())
        judgement = Judgement(refused, tuple(self._combined))
        self._refused, self._combined = {}, []
        return judgement


_NOTHING_ASKED = Judgement()


class RecordedNode(SurroundedNode[Node[ConsensusValue]]):
    """A node whose `validate` and `combine` are those of `judge`; its slots go to `sink`."""

    def __init__(self, node: Node[ConsensusValue], judge: RecordedJudge, sink: SlotSink) -> None:
        super().__init__(node)
        self._judge = judge
        self._sink = sink
        self._latest: Tick = 0

    def propose(
        self, values: Iterable[ConsensusValue], now: Tick
    ) -> Sequence[Action[ConsensusValue]]:
        """See `Node`."""
        values = tuple(values)
        slot_index = self._node.slot_index
        actions = self._node.propose(values, now)
        self._record({slot_index: Proposed(values)}, actions, now)
        return actions

    def handle(
        self, msgs: Iterable[Msg[ConsensusValue]], now: Tick
    ) -> Sequence[Action[ConsensusValue]]:
        """See `Node`. Statements of slots that it does not hold are in no record."""
        batch = tuple(msgs)
        heard: dict[SlotIndex, list[Msg[ConsensusValue]]] = {}
        for msg in batch:
            its_slot = msg.slot_index
            is_retained = self._node.externalized_values(its_slot) is not None
            if its_slot == self._node.slot_index or is_retained:
                heard.setdefault(its_slot, []).append(msg)
        actions = self._node.handle(batch, now)
        inputs = {slot_index: Heard(tuple(heard[slot_index])) for slot_index in sorted(heard)}
        self._record(inputs, actions, now)
        return actions

    def handle_timers(self, now: Tick) -> Sequence[Action[ConsensusValue]]:
        """See `Node`; recorded when a deadline has passed."""
        slot_index, deadline = self._node.slot_index, self._node.next_deadline
        actions = self._node.handle_timers(now)
        if deadline is not None and now > deadline:
            self._record({slot_index: TimersFired()}, actions, now)
        return actions

    def reset_slot_index(self, slot_index: SlotIndex) -> Sequence[Action[ConsensusValue]]:
        """See `Node`."""
        self._sink.record(self._node.slot_index, SlotEvent(self._latest, Abandoned()))
        return self._node.reset_slot_index(slot_index)

    def _record(
        self,
        inputs: Mapping[SlotIndex, Input],
        actions: Sequence[Action[ConsensusValue]],
        now: Tick,
    ) -> None:
        self._latest = now
        judgement = self._judge.take()
        for slot_index, its_input in inputs.items():
            outcome = outcome_of(actions, slot_index)
            self._sink.record(slot_index, SlotEvent(now, its_input, judgement, outcome))


def outcome_of(actions: Iterable[Action[ConsensusValue]], slot_index: SlotIndex) -> Outcome:
    """The part of a node's actions that concerns one slot."""
    outcome = _NOTHING_DONE
    for action in actions:
        match action:
            case Send(msg) if msg.slot_index == slot_index:
                outcome = dataclasses.replace(outcome, sent=msg)
            case Externalize(its_slot, values) if its_slot == slot_index:
                outcome = dataclasses.replace(outcome, externalized=values)
            case Refuse(msg, reason) if msg.slot_index == slot_index:
                outcome = dataclasses.replace(outcome, refused=(*outcome.refused, reason))
            case CombineFailed(its_slot, reason) if its_slot == slot_index:
                outcome = dataclasses.replace(outcome, refused=(*outcome.refused, reason))
    return outcome


_NOTHING_DONE = Outcome()
