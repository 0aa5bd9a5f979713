"""Accounts from 32 bytes of root entropy, the older way. [docs/protocol/crypto.md#10]"""

from typing import Final

from mcnode import _native
from mcnode.account.account_key import AccountKey
from mcnode.codec.schema import BYTES, TEXT, Kind, Wire, field, message
from mcnode.crypto.errors import check_length
from mcnode.crypto.hkdf import HashName, hkdf
from mcnode.crypto.keys import RistrettoPrivate

ROOT_ENTROPY_BYTES: Final = 32

ROOT_ENTROPY: Final = Kind(Wire.WRAPPER, "bytes", length=ROOT_ENTROPY_BYTES, default=bytes(32))


@message
class RootIdentity:
    """As stored: the authority's key has tag 4."""

    root_entropy: bytes = field(1, ROOT_ENTROPY)
    fog_report_url: str = field(2, TEXT)
    fog_report_id: str = field(3, TEXT)
    fog_authority_spki: bytes = field(4, BYTES)

    def __repr__(self) -> str:
        return f"RootIdentity(fog_report_url={self.fog_report_url!r})"


@message(digest_name="RootIdentity")
class ExternalRootIdentity:
    """As the external interface sends it: the same, but the authority's key has tag 5."""

    root_entropy: bytes = field(1, ROOT_ENTROPY)
    fog_report_url: str = field(2, TEXT)
    fog_report_id: str = field(3, TEXT)
    fog_authority_spki: bytes = field(5, BYTES)

    def __repr__(self) -> str:
        return f"ExternalRootIdentity(fog_report_url={self.fog_report_url!r})"


def _derive(entropy: bytes, info: bytes) -> RistrettoPrivate:
    okm = hkdf(HashName.BLAKE2B_256, ikm=entropy, info=info, length=32)
    return RistrettoPrivate(_native.scalar_reduce(okm))


def account_key_from_root_entropy(entropy: bytes) -> AccountKey:
    """The account of 32 bytes of entropy.

    Raises:
        LengthMismatch: not 32 bytes.
    """
    check_length(entropy, ROOT_ENTROPY_BYTES)
    return AccountKey.from_keys(_derive(entropy, b"view"), _derive(entropy, b"spend"))


def account_key_from_root_identity(identity: RootIdentity | ExternalRootIdentity) -> AccountKey:
    """The account of a root identity, fog details included."""
    keys = account_key_from_root_entropy(identity.root_entropy)
    return AccountKey(
        keys.view_private_key,
        keys.spend_private_key,
        identity.fog_report_url,
        identity.fog_report_id,
        identity.fog_authority_spki,
    )
