"""What one bare node of a slot does on each event, worked out once per distinct state.

A node's next state depends on nothing but its own state and what it hears, so a search over whole
networks meets the same few thousand steps again and again. States and statements become small
numbers here; each step is done by the real `Slot` the first time and looked up from then on.

Two states are one where nothing that a node may still do tells them apart: a node that has left
nomination behind has no use for what was nominated, deadlines count as set or not, and which values
were judged valid says nothing where all are.
"""

import dataclasses
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar

from mcnode.scp import Ballot, Msg, Phase, SlotState, Timing, compare_topics
from mcnode.scp.invariants import check_invariants
from mcnode.scp.slot import Slot
from mcnode.simulation.topology import SimNetwork

SLOT_INDEX = 1
_DUE, _NOT_DUE = -1, 1
"""Deadlines between events, where the time is always 0."""

Value = int
T = TypeVar("T", bound=Hashable)


class Step(NamedTuple):
    """What an event leads to: a state's number, and a statement said, as its bit (0: none)."""

    state: int
    said: int


class Numbered(Generic[T]):
    """Things by number, in the order of their first appearance."""

    def __init__(self) -> None:
        self._numbers: dict[T, int] = {}
        self._things: list[T] = []

    def __len__(self) -> int:
        return len(self._things)

    def __getitem__(self, number: int) -> T:
        return self._things[number]

    def number(self, thing: T) -> int:
        """Its number, a new one for a new thing."""
        found = self._numbers.get(thing)
        if found is None:
            found = self._numbers[thing] = len(self._things)
            self._things.append(thing)
        return found


@dataclasses.dataclass(frozen=True, slots=True)
class Bounds:
    """How often timers may fire: up to this nomination round, up to this ballot counter."""

    round_max: int
    counter_max: int


class Statements:
    """All that one author says in a search, each statement by a bit."""

    def __init__(self) -> None:
        self._numbered: Numbered[Msg[Value]] = Numbered()
        self._news: dict[int, tuple[int, int]] = {}

    def __len__(self) -> int:
        return len(self._numbered)

    def bit(self, msg: Msg[Value]) -> int:
        """The statement's bit, a new one for a new statement."""
        return 1 << self._numbered.number(msg)

    def each(self, bits: int) -> Iterator[tuple[int, Msg[Value]]]:
        """The statements of a set, with their bits."""
        while bits:
            bit = bits & -bits
            bits ^= bit
            yield bit, self._numbered[bit.bit_length() - 1]

    def news_to(self, held: int) -> int:
        """The statements that a node takes which holds the one with this bit, or none (0)."""
        count = len(self._numbered)
        known_count, news = self._news.get(held, (0, 0))
        if known_count < count:
            for number in range(known_count, count):
                if not held or self._is_higher(number, held.bit_length() - 1):
                    news |= 1 << number
            self._news[held] = count, news
        return news

    def _is_higher(self, one: int, other: int) -> bool:
        return compare_topics(self._numbered[one].topic, self._numbered[other].topic) > 0


class LocalSteps:
    """One node. `statements` are those of each author, of this node itself among them."""

    def __init__(
        self,
        number: int,
        network: SimNetwork,
        statements: Sequence[Statements],
        bounds: Bounds,
    ) -> None:
        self._number = number
        self._node_ids = network.node_ids
        self._quorum_set = network.quorum_sets[number]
        self._statements = statements
        self._bounds = bounds
        self.states: Numbered[SlotState[Value]] = Numbered()
        self.held: list[tuple[int, ...]] = []
        """Per state the bit of the statement held of each author; 0: none, as of itself."""
        self._hear: list[dict[tuple[int, int], tuple[Step, ...]]] = []
        self._fire: list[tuple[Step, ...] | None] = []

    def begin(self, values: Sequence[Value]) -> Step:
        """The node proposes values in a fresh slot."""
        slot = self._slot()
        return self._step_to(slot, slot.propose(values, 0))

    def begin_ballot(self, nominated: Sequence[Value], values: Sequence[Value]) -> Step:
        """The node has confirmed all of `nominated` and just begun a ballot on `values`."""
        slot = self._slot()
        slot.restore(
            dataclasses.replace(
                slot.state(),
                accepted=tuple(nominated),
                confirmed=tuple(nominated),
                ballot=Ballot(1, tuple(values)),
            )
        )
        return self._step_to(slot, slot.reconsider(0))

    def hear(self, state: int, author: int, statements: int) -> tuple[Step, ...]:
        """Any one of an author's statements arrives, each of them news."""
        known = self._hear[state]
        steps = known.get((author, statements))
        if steps is None:
            if statements & (statements - 1):
                steps = tuple(
                    self.hear(state, author, bit)[0]
                    for bit, _ in self._statements[author].each(statements)
                )
            else:
                [(_, msg)] = self._statements[author].each(statements)
                steps = (self._do(self.states[state], lambda slot: slot.handle([msg], 0)),)
            known[author, statements] = steps
        return steps

    def fire(self, state: int) -> tuple[Step, ...]:
        """Either timer fires, if it is set and within the bounds."""
        steps = self._fire[state]
        if steps is None:
            steps = self._fire[state] = tuple(
                self._do(due, lambda slot: slot.handle_timers(0))
                for due in self._due(self.states[state])
            )
        return steps

    # -- inside -----------------------------------------------------------------------------------

    def _due(self, state: SlotState[Value]) -> list[SlotState[Value]]:
        """The state with either of its timers about to fire."""
        due = []
        rounds_left = state.nomination_round < self._bounds.round_max
        if state.nomination_deadline is not None and rounds_left:
            due.append(dataclasses.replace(state, nomination_deadline=_DUE))
        if state.ballot_deadline is not None and state.ballot.counter < self._bounds.counter_max:
            due.append(dataclasses.replace(state, ballot_deadline=_DUE))
        return due

    def _do(
        self, state: SlotState[Value], event: Callable[[Slot[Value]], Msg[Value] | None]
    ) -> Step:
        slot = self._slot()
        slot.restore(state)
        return self._step_to(slot, event(slot))

    def _step_to(self, slot: Slot[Value], said: Msg[Value] | None) -> Step:
        state = slot.state()
        check_invariants(state)
        number = self.states.number(_essence(state))
        if number == len(self.held):
            held = {msg.sender_id: msg for msg in state.msgs}
            self.held.append(
                tuple(
                    self._statements[author].bit(held[node]) if node in held else 0
                    for author, node in enumerate(self._node_ids)
                )
            )
            self._hear.append({})
            self._fire.append(None)
        return Step(number, 0 if said is None else self._statements[self._number].bit(said))

    def _slot(self) -> Slot[Value]:
        return Slot(
            SLOT_INDEX,
            self._node_ids[self._number],
            self._quorum_set,
            validate=_any_value,
            combine=sorted,
            timing=Timing(),
        )


def _any_value(_value: Value) -> None:
    """Every value may be agreed on."""


def _essence(state: SlotState[Value]) -> SlotState[Value]:
    """The state without what no later event asks for."""
    state = dataclasses.replace(
        state,
        msgs=tuple(sorted(state.msgs, key=lambda msg: msg.sender_id)),
        valid_values=(),
        nomination_deadline=None if state.nomination_deadline is None else _NOT_DUE,
        ballot_deadline=None if state.ballot_deadline is None else _NOT_DUE,
    )
    if state.phase == Phase.NOMINATE_PREPARE:
        return state
    return dataclasses.replace(
        state, proposed=(), voted=(), accepted=(), confirmed=(), leaders=(), nomination_round=1
    )
