"""Hybrid encryption to a ristretto key. [docs/protocol/crypto.md#17]

A cryptogram is `ciphertext || ephemeral public key (32) || tag (16) || 01 00`: as long as the
plaintext plus a footer of 50 bytes. The last two bytes are the major and minor version.
"""

import dataclasses
import hmac
from collections.abc import Iterable
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mcnode.crypto.errors import AeadError
from mcnode.crypto.hkdf import HashName, hkdf
from mcnode.crypto.keys import RistrettoPrivate, RistrettoPublic
from mcnode.crypto.rng import RandomBytes

FOOTER_BYTES: Final = 50
MAJOR_VERSION: Final = 1
MINOR_VERSION: Final = 0

_SALT: Final = b"dei-salty-box"
_INFO: Final = b"aead-key-iv"
_TAG_BYTES: Final = 16
_NONCE_BYTES: Final = 12


class TooShort(AeadError):
    """Shorter than the footer alone."""

    def __init__(self, found: int, required: int) -> None:
        super().__init__(f"cryptogram has {found} bytes, needs at least {required}")


class WrongMagicBytes(AeadError):
    """The major version is not 1."""


class UnknownAlgorithm(AeadError):
    """The minor version is not one we speak."""


class NoAcceptableVersions(AeadError):
    """None of the offered versions is one we speak."""


@dataclasses.dataclass(frozen=True, slots=True)
class Opened:
    """What a cryptogram decrypts to.

    A wrong tag is a fact here, not an error, so that the caller cannot be made to show by its
    timing or control flow which it was; `plaintext` is garbage then.
    """

    is_authentic: bool
    plaintext: bytes = dataclasses.field(repr=False)


def _key_and_nonce(shared_point: RistrettoPublic) -> tuple[bytes, bytes]:
    okm = hkdf(HashName.BLAKE2B_512, salt=_SALT, ikm=shared_point.to_bytes(), info=_INFO, length=44)
    return okm[:32], okm[32:]


def encrypt(random_bytes: RandomBytes, recipient: RistrettoPublic, plaintext: bytes) -> bytes:
    """A cryptogram for `recipient`; draws 64 random bytes for the ephemeral key."""
    return encrypt_with_ephemeral(RistrettoPrivate.random(random_bytes), recipient, plaintext)


def encrypt_with_ephemeral(
    ephemeral: RistrettoPrivate, recipient: RistrettoPublic, plaintext: bytes
) -> bytes:
    """As `encrypt`. An ephemeral key must serve once only: it decides the nonce as well."""
    key, nonce = _key_and_nonce(ephemeral.multiply(recipient))
    sealed = AESGCM(key).encrypt(nonce, plaintext, None)
    ciphertext, tag = sealed[:-_TAG_BYTES], sealed[-_TAG_BYTES:]
    version = bytes([MAJOR_VERSION, MINOR_VERSION])
    return ciphertext + ephemeral.public_key().to_bytes() + tag + version


def decrypt(recipient: RistrettoPrivate, cryptogram: bytes) -> Opened:
    """Open a cryptogram.

    Raises:
        TooShort, WrongMagicBytes, UnknownAlgorithm: the frame is wrong, in this order.
        InvalidPublicKey: the ephemeral key is no point.
    """
    if len(cryptogram) < FOOTER_BYTES:
        raise TooShort(len(cryptogram), FOOTER_BYTES)
    ciphertext, footer = cryptogram[:-FOOTER_BYTES], cryptogram[-FOOTER_BYTES:]
    major, minor = footer[-2:]
    if major != MAJOR_VERSION:
        raise WrongMagicBytes(f"major version is {major}, needs {MAJOR_VERSION}")
    if minor != MINOR_VERSION:
        raise UnknownAlgorithm(f"minor version is {minor}, needs {MINOR_VERSION}")
    ephemeral = RistrettoPublic(footer[:32])
    return _open(recipient.multiply(ephemeral), ciphertext, footer[32:48])


def _open(shared_point: RistrettoPublic, ciphertext: bytes, tag: bytes) -> Opened:
    key, nonce = _key_and_nonce(shared_point)
    # GCM is counter mode from block 2 on; decrypting apart from the check gives the garbage too.
    counter = modes.CTR(nonce + (2).to_bytes(4, "big"))
    plaintext = Cipher(algorithms.AES(key), counter).decryptor().update(ciphertext)
    expected = AESGCM(key).encrypt(nonce, plaintext, None)[-_TAG_BYTES:]
    return Opened(hmac.compare_digest(expected, tag), plaintext)


def select_version(offered: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """The best (major, minor) that both sides speak.

    Raises:
        NoAcceptableVersions: none is.
    """
    ours = (MAJOR_VERSION, MINOR_VERSION)
    versions = list(offered)
    if ours not in versions:
        raise NoAcceptableVersions(f"none of {versions} is {ours}")
    return ours
