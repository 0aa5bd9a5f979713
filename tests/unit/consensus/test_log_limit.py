"""How often a node warns of the same."""

import pytest
import structlog

from mcnode.consensus.log_limit import WARNINGS_MAX, WINDOW_S, WarningLimit


class Lines:
    def __init__(self) -> None:
        self.now_s = 100.0
        self._limit = WarningLimit(lambda: self.now_s)

    def say(self, event="handshake refused", level="warning", logger="mcnode.one"):
        """The event as it is written, or None."""
        line = {"event": event, "level": level, "logger": logger}
        try:
            return self._limit(None, level, line)
        except structlog.DropEvent:
            return None

    def count(self, attempts, **line):
        return sum(self.say(**line) is not None for _ in range(attempts))


@pytest.fixture
def lines():
    return Lines()


@pytest.mark.parametrize("level", ["warning", "error"])
def test_a_kind_of_warning_is_said_so_often(lines, level):
    assert lines.count(WARNINGS_MAX + 30, level=level) == WARNINGS_MAX
    assert lines.count(WARNINGS_MAX + 30, level=level, event="another") == WARNINGS_MAX
    assert lines.count(WARNINGS_MAX + 30, level=level, logger="another") == WARNINGS_MAX


def test_the_next_window_tells_what_was_left_out(lines):
    lines.count(WARNINGS_MAX + 30)
    lines.now_s += WINDOW_S - 0.1
    assert lines.say() is None
    lines.now_s += 0.1
    assert lines.say()["left_out"] == 31
    assert "left_out" not in lines.say()
    assert lines.count(WARNINGS_MAX) == WARNINGS_MAX - 2


@pytest.mark.parametrize("level", ["info", "debug"])
def test_what_is_no_warning_is_not_limited(lines, level):
    assert lines.count(10 * WARNINGS_MAX, level=level) == 10 * WARNINGS_MAX
