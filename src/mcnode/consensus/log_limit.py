"""Warnings that strangers can cause do not fill the disk. [docs/protocol/service.md#2.5]

A stranger can make a node warn as often as it likes: every handshake that fails is a line. Each
kind of warning (logger and event; both are constants of our code, so that their number is bounded)
may be said so often within a window; the first one after a window tells how many were left out.
"""

import dataclasses
from collections.abc import Callable
from typing import Any, Final

import structlog

WARNINGS_MAX: Final = 50
"""Of one kind within a window; all peers of a large network may fail at once."""
WINDOW_S: Final = 10.0
_LIMITED_LEVELS: Final = frozenset({"warning", "error"})


@dataclasses.dataclass(slots=True)
class _Window:
    started_s: float
    said: int = 0
    left_out: int = 0


class WarningLimit:
    """A structlog processor. It stands after those that add level and logger name."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` gives seconds that never go back."""
        self._clock = clock
        self._windows: dict[tuple[str, str], _Window] = {}

    def __call__(self, _logger: Any, _name: str, event: Any) -> Any:
        """Let the event pass, or raise `structlog.DropEvent`."""
        if event.get("level") not in _LIMITED_LEVELS:
            return event
        now_s = self._clock()
        kind = (str(event.get("logger")), str(event.get("event")))
        window = self._windows.setdefault(kind, _Window(now_s))
        if now_s - window.started_s >= WINDOW_S:
            if window.left_out:
                event["left_out"] = window.left_out
            window.started_s, window.said, window.left_out = now_s, 0, 0
        if window.said >= WARNINGS_MAX:
            window.left_out += 1
            raise structlog.DropEvent
        window.said += 1
        return event
