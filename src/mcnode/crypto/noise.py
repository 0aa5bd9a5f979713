"""Noise handshakes NX and IX over X25519, AES-256-GCM and SHA-512. [docs/protocol/enclave.md#4.1]

Clients speak `Noise_NX_25519_AESGCM_SHA512`, nodes among themselves `Noise_IX_25519_AESGCM_SHA512`.
Both have two messages, no pre-messages and no pre-shared key:

    NX   -> e            <- e, ee, s, es
    IX   -> e, s         <- e, ee, se, s, es

A `Handshake` is made for one side with all keys it will use (this module draws no randomness),
writes and reads one message each, and then splits into a `Transport`: one cipher per direction and
the final handshake hash, which serves as the channel's id. Unlike the Noise standard, transport
messages may carry associated data and have no limit of 65535 bytes.

Nonces are implicit counters. Each side must therefore process the messages of a direction in the
order in which they were made and each exactly once; a failed decryption leaves the counter alone.
"""

import enum
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mcnode.errors import BugError, InvalidError

KEY_BYTES: Final = 32
TAG_BYTES: Final = 16
HASH_BYTES: Final = 64
CHANNEL_ID_BYTES: Final = HASH_BYTES

NONCE_MAX: Final = (1 << 64) - 1
"""Reserved by the standard: a cipher that got here is used up."""
PLAINTEXT_BYTES_MAX: Final = (1 << 56) + 4
"""Under one AES-GCM key; no channel of this network lives that long."""


class Pattern(enum.Enum):
    """A handshake pattern; the value is its protocol name."""

    NX = "Noise_NX_25519_AESGCM_SHA512"
    IX = "Noise_IX_25519_AESGCM_SHA512"


_MESSAGES: Final[dict[Pattern, tuple[tuple[str, ...], ...]]] = {
    Pattern.NX: (("e",), ("e", "ee", "s", "es")),
    Pattern.IX: (("e", "s"), ("e", "ee", "se", "s", "es")),
}


class NoiseError(InvalidError):
    """A handshake or transport message is not acceptable."""


class AeadError(NoiseError):
    """The authentication tag does not fit: other key, prologue, nonce, data or associated data."""

    def __init__(self) -> None:
        super().__init__("message does not authenticate")


class MessageTooShort(NoiseError):
    """The message ends inside a fixed part."""

    def __init__(self, found: int, needed: int) -> None:
        super().__init__(f"message has {found} bytes, needs {needed}")
        self.found = found
        self.needed = needed


class ReKeyNeeded(NoiseError):
    """The cipher's nonces or its data limit are used up."""

    def __init__(self, nonce: int, plaintext_bytes: int) -> None:
        super().__init__(
            f"cipher is used up at nonce {nonce} after {plaintext_bytes} bytes, "
            f"limits {NONCE_MAX} and {PLAINTEXT_BYTES_MAX}"
        )


class LowOrderKey(NoiseError):
    """A key exchange gave all zeros: the other side's public key is a point of low order."""

    def __init__(self, public_key: bytes) -> None:
        super().__init__(f"public key {public_key.hex()} has low order")


def public_key_of(private_key: bytes) -> bytes:
    """The X25519 public key (32 bytes) of a private key (any 32 bytes; clamped here)."""
    return X25519PrivateKey.from_private_bytes(private_key).public_key().public_bytes_raw()


class CipherState:
    """AES-256-GCM under one key with a counting nonce."""

    __slots__ = ("_aead", "_bytes", "_nonce")

    def __init__(self, key: bytes) -> None:
        self._aead = AESGCM(key)
        self._nonce = 0
        self._bytes = 0

    @property
    def nonce(self) -> int:
        """The number of messages processed so far."""
        return self._nonce

    def encrypt(self, plaintext: bytes, aad: bytes) -> bytes:
        """Ciphertext followed by the 16-byte tag.

        Raises:
            ReKeyNeeded: the cipher is used up.
        """
        sealed = self._aead.encrypt(self._next_nonce(len(plaintext)), plaintext, aad)
        self._advance(len(plaintext))
        return sealed

    def decrypt(self, ciphertext: bytes, aad: bytes) -> bytes:
        """The plaintext. A failure does not advance the nonce.

        Raises:
            AeadError: the tag does not fit, or there is none.
            ReKeyNeeded: the cipher is used up.
        """
        if len(ciphertext) < TAG_BYTES:
            raise AeadError
        length = len(ciphertext) - TAG_BYTES
        nonce = self._next_nonce(length)
        try:
            plaintext = self._aead.decrypt(nonce, ciphertext, aad)
        except InvalidTag:
            raise AeadError from None
        self._advance(length)
        return plaintext

    def _next_nonce(self, length: int) -> bytes:
        if self._nonce >= NONCE_MAX or self._bytes + length > PLAINTEXT_BYTES_MAX:
            raise ReKeyNeeded(self._nonce, self._bytes)
        return bytes(4) + self._nonce.to_bytes(8, "big")

    def _advance(self, length: int) -> None:
        self._nonce += 1
        self._bytes += length


class SymmetricState:
    """The running hash, the chaining key and, once there was a key exchange, a cipher."""

    __slots__ = ("_chaining_key", "_cipher", "hash")

    def __init__(self, protocol_name: str) -> None:
        name = protocol_name.encode("ascii")
        assert len(name) <= HASH_BYTES
        self.hash = name.ljust(HASH_BYTES, b"\0")
        self._chaining_key = self.hash
        self._cipher: CipherState | None = None

    def mix_hash(self, data: bytes) -> None:
        """Fold data into the running hash."""
        digest = hashes.Hash(hashes.SHA512())
        digest.update(self.hash)
        digest.update(data)
        self.hash = digest.finalize()

    def mix_key(self, input_key: bytes) -> None:
        """Derive the next chaining key and a fresh cipher from a shared secret."""
        self._chaining_key, key = self._derive(input_key)
        self._cipher = CipherState(key[:KEY_BYTES])

    @property
    def overhead(self) -> int:
        """Bytes that encryption adds now: none before the first key exchange."""
        return 0 if self._cipher is None else TAG_BYTES

    def encrypt_and_hash(self, plaintext: bytes) -> bytes:
        """Encrypt (once there is a key) bound to everything so far, and fold in the result."""
        sealed = plaintext if self._cipher is None else self._cipher.encrypt(plaintext, self.hash)
        self.mix_hash(sealed)
        return sealed

    def decrypt_and_hash(self, ciphertext: bytes) -> bytes:
        """The other direction of `encrypt_and_hash`.

        Raises:
            AeadError: the tag does not fit.
        """
        plaintext = (
            ciphertext if self._cipher is None else self._cipher.decrypt(ciphertext, self.hash)
        )
        self.mix_hash(ciphertext)
        return plaintext

    def split(self) -> tuple[CipherState, CipherState]:
        """The ciphers initiator-to-responder and responder-to-initiator."""
        first, second = self._derive(b"")
        return CipherState(first[:KEY_BYTES]), CipherState(second[:KEY_BYTES])

    def _derive(self, input_key: bytes) -> tuple[bytes, bytes]:
        """HKDF of Noise with two outputs of 64 bytes."""
        secret = _hmac(self._chaining_key, input_key)
        first = _hmac(secret, b"\x01")
        return first, _hmac(secret, first + b"\x02")


def _hmac(key: bytes, data: bytes) -> bytes:
    mac = hmac.HMAC(key, hashes.SHA512())
    mac.update(data)
    return mac.finalize()


class Transport:
    """A finished channel, seen from one side."""

    __slots__ = ("_reader", "_writer", "channel_id")

    def __init__(self, channel_id: bytes, writer: CipherState, reader: CipherState) -> None:
        self.channel_id = channel_id
        """64 bytes, the same on both sides."""
        self._writer = writer
        self._reader = reader

    def encrypt(self, plaintext: bytes, aad: bytes = b"") -> bytes:
        """The next message to the other side, tag included.

        Raises:
            ReKeyNeeded: the cipher is used up.
        """
        return self._writer.encrypt(plaintext, aad)

    def decrypt(self, ciphertext: bytes, aad: bytes = b"") -> bytes:
        """The next message of the other side.

        Raises:
            AeadError: it was not made under this key as the next one with this associated data.
            ReKeyNeeded: the cipher is used up.
        """
        return self._reader.decrypt(ciphertext, aad)


class Handshake:
    """One side of a handshake: write and read in turns, then `finish`.

    Args:
        pattern: NX or IX.
        initiator: whether this side writes the first message.
        prologue: bytes that both sides must agree on.
        ephemeral: X25519 private key, 32 bytes, fresh for this handshake.
        static: X25519 private key of this side; an NX initiator has none.
    """

    __slots__ = (
        "_ephemeral",
        "_initiator",
        "_messages",
        "_next",
        "_pattern",
        "_remote_ephemeral",
        "_static",
        "_symmetric",
        "remote_static",
    )

    def __init__(
        self,
        pattern: Pattern,
        *,
        initiator: bool,
        prologue: bytes,
        ephemeral: bytes,
        static: bytes | None = None,
    ) -> None:
        anonymous = initiator and pattern is Pattern.NX
        if anonymous != (static is None):
            raise BugError(f"static key given: {static is not None}, wanted: {not anonymous}")
        self._pattern = pattern
        self._initiator = initiator
        self._messages = _MESSAGES[pattern]
        self._next = 0
        self._ephemeral = X25519PrivateKey.from_private_bytes(ephemeral)
        self._static = None if static is None else X25519PrivateKey.from_private_bytes(static)
        self._remote_ephemeral = b""
        self.remote_static: bytes | None = None
        """The other side's static public key (32 bytes), once it was read."""
        self._symmetric = SymmetricState(pattern.value)
        self._symmetric.mix_hash(prologue)

    @property
    def is_complete(self) -> bool:
        """Whether both messages have passed."""
        return self._next == len(self._messages)

    def write_message(self, payload: bytes = b"") -> bytes:
        """The next handshake message with its payload (plain before the first key exchange).

        Raises:
            LowOrderKey: a key of the other side is no proper one.
            BugError: it is not this side's turn.
        """
        self._take_turn(writes=True)
        parts = []
        for token in self._messages[self._next]:
            match token:
                case "e":
                    public = self._ephemeral.public_key().public_bytes_raw()
                    self._symmetric.mix_hash(public)
                    parts.append(public)
                case "s":
                    assert self._static is not None
                    public = self._static.public_key().public_bytes_raw()
                    parts.append(self._symmetric.encrypt_and_hash(public))
                case _:
                    self._mix_exchange(token)
        parts.append(self._symmetric.encrypt_and_hash(payload))
        self._next += 1
        return b"".join(parts)

    def read_message(self, message: bytes) -> bytes:
        """The payload of the other side's next handshake message.

        Raises:
            MessageTooShort: it ends before its payload.
            AeadError: another prologue or key, or altered bytes.
            LowOrderKey: a key of the other side is no proper one.
            BugError: it is not the other side's turn.
        """
        self._take_turn(writes=False)
        rest = memoryview(message)
        for token in self._messages[self._next]:
            match token:
                case "e":
                    rest, public = self._take(rest, message, KEY_BYTES)
                    self._remote_ephemeral = public
                    self._symmetric.mix_hash(public)
                case "s":
                    size = KEY_BYTES + self._symmetric.overhead
                    rest, sealed = self._take(rest, message, size)
                    self.remote_static = self._symmetric.decrypt_and_hash(sealed)
                case _:
                    self._mix_exchange(token)
        if len(rest) < self._symmetric.overhead:
            missing = self._symmetric.overhead - len(rest)
            raise MessageTooShort(len(message), len(message) + missing)
        payload = self._symmetric.decrypt_and_hash(bytes(rest))
        self._next += 1
        return payload

    def finish(self) -> Transport:
        """The channel.

        Raises:
            BugError: a message is still missing.
        """
        if not self.is_complete:
            raise BugError(f"handshake has {self._next} messages, needs {len(self._messages)}")
        to_responder, to_initiator = self._symmetric.split()
        ours, theirs = (
            (to_responder, to_initiator) if self._initiator else (to_initiator, to_responder)
        )
        return Transport(self._symmetric.hash, ours, theirs)

    def _take_turn(self, *, writes: bool) -> None:
        ours = (self._next % 2 == 0) == self._initiator
        if self.is_complete or ours != writes:
            raise BugError(f"handshake message {self._next} is not to be taken now")

    @staticmethod
    def _take(rest: memoryview, message: bytes, size: int) -> tuple[memoryview, bytes]:
        if len(rest) < size:
            raise MessageTooShort(len(message), len(message) - len(rest) + size)
        return rest[size:], bytes(rest[:size])

    def _mix_exchange(self, token: str) -> None:
        """Mix a Diffie-Hellman result: the token names initiator's key, then responder's key."""
        first, second = token[0], token[1]
        mine, theirs = (first, second) if self._initiator else (second, first)
        private = self._ephemeral if mine == "e" else self._static
        public = self._remote_ephemeral if theirs == "e" else self.remote_static
        assert private is not None
        assert public
        try:
            secret = private.exchange(X25519PublicKey.from_public_bytes(public))
        except ValueError:
            raise LowOrderKey(public) from None
        self._symmetric.mix_key(secret)
