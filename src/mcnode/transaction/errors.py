"""The shape of this room's errors.

The network names each broken rule, nested by the stage that found it, for instance
`InvalidTransactionSignature(RingSignature(InvalidSignature))`. Here each rule is a class of that
name; what the network shows in parentheses is in `parts`.
"""

from mcnode.errors import InvalidError


class TransactionError(InvalidError):
    """A rule about transactions is broken.

    `parts` are the numbers, texts or inner errors that belong to the error's name, `name` the name
    itself where a class of that name would clash with a message.
    """

    name: str | None = None

    def __init__(self, message: str, *parts: object) -> None:
        super().__init__(message)
        self.parts = parts


def network_name(error: BaseException) -> str:
    """The name under which the network knows an error, with its parts.

    An error of another room counts by its class name and its `parts`, if it has any.
    """
    parts = getattr(error, "parts", ())
    name = getattr(error, "name", None) or type(error).__name__
    if not parts:
        return name
    shown = (network_name(part) if isinstance(part, Exception) else str(part) for part in parts)
    return f"{name}({', '.join(shown)})"
