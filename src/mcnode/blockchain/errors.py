"""Errors about blocks: what is wrong with one, by the network's own names."""

from mcnode.errors import InvalidError


class InvalidBlockId(InvalidError):
    """A block's id is not the hash of its header."""

    def __init__(self, found: bytes, expected: bytes) -> None:
        super().__init__(f"block id is {found.hex()}, its header hashes to {expected.hex()}")
        self.found = found
        self.expected = expected


class ConversionError(InvalidError):
    """A message from outside is not a proper value of ours. [docs/protocol/ledger.md#2.2]

    `what` is the path of the field at fault.
    """

    network_name: str | None = None
    """The network's name of the error, where it is not the class's."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what}: {why}")
        self.what = what
        self.why = why


class ArrayCastError(ConversionError):
    """Bytes of a wrong length, or another value that does not fit its type."""


class KeyCastError(ConversionError):
    """Bytes that are not a public key."""


class ObjectMissing(ConversionError):
    """A part that must be there is absent."""


class MissingField(ConversionError):
    """A named field that must be there is absent."""

    def __init__(self, what: str, field_name: str) -> None:
        super().__init__(what, f"field {field_name} is absent")
        self.field_name = field_name


class InvalidSignature(ConversionError):
    """A signature does not verify."""


class InvalidContents(ConversionError):
    """Parts that must belong together do not."""


class ReversedRange(ConversionError):
    """A range ends before it starts."""

    network_name = "Other"
