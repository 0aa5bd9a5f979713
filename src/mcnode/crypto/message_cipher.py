"""Encryption of state that leaves trusted memory for a while. [docs/protocol/crypto.md#18]

AES-256-GCM under keys that live and die with this object: what one process sealed, another cannot
open. A message is `ciphertext || tag (16) || key index (8, little-endian) || nonce (12)`. The nonce
counts up, little-endian, from zero; when it is used up, a new key is drawn and it restarts.
"""

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mcnode.crypto.errors import AeadError
from mcnode.crypto.rng import RandomBytes

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
FOOTER_BYTES: Final = 8 + NONCE_BYTES
_NONCE_END: Final = (1 << 8 * NONCE_BYTES) - 1


class TooShort(AeadError):
    """Shorter than the footer."""


class UnknownKey(AeadError):
    """The key index is none of ours: sealed by another process, or damaged."""


class MacFailure(AeadError):
    """The message was changed."""


class MessageCipher:
    """Encrypts and decrypts for one process's lifetime."""

    def __init__(self, random_bytes: RandomBytes, *, first_nonce: int = 0) -> None:
        """Draw the first key. `first_nonce` is for tests of the roll-over."""
        self._random_bytes = random_bytes
        self._keys = [AESGCM(random_bytes(KEY_BYTES))]
        self._nonce = first_nonce

    def __repr__(self) -> str:
        return f"MessageCipher(keys={len(self._keys)})"

    def encrypt(self, plaintext: bytes, associated_data: bytes = b"") -> bytes:
        """Seal a message; no two share key and nonce."""
        if self._nonce == _NONCE_END:
            self._keys.append(AESGCM(self._random_bytes(KEY_BYTES)))
            self._nonce = 0
        nonce = self._nonce.to_bytes(NONCE_BYTES, "little")
        self._nonce += 1
        index = len(self._keys) - 1
        sealed = self._keys[index].encrypt(nonce, plaintext, associated_data)
        return sealed + index.to_bytes(8, "little") + nonce

    def decrypt(self, message: bytes, associated_data: bytes = b"") -> bytes:
        """The plaintext of a message that this object sealed.

        Raises:
            TooShort: fewer bytes than the footer.
            UnknownKey: another process's message.
            MacFailure: changed bytes or other associated data.
        """
        if len(message) < FOOTER_BYTES:
            raise TooShort(f"message has {len(message)} bytes, needs at least {FOOTER_BYTES}")
        sealed, footer = message[:-FOOTER_BYTES], message[-FOOTER_BYTES:]
        index = int.from_bytes(footer[:8], "little")
        if index >= len(self._keys):
            raise UnknownKey(f"message names key {index}, there are {len(self._keys)}")
        try:
            return self._keys[index].decrypt(footer[8:], sealed, associated_data)
        except InvalidTag:
            raise MacFailure("message does not authenticate") from None
