"""A node across slots: the current one, and a few that are decided.

    event              goes to
    values proposed    the current slot
    message            its slot, if current or retained; a later slot's is refused, an earlier
                       one's ignored
    timers             the current slot
    outcome            Externalize, a fresh slot for the next index, the decided one is retained

Retained slots still answer: peers that lag get a fresh Externalize when its range rises. The node
advances wherever the outcome shows up, timers included. [docs/protocol/scp.md#5]
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Generic

from mcnode.errors import BugError
from mcnode.scp.actions import Action, Externalize, Refuse, Send, SetTimer
from mcnode.scp.quorum_set import QuorumSet, check_quorum_set
from mcnode.scp.slot import Slot
from mcnode.scp.state import SlotMetrics, SlotState
from mcnode.scp.timers import Tick, Timing
from mcnode.scp.types import Msg, NodeID, SlotIndex, V


class Node(Generic[V]):
    """The agreement protocol of one node. Pure: events with their tick in, actions out.

    * `validate(value)` raises `InvalidError` for a value that may not be agreed on. It is called
      once per value and slot when it succeeds; the answer must hold as long as the slot is open.
    * `combine(values)` gets distinct values, ascending, and returns the list to ballot on, its
      order included; the same on every node for the same values. It raises `InvalidError` when it
      cannot.
    * Values are opaque: hashable, equal by content, totally ordered. Hashing is the hot path; a
      value should remember its hash.

    Every event returns the actions to perform, in order: what happened to messages first, then an
    outcome, then what to send, then the timer.
    """

    def __init__(
        self,
        local_id: NodeID,
        quorum_set: QuorumSet[NodeID],
        validate: Callable[[V], None],
        combine: Callable[[Sequence[V]], Sequence[V]],
        *,
        slot_index: SlotIndex,
        timing: Timing = Timing(),  # noqa: B008 - frozen
        externalized_slots_max: int = 1,
    ) -> None:
        """`slot_index` is the first slot to agree on: the number of blocks in the ledger.

        Raises:
            InvalidQuorumSetError: the quorum set breaks a rule.
        """
        check_quorum_set(quorum_set)
        self.local_id = local_id
        self.quorum_set = quorum_set
        self._validate = validate
        self._combine = combine
        self._timing = timing
        self._decided: dict[SlotIndex, Slot[V]] = {}
        self._announced: Tick | None = None
        self.externalized_slots_max = externalized_slots_max
        self._current = self._new_slot(slot_index)

    @property
    def externalized_slots_max(self) -> int:
        """How many decided slots are retained, at least 1. Lowered, it takes effect on the next."""
        return self._externalized_slots_max

    @externalized_slots_max.setter
    def externalized_slots_max(self, count: int) -> None:
        if count < 1:
            raise BugError(f"retained slots are {count}, minimum 1")
        self._externalized_slots_max = count

    # -- events ----------------------------------------------------------------------------------

    def propose(self, values: Iterable[V], now: Tick) -> list[Action[V]]:
        """Offer values of this node's own for the current slot."""
        slot = self._current
        return self._conclude([], [(slot, slot.propose(values, now))])

    def handle(self, msgs: Iterable[Msg[V]], now: Tick) -> list[Action[V]]:
        """Fold a batch of verified messages in; each slot that they concern sends at most
        once."""
        actions: list[Action[V]] = []
        batches: dict[SlotIndex, list[Msg[V]]] = {}
        for msg in msgs:
            if msg.slot_index > self.slot_index:
                reason = f"message is for slot {msg.slot_index}, current is {self.slot_index}"
                actions.append(Refuse(msg, reason))
            else:
                batches.setdefault(msg.slot_index, []).append(msg)
        emitted = []
        for slot_index in sorted(batches):
            slot = self._slot(slot_index)
            if slot is not None:
                emitted.append((slot, slot.handle(batches[slot_index], now)))
        return self._conclude(actions, emitted)

    def handle_timers(self, now: Tick) -> list[Action[V]]:
        """Do what is due at `now`; harmless when nothing is."""
        slot = self._current
        return self._conclude([], [(slot, slot.handle_timers(now))])

    def reset_slot_index(self, slot_index: SlotIndex) -> list[Action[V]]:
        """Leap to a later slot, the ledger having grown by other means. Forgets every slot.

        Raises:
            BugError: the slot index does not rise.
        """
        if slot_index <= self.slot_index:
            raise BugError(f"slot index is reset to {slot_index}, current is {self.slot_index}")
        self._current = self._new_slot(slot_index)
        self._decided.clear()
        return self._timer_action()

    # -- what it holds ---------------------------------------------------------------------------

    @property
    def slot_index(self) -> SlotIndex:
        """The slot being agreed on."""
        return self._current.slot_index

    @property
    def next_deadline(self) -> Tick | None:
        """When `handle_timers` has something to do: at any tick after this one."""
        return self._current.next_deadline()

    def externalized_values(self, slot_index: SlotIndex) -> tuple[V, ...] | None:
        """The outcome of a retained slot, None for any other."""
        slot = self._decided.get(slot_index)
        return None if slot is None else slot.externalized_values()

    def metrics(self) -> SlotMetrics:
        """Figures of the current slot, for gauges."""
        return self._current.metrics()

    def slot_state(self, slot_index: SlotIndex) -> SlotState[V] | None:
        """All that the current or a retained slot holds, None for any other."""
        slot = self._slot(slot_index)
        return None if slot is None else slot.state()

    # -- inside ----------------------------------------------------------------------------------

    def _new_slot(self, slot_index: SlotIndex) -> Slot[V]:
        return Slot(
            slot_index,
            self.local_id,
            self.quorum_set,
            validate=self._validate,
            combine=self._combine,
            timing=self._timing,
        )

    def _slot(self, slot_index: SlotIndex) -> Slot[V] | None:
        return self._current if slot_index == self.slot_index else self._decided.get(slot_index)

    def _conclude(
        self, actions: list[Action[V]], emitted: list[tuple[Slot[V], Msg[V] | None]]
    ) -> list[Action[V]]:
        """Turn what the slots did into actions; go on to the next slot on an outcome."""
        for slot, msg in emitted:
            actions.extend(slot.take_events())
            values = slot.externalized_values()
            if slot is self._current and values is not None:
                actions.append(Externalize(slot.slot_index, values))
                self._decided[slot.slot_index] = slot
                while len(self._decided) > self._externalized_slots_max:
                    del self._decided[min(self._decided)]
                self._current = self._new_slot(slot.slot_index + 1)
            if msg is not None:
                actions.append(Send(msg))
        actions.extend(self._timer_action())
        return actions

    def _timer_action(self) -> list[Action[V]]:
        if self.next_deadline == self._announced:
            return []
        self._announced = self.next_deadline
        return [SetTimer(self._announced)]
