"""Chance by seed: the same draws on every machine and every version of Python.

Only `random.Random.random` is promised to stay as it is between versions, so everything is made of
that. Each concern draws from a stream of its own, named by text: what one concern draws more or
less does not move what another gets.
"""

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Draws:
    """One stream. `name` tells it from others of the same seed."""

    __slots__ = ("_random",)

    def __init__(self, seed: int, name: str) -> None:
        self._random = random.Random(f"{seed}/{name}").random  # noqa: S311 - not for secrets

    def chance(self, probability: float) -> bool:
        """True with this probability; draws nothing when it is 0."""
        return probability > 0 and self._random() < probability

    def below(self, count: int) -> int:
        """A whole number from 0 to `count` - 1."""
        return int(self._random() * count)

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low if low >= high else low + int(self._random() * (high - low + 1))

    def pick(self, items: Sequence[T]) -> T:
        """One of `items`."""
        return items[int(self._random() * len(items))]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """All of `items` in any order."""
        left = list(items)
        return [left.pop(self.below(len(left))) for _ in range(len(left))]

    def some(self, items: Sequence[T], count: int) -> list[T]:
        """`count` of `items`, in their own order."""
        chosen = set(self.shuffled(range(len(items)))[:count])
        return [item for position, item in enumerate(items) if position in chosen]
