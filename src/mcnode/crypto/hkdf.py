"""HKDF (RFC 5869) over the hashes in use here. [docs/protocol/crypto.md#2]

With Blake2b it is HMAC over the plain hash, block size 128, not the hash's own keyed mode. A
missing salt is one hash length of zeros.
"""

import enum
import hashlib
import hmac
from typing import Any, Final


class HashName(enum.Enum):
    """A hash; the value is its output length in bytes and its constructor's name."""

    SHA256 = (32, "sha256")
    SHA512 = (64, "sha512")
    BLAKE2B_256 = (32, "blake2b")
    BLAKE2B_512 = (64, "blake2b")


def _blake2b_256(data: bytes = b"") -> "hashlib.blake2b":
    return hashlib.blake2b(data, digest_size=32)


_DIGESTMODS: Final[dict[HashName, Any]] = {
    HashName.SHA256: "sha256",
    HashName.SHA512: "sha512",
    HashName.BLAKE2B_256: _blake2b_256,
    HashName.BLAKE2B_512: hashlib.blake2b,
}


def hkdf(name: HashName, *, salt: bytes = b"", ikm: bytes, info: bytes, length: int) -> bytes:
    """`length` bytes derived from `ikm`, at most 255 hash lengths."""
    size, _ = name.value
    digestmod = _DIGESTMODS[name]
    assert length <= 255 * size
    pseudo_random_key = hmac.digest(salt or bytes(size), ikm, digestmod)
    output, block = b"", b""
    for counter in range(1, -(-length // size) + 1):
        block = hmac.digest(pseudo_random_key, block + info + bytes([counter]), digestmod)
        output += block
    return output[:length]
