"""Encryption and authentication of an output's memo. [docs/protocol/crypto.md#19]

A payload is 66 bytes: a two-byte type and 64 bytes of data. Its meaning is the transaction room's.
"""

import hashlib
import hmac
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from mcnode.crypto.hkdf import HashName, hkdf
from mcnode.errors import InvalidError

MEMO_BYTES: Final = 66
MEMO_TYPE_BYTES: Final = 2
MEMO_MAC_BYTES: Final = 16
MEMO_MAC_DATA_BYTES: Final = 48
"""Of the 64 data bytes, those that the MAC covers; it fills the rest itself."""

_OKM_SALT: Final = b"mc-memo-okm"
_MAC_TAG: Final = b"mc-memo-mac"
_BLOCK_BYTES: Final = 16
_LOW_HALF: Final = 1 << 64


class BadLength(InvalidError):
    """A memo has another length than 66 bytes."""


def _keystream(key: bytes, counter_block: bytes, length: int) -> bytes:
    """AES-256 of a big-endian counter in the low 64 bits that never carries into the high ones."""
    high = counter_block[:8]
    low = int.from_bytes(counter_block[8:], "big")
    count = -(-length // _BLOCK_BYTES)
    blocks = b"".join(
        high + ((low + number) % _LOW_HALF).to_bytes(8, "big") for number in range(count)
    )
    # ECB over distinct counter blocks is counter mode with a counter of our own.
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305
    return encryptor.update(blocks)[:length]


def apply_memo_cipher(shared_secret: bytes, memo: bytes) -> bytes:
    """Encrypt or decrypt (the same operation) 66 bytes with an output's shared secret.

    There is no authentication: a wrong secret gives garbage.

    Raises:
        BadLength: not 66 bytes.
    """
    if len(memo) != MEMO_BYTES:
        raise BadLength(f"memo has {len(memo)} bytes, needs {MEMO_BYTES}")
    okm = hkdf(HashName.SHA512, salt=_OKM_SALT, ikm=shared_secret, info=b"", length=48)
    stream = _keystream(okm[:32], okm[32:], MEMO_BYTES)
    mixed = int.from_bytes(memo, "big") ^ int.from_bytes(stream, "big")
    return mixed.to_bytes(MEMO_BYTES, "big")


def memo_mac(shared_point: bytes, tx_out_public_key: bytes, memo_type: bytes, data: bytes) -> bytes:
    """16 bytes that bind the first 48 data bytes of an authenticated memo to its sender.

    `shared_point` is the Diffie-Hellman point, 32 bytes: sender's subaddress spend key with the
    recipient's subaddress view key.
    """
    message = _MAC_TAG + tx_out_public_key + memo_type + data[:MEMO_MAC_DATA_BYTES]
    return hmac.digest(shared_point, message, hashlib.sha512)[:MEMO_MAC_BYTES]
