"""Longer things as one word of text: offers to swap, receipts.

`name:` and base64 (of the kind for URLs, without padding) of the CRC-32 of the payload (4 bytes,
little-endian) and the payload, an encoded message of the network. Addresses and gift codes have the
network's own printable form, which is too slow for thousands of bytes.
"""

import base64
import binascii
import zlib
from pathlib import Path
from typing import Final

from mcnode.errors import InvalidError
from mcnode.files import read_bytes

PAYLOAD_BYTES_MAX: Final = 1 << 18
"""An offer with a ring of 11 has some 4 KB."""
_CHECKSUM_BYTES: Final = 4


class CodeError(InvalidError):
    """A code cannot be read."""


def to_code(name: str, payload: bytes) -> str:
    """The code of a payload."""
    checksum = zlib.crc32(payload).to_bytes(_CHECKSUM_BYTES, "little")
    text = base64.urlsafe_b64encode(checksum + payload).decode().rstrip("=")
    return f"{name}:{text}"


def parse_code(name: str, text: str) -> bytes:
    """The payload of a code.

    Raises:
        CodeError: it is none, of another kind, too long or mistyped.
    """
    found, colon, body = text.strip().partition(":")
    if not colon or found != name:
        raise CodeError(f"code begins with {text[:12]!r}, needs {name + ':'!r}")
    if len(body) > 2 * PAYLOAD_BYTES_MAX:
        raise CodeError(f"code has {len(body)} characters, limit {2 * PAYLOAD_BYTES_MAX}")
    try:
        data = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise CodeError(f"code is no base64: {error}") from None
    checksum, payload = data[:_CHECKSUM_BYTES], data[_CHECKSUM_BYTES:]
    if not payload or zlib.crc32(payload).to_bytes(_CHECKSUM_BYTES, "little") != checksum:
        raise CodeError("code has a wrong checksum: it is damaged or not complete")
    return payload


def load_payload(name: str, source: str) -> bytes:
    """The payload of a code, or with `@FILE` of a file that holds the code or the bare payload.

    Raises:
        CodeError: neither is in it.
        UnfitFileError: it is too long.
        OSError: the file cannot be read.
    """
    if not source.startswith("@"):
        return parse_code(name, source)
    data = read_bytes(Path(source[1:]), 2 * PAYLOAD_BYTES_MAX)
    if data.startswith(f"{name}:".encode()):
        return parse_code(name, data.decode("ascii", "replace"))
    if not data:
        raise CodeError(f"{source[1:]} is empty")
    return data
