"""Errors of commitments and ring signatures, under the network's own names.

`parts` are the numbers that belong to an error's name. [docs/protocol/crypto.md#14]
"""

from mcnode.errors import InvalidError


class RingSignatureError(InvalidError):
    """A commitment or a ring signature is refused, or cannot be made."""

    def __init__(self, message: str, *parts: object) -> None:
        super().__init__(message)
        self.parts = parts


class LengthMismatch(RingSignatureError):
    """There are not two responses for each ring member."""

    def __init__(self, expected: int, found: int) -> None:
        super().__init__(f"{found} responses, needs {expected}", expected, found)


class IndexOutOfBounds(RingSignatureError):
    """The real member's index lies outside the ring."""

    def __init__(self, index: int, ring_size: int) -> None:
        super().__init__(f"real index is {index}, ring has {ring_size} members")


class EmptyRing(RingSignatureError):
    """A ring has no members. The network's own software panics here; callers check before."""

    def __init__(self) -> None:
        super().__init__("ring has 0 members, needs at least 1")


class InvalidCurvePoint(RingSignatureError):
    """32 bytes that should encode a point do not."""

    def __init__(self, what: str, encoded: bytes) -> None:
        super().__init__(f"{what} is no point: {encoded.hex()}")


class InvalidKeyImage(RingSignatureError):
    """The key image encodes no point."""

    def __init__(self, encoded: bytes) -> None:
        super().__init__(f"key image is no point: {encoded.hex()}")


class InvalidSignature(RingSignatureError):
    """The challenges of a ring signature do not close."""

    def __init__(self) -> None:
        super().__init__("ring signature was not made by a member of this ring over this message")


class ValueNotConserved(RingSignatureError):
    """Commitments that should hide equal values do not."""

    def __init__(self, what: str) -> None:
        super().__init__(f"value is not conserved: {what}")
