"""How long a search may go on, and whom it tells. The clock stays with the caller."""

import dataclasses
from collections.abc import Callable

from mcnode.quorum.errors import SearchStopped


def _never() -> bool:
    return False


def _silent(text: str, count: int) -> None:
    del text, count


@dataclasses.dataclass(frozen=True, slots=True)
class Bounds:
    """Asked between steps of a search.

    `must_stop` ends it (the answer so far is given where part of an answer makes sense); `report`
    gets what is being searched and how much was found.
    """

    must_stop: Callable[[], bool] = _never
    report: Callable[[str, int], None] = _silent

    def check(self, searched: str) -> None:
        """Raise `SearchStopped` when the search has to end."""
        if self.must_stop():
            raise SearchStopped(f"{searched}: the time allowed is over before there is an answer")


UNBOUNDED = Bounds()

MakeBounds = Callable[[], Bounds]
"""Bounds anew for each of several searches, so that one cannot use up the time of the others."""


def unbounded() -> Bounds:
    """No bounds, for each search."""
    return UNBOUNDED
