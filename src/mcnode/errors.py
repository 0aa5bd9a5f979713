"""The three families of errors. Each concrete error belongs to exactly one of them.

* `InvalidError`: somebody gave bad data. Typed, carries the value and the limit; mapped to a wire
  status in exactly one table.
* `UnavailableError`: may work later; says what to retry.
* `BugError`: an invariant of ours broke; crash loudly.
"""


class McNodeError(Exception):
    """Root of every error that mcnode raises on purpose."""


class InvalidError(McNodeError):
    """Bad data or bad configuration; trying again with the same input gives the same answer."""


class UnavailableError(McNodeError):
    """A peer, file or process is not there now; the same call may succeed later."""


class BugError(McNodeError):
    """An invariant of this program does not hold."""
