"""How often and how long to wait before asking again. [docs/protocol/service.md#15]

Delays are plain iterators; clock, sleep and randomness come from the caller, so that a test or a
simulation decides them.
"""

import asyncio
import dataclasses
import itertools
from collections.abc import Awaitable, Callable, Iterator
from typing import Final, Protocol, TypeVar

T = TypeVar("T")

RandomFraction = Callable[[], float]
"""Gives a number in [0, 1)."""


class RetryPolicy(Protocol):
    """Delays between attempts, in seconds; when they run out, the last error stands."""

    def delays_s(self) -> Iterator[float]:
        """A fresh series."""


@dataclasses.dataclass(frozen=True, slots=True)
class NoRetry:
    """One attempt."""

    def delays_s(self) -> Iterator[float]:
        """None."""
        return iter(())


@dataclasses.dataclass(frozen=True, slots=True)
class Fibonacci:
    """`base`, `base`, 2 `base`, 3 `base`, …: `retry_count` delays, none above `max_delay_s`."""

    base_s: float
    retry_count: int
    max_delay_s: float = 60.0

    def delays_s(self) -> Iterator[float]:
        """A fresh series."""
        current, following = self.base_s, self.base_s
        for _ in range(self.retry_count):
            yield min(current, self.max_delay_s)
            current, following = following, min(current + following, self.max_delay_s)


@dataclasses.dataclass(frozen=True, slots=True)
class Fixed:
    """The same delay `retry_count` times."""

    delay_s: float
    retry_count: int

    def delays_s(self) -> Iterator[float]:
        """A fresh series."""
        return itertools.repeat(self.delay_s, self.retry_count)


@dataclasses.dataclass(frozen=True, slots=True)
class Jittered:
    """Each delay of another policy, times a random number in [0, 1)."""

    policy: RetryPolicy
    random_fraction: RandomFraction

    def delays_s(self) -> Iterator[float]:
        """A fresh series."""
        return (delay * self.random_fraction() for delay in self.policy.delays_s())


PEER_BROADCAST: Final = Fibonacci(base_s=0.1, retry_count=9)
"""Ten attempts within nine seconds. The network's software makes three, a second apart: then nodes
that start together lose a second to every peer that came up a moment later. [#12.5]"""
FETCH_MISSING_TXS: Final = Fibonacci(base_s=0.1, retry_count=10)
"""Eleven attempts. [#11.2]"""
FETCH_BLOCKS: Final = Fibonacci(base_s=0.01, retry_count=5)
"""For the headers of a catch-up. [#11.7]"""
WALLET_HANDSHAKE: Final = Fibonacci(base_s=0.05, retry_count=10)
GRPC_RETRY: Final = Fixed(delay_s=0.02, retry_count=3)
"""The defaults of the tools' `--grpc-retry-count` and `--grpc-retry-millis`."""


async def retry(
    attempt: Callable[[], Awaitable[T]],
    policy: RetryPolicy,
    *,
    may_retry: Callable[[Exception], bool],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> T:
    """Await `attempt()` until it succeeds, fails for good, or the policy's delays run out.

    An exception for which `may_retry` is false, and the last one, are raised as they are. A
    deadline over all attempts is the caller's `asyncio.timeout`.
    """
    for delay in policy.delays_s():
        try:
            return await attempt()
        except Exception as error:  # the caller's predicate says which ones are meant
            if not may_retry(error):
                raise
        await sleep(delay)
    return await attempt()
