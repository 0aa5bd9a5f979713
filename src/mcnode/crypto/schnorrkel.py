"""Schnorrkel signatures over ristretto keys, fully deterministic. [docs/protocol/crypto.md#7]

The signature is 64 bytes, `enc(R) || s`, with the top bit of the last byte set as a marker.
"""

from typing import Final

from mcnode import _native
from mcnode.crypto.errors import SignatureError
from mcnode.crypto.keys import RistrettoPrivate, RistrettoPublic

SIGNATURE_BYTES: Final = 64
_MARKER: Final = 0x80


def sign(private: RistrettoPrivate, context: bytes, message: bytes) -> bytes:
    """The signature of this key over this context and message; the same bytes every time."""
    commitment, response = _native.schnorrkel_sign(private.to_bytes(), context, message)
    return commitment + response[:-1] + bytes([response[-1] | _MARKER])


def parse_signature(signature: bytes) -> tuple[bytes, bytes]:
    """(R, s) of a well-formed signature.

    Raises:
        SignatureError: wrong length, no marker, or `s` not canonical.
    """
    if len(signature) != SIGNATURE_BYTES:
        raise SignatureError(f"signature has {len(signature)} bytes, needs {SIGNATURE_BYTES}")
    if not signature[-1] & _MARKER:
        raise SignatureError("signature is not marked as schnorrkel")
    response = signature[32:-1] + bytes([signature[-1] & ~_MARKER])
    if not _native.scalar_is_canonical(response):
        raise SignatureError("scalar of the signature is not canonical")
    return signature[:32], response


def verify(public: RistrettoPublic, context: bytes, message: bytes, signature: bytes) -> None:
    """Accept exactly the signatures of `public` over this context and message.

    Raises:
        SignatureError: malformed, or the equation does not hold.
    """
    commitment, response = parse_signature(signature)
    if not _native.schnorrkel_equation_holds(
        public.to_bytes(), context, message, commitment, response
    ):
        raise SignatureError(f"signature does not verify with key {public}")
