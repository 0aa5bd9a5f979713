"""Where payments go: one subaddress's public keys. [docs/protocol/crypto.md#9]"""

from typing import Final

from mcnode.codec.digest import digest32
from mcnode.codec.schema import BYTES, RISTRETTO_PUBLIC, TEXT, field, message
from mcnode.crypto import schnorrkel
from mcnode.crypto.errors import SignatureError
from mcnode.crypto.keys import RistrettoPrivate, RistrettoPublic

SHORT_ADDRESS_HASH_BYTES: Final = 16
FOG_AUTHORITY_CONTEXT: Final = b"Fog authority signature"
_BURN_SPEND_TAG: Final = b"mc_burn_address_spend_public"
_BURN_VIEW_PRIVATE: Final = bytes([1]) * 32


@message
class PublicAddress:
    """View and spend public key, 32 bytes each, and where the owner's fog server is, if any."""

    view_public_key: bytes = field(1, RISTRETTO_PUBLIC)
    spend_public_key: bytes = field(2, RISTRETTO_PUBLIC)
    fog_report_url: str = field(3, TEXT, never_omit=True)
    fog_report_id: str = field(4, TEXT, never_omit=True)
    fog_authority_sig: bytes = field(5, BYTES, never_omit=True)

    @property
    def view_public(self) -> RistrettoPublic:
        """The subaddress's view key."""
        return RistrettoPublic(self.view_public_key)

    @property
    def spend_public(self) -> RistrettoPublic:
        """The subaddress's spend key."""
        return RistrettoPublic(self.spend_public_key)

    @property
    def has_fog(self) -> bool:
        """Whether the owner is found through a fog server."""
        return bool(self.fog_report_url)

    def __str__(self) -> str:
        text = f"MOB{self.spend_public_key.hex().upper()}{self.view_public_key.hex().upper()}"
        if self.fog_report_url:
            text += f":'{self.fog_report_url}'"
        if self.fog_report_id:
            text += f"#{self.fog_report_id}"
        return text


def address_digest(address: PublicAddress) -> bytes:
    """32 bytes that stand for the whole address."""
    return digest32("mc-address", address)


def short_address_hash(address: PublicAddress) -> bytes:
    """The first 16 bytes of the digest, as memos carry it."""
    return address_digest(address)[:SHORT_ADDRESS_HASH_BYTES]


def sign_fog_authority(subaddress_view_private: RistrettoPrivate, spki: bytes) -> bytes:
    """The owner's word (64 bytes) that this root key, as SubjectPublicKeyInfo, rules its fog."""
    return schnorrkel.sign(subaddress_view_private, FOG_AUTHORITY_CONTEXT, spki)


def check_fog_authority(address: PublicAddress, spki: bytes) -> None:
    """Refuse a fog root key that the address's owner has not signed.

    Raises:
        SignatureError: the address has no such signature, or it does not verify.
    """
    if not address.fog_authority_sig:
        raise SignatureError("address has no fog authority signature")
    schnorrkel.verify(address.view_public, FOG_AUTHORITY_CONTEXT, spki, address.fog_authority_sig)


BURN_ADDRESS_VIEW_PRIVATE: Final = RistrettoPrivate(_BURN_VIEW_PRIVATE)
"""Public knowledge: anyone may see what was burned, nobody can spend it."""


def burn_address() -> PublicAddress:
    """The address without a spend private key."""
    spend = RistrettoPublic.from_hash(_BURN_SPEND_TAG)
    view = BURN_ADDRESS_VIEW_PRIVATE.multiply(spend)
    return PublicAddress(view.to_bytes(), spend.to_bytes(), "", "", b"")
