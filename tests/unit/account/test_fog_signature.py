"""Who vouches for fog reports, and the order in which it is looked at."""

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from mcnode.account import fog_signature as fog
from mcnode.account.account_key import AccountKey
from mcnode.account.public_address import PublicAddress
from mcnode.codec.digest import Aggregate, List, Primitive, uint
from mcnode.crypto.digest_signature import sign_digest
from mcnode.crypto.keys import Ed25519Private
from support.seeds import random_bytes_of

random_bytes = random_bytes_of(__name__)

NOW = datetime(2026, 6, 1, tzinfo=UTC)
REPORTS = List([Aggregate("Report", {"pubkey_expiry": uint(100, 64)})])


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def issue(subject: str, key: Any, issuer: str, issuer_key: Any) -> bytes:
    is_ed25519 = isinstance(issuer_key, ed25519.Ed25519PrivateKey)
    made = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .sign(issuer_key, None if is_ed25519 else hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.DER)


ROOT_KEY = ec.generate_private_key(ec.SECP256R1())
LEAF_KEY = Ed25519Private.random(random_bytes)
ROOT = issue("root", ROOT_KEY, "root", ROOT_KEY)
LEAF = issue(
    "leaf", ed25519.Ed25519PrivateKey.from_private_bytes(LEAF_KEY.to_bytes()), "root", ROOT_KEY
)
SPKI = ROOT_KEY.public_key().public_bytes(
    serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
)
ADDRESS = dataclasses.replace(
    AccountKey.random(random_bytes), fog_report_url="fog://x", fog_authority_spki=SPKI
).default_subaddress()
SIGNATURE = sign_digest(LEAF_KEY, fog.REPORTS_CONTEXT, REPORTS)


def check(
    address: PublicAddress = ADDRESS,
    reports: List = REPORTS,
    chain: tuple[bytes, ...] = (LEAF, ROOT),
    signature: bytes = SIGNATURE,
) -> None:
    fog.check_fog_signature(address, reports, chain, signature, NOW)


def test_good_response() -> None:
    check()


def test_every_fault_has_its_name_and_place() -> None:
    bad_chain: tuple[bytes, ...] = ()
    no_signature = dataclasses.replace(ADDRESS, fog_authority_sig=b"")
    with pytest.raises(fog.NoSignature):
        check(no_signature, chain=bad_chain)
    unparsable = dataclasses.replace(ADDRESS, fog_authority_sig=bytes(64))
    with pytest.raises(fog.SignatureParse):
        check(unparsable, chain=bad_chain)
    with pytest.raises(fog.Chain):
        check(chain=(LEAF,))
    other = issue("root", LEAF_KEY_AS_ROOT, "root", LEAF_KEY_AS_ROOT)
    with pytest.raises(fog.Authority):
        check(chain=(other,), signature=b"")
    with pytest.raises(fog.Pubkey):
        check(chain=(ROOT,), signature=b"")
    with pytest.raises(fog.Report):
        check(signature=bytes(64))
    with pytest.raises(fog.Report):
        check(reports=List([Primitive("bytes", b"")]))


LEAF_KEY_AS_ROOT = ed25519.Ed25519PrivateKey.from_private_bytes(LEAF_KEY.to_bytes())
