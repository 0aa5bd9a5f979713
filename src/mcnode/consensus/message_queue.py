"""Statements that cannot be handled yet: of later slots, or waiting for transactions.

Of each author and slot only the newest is kept (an author's higher statement replaces its lower
one), so what a stranger can make grow is bounded by the number of authors times the window of
slots.
"""

import dataclasses
from collections import OrderedDict

from mcnode.peers.consensus_msg import ConsensusMsg
from mcnode.scp import compare_topics

QUEUED_MAX = 1_000
"""Statements kept; beyond it the oldest goes. 100 authors times the window of slots."""
FUTURE_SLOTS_MAX = 10
"""A node further behind than this catches up from archives; later statements are of no use."""
SOURCES_MAX = 16
"""Neighbours remembered per statement: enough to find one that has its transactions."""


@dataclasses.dataclass(frozen=True, slots=True)
class QueuedMsg:
    """A verified statement and the neighbours that handed it over, the first one first."""

    msg: ConsensusMsg
    sources: tuple[str, ...]
    waiting_since: float | None = None
    """Since when it waits for transactions that it names."""

    @property
    def received_from(self) -> str:
        """The neighbour that handed it over first."""
        return self.sources[0]


class MessageQueue:
    """Bounded, the newest statement per slot and author."""

    def __init__(self) -> None:
        self._messages: OrderedDict[tuple[int, bytes], QueuedMsg] = OrderedDict()

    def __len__(self) -> int:
        return len(self._messages)

    def push(self, queued: QueuedMsg) -> None:
        """Keep a statement unless one of the same author and slot that is not lower is kept."""
        scp_msg = queued.msg.scp_msg
        key = (scp_msg.slot_index, scp_msg.sender_id.public_key)
        kept = self._messages.get(key)
        if kept is not None and compare_topics(kept.msg.scp_msg.topic, scp_msg.topic) >= 0:
            return
        if kept is not None and queued.waiting_since is None:
            queued = dataclasses.replace(queued, waiting_since=kept.waiting_since)
        self._messages[key] = queued
        if len(self._messages) > QUEUED_MAX:
            self._messages.popitem(last=False)

    def add_source(self, slot_index: int, author: bytes, neighbour: str) -> None:
        """Note that another neighbour has the waiting statement of this author and slot too."""
        key = (slot_index, author)
        kept = self._messages.get(key)
        if kept is None or neighbour in kept.sources or len(kept.sources) >= SOURCES_MAX:
            return
        self._messages[key] = dataclasses.replace(kept, sources=(*kept.sources, neighbour))

    def take_up_to(self, slot_index: int) -> list[QueuedMsg]:
        """Remove and return the statements of slots up to `slot_index`, in order of arrival.

        Statements beyond the window of future slots are dropped here too.
        """
        keys = [key for key in self._messages if key[0] <= slot_index]
        taken = [self._messages.pop(key) for key in keys]
        for key in [k for k in self._messages if k[0] > slot_index + FUTURE_SLOTS_MAX]:
            del self._messages[key]
        return taken
