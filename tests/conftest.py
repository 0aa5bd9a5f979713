"""What holds for every test."""

import signal
from collections.abc import Iterator

import pytest

from mcnode.network.processes import ENDING_SIGNALS
from support.seeds import SEED


def pytest_report_header() -> str:
    """What replays a run."""
    return f"MCNODE_TEST_SEED={SEED}"


def pytest_addoption(parser: pytest.Parser) -> None:
    """See `tests/transcripts`."""
    parser.addoption(
        "--rewrite-transcripts",
        action="store_true",
        help="write the expectations of the scenario catalogue anew, for review",
    )


@pytest.fixture(autouse=True)
def _signals_kept() -> Iterator[None]:
    """Commands change what signals do to their process, which here is that of the tests."""
    kept = {number: signal.getsignal(number) for number in ENDING_SIGNALS}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    yield
    assert signal.pthread_sigmask(signal.SIG_SETMASK, mask) == mask, "signals stay blocked"
    for number, handler in kept.items():
        signal.signal(number, handler)
