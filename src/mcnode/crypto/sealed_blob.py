"""Secrets at rest, bound to the measurement of the program that sealed them.

[docs/protocol/enclave.md#7] Layout of a blob:

    "MCS1" | mode (1) | salt (16) | nonce (12) | ciphertext | tag (16)

The AES-256-GCM key is HKDF-SHA256 of the 16-byte sealing key with that salt and the purpose as
info; associated data is magic, mode, purpose and the 32-byte measurement. So a blob opens only in
the mode, for the purpose and in the program it was made for.
"""

import dataclasses
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mcnode.crypto.errors import AeadError
from mcnode.crypto.hkdf import HashName, hkdf
from mcnode.crypto.rng import RandomBytes

MAGIC: Final = b"MCS1"
SEALING_KEY_BYTES: Final = 16
MEASUREMENT_BYTES: Final = 32
SALT_BYTES: Final = 16
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
HEADER_BYTES: Final = len(MAGIC) + 1 + SALT_BYTES + NONCE_BYTES
PLAINTEXT_BYTES_MAX: Final = 1 << 16
"""Keys and small state; a bigger file is not one of ours and is not read into memory."""
BLOB_BYTES_MAX: Final = HEADER_BYTES + PLAINTEXT_BYTES_MAX + TAG_BYTES


class SealedBlobError(AeadError):
    """A sealed blob is malformed or was sealed by another program, mode or machine."""


@dataclasses.dataclass(frozen=True, slots=True)
class Sealer:
    """What decides which blobs open."""

    sealing_key: bytes = dataclasses.field(repr=False)
    """16 bytes."""
    mode: int
    """One byte, the trusted process's mode."""
    measurement: bytes
    """32 bytes, MRENCLAVE."""
    purpose: bytes
    """For instance `block-signing-key`."""

    def __post_init__(self) -> None:
        assert len(self.sealing_key) == SEALING_KEY_BYTES
        assert len(self.measurement) == MEASUREMENT_BYTES
        assert 0 <= self.mode < 256

    def _cipher(self, salt: bytes) -> AESGCM:
        key = hkdf(HashName.SHA256, salt=salt, ikm=self.sealing_key, info=self.purpose, length=32)
        return AESGCM(key)

    @property
    def _associated_data(self) -> bytes:
        return MAGIC + bytes([self.mode]) + self.purpose + self.measurement

    def seal(self, random_bytes: RandomBytes, plaintext: bytes) -> bytes:
        """A blob; draws 16 bytes of salt, then 12 of nonce.

        Raises:
            SealedBlobError: more than 64 KiB of plaintext.
        """
        if len(plaintext) > PLAINTEXT_BYTES_MAX:
            raise SealedBlobError(f"{len(plaintext)} bytes to seal, limit {PLAINTEXT_BYTES_MAX}")
        salt = random_bytes(SALT_BYTES)
        nonce = random_bytes(NONCE_BYTES)
        sealed = self._cipher(salt).encrypt(nonce, plaintext, self._associated_data)
        return MAGIC + bytes([self.mode]) + salt + nonce + sealed

    def unseal(self, blob: bytes) -> bytes:
        """The plaintext.

        Raises:
            SealedBlobError: wrong length, magic or mode; or sealed for another program, purpose or
                sealing key; or damaged.
        """
        shortest = HEADER_BYTES + TAG_BYTES
        if not shortest <= len(blob) <= BLOB_BYTES_MAX:
            raise SealedBlobError(
                f"sealed blob has {len(blob)} bytes, needs {shortest} to {BLOB_BYTES_MAX}"
            )
        if not blob.startswith(MAGIC):
            raise SealedBlobError(f"sealed blob starts with {blob[:4].hex()}, needs {MAGIC.hex()}")
        mode = blob[len(MAGIC)]
        if mode != self.mode:
            raise SealedBlobError(f"sealed in mode {mode}, this is mode {self.mode}")
        salt = blob[len(MAGIC) + 1 :][:SALT_BYTES]
        nonce = blob[HEADER_BYTES - NONCE_BYTES : HEADER_BYTES]
        try:
            return self._cipher(salt).decrypt(nonce, blob[HEADER_BYTES:], self._associated_data)
        except InvalidTag:
            raise SealedBlobError(
                "sealed blob does not open: damaged, or sealed by another program or key"
            ) from None
