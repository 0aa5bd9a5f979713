"""Why a transaction is taken or refused: every check of `validate` with what it found.

A network stops at the first broken rule. Whoever mends a transaction wants to know the next ones as
well, so here each check is made that can be made.
"""

import dataclasses
import enum
from typing import Final

from mcnode.transaction.checks import Check
from mcnode.transaction.errors import network_name
from mcnode.transaction.validation.checks import CHECKS, ValidationSubject
from mcnode.transaction.validation.errors import TransactionValidationError

VALUES_LENGTH_MAX: Final = 300
"""Characters shown of what a check looked at: a hostile transaction may list a million numbers."""


class Outcome(enum.Enum):
    """What became of a check."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not run"


@dataclasses.dataclass(frozen=True, slots=True)
class CheckResult:
    """One check of one transaction."""

    name: str
    outcome: Outcome
    values: str = ""
    """What was looked at, and the limit."""
    error: str = ""
    """The network's name of the broken rule."""
    reason: str = ""
    """Why it failed, or why it was not run."""


@dataclasses.dataclass(frozen=True, slots=True)
class Explanation:
    """All checks of a transaction in the network's order."""

    results: tuple[CheckResult, ...]

    @property
    def failed(self) -> tuple[CheckResult, ...]:
        """Those that failed: the first one is the network's answer, the others would come next."""
        return tuple(result for result in self.results if result.outcome is Outcome.FAILED)

    @property
    def not_run(self) -> tuple[CheckResult, ...]:
        """Those that could not be made."""
        return tuple(result for result in self.results if result.outcome is Outcome.NOT_RUN)

    @property
    def answer(self) -> str | None:
        """What the network would say: the first error, `ok`, or None if too little is known."""
        for result in self.results:
            if result.outcome is Outcome.FAILED:
                return result.error
            if result.outcome is Outcome.NOT_RUN:
                return None
        return "ok"


def explain(subject: ValidationSubject) -> Explanation:
    """Make every check that can be made."""
    passed: set[str] = set()
    results = []
    for check in CHECKS:
        result = _result(check, subject, passed)
        if result.outcome is Outcome.PASSED:
            passed.add(check.name)
        results.append(result)
    return Explanation(tuple(results))


def _result(
    check: Check[ValidationSubject], subject: ValidationSubject, passed: set[str]
) -> CheckResult:
    if check.knows is not None and getattr(subject, check.knows) is None:
        what = check.knows.replace("_", " ")
        return CheckResult(check.name, Outcome.NOT_RUN, reason=f"{what} not known")
    missing = [name for name in check.needs if name not in passed]
    if missing:
        return CheckResult(check.name, Outcome.NOT_RUN, reason=f'needs "{missing[0]}"')
    values = _shortened(check.values(subject))
    try:
        check.run(subject)
    except TransactionValidationError as error:
        reason = _shortened(str(error))
        return CheckResult(check.name, Outcome.FAILED, values, network_name(error), reason)
    return CheckResult(check.name, Outcome.PASSED, values)


def _shortened(text: str) -> str:
    return text if len(text) <= VALUES_LENGTH_MAX else text[: VALUES_LENGTH_MAX - 1] + "…"
