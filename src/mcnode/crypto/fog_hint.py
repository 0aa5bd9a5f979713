"""The 84-byte hint that tells a fog server whose output this is. [docs/protocol/crypto.md#17]"""

from typing import Final

from mcnode.crypto import crypto_box
from mcnode.crypto.errors import AeadError, KeyFormatError
from mcnode.crypto.keys import RistrettoPrivate, RistrettoPublic
from mcnode.crypto.rng import RandomBytes
from mcnode.errors import InvalidError

ENCRYPTED_FOG_HINT_BYTES: Final = 84
PLAINTEXT_BYTES: Final = ENCRYPTED_FOG_HINT_BYTES - crypto_box.FOOTER_BYTES
ZERO_HINT: Final = bytes(ENCRYPTED_FOG_HINT_BYTES)
"""On minted and fee outputs."""
_PADDING: Final = b"\x2a\x2a"


class FogHintError(InvalidError):
    """A hint does not open with this key."""


def encrypt_fog_hint(
    random_bytes: RandomBytes, ingest_key: RistrettoPublic, view_public: RistrettoPublic
) -> bytes:
    """A hint to the fog server's key for the recipient's subaddress view key; 84 bytes."""
    return crypto_box.encrypt(random_bytes, ingest_key, view_public.to_bytes() + _PADDING)


def fake_onetime_hint(random_bytes: RandomBytes) -> bytes:
    """The hint of a recipient without fog: zeros to a random point that nobody has the key of.

    Draws 64 bytes for the point, then 64 for the ephemeral key.
    """
    nobody = RistrettoPublic.random(random_bytes)
    return crypto_box.encrypt(random_bytes, nobody, bytes(PLAINTEXT_BYTES))


def decrypt_fog_hint(ingest_key: RistrettoPrivate, hint: bytes) -> RistrettoPublic:
    """The recipient's view public key.

    Raises:
        FogHintError: the box does not open, the padding is not 42 42, or the key is no point.
    """
    if len(hint) != ENCRYPTED_FOG_HINT_BYTES:
        raise FogHintError(f"hint has {len(hint)} bytes, needs {ENCRYPTED_FOG_HINT_BYTES}")
    try:
        opened = crypto_box.decrypt(ingest_key, hint)
    except (AeadError, KeyFormatError) as error:
        raise FogHintError(f"hint does not open: {error}") from None
    if not opened.is_authentic or opened.plaintext[32:] != _PADDING:
        raise FogHintError("hint does not open with this key")
    try:
        return RistrettoPublic(opened.plaintext[:32])
    except KeyFormatError as error:
        raise FogHintError(f"hint holds no key: {error}") from None
