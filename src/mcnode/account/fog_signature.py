"""Who vouches for a fog server's reports. [docs/protocol/crypto.md#11]

The address's owner signed the root of a certificate chain; the chain's leaf signed the reports.
"""

from collections.abc import Iterable
from datetime import datetime

from mcnode.account.public_address import PublicAddress, check_fog_authority
from mcnode.codec.digest import List
from mcnode.crypto import schnorrkel, x509_chain
from mcnode.crypto.digest_signature import check_digest_signature
from mcnode.crypto.errors import KeyFormatError, SignatureError
from mcnode.errors import InvalidError

REPORTS_CONTEXT = "Fog ingest reports"


class FogSignatureError(InvalidError):
    """A fog server's reports are not vouched for."""


class NoSignature(FogSignatureError):
    """The address has no fog authority signature."""


class SignatureParse(FogSignatureError):
    """The address's fog authority signature is malformed."""


class Chain(FogSignatureError):
    """The certificate chain is refused."""


class Authority(FogSignatureError):
    """The address's owner did not sign the chain's root key."""


class Pubkey(FogSignatureError):
    """The chain's leaf has no Ed25519 key."""


class Report(FogSignatureError):
    """The chain's leaf did not sign these reports."""


def check_fog_signature(
    address: PublicAddress,
    reports: List,
    chain_ders: Iterable[bytes],
    signature: bytes,
    now: datetime,
) -> None:
    """Refuse a fog server's response unless the address's owner and its authority stand behind it.

    `reports` are the declared report messages in the order of the response.

    Raises:
        NoSignature, SignatureParse, Chain, Authority, Pubkey, Report: looked at in this order.
    """
    chain = x509_chain.parse_chain(chain_ders)
    if not address.fog_authority_sig:
        raise NoSignature("address has no fog authority signature")
    try:
        schnorrkel.parse_signature(address.fog_authority_sig)
    except SignatureError as error:
        raise SignatureParse(f"fog authority signature: {error}") from None
    try:
        root = x509_chain.check_chain(chain, now)
    except x509_chain.ChainError as error:
        raise Chain(str(error)) from None
    try:
        check_fog_authority(address, root.spki)
    except SignatureError as error:
        raise Authority(f"fog authority signature: {error}") from None
    try:
        key = chain[0].ed25519_key()
    except KeyFormatError as error:
        raise Pubkey(f"leaf of the chain: {error}") from None
    try:
        check_digest_signature(key, REPORTS_CONTEXT, reports, signature)
    except SignatureError as error:
        raise Report(f"fog reports: {error}") from None
