import itertools

import pytest

from mcnode.connection.retry import (
    FETCH_MISSING_TXS,
    PEER_BROADCAST,
    Fibonacci,
    Fixed,
    Jittered,
    NoRetry,
    RetryPolicy,
    retry,
)
from mcnode.errors import InvalidError, UnavailableError


@pytest.mark.parametrize(
    ("policy", "delays"),
    [
        (NoRetry(), []),
        (Fixed(0.02, 3), [0.02] * 3),
        (PEER_BROADCAST, [0.1, 0.1, 0.2, 0.3, 0.5, 0.8, 1.3, 2.1, 3.4]),
        (Fibonacci(1.0, 8, max_delay_s=10), [1, 1, 2, 3, 5, 8, 10, 10]),
    ],
)
def test_delays(policy: RetryPolicy, delays: list[float]) -> None:
    assert list(policy.delays_s()) == pytest.approx(delays)
    assert list(policy.delays_s()) == pytest.approx(delays)


def test_fetching_transactions_is_tried_eleven_times() -> None:
    assert len(list(FETCH_MISSING_TXS.delays_s())) + 1 == 11


def test_jitter_multiplies() -> None:
    fractions = itertools.cycle([0.5, 0.0])
    policy = Jittered(Fibonacci(2.0, 3), lambda: next(fractions))
    assert list(policy.delays_s()) == [1.0, 0.0, 2.0]


class Script:
    """Fails with the given errors, one after another, then succeeds."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.slept: list[float] = []

    async def attempt(self) -> str:
        if self.errors:
            raise self.errors.pop(0)
        return "done"

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    async def run(self, policy: RetryPolicy) -> str:
        return await retry(
            self.attempt,
            policy,
            may_retry=lambda error: isinstance(error, UnavailableError),
            sleep=self.sleep,
        )


@pytest.mark.asyncio
async def test_retry_until_success() -> None:
    script = Script(UnavailableError("a"), UnavailableError("b"))
    assert await script.run(Fixed(3.0, 5)) == "done"
    assert script.slept == [3.0, 3.0]


@pytest.mark.asyncio
async def test_the_last_error_stands() -> None:
    script = Script(*[UnavailableError(str(number)) for number in range(9)])
    with pytest.raises(UnavailableError, match="2"):
        await script.run(Fixed(1.0, 2))
    assert script.slept == [1.0, 1.0]


@pytest.mark.asyncio
async def test_an_error_for_good_ends_it_at_once() -> None:
    script = Script(InvalidError("bad"))
    with pytest.raises(InvalidError):
        await script.run(Fixed(1.0, 2))
    assert script.slept == []
