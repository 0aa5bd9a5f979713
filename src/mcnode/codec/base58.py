"""Printable codes: base58 of a checksum and a payload. [docs/protocol/crypto.md#20]

The text is base58, Bitcoin's alphabet, of the CRC-32 of the payload (4 bytes, little-endian) and
the payload.
"""

import zlib
from typing import Final

import base58

from mcnode.errors import InvalidError

CHECKSUM_BYTES: Final = 4
TEXT_CHARS_MAX: Final = 8192
"""Decoding takes time with the square of the length; an address has under 255 characters, a
payment request with a long memo a few thousand."""


class PrintableError(InvalidError):
    """A printable code cannot be read."""


class B58(PrintableError):
    """The text is not base58."""


class InsufficientBytes(PrintableError):
    """Nothing is left beside the checksum."""

    def __init__(self, found: int) -> None:
        super().__init__(f"printable code has {found} bytes, needs at least {CHECKSUM_BYTES + 1}")
        self.found = found


class ChecksumMismatch(PrintableError):
    """The checksum is of another payload: a typing error."""


def encode_checked(payload: bytes) -> str:
    """The printable code of a payload."""
    checksum = zlib.crc32(payload).to_bytes(CHECKSUM_BYTES, "little")
    return base58.b58encode(checksum + payload).decode()


def decode_checked(text: str) -> bytes:
    """The payload of a printable code.

    Raises:
        B58: a character outside of the alphabet, or more than 8192 of them.
        InsufficientBytes: fewer than 5 bytes.
        ChecksumMismatch: the checksum is wrong.
    """
    if len(text) > TEXT_CHARS_MAX:
        raise B58(f"printable code has {len(text)} characters, limit {TEXT_CHARS_MAX}")
    if text != text.strip():  # the library would strip it
        raise B58("not base58: white space around the printable code")
    try:
        data: bytes = base58.b58decode(text.encode("ascii"))
    except ValueError as error:
        raise B58(f"not base58: {error}") from None
    if len(data) <= CHECKSUM_BYTES:
        raise InsufficientBytes(len(data))
    checksum, payload = data[:CHECKSUM_BYTES], data[CHECKSUM_BYTES:]
    expected = zlib.crc32(payload).to_bytes(CHECKSUM_BYTES, "little")
    if checksum != expected:
        raise ChecksumMismatch(f"checksum is {checksum.hex()}, needs {expected.hex()}")
    return payload
