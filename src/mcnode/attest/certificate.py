"""X.509 certificates and chains as this network judges them. [docs/protocol/enclave.md#5.3]

Read with asn1crypto rather than with the X.509 part of `cryptography`, because simulated builds of
the network issue certificates whose signature algorithm carries a superfluous NULL, which the
latter refuses. Signatures are checked with `cryptography`.

The rules of a chain: leaf first; a parent is a certification authority that may sign certificates,
stands later in the chain or is the anchor, and bears the name that the child gives its issuer; the
child's signature verifies under the parent's key. Validity dates are never looked at, by nobody in
this network. A revocation list counts only where its issuer is the parent in question.
"""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any, Final, Self

from asn1crypto import crl as asn1_crl
from asn1crypto import pem as asn1_pem
from asn1crypto import x509 as asn1_x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from mcnode.attest.errors import AttestationError, InvalidContents

CHAIN_LENGTH_MAX: Final = 8
"""Certificates of one chain: Intel's have three."""
CERTIFICATE_BYTES_MAX: Final = 16_384

_PARSED_MAX: Final = 128
"""Parsed certificates that are remembered: evidence repeats one chain three times, and every peer
shows the same few. At most 2 MiB."""

_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_CURVES: Final = ("secp256r1", "secp384r1", "secp521r1", "secp256k1")
_RSA_BITS_MIN: Final = 2048
_CASE_INSENSITIVE_TAGS: Final = (12, 19)
"""UTF8String and PrintableString: names in either compare without regard to letter case."""

Name = tuple[tuple[str, bytes], ...]
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey


class ChainError(AttestationError):
    """A chain does not lead to the trust anchor."""


@dataclasses.dataclass(frozen=True, slots=True)
class Signed:
    """Bytes with a signature over them, as certificates and revocation lists are."""

    body: bytes
    algorithm: str
    """As `sha256_ecdsa`: hash and kind."""
    signature: bytes

    def is_signed_by(self, key: PublicKey) -> bool:
        """Whether the signature verifies and its hash and key are strong enough."""
        hash_name, _, kind = self.algorithm.partition("_")
        algorithm = _HASHES.get(hash_name)
        if algorithm is None or not _is_strong(key):
            return False
        try:
            if kind == "ecdsa" and isinstance(key, ec.EllipticCurvePublicKey):
                key.verify(self.signature, self.body, ec.ECDSA(algorithm))
            elif kind == "rsa" and isinstance(key, rsa.RSAPublicKey):
                key.verify(self.signature, self.body, padding.PKCS1v15(), algorithm)
            else:
                return False
        except InvalidSignature:
            return False
        return True


def _is_strong(key: PublicKey) -> bool:
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size >= _RSA_BITS_MIN
    return key.curve.name in _CURVES


@dataclasses.dataclass(frozen=True, slots=True)
class Certificate:
    """What the rules look at, of one certificate."""

    der: bytes = dataclasses.field(repr=False)
    subject: Name
    issuer: Name
    serial_number: int
    signed: Signed = dataclasses.field(repr=False)
    public_key_der: bytes = dataclasses.field(repr=False)
    is_authority: bool
    path_length: int | None
    """How many intermediate authorities may stand below this one; None is any number."""
    key_usage: frozenset[str] | None
    """None when the extension is absent, which allows every use."""
    extensions: tuple[tuple[str, bytes], ...] = dataclasses.field(repr=False)
    """Object ids in dotted form with their values."""

    @staticmethod
    def from_der(der: bytes) -> "Certificate":
        """Parse exactly one certificate.

        Raises:
            InvalidContents: the bytes are not one.
        """
        if len(der) > CERTIFICATE_BYTES_MAX:
            raise InvalidContents(
                f"certificate has {len(der)} bytes, at most {CERTIFICATE_BYTES_MAX} are allowed"
            )
        return _parse_certificate(der)

    def public_key(self) -> PublicKey:
        """The subject's key.

        Raises:
            InvalidContents: it is neither an elliptic curve nor an RSA key.
        """
        try:
            key = load_der_public_key(self.public_key_der)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise InvalidContents(f"certificate's key does not parse: {error}") from None
        if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
            raise InvalidContents(f"certificate's key is of kind {type(key).__name__}")
        return key

    def may(self, use: str) -> bool:
        """Whether key usage allows this, as `key_cert_sign` or `crl_sign`."""
        return self.key_usage is None or use in self.key_usage

    def is_parent_of(self, child: "Certificate", authorities_below: int) -> bool:
        """Whether this certificate issued `child`, with so many authorities in between."""
        return (
            child.issuer == self.subject
            and self.is_authority
            and self.may("key_cert_sign")
            and (self.path_length is None or authorities_below <= self.path_length)
            and child.signed.is_signed_by(self.public_key())
        )


@functools.lru_cache(maxsize=_PARSED_MAX)
def _parse_certificate(der: bytes) -> Certificate:
    try:
        return _certificate_of(asn1_x509.Certificate.load(der, strict=True), der)
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise InvalidContents(f"certificate does not parse: {error}") from None


def _certificate_of(parsed: Any, der: bytes) -> Certificate:
    body = parsed["tbs_certificate"]
    constraints = parsed.basic_constraints_value
    usage = parsed.key_usage_value
    extensions = body["extensions"].native and body["extensions"]
    return Certificate(
        der=der,
        subject=_name(body["subject"]),
        issuer=_name(body["issuer"]),
        serial_number=body["serial_number"].native,
        signed=_signed(parsed["signature_algorithm"], body.dump(), parsed["signature_value"]),
        public_key_der=body["subject_public_key_info"].dump(),
        is_authority=bool(constraints and constraints["ca"].native),
        path_length=constraints["path_len_constraint"].native if constraints else None,
        key_usage=None if usage is None else frozenset(usage.native),
        extensions=tuple(
            (entry["extn_id"].dotted, entry["extn_value"].contents) for entry in extensions or ()
        ),
    )


@dataclasses.dataclass(frozen=True, slots=True)
class RevocationList:
    """Serial numbers that an authority took back."""

    issuer: Name
    signed: Signed = dataclasses.field(repr=False)
    revoked: frozenset[int]

    @classmethod
    def from_der(cls, der: bytes) -> Self:
        """Parse exactly one list.

        Raises:
            InvalidContents: the bytes are not one.
        """
        try:
            parsed = asn1_crl.CertificateList.load(der, strict=True)
            body = parsed["tbs_cert_list"]
            entries = body["revoked_certificates"]
            revoked = frozenset(entry["user_certificate"].native for entry in entries or ())
            signed = _signed(parsed["signature_algorithm"], body.dump(), parsed["signature"])
            return cls(_name(body["issuer"]), signed, revoked)
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            raise InvalidContents(f"revocation list does not parse: {error}") from None


def _signed(algorithm: Any, body: bytes, signature: Any) -> Signed:
    return Signed(body, algorithm["algorithm"].native, signature.native)


def _name(name: Any) -> Name:
    """Type and value of each part, ready to compare."""
    parts = []
    for relative in name.chosen:
        for part in relative:
            value = part["value"]
            value = getattr(value, "chosen", value)
            contents = value.contents
            if value.tag in _CASE_INSENSITIVE_TAGS:
                parts.append((part["type"].dotted, contents.lower()))
            else:
                parts.append((part["type"].dotted, bytes([value.tag]) + contents))
    return tuple(parts)


def parse_pem_chain(text: bytes) -> tuple[Certificate, ...]:
    """The certificates of a PEM text in order; what stands around them is ignored.

    Raises:
        InvalidContents: there is none, there are too many, or one does not parse.
    """
    try:
        ders = [
            der for label, _, der in asn1_pem.unarmor(text, multiple=True) if label == "CERTIFICATE"
        ]
    except (ValueError, TypeError) as error:
        raise InvalidContents(f"PEM does not parse: {error}") from None
    if len(ders) > CHAIN_LENGTH_MAX:
        raise InvalidContents(f"chain has {len(ders)} certificates, limit {CHAIN_LENGTH_MAX}")
    if not ders:
        raise InvalidContents("PEM holds no certificate")
    return tuple(Certificate.from_der(der) for der in ders)


def check_chain(
    chain: Sequence[Certificate], anchor: Certificate, lists: Sequence[RevocationList]
) -> None:
    """Walk from the first certificate to the anchor.

    Raises:
        ChainError: there is no way, or a certificate on it was revoked.
    """
    if not chain:
        raise ChainError("chain has no certificate, needs 1")
    child, rest = chain[0], list(chain[1:])
    authorities_below = 0
    while child.der != anchor.der:
        if anchor.is_parent_of(child, authorities_below):
            _check_not_revoked(child, anchor, lists)
            return
        position = next(
            (n for n, c in enumerate(rest) if c.is_parent_of(child, authorities_below)), None
        )
        if position is None:
            raise ChainError("no issuer in the chain and not signed by the trust anchor")
        parent, rest = rest[position], rest[position + 1 :]
        _check_not_revoked(child, parent, lists)
        if parent.subject != parent.issuer:
            authorities_below += 1
        child = parent


def _check_not_revoked(
    child: Certificate, parent: Certificate, lists: Sequence[RevocationList]
) -> None:
    for listed in lists:
        if listed.issuer != parent.subject:
            continue
        if not parent.may("crl_sign") or not listed.signed.is_signed_by(parent.public_key()):
            raise ChainError("revocation list is not signed by its issuer")
        if child.serial_number in listed.revoked:
            raise ChainError(f"certificate {child.serial_number:x} is revoked")
