"""Rules as data: one named check after the other, the first that fails decides.

The network's errors depend on the order of its checks. So each stage is a table of checks, run by
whoever judges a transaction and listed by whoever explains one.
"""

import dataclasses
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

Subject = TypeVar("Subject")


@dataclasses.dataclass(frozen=True, slots=True)
class Check(Generic[Subject]):
    """One rule about a subject."""

    name: str
    run: Callable[[Subject], None]
    """Raises the rule's error if it is broken."""
    values: Callable[[Subject], str]
    """What is looked at, and the limit, for people; only called where `needs` have passed."""
    needs: tuple[str, ...] = ()
    """Checks without which this one cannot be made at all."""
    knows: str | None = None
    """What of the surroundings it needs: the name of a member of the subject, None if unknown."""


def run_checks(checks: Iterable[Check[Subject]], subject: Subject) -> None:
    """Make checks in their order; raises the error of the first that fails."""
    for check in checks:
        check.run(subject)
