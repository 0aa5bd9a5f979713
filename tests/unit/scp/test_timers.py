"""Timers as deadlines. [docs/protocol/scp.md#6.2]"""

from mcnode.scp import INFINITY, Timing
from mcnode.scp.timers import Timer


def test_a_timer_fires_once_after_its_deadline() -> None:
    timer = Timer()
    assert not timer.take(10**9)
    timer.start(5, 100)
    timer.start(50, 100)  # runs already
    assert timer.deadline == 105
    assert not timer.take(105)
    assert timer.take(106)
    assert timer.deadline is None
    assert not timer.take(10**9)
    timer.start(7, 1)
    timer.stop()
    assert not timer.take(10**9)


def test_lengths() -> None:
    timing = Timing(nomination_base_ms=10, ballot_base_ms=20)
    assert [timing.nomination_ms(r) for r in (1, 2, 5)] == [10, 20, 50]
    assert [timing.ballot_ms(c) for c in (0, 1, 4)] == [20, 40, 100]
    assert timing.ballot_ms(INFINITY) == 20 * INFINITY
    assert Timing().nomination_ms(1) == Timing().ballot_ms(0) == 1000
