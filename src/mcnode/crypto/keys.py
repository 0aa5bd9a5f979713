"""Keys of the three groups: ristretto255, Ed25519 and X25519. [docs/protocol/crypto.md#6]

Public keys are checked when they are made and keep the bytes they were made from. Private keys
show only their public part in `repr` and compare in constant time.
"""

import hmac
from typing import Self

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from mcnode import _native
from mcnode.crypto.errors import (
    InvalidPrivateKey,
    InvalidPublicKey,
    SignatureError,
    check_length,
)
from mcnode.crypto.rng import WIDE_BYTES, RandomBytes

KEY_BYTES = 32
SIGNATURE_BYTES = 64


class _PublicKey:
    """Immutable bytes with the order and equality of bytes."""

    __slots__ = ("_encoding",)
    _encoding: bytes

    def __init__(self, encoding: bytes) -> None:
        self._encoding = encoding

    @classmethod
    def from_bytes(cls, encoding: bytes) -> Self:
        """As the constructor."""
        return cls(encoding)

    @classmethod
    def _unchecked(cls, encoding: bytes) -> Self:
        """For bytes that were just computed and cannot be wrong."""
        made = object.__new__(cls)
        made._encoding = encoding
        return made

    def to_bytes(self) -> bytes:
        """The 32 bytes of this key."""
        return self._encoding

    def __bytes__(self) -> bytes:
        return self._encoding

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._encoding == other._encoding

    def __lt__(self, other: Self) -> bool:
        return self._encoding < other._encoding

    def __hash__(self) -> int:
        return hash((type(self), self._encoding))

    def __str__(self) -> str:
        return self._encoding.hex()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._encoding.hex()})"


class _PrivateKey:
    """32 secret bytes; never shown."""

    __slots__ = ("_secret",)
    _secret: bytes

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @classmethod
    def from_bytes(cls, secret: bytes) -> Self:
        """As the constructor."""
        return cls(secret)

    def to_bytes(self) -> bytes:
        """The 32 secret bytes. Handle with care."""
        return self._secret

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and hmac.compare_digest(self._secret, other._secret)

    __hash__ = None  # type: ignore[assignment]


class RistrettoPublic(_PublicKey):
    """A point of ristretto255 by its one canonical encoding. The identity is allowed."""

    __slots__ = ()

    def __init__(self, encoding: bytes) -> None:
        """The key that 32 bytes encode.

        Raises:
            LengthMismatch: not 32 bytes.
            InvalidPublicKey: the bytes encode no point.
        """
        check_length(encoding, KEY_BYTES)
        if not _native.point_is_valid(encoding):
            raise InvalidPublicKey(f"{encoding.hex()} encodes no ristretto point")
        self._encoding = bytes(encoding)

    @classmethod
    def random(cls, random_bytes: RandomBytes) -> Self:
        """A uniform point from 64 random bytes; nobody knows its private key."""
        return cls._unchecked(_native.point_from_uniform(random_bytes(WIDE_BYTES)))

    @classmethod
    def from_hash(cls, tag: bytes, data: bytes = b"") -> Self:
        """`Elligator(Blake2b-512(tag || data))`."""
        return cls._unchecked(_native.hash_to_point(tag, data))

    def __add__(self, other: "RistrettoPublic") -> "RistrettoPublic":
        return RistrettoPublic._unchecked(_native.point_add(self._encoding, other._encoding))

    def __sub__(self, other: "RistrettoPublic") -> "RistrettoPublic":
        return RistrettoPublic._unchecked(_native.point_subtract(self._encoding, other._encoding))


class RistrettoPrivate(_PrivateKey):
    """A canonical scalar."""

    __slots__ = ()

    def __init__(self, secret: bytes) -> None:
        """Take 32 bytes.

        Raises:
            LengthMismatch: not 32 bytes.
            InvalidPrivateKey: the scalar is not below the group order.
        """
        check_length(secret, KEY_BYTES)
        if not _native.scalar_is_canonical(secret):
            raise InvalidPrivateKey("private key is not a canonical scalar")
        self._secret = bytes(secret)

    @classmethod
    def from_wide(cls, wide: bytes) -> Self:
        """64 bytes, little-endian, reduced modulo the group order."""
        check_length(wide, WIDE_BYTES)
        return cls(_native.scalar_from_wide(wide))

    @classmethod
    def random(cls, random_bytes: RandomBytes) -> Self:
        """A uniform key from 64 random bytes."""
        return cls.from_wide(random_bytes(WIDE_BYTES))

    def public_key(self) -> RistrettoPublic:
        """`xG`."""
        return RistrettoPublic._unchecked(_native.base_multiply(self._secret))

    def multiply(self, public: RistrettoPublic) -> RistrettoPublic:
        """`x * public`: the Diffie-Hellman point."""
        return RistrettoPublic._unchecked(_native.point_multiply(self._secret, public.to_bytes()))

    def __add__(self, other: "RistrettoPrivate") -> "RistrettoPrivate":
        return RistrettoPrivate(_native.scalar_add(self._secret, other._secret))

    def __mul__(self, other: "RistrettoPrivate") -> "RistrettoPrivate":
        return RistrettoPrivate(_native.scalar_multiply(self._secret, other._secret))

    def __repr__(self) -> str:
        return f"RistrettoPrivate(public={self.public_key()})"


class Ed25519Public(_PublicKey):
    """An Edwards point. Non-canonical encodings are accepted and kept as they came."""

    __slots__ = ()

    def __init__(self, encoding: bytes) -> None:
        """The key that 32 bytes encode.

        Raises:
            InvalidPublicKey: another length, or the bytes are not on the curve.
        """
        if len(encoding) != KEY_BYTES or not _native.ed25519_public_is_valid(encoding):
            raise InvalidPublicKey(f"{encoding.hex()} is not an Ed25519 public key")
        self._encoding = bytes(encoding)

    def verify(self, message: bytes, signature: bytes) -> None:
        """Strict, cofactorless verification of a 64-byte signature; the only one that decides.

        Raises:
            SignatureError: wrong length, `s` not canonical, a small-order point, or no match.
        """
        if len(signature) != SIGNATURE_BYTES:
            raise SignatureError(f"signature has {len(signature)} bytes, needs {SIGNATURE_BYTES}")
        if not _native.ed25519_verify_strict(self._encoding, message, signature):
            raise SignatureError(f"signature does not verify with key {self}")

    def verify_prehashed(self, message: bytes, signature: bytes) -> None:
        """Ed25519ph over SHA-512 of `message`, empty context, small-order keys not refused.

        Raises:
            SignatureError: wrong length or no match.
        """
        if len(signature) != SIGNATURE_BYTES:
            raise SignatureError(f"signature has {len(signature)} bytes, needs {SIGNATURE_BYTES}")
        if not _native.ed25519_verify_prehashed(self._encoding, message, signature):
            raise SignatureError(f"prehashed signature does not verify with key {self}")


class Ed25519Private(_PrivateKey):
    """A 32-byte seed, any value."""

    __slots__ = ("_public",)
    _public: Ed25519Public

    def __init__(self, seed: bytes) -> None:
        """Take 32 bytes.

        Raises:
            SignatureError: not 32 bytes.
        """
        if len(seed) != KEY_BYTES:
            raise SignatureError(f"private key has {len(seed)} bytes, needs {KEY_BYTES}")
        self._secret = bytes(seed)
        self._public = Ed25519Public._unchecked(_native.ed25519_public(self._secret))

    @classmethod
    def random(cls, random_bytes: RandomBytes) -> Self:
        """A key from 32 random bytes."""
        return cls(random_bytes(KEY_BYTES))

    def public_key(self) -> Ed25519Public:
        """The public half."""
        return self._public

    def sign(self, message: bytes) -> bytes:
        """A deterministic 64-byte signature over the message itself."""
        return _native.ed25519_sign(self._secret, message)

    def sign_prehashed(self, message: bytes) -> bytes:
        """Ed25519ph, 64 bytes, over SHA-512 of `message`, empty context."""
        return _native.ed25519_sign_prehashed(self._secret, message)

    def __repr__(self) -> str:
        return f"Ed25519Private(public={self._public})"


class X25519Public(_PublicKey):
    """Any 32 bytes: the u-coordinate as it came."""

    __slots__ = ()

    def __init__(self, encoding: bytes) -> None:
        """Take 32 bytes.

        Raises:
            LengthMismatch: not 32 bytes.
        """
        check_length(encoding, KEY_BYTES)
        self._encoding = bytes(encoding)


class X25519Private(_PrivateKey):
    """Any 32 bytes; clamped where they are used, not where they are kept."""

    __slots__ = ()

    def __init__(self, secret: bytes) -> None:
        """Take 32 bytes.

        Raises:
            LengthMismatch: not 32 bytes.
        """
        check_length(secret, KEY_BYTES)
        self._secret = bytes(secret)

    @classmethod
    def random(cls, random_bytes: RandomBytes) -> Self:
        """A key from 32 random bytes."""
        return cls(random_bytes(KEY_BYTES))

    def public_key(self) -> X25519Public:
        """The public half."""
        key = X25519PrivateKey.from_private_bytes(self._secret)
        return X25519Public._unchecked(key.public_key().public_bytes_raw())

    def exchange(self, public: X25519Public) -> bytes:
        """The shared secret, 32 bytes. A low-order public key gives zeros, which is not refused."""
        key = X25519PrivateKey.from_private_bytes(self._secret)
        try:
            return key.exchange(X25519PublicKey.from_public_bytes(public.to_bytes()))
        except ValueError:  # the library's refusal of the all-zero result; this network has none
            return bytes(KEY_BYTES)

    def __repr__(self) -> str:
        return f"X25519Private(public={self.public_key()})"
