"""Whom to pass a peer's consensus message on to, without flooding a mesh.

A message must reach every node that listens to its author, also over neighbours when there is no
direct connection. Passing each one on to everybody is correct and wasteful: in a full mesh of n
nodes every node would receive every message n-1 times, and decoding and verifying the copies costs
more than agreeing.

So a node learns from what it receives. When peer P hands us a message of author A, P evidently has
a route to A that does not go through us. For a while (`ROUTE_LIFETIME_S`) P then gets A's messages
from us only *late*: after `LATE_RELAY_S`, and only if A has not said something newer meanwhile and
the slot is still open. A broken link thus costs a delay, never a message. Peers without a known
route get each message at once. In a full mesh the copies stop after the first slot; in a chain
nobody ever hands messages backwards, so everything is passed on at once as before.

Pure: time comes in as an argument.
"""

import dataclasses
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

M = TypeVar("M")

ROUTE_LIFETIME_S = 600.0
"""A route that showed no sign of life for this long is forgotten."""
LATE_RELAY_S = 1.0
"""One SCP base interval: later than that a missing message costs a whole timeout."""
ROUTES_MAX = 10_000
"""(peer, author) pairs remembered, as strangers can invent authors: 100 peers × 100 authors."""
WAITING_MAX = 1_000
"""Messages waiting for their late relay; beyond it the oldest, the least useful, is dropped."""


@dataclasses.dataclass(frozen=True, slots=True)
class LateRelay(Generic[M]):
    """A message that some peers get only if it is still of use at `due`."""

    due: float
    author: bytes
    slot_index: int
    message: M
    recipients: tuple[str, ...]


class RelayPlanner(Generic[M]):
    """Decides the recipients of each relayed message. Authors are public keys, peers responder ids.

    `M` is whatever stands for the message; it is handed back unchanged.
    """

    def __init__(self, peers: Iterable[str]) -> None:
        self._peers = tuple(sorted(peers))
        self._routes: OrderedDict[tuple[str, bytes], float] = OrderedDict()
        self._waiting: OrderedDict[tuple[bytes, int], LateRelay[M]] = OrderedDict()

    @property
    def peers(self) -> Sequence[str]:
        """Everybody that messages are passed on to."""
        return self._peers

    def heard(self, peer: str, author: bytes, now: float) -> None:
        """`peer` handed us a message of `author` (any copy, new or not)."""
        key = (peer, author)
        self._routes[key] = now
        self._routes.move_to_end(key)
        if len(self._routes) > ROUTES_MAX:
            self._routes.popitem(last=False)

    def plan(
        self,
        message: M,
        *,
        author: bytes,
        author_responder_id: str,
        slot_index: int,
        received_from: str,
        now: float,
    ) -> Sequence[str]:
        """Who gets a new message at once; the others are remembered for `due_relays`."""
        candidates = [p for p in self._peers if p not in (author_responder_id, received_from)]
        at_once = [p for p in candidates if not self._has_route(p, author, now)]
        late = tuple(p for p in candidates if p not in at_once)
        key = (author, slot_index)
        self._waiting.pop(key, None)
        if late:
            self._waiting[key] = LateRelay(now + LATE_RELAY_S, author, slot_index, message, late)
            if len(self._waiting) > WAITING_MAX:
                self._waiting.popitem(last=False)
        return at_once

    def slot_closed(self, slot_index: int) -> None:
        """Nothing of this slot or an earlier one needs to be passed on any more."""
        for key in [key for key in self._waiting if key[1] <= slot_index]:
            del self._waiting[key]

    def next_due(self) -> float | None:
        """When `due_relays` will next have something, if ever."""
        return min((relay.due for relay in self._waiting.values()), default=None)

    def due_relays(self, now: float) -> list[LateRelay[M]]:
        """The late relays whose time has come; each is handed out once."""
        due = [relay for relay in self._waiting.values() if relay.due <= now]
        for relay in due:
            del self._waiting[relay.author, relay.slot_index]
        return due

    def _has_route(self, peer: str, author: bytes, now: float) -> bool:
        seen = self._routes.get((peer, author))
        return seen is not None and now - seen <= ROUTE_LIFETIME_S
