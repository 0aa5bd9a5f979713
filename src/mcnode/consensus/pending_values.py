"""Values that wait for a block, oldest first."""

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from typing import Generic, TypeVar

from mcnode.errors import InvalidError

V = TypeVar("V", bound=Hashable)

PENDING_VALUES_MAX = 10_000
"""Two full blocks. Clients are refused at 500 already; this bounds what peers can make grow."""


class PendingValuesFull(InvalidError):
    """No room for another waiting value; the sender should try again after the next block."""

    def __init__(self) -> None:
        super().__init__(
            f"pending values: {PENDING_VALUES_MAX} waiting, limit {PENDING_VALUES_MAX}"
        )


class PendingValues(Generic[V]):
    """Distinct valid values in order of arrival, each with the time of a local client's proposal.

    The time is None for a value that came from a peer: only our own clients' waiting is measured.
    """

    def __init__(self, is_valid: Callable[[V], bool]) -> None:
        self._is_valid = is_valid
        self._proposed_at: dict[V, float | None] = {}

    def __len__(self) -> int:
        return len(self._proposed_at)

    def __contains__(self, value: V) -> bool:
        return value in self._proposed_at

    def __iter__(self) -> Iterator[V]:
        return iter(self._proposed_at)

    def push(self, value: V, proposed_at: float | None) -> bool:
        """Add a value; False if it is waiting already or is not valid now.

        Raises:
            PendingValuesFull: there are `PENDING_VALUES_MAX` already.
        """
        if value in self._proposed_at or not self._is_valid(value):
            return False
        if len(self._proposed_at) >= PENDING_VALUES_MAX:
            raise PendingValuesFull
        self._proposed_at[value] = proposed_at
        return True

    def oldest(self, count: int) -> list[V]:
        """The first `count` values."""
        return [value for value, _ in zip(self._proposed_at, range(count), strict=False)]

    def proposed_at(self, value: V) -> float | None:
        """When a local client proposed it; None if a peer did or it does not wait."""
        return self._proposed_at.get(value)

    def remove(self, values: Iterable[V]) -> None:
        """Forget values; those that do not wait are ignored."""
        for value in values:
            self._proposed_at.pop(value, None)

    def retain_valid(self) -> Collection[V]:
        """Forget what is not valid any more; returns what was forgotten."""
        invalid = [value for value in self._proposed_at if not self._is_valid(value)]
        self.remove(invalid)
        return invalid
