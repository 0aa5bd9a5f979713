"""Waiting for a condition, never for a time: look again and again until a deadline."""

import time

POLL_S = 0.02


def wait_until(condition, what, *, timeout_s=20.0):
    """The first true value of `condition()`; fails loudly, with `what`, at the deadline."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s:g} s: {what}")
        time.sleep(POLL_S)
