"""The two timers of a slot, as deadlines on the caller's clock.

Time is a `Tick`: whole milliseconds on any clock that never goes back. Nothing here reads a
clock; every event carries the tick at which it happened. A timer fires at the first tick *after*
its deadline. [docs/protocol/scp.md#6.2]
"""

import dataclasses
from typing import TypeAlias

from mcnode.scp.types import INFINITY

Tick: TypeAlias = int
"""Milliseconds on the caller's monotonic clock."""


@dataclasses.dataclass(frozen=True, slots=True)
class Timing:
    """How long the timers run.

    `restart_ballot_timer`: a ballot timer belongs to the counter it was started for and starts
    anew when the counter moves. Without it the timer runs on, as in the network's own software,
    and fires early for the new counter; either is a local choice. [docs/protocol/scp.md#7.9]
    """

    nomination_base_ms: int = 1000
    ballot_base_ms: int = 1000
    restart_ballot_timer: bool = True

    def nomination_ms(self, round_number: int) -> int:
        """Length of a nomination round; rounds count from 1."""
        return self.nomination_base_ms * round_number

    def ballot_ms(self, counter: int) -> int:
        """How long a quorum may stay on a ballot counter before the node moves on."""
        return self.ballot_base_ms * min(counter + 1, INFINITY)


class Timer:
    """A deadline that may be set."""

    __slots__ = ("deadline",)

    def __init__(self) -> None:
        self.deadline: Tick | None = None

    def start(self, now: Tick, length_ms: int) -> None:
        """Set the deadline unless it is set already."""
        if self.deadline is None:
            self.deadline = now + length_ms

    def stop(self) -> None:
        """Forget the deadline."""
        self.deadline = None

    def take(self, now: Tick) -> bool:
        """Whether the deadline has passed; if so it is forgotten."""
        if self.deadline is None or now <= self.deadline:
            return False
        self.deadline = None
        return True
