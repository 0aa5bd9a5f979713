"""Statements that cannot be handled yet: of later slots, or waiting for transactions.

Of each author and slot only the newest is kept (an author's higher statement replaces its lower
one), so what honest nodes make grow is bounded by the number of authors times the window of slots.
Anybody can invent authors, hence the limits on number and bytes.
"""

import dataclasses
from collections import OrderedDict

from mcnode.peers.consensus_msg import ConsensusMsg, tx_hashes_of
from mcnode.scp import NodeID, SlotIndex, compare_topics

QUEUED_MAX = 1_000
"""Statements kept; beyond it the oldest goes. 100 authors times the window of slots."""
QUEUED_BYTES_MAX = 32 << 20
"""The same as bytes on the wire: that many statements of 100 values each, and room to spare."""
FUTURE_SLOTS_MAX = 10
"""A node further behind than this catches up from archives; later statements are of no use."""
SOURCES_MAX = 16
"""Neighbours remembered per statement: enough to find one that has its transactions."""


@dataclasses.dataclass(frozen=True, slots=True)
class QueuedMsg:
    """A verified statement and the neighbours that handed it over, the first one first."""

    msg: ConsensusMsg
    tx_hashes: tuple[bytes, ...]
    """The transactions that it names, ascending."""
    sources: tuple[str, ...]
    waiting_since: float | None = None
    """Since when it waits for transactions."""

    @classmethod
    def create(cls, msg: ConsensusMsg, received_from: str) -> "QueuedMsg":
        """A statement that has just come in."""
        return cls(msg, tuple(tx_hashes_of(msg.scp_msg)), (received_from,))

    @property
    def key(self) -> tuple[int, bytes]:
        """Slot and author: what a newer statement replaces."""
        return self.msg.scp_msg.slot_index, self.msg.scp_msg.sender_id.public_key

    @property
    def received_from(self) -> str:
        """The neighbour that handed it over first."""
        return self.sources[0]


class MessageQueue:
    """Bounded, the newest statement per slot and author."""

    def __init__(self) -> None:
        self._messages: OrderedDict[tuple[int, bytes], QueuedMsg] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def size_bytes(self) -> int:
        """Bytes of all statements kept, as on the wire."""
        return self._bytes

    def push(self, queued: QueuedMsg) -> None:
        """Keep a statement unless one of the same author and slot that is not lower is kept."""
        kept = self._messages.get(queued.key)
        if kept is not None:
            if compare_topics(kept.msg.scp_msg.topic, queued.msg.scp_msg.topic) >= 0:
                return
            if queued.waiting_since is None:
                queued = dataclasses.replace(queued, waiting_since=kept.waiting_since)
            self._bytes -= len(kept.msg.payload)
        self._messages[queued.key] = queued
        self._bytes += len(queued.msg.payload)
        while len(self._messages) > QUEUED_MAX or self._bytes > QUEUED_BYTES_MAX:
            self._pop(next(iter(self._messages)))

    def authors(self, slot_index: SlotIndex) -> list[NodeID]:
        """Whose statements about a slot wait here."""
        return [
            queued.msg.scp_msg.sender_id
            for (its_slot, _), queued in self._messages.items()
            if its_slot == slot_index
        ]

    def get(self, slot_index: int, author: bytes) -> QueuedMsg | None:
        """The statement kept of an author (its public key) about a slot, if any."""
        return self._messages.get((slot_index, author))

    def of_slot(self, slot_index: int) -> list[QueuedMsg]:
        """The statements about a slot, in order of arrival; they stay."""
        return [queued for key, queued in self._messages.items() if key[0] == slot_index]

    def add_source(self, slot_index: int, author: bytes, neighbour: str) -> bool:
        """Note that another neighbour has the waiting statement of this author and slot too.

        Returns whether that is news.
        """
        key = (slot_index, author)
        kept = self._messages.get(key)
        if kept is None or neighbour in kept.sources or len(kept.sources) >= SOURCES_MAX:
            return False
        self._messages[key] = dataclasses.replace(kept, sources=(*kept.sources, neighbour))
        return True

    def take_up_to(self, slot_index: int) -> list[QueuedMsg]:
        """Remove and return the statements of slots up to `slot_index`, in order of arrival.

        Statements beyond the window of future slots are dropped here too.
        """
        taken = [self._pop(key) for key in list(self._messages) if key[0] <= slot_index]
        for key in [key for key in self._messages if key[0] > slot_index + FUTURE_SLOTS_MAX]:
            self._pop(key)
        return taken

    def _pop(self, key: tuple[int, bytes]) -> QueuedMsg:
        queued = self._messages.pop(key)
        self._bytes -= len(queued.msg.payload)
        return queued
