"""What a mint client refuses, and with which status its program ends.

[docs/protocol/service.md#16.2]

Where the network's own tool panics, the status is that of its panics; scripts may know it.
"""

from typing import Final

from mcnode.errors import InvalidError, McNodeError, UnavailableError

FAILED_EXIT_CODE: Final = 101


class MintClientError(InvalidError):
    """A request that cannot be carried out; nothing was sent or written."""

    exit_code: int = FAILED_EXIT_CODE


class TxCreationFailed(MintClientError):
    """The transaction that is asked for cannot be made."""

    def __init__(self, reason: object) -> None:
        super().__init__(f"failed creating tx: {reason}")


class TxFileError(MintClientError):
    """A file of a transaction cannot be read or used."""


class PrefixesDiffer(MintClientError):
    """Signatures were collected for transactions that are not the same."""

    def __init__(self) -> None:
        super().__init__("all txs must have the same prefix")


class NotSigned(MintClientError):
    """A transaction without signatures cannot be submitted."""

    def __init__(self) -> None:
        super().__init__("tx contains no signatures")


class TooManySignatures(MintClientError):
    """No node looks at a transaction with so many."""

    def __init__(self, count: int, limit: int) -> None:
        super().__init__(f"tx contains {count} signatures, limit {limit}")


class SubmissionRefused(MintClientError):
    """The node answered that the transaction breaks a rule; the status is the answer's number."""

    def __init__(self, name: str, code: int) -> None:
        super().__init__(f"the node refuses the transaction: {name} (result {code})")
        self.exit_code = code


class NodeCallFailed(UnavailableError):
    """The node could not be asked, or gave no answer: whether it took a transaction is unknown."""

    exit_code = FAILED_EXIT_CODE

    def __init__(self, cause: McNodeError) -> None:
        super().__init__(str(cause))


class CannotWrite(UnavailableError):
    """A file cannot be written."""

    exit_code = FAILED_EXIT_CODE
