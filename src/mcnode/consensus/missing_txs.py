"""Whom to ask for transactions that a statement names and our cache lacks.

They usually come by themselves: the node that took them in pushes them to everybody at the same
time as consensus begins to talk about them. So a statement waits a moment first. Then a neighbour
that handed it over is asked; one from which they could not be had is left alone for a while, and
one that takes long is not waited for alone: the next one is asked beside it. Nobody is given up for
the rest of a slot: a vote cannot be taken back, so a slot can depend on the very transaction that a
lost connection kept from us.

Pure: time comes in as an argument. [docs/protocol/service.md#11.5]
"""

import dataclasses
import math
from collections.abc import Iterable, Sequence

FETCH_GRACE_S = 0.3
"""How long transactions that a statement names may be under way to us before they are fetched: a
check takes milliseconds, a busy machine a few dozen of them."""
FETCH_PATIENCE_S = 1.0
"""How long a neighbour may take before another is asked too: one base interval of agreement."""
FETCH_AGAIN_S = 10.0
"""How long after it was asked a neighbour without them is left alone: votes for what nobody has
cost us a call per neighbour in that time."""
UNAVAILABLE_MAX = 10_000
"""Hashes remembered per neighbour as not to be had; two full blocks."""


@dataclasses.dataclass(frozen=True, slots=True)
class Ask:
    """Ask this neighbour now."""

    peer: str


@dataclasses.dataclass(frozen=True, slots=True)
class LookAgain:
    """Nothing to do before `at`; None: only something new can help."""

    at: float | None


@dataclasses.dataclass(frozen=True, slots=True)
class _Fetch:
    asked_at: float
    slot_index: int


class MissingTxs:
    """Fetches under way, and what could not be had from whom."""

    def __init__(self) -> None:
        self._slot_index = 0
        self._under_way: dict[str, _Fetch] = {}
        self._unavailable: dict[str, dict[bytes, float]] = {}

    def enter_slot(self, slot_index: int) -> None:
        """Everybody may be asked again."""
        self._slot_index = slot_index
        self._unavailable.clear()

    def plan(
        self, sources: Sequence[str], missing: Iterable[bytes], waiting_since: float, now: float
    ) -> Ask | LookAgain:
        """What to do about a statement that `sources` handed over; an `Ask` counts as done."""
        if now < waiting_since + FETCH_GRACE_S:
            return LookAgain(waiting_since + FETCH_GRACE_S)
        missing = list(missing)
        again_at: float | None = None
        for peer in sources:
            left_alone_until = self._left_alone_until(peer, missing)
            if now < left_alone_until:
                again_at = min(left_alone_until, again_at or left_alone_until)
                continue
            fetch = self._under_way.get(peer)
            if fetch is None:
                self._under_way[peer] = _Fetch(now, self._slot_index)
                return Ask(peer)
            if now < fetch.asked_at + FETCH_PATIENCE_S:
                return LookAgain(fetch.asked_at + FETCH_PATIENCE_S)
        return LookAgain(again_at)

    def _left_alone_until(self, peer: str, missing: Iterable[bytes]) -> float:
        unavailable = self._unavailable.get(peer, {})
        asked_at = (unavailable[tx_hash] for tx_hash in missing if tx_hash in unavailable)
        return max(asked_at, default=-math.inf) + FETCH_AGAIN_S

    def fetched(self, peer: str, not_in_cache: Iterable[bytes]) -> None:
        """A fetch from `peer` ended, well or not, and `not_in_cache` did not come of it.

        What it lacked in an earlier slot says nothing about this one.
        """
        fetch = self._under_way.pop(peer, None)
        if fetch is None or fetch.slot_index != self._slot_index:
            return
        latest = dict.fromkeys(not_in_cache, fetch.asked_at)
        known = self._unavailable.setdefault(peer, {})
        known.update(latest)
        if len(known) > UNAVAILABLE_MAX:
            self._unavailable[peer] = latest
