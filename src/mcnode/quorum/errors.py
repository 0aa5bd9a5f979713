"""Errors of the analysis."""

from mcnode.errors import InvalidError, UnavailableError


class SystemFormatError(InvalidError):
    """A document is none of the forms that are read, or is damaged at a place."""


class UnknownNode(InvalidError):
    """An edit or a mapping names a node that is not there, or more than one."""


class EditError(InvalidError):
    """A what-if edit cannot be made."""


class SuggestionError(InvalidError):
    """No quorum set can be made from these organisations."""


class SolverMissing(UnavailableError):
    """The SAT solver is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "this analysis needs the package python-sat: "
            "install it with `pip install 'mcnode[quorum]'`"
        )


class SearchTooLarge(InvalidError):
    """An exact question about a system that is larger than what is searched."""


class SearchStopped(UnavailableError):
    """A search was ended by its bound before it had an answer."""
