"""DER and PEM forms of Ed25519 and X25519 keys. [docs/protocol/crypto.md#6.1]

Each form is a fixed prefix and a fixed-length payload, so reading is a comparison: length first,
then the object identifier, then the whole prefix, then the payload.
"""

import base64
import dataclasses
import hashlib
import re
from typing import Final

from mcnode.crypto.errors import (
    AlgorithmMismatch,
    InternalKeyError,
    InvalidPrivateKey,
    InvalidPublicKey,
    KeyFormatError,
    LengthMismatch,
    SignatureError,
)
from mcnode.crypto.keys import Ed25519Private, Ed25519Public, X25519Private, X25519Public

DER_BYTES_MAX: Final = 128
PEM_CHARS_MAX: Final = 4096
"""A key's PEM has about 120 characters; text before it is allowed."""

_ED25519_OID: Final = bytes.fromhex("2b6570")
_X25519_OID: Final = bytes.fromhex("2b656e")


@dataclasses.dataclass(frozen=True, slots=True)
class _Form:
    prefix: bytes
    payload_bytes: int
    oid_offset: int
    prefix_error: type[KeyFormatError]

    def to_der(self, payload: bytes) -> bytes:
        return self.prefix + payload

    def payload_of(self, der: bytes) -> bytes:
        length = len(self.prefix) + self.payload_bytes
        if len(der) != length:
            raise LengthMismatch(len(der), length)
        oid = slice(self.oid_offset, self.oid_offset + 3)
        if der[oid] != self.prefix[oid]:
            raise AlgorithmMismatch(
                f"object identifier is {der[oid].hex()}, needs {self.prefix[oid].hex()}"
            )
        if not der.startswith(self.prefix):
            found = der[: len(self.prefix)]
            raise self.prefix_error(f"DER starts with {found.hex()}, needs {self.prefix.hex()}")
        return der[len(self.prefix) :]


def _public_form(oid: bytes) -> _Form:
    return _Form(b"\x30\x2a\x30\x05\x06\x03" + oid + b"\x03\x21\x00", 32, 6, InvalidPublicKey)


def _private_form(oid: bytes) -> _Form:
    prefix = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03" + oid + b"\x04\x22\x04\x20"
    return _Form(prefix, 32, 9, InvalidPrivateKey)


_ED25519_PUBLIC: Final = _public_form(_ED25519_OID)
_ED25519_PRIVATE: Final = _private_form(_ED25519_OID)
_X25519_PUBLIC: Final = _public_form(_X25519_OID)
_X25519_PRIVATE: Final = _private_form(_X25519_OID)
_ED25519_SIGNATURE: Final = _Form(
    b"\x30\x4a\x30\x05\x06\x03" + _ED25519_OID + b"\x03\x41\x00", 64, 6, InvalidPublicKey
)

PublicKey = Ed25519Public | X25519Public
PrivateKey = Ed25519Private | X25519Private


def public_key_to_der(key: PublicKey) -> bytes:
    """SubjectPublicKeyInfo, 44 bytes."""
    form = _ED25519_PUBLIC if isinstance(key, Ed25519Public) else _X25519_PUBLIC
    return form.to_der(key.to_bytes())


def private_key_to_der(key: PrivateKey) -> bytes:
    """PKCS#8 version 1, 48 bytes."""
    form = _ED25519_PRIVATE if isinstance(key, Ed25519Private) else _X25519_PRIVATE
    return form.to_der(key.to_bytes())


def ed25519_public_from_der(der: bytes) -> Ed25519Public:
    """Read 44 bytes of SubjectPublicKeyInfo.

    Raises:
        LengthMismatch, AlgorithmMismatch, InvalidPublicKey: the frame is wrong, in this order.
        InternalKeyError: the payload is not on the curve.
    """
    payload = _ED25519_PUBLIC.payload_of(der)
    try:
        return Ed25519Public.from_bytes(payload)
    except InvalidPublicKey as error:
        raise InternalKeyError(str(error)) from None


def ed25519_private_from_der(der: bytes) -> Ed25519Private:
    """Read 48 bytes of PKCS#8.

    Raises:
        LengthMismatch, AlgorithmMismatch, InvalidPrivateKey: the frame is wrong, in this order.
    """
    return Ed25519Private(_ED25519_PRIVATE.payload_of(der))


def x25519_public_from_der(der: bytes) -> X25519Public:
    """Read 44 bytes of SubjectPublicKeyInfo; errors as for Ed25519, the payload is never bad."""
    return X25519Public.from_bytes(_X25519_PUBLIC.payload_of(der))


def x25519_private_from_der(der: bytes) -> X25519Private:
    """Read 48 bytes of PKCS#8; errors as for Ed25519."""
    return X25519Private(_X25519_PRIVATE.payload_of(der))


def ed25519_signature_to_der(signature: bytes) -> bytes:
    """The network's own sequence around a 64-byte signature, 76 bytes.

    Raises:
        SignatureError: not 64 bytes.
    """
    if len(signature) != _ED25519_SIGNATURE.payload_bytes:
        raise SignatureError(f"signature has {len(signature)} bytes, needs 64")
    return _ED25519_SIGNATURE.to_der(signature)


def ed25519_signature_from_der(der: bytes) -> bytes:
    """The 64 bytes inside; errors as for a public key."""
    return _ED25519_SIGNATURE.payload_of(der)


_PEM_BLOCK = re.compile(
    r"-----BEGIN ([A-Z0-9 ]+)-----\s*([A-Za-z0-9+/=\s]*?)-----END ([A-Z0-9 ]+)-----"
)


def to_pem(label: str, der: bytes) -> str:
    """PEM text with 64-character lines, each ended by LF."""
    text = base64.b64encode(der).decode()
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


def parse_pem(text: str, *, chars_max: int = PEM_CHARS_MAX) -> list[tuple[str, bytes]]:
    """Every PEM block of a text as (label, DER), in order; text outside of blocks is passed over.

    Raises:
        InvalidPublicKey: the text is longer than `chars_max`, or a block's labels or base64 are
            wrong.
    """
    if len(text) > chars_max:
        raise InvalidPublicKey(f"PEM text has {len(text)} characters, limit {chars_max}")
    blocks = []
    for match in _PEM_BLOCK.finditer(text):
        label, body, end_label = match.groups()
        if label != end_label:
            raise InvalidPublicKey(f"PEM block begins as {label} and ends as {end_label}")
        try:
            blocks.append((label, base64.b64decode("".join(body.split()), validate=True)))
        except ValueError as error:
            raise InvalidPublicKey(f"PEM block {label} is not base64: {error}") from None
    return blocks


def _only_block(text: str, label: str) -> bytes:
    blocks = parse_pem(text)
    for its_label, der in blocks:
        if its_label == label:
            return der
    found = ", ".join(its_label for its_label, _ in blocks) or "no block"
    raise AlgorithmMismatch(f"PEM text holds {found}, needs {label}")


def public_key_to_pem(key: PublicKey) -> str:
    """`PUBLIC KEY` PEM."""
    return to_pem("PUBLIC KEY", public_key_to_der(key))


def private_key_to_pem(key: PrivateKey) -> str:
    """`PRIVATE KEY` PEM."""
    return to_pem("PRIVATE KEY", private_key_to_der(key))


def parse_ed25519_public_pem(text: str) -> Ed25519Public:
    """The first `PUBLIC KEY` block; errors as `ed25519_public_from_der` and `parse_pem`."""
    return ed25519_public_from_der(_only_block(text, "PUBLIC KEY"))


def parse_ed25519_private_pem(text: str) -> Ed25519Private:
    """The first `PRIVATE KEY` block; errors as `ed25519_private_from_der` and `parse_pem`."""
    return ed25519_private_from_der(_only_block(text, "PRIVATE KEY"))


def fingerprint(key: PublicKey) -> str:
    """SHA-256 of the DER as lower-case hex bytes joined by `:`."""
    return hashlib.sha256(public_key_to_der(key)).digest().hex(":")
