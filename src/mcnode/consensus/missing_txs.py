"""Whom to ask for transactions that a statement names and our cache lacks.

They usually come by themselves: the node that took them in pushes them to everybody at the same
time as consensus begins to talk about them. So a statement waits a moment first. Then a neighbour
that handed it over is asked; one that has said in this slot that it lacks one of them is not asked
again, and one that takes long is not waited for alone: the next one is asked beside it.

Pure: time comes in as an argument. [docs/protocol/service.md#11.5]
"""

import dataclasses
from collections.abc import Iterable, Sequence

FETCH_GRACE_S = 0.3
"""How long transactions that a statement names may be under way to us before they are fetched: a
check takes milliseconds, a busy machine a few dozen of them."""
FETCH_PATIENCE_S = 1.0
"""How long a neighbour may take before another is asked too: one base interval of agreement."""
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
    """Fetches under way, and what neighbours have said not to have."""

    def __init__(self) -> None:
        self._slot_index = 0
        self._under_way: dict[str, _Fetch] = {}
        self._unavailable: dict[str, set[bytes]] = {}

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
        for peer in sources:
            if not self._unavailable.get(peer, set()).isdisjoint(missing):
                continue
            fetch = self._under_way.get(peer)
            if fetch is None:
                self._under_way[peer] = _Fetch(now, self._slot_index)
                return Ask(peer)
            if now < fetch.asked_at + FETCH_PATIENCE_S:
                return LookAgain(fetch.asked_at + FETCH_PATIENCE_S)
        return LookAgain(None)

    def fetched(self, peer: str, not_in_cache: Iterable[bytes]) -> None:
        """A fetch from `peer` ended; it does not have `not_in_cache`.

        What it lacked in an earlier slot says nothing about this one.
        """
        fetch = self._under_way.pop(peer, None)
        if fetch is None or fetch.slot_index != self._slot_index:
            return
        known = self._unavailable.setdefault(peer, set())
        known.update(not_in_cache)
        if len(known) > UNAVAILABLE_MAX:
            self._unavailable[peer] = set(not_in_cache)
