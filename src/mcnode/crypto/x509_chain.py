"""Certificate chains as fog and token authorities use them. [docs/protocol/crypto.md#23]

Deliberately simple rules, the network's own: leaf first, each certificate issued and signed by the
next, the last by itself, all valid now. Whether the last one is trusted is another's question.
Constraints, key usages and revocations are not looked at.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from asn1crypto import x509 as asn1_x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from mcnode.crypto.der import ed25519_public_from_der
from mcnode.crypto.keys import Ed25519Public
from mcnode.errors import InvalidError

CHAIN_LENGTH_MAX: Final = 16
"""Real chains have three or four certificates; each costs a signature check."""
CERTIFICATE_BYTES_MAX: Final = 1 << 14
_RSA_BITS: Final = range(2048, 8193)
_ED25519_OID: Final = "1.3.101.112"

_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_CURVES: Final = {"secp256r1", "secp384r1"}
_CURVE_HASHES: Final = {"sha256", "sha384"}


class ChainError(InvalidError):
    """A certificate chain is refused."""


class Empty(ChainError):
    """No certificate could be read."""


class UnknownIssuer(ChainError):
    """A certificate was not issued and signed by the one after it, or the last not by itself."""


class CertNotValidYet(ChainError):
    """A certificate becomes valid later."""


class CertExpired(ChainError):
    """A certificate is no longer valid."""


@dataclasses.dataclass(frozen=True, slots=True)
class Certificate:
    """What the rules look at."""

    body: bytes
    """The signed part."""
    algorithm: str
    """As `sha256_ecdsa`."""
    hash_name: str
    signature: bytes
    issuer: bytes
    """DER, as are all names: they are compared as bytes."""
    subject: bytes
    spki: bytes
    """SubjectPublicKeyInfo, DER."""
    not_before: datetime
    not_after: datetime

    def ed25519_key(self) -> Ed25519Public:
        """The subject's key.

        Raises:
            KeyFormatError: it is of another kind (`AlgorithmMismatch`) or malformed.
        """
        return ed25519_public_from_der(self.spki)

    def has_signed(self, other: "Certificate") -> bool:
        """Whether this certificate's key signed the other one."""
        try:
            return _verifies(load_der_public_key(self.spki), other)
        except (InvalidSignature, UnsupportedAlgorithm, ValueError):
            return False


def _verifies(key: Any, signed: Certificate) -> bool:
    kind = signed.algorithm
    if isinstance(key, ed25519.Ed25519PublicKey) and kind == "ed25519":
        key.verify(signed.signature, signed.body)
        return True
    digest = _HASHES.get(signed.hash_name)
    if digest is None:
        return False
    if isinstance(key, rsa.RSAPublicKey) and key.key_size in _RSA_BITS:
        if kind == "rsassa_pkcs1v15":
            key.verify(signed.signature, signed.body, padding.PKCS1v15(), digest)
            return True
        if kind == "rsassa_pss":
            pss = padding.PSS(padding.MGF1(digest), digest.digest_size)
            key.verify(signed.signature, signed.body, pss, digest)
            return True
    if isinstance(key, ec.EllipticCurvePublicKey) and kind == "ecdsa":
        if key.curve.name not in _CURVES or signed.hash_name not in _CURVE_HASHES:
            return False
        key.verify(signed.signature, signed.body, ec.ECDSA(digest))
        return True
    return False


def parse_certificate(der: bytes) -> Certificate | None:
    """A version 3 certificate, or None where the bytes are none."""
    if len(der) > CERTIFICATE_BYTES_MAX:
        return None
    try:
        return _parse(asn1_x509.Certificate.load(der, strict=True))
    except (ValueError, TypeError, KeyError, OverflowError):
        return None


def _parse(certificate: Any) -> Certificate | None:
    body = certificate["tbs_certificate"]
    if body["version"].native != "v3":
        return None
    algorithm = certificate["signature_algorithm"]
    if algorithm.dump() != body["signature"].dump():
        return None
    is_ed25519 = algorithm["algorithm"].dotted == _ED25519_OID
    return Certificate(
        body=body.dump(),
        algorithm="ed25519" if is_ed25519 else algorithm.signature_algo,
        hash_name="" if is_ed25519 else algorithm.hash_algo,
        signature=certificate["signature_value"].native,
        issuer=body["issuer"].dump(),
        subject=body["subject"].dump(),
        spki=body["subject_public_key_info"].dump(),
        not_before=body["validity"]["not_before"].native,
        not_after=body["validity"]["not_after"].native,
    )


def parse_chain(ders: Iterable[bytes]) -> list[Certificate]:
    """The certificates up to the first that cannot be read, which ends the list silently."""
    chain: list[Certificate] = []
    for der in ders:
        certificate = parse_certificate(der)
        if certificate is None or len(chain) == CHAIN_LENGTH_MAX:
            break
        chain.append(certificate)
    return chain


def check_chain(chain: Sequence[Certificate], now: datetime) -> Certificate:
    """The root (the last certificate) of a chain that holds at `now`, which has a time zone.

    Raises:
        Empty: no certificate.
        UnknownIssuer, CertNotValidYet, CertExpired: the first certificate, in order, that is not
            the issuer of the one before it, or is not valid; in the end the root must be its own
            issuer.
    """
    if not chain:
        raise Empty("certificate chain has 0 readable certificates, needs at least 1")
    for position, certificate in enumerate(chain):
        if position:
            _check_issued(chain[position - 1], certificate, position - 1)
        _check_valid(certificate, now, position)
    _check_issued(chain[-1], chain[-1], len(chain) - 1)
    return chain[-1]


def _check_issued(child: Certificate, parent: Certificate, position: int) -> None:
    if child.issuer != parent.subject or not parent.has_signed(child):
        raise UnknownIssuer(f"certificate {position} was not issued by the one expected")


def _check_valid(certificate: Certificate, now: datetime, position: int) -> None:
    if now < certificate.not_before:
        raise CertNotValidYet(f"certificate {position} is valid from {certificate.not_before}")
    if now > certificate.not_after:
        raise CertExpired(f"certificate {position} was valid until {certificate.not_after}")
