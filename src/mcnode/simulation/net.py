"""Virtual time and the wires between nodes.

One heap of events, ordered by time and then by number; whatever happens next is its first entry.
Time is whole microseconds. A wire may lose, double, delay and reorder what it carries; a partition
refuses it, as a connection that cannot be made does, and the sender may try again.
"""

import dataclasses
import heapq
from collections.abc import Callable, Sequence

from mcnode.simulation.draws import Draws
from mcnode.simulation.faults import Fault
from mcnode.simulation.trace import Trace

Event = Callable[[], None]


class Timeline:
    """The heap of events."""

    def __init__(self) -> None:
        self.now_us = 0
        self.handled = 0
        self._heap: list[tuple[int, int, Event]] = []
        self._number = 0

    def at(self, at_us: int, event: Event) -> None:
        """Let something happen at a time, not before now."""
        self._number += 1
        heapq.heappush(self._heap, (max(at_us, self.now_us), self._number, event))

    def after(self, delay_us: int, event: Event) -> None:
        """Let something happen after a while."""
        self._number += 1
        heapq.heappush(self._heap, (self.now_us + delay_us, self._number, event))

    def run_until(self, end_us: int, is_done: Callable[[], bool]) -> bool:
        """Handle events in order up to a time, or until something holds; whether it does."""
        heap = self._heap
        while not is_done():
            if not heap or heap[0][0] > end_us:
                self.now_us = end_us
                return False
            self.now_us, _, event = heapq.heappop(heap)
            self.handled += 1
            event()
        return True


@dataclasses.dataclass(slots=True)
class Weather:
    """How all wires are at the moment; rates in millionths."""

    latency_us: tuple[int, int] = (10_000, 30_000)
    loss: int = 0
    duplicate: int = 0
    reorder: int = 0


REORDER_FACTOR = 5
"""A message that is overtaken takes up to that many times as long."""


class Wires:
    """Carries things between instances of nodes, by position."""

    def __init__(self, timeline: Timeline, draws: Draws, trace: Trace) -> None:
        self._timeline = timeline
        self._draws = draws
        self._trace = trace
        self.weather = Weather()
        self._partitions: list[dict[int, int]] = []
        self._extra_us: dict[int, int] = {}

    def split(self, fault: Fault) -> None:
        """A partition begins: nodes of different groups do not hear each other."""
        self._partitions.append(_groups(fault.groups))

    def heal(self, fault: Fault) -> None:
        """That partition ends."""
        self._partitions.remove(_groups(fault.groups))

    def slow_down(self, node: int, extra_us: int) -> None:
        """All that a node sends and gets takes longer by this; 0 ends it."""
        self._extra_us[node] = extra_us

    def is_cut(self, source: int, target: int) -> bool:
        """Whether a partition lies between two nodes. A node in no group hears everybody."""
        for groups in self._partitions:
            one, other = groups.get(source), groups.get(target)
            if one is not None and other is not None and one != other:
                return True
        return False

    def latency_us(self, source: int, target: int) -> int:
        """One way, once."""
        delay = self._draws.between(*self.weather.latency_us)
        if self._extra_us:
            delay += self._extra_us.get(source, 0) + self._extra_us.get(target, 0)
        return delay

    def carry(self, source: int, target: int, event: Event) -> int | None:
        """Let `event` happen at the target when the message is there.

        Returns how long the sender believes that it took, or None when it could not be sent. A lost
        message looks to its sender like one that arrived.
        """
        if self._partitions and self.is_cut(source, target):
            return None
        delay = self.latency_us(source, target)
        weather = self.weather
        if weather.loss and self._draws.chance(weather.loss / 1e6):
            self._trace.add(f"{self._timeline.now_us} lost {source}>{target}")
            return delay
        arrival = delay
        if weather.reorder and self._draws.chance(weather.reorder / 1e6):
            arrival += self._draws.between(0, delay * REORDER_FACTOR)
        self._timeline.after(arrival, event)
        if weather.duplicate and self._draws.chance(weather.duplicate / 1e6):
            self._timeline.after(arrival + self.latency_us(source, target), event)
        return delay


def _groups(groups: Sequence[Sequence[int]]) -> dict[int, int]:
    return {node: number for number, group in enumerate(groups) for node in group}
