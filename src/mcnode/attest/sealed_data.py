"""Sealed data as the SGX SDK lays it out. [docs/protocol/enclave.md#7]

Our own blobs are `mcnode.crypto.sealed_blob`. This layout is read only to tell an operator what a
file is that another program left behind; nobody but the enclave that sealed it can open it.
"""

import dataclasses
from typing import Final, Self

from mcnode.attest.errors import AttestationError

HEADER_BYTES: Final = 560
_OFFSET_FIELD: Final = slice(512, 516)


class SealedDataError(AttestationError):
    """The bytes are not sealed data."""


class TooShort(SealedDataError):
    """Fewer bytes than the header."""

    def __init__(self, length: int) -> None:
        super().__init__(f"sealed data has {length} bytes, needs {HEADER_BYTES}")


class MacTxtOffsetOutOfBounds(SealedDataError):
    """The header says that the text in the clear begins outside of the data."""

    def __init__(self, offset: int, length: int) -> None:
        super().__init__(
            f"text of sealed data begins at {offset}, needs {HEADER_BYTES} to {length}"
        )


@dataclasses.dataclass(frozen=True, slots=True)
class SealedData:
    """The parts of sealed data."""

    header: bytes
    """560 bytes."""
    ciphertext: bytes
    mac_text: bytes
    """In the clear, only authenticated."""

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Take sealed data apart.

        Raises:
            TooShort: no whole header.
            MacTxtOffsetOutOfBounds: the text would begin outside.
        """
        if len(data) < HEADER_BYTES:
            raise TooShort(len(data))
        offset = int.from_bytes(data[_OFFSET_FIELD], "little")
        if not HEADER_BYTES <= offset <= len(data):
            raise MacTxtOffsetOutOfBounds(offset, len(data))
        return cls(data[:HEADER_BYTES], data[HEADER_BYTES:offset], data[offset:])
