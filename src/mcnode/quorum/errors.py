"""Errors of the analysis. `exit_code` is what a command ends with: 1 and 2 are verdicts."""

from typing import ClassVar

from mcnode.errors import InvalidError, UnavailableError

EXIT_NOT_USABLE = 4


class QuorumInputError(InvalidError):
    """What was given cannot be analysed."""

    exit_code: ClassVar[int] = EXIT_NOT_USABLE


class SystemFormatError(QuorumInputError):
    """A document is none of the forms that are read, or is damaged at a place."""


class UnknownNode(QuorumInputError):
    """An edit or a mapping names a node that is not there, or more than one."""


class EditError(QuorumInputError):
    """A what-if edit cannot be made."""


class SuggestionError(QuorumInputError):
    """No quorum set can be made from these organisations."""


class SearchTooLarge(QuorumInputError):
    """An exact question about a system that is larger than what is searched."""


class SolverMissing(UnavailableError):
    """The SAT solver is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "this analysis needs the package python-sat: "
            "install it with `pip install 'mcnode[quorum]'`"
        )


class SearchStopped(UnavailableError):
    """A search was ended by its bound before it had an answer."""
