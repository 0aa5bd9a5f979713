"""Saying again what was said about a slot that does not get on.

The agreement protocol never repeats itself, and a statement that was lost on its way stays lost:
its receiver was restarted, or the neighbour between it and the author was. When everything has been
said once, the slot then stands still until somebody proposes something new. So when nothing new was
said or heard about the open slot for a while, a node passes on again all that it holds about it,
its own statement and the newest of every author, after 5, 10, 20, … seconds. Receivers know copies
by their bytes, so that it costs little. Neighbours that handed a statement over are left out: they
have it, and would take us for another way to its author (see `mcnode.peers.relay`).

A neighbour that still speaks of a slot that was decided here a while ago has missed the decision.
It gets what is held about that slot.

Pure: time comes in as an argument. [docs/adr/0011-say-again.md]
"""

from collections.abc import Sequence

from mcnode.consensus.actions import Broadcast, Relay
from mcnode.consensus.message_queue import MessageQueue, QueuedMsg
from mcnode.scp import SlotIndex
from mcnode.scp.types import Externalize

REPEAT_AFTER_S = 5.0
"""Of silence; several times what a slot takes, timers included."""
REPEAT_PAUSE_S_MAX = 60.0
"""Pauses double up to this, so that a network without a quorum does not chatter."""
LAG_GRACE_S = 2.0
"""How long after our decision others may still be about to decide by themselves."""


class Repeats:
    """What is held about the open slot and the one before, and when to say it again."""

    def __init__(self, peers: Sequence[str]) -> None:
        self._peers = tuple(peers)
        self._held = MessageQueue()
        self._own: dict[SlotIndex, Broadcast] = {}
        self._slot_index = 0
        self._entered_at: float | None = None
        self._due_at: float | None = None
        self._pause_s = REPEAT_AFTER_S
        self._lagging: set[str] = set()
        self._helped_at: dict[str, float] = {}

    def enter_slot(self, slot_index: SlotIndex) -> None:
        """The slot before is decided; older ones are forgotten."""
        self._slot_index = slot_index
        self._held.take_up_to(slot_index - 2)
        self._own = {slot: said for slot, said in self._own.items() if slot >= slot_index - 1}
        self._entered_at = None
        self._due_at = None
        self._lagging.clear()
        self._helped_at.clear()

    def heard(self, queued: QueuedMsg, now: float) -> None:
        """Hold a statement that was passed on."""
        self._held.push(queued)
        self._moved(queued.msg.scp_msg.slot_index, now)
        self.repeated(*queued.key, queued.received_from, now)

    def said(self, broadcast: Broadcast, now: float) -> None:
        """Hold a statement of ours."""
        self._own[broadcast.scp_msg.slot_index] = broadcast
        self._moved(broadcast.scp_msg.slot_index, now)

    def repeated(self, slot_index: SlotIndex, author: bytes, neighbour: str, now: float) -> None:
        """A statement that is held came again; see whether the neighbour has missed a decision."""
        self._held.add_source(slot_index, author, neighbour)
        if slot_index != self._slot_index - 1 or self._entered_at is None:
            return
        held = self._held.get(slot_index, author)
        if held is None or isinstance(held.msg.scp_msg.topic, Externalize):
            return
        is_its_own = held.msg.scp_msg.sender_id.responder_id == neighbour
        if is_its_own and now >= self._entered_at + LAG_GRACE_S:
            self._lagging.add(neighbour)

    def next_due(self) -> float | None:
        """When `due` will next have something, unless more is said or heard."""
        return self._due_at

    def due(self, now: float) -> list[Broadcast | Relay]:
        """What is to be said again now."""
        if self._entered_at is None:
            self._entered_at = now
        actions = self._help_laggards(now)
        if self._due_at is not None and now >= self._due_at:
            self._pause_s = min(2 * self._pause_s, REPEAT_PAUSE_S_MAX)
            self._due_at = now + self._pause_s
            actions += self._all_of(self._slot_index, self._peers)
        return actions

    def _moved(self, slot_index: SlotIndex, now: float) -> None:
        if slot_index == self._slot_index:
            self._pause_s = REPEAT_AFTER_S
            self._due_at = now + self._pause_s

    def _help_laggards(self, now: float) -> list[Broadcast | Relay]:
        """Each at most once per `REPEAT_AFTER_S`."""
        actions: list[Broadcast | Relay] = []
        for neighbour in sorted(self._lagging):
            if now >= self._helped_at.get(neighbour, now - REPEAT_AFTER_S) + REPEAT_AFTER_S:
                self._helped_at[neighbour] = now
                actions += self._all_of(self._slot_index - 1, (neighbour,))
        self._lagging.clear()
        return actions

    def _all_of(self, slot_index: SlotIndex, peers: Sequence[str]) -> list[Broadcast | Relay]:
        actions: list[Broadcast | Relay] = []
        if slot_index in self._own:
            actions.append(self._own[slot_index])
        for queued in self._held.of_slot(slot_index):
            have_it = {queued.msg.scp_msg.sender_id.responder_id, *queued.sources}
            recipients = [peer for peer in peers if peer not in have_it]
            if recipients:
                actions.append(Relay(queued.msg, recipients))
        return actions
