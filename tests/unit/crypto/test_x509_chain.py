"""Certificate chains by the network's simple rules."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from mcnode.crypto.errors import AlgorithmMismatch, KeyFormatError
from mcnode.crypto.x509_chain import (
    CHAIN_LENGTH_MAX,
    CertExpired,
    CertNotValidYet,
    Empty,
    UnknownIssuer,
    check_chain,
    parse_certificate,
    parse_chain,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
END = START + timedelta(days=10)
NOW = START + timedelta(days=5)


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def issue(
    subject: str,
    key: Any,
    issuer: str,
    issuer_key: Any,
    *,
    start: datetime = START,
    end: datetime = END,
    algorithm: Any = None,
    **options: Any,
) -> bytes:
    is_ed25519 = isinstance(issuer_key, ed25519.Ed25519PrivateKey)
    if algorithm is None and not is_ed25519:
        algorithm = hashes.SHA256()
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(start)
        .not_valid_after(end)
    )
    made = builder.sign(issuer_key, algorithm, **options)
    return made.public_bytes(serialization.Encoding.DER)


ROOT_KEY, MIDDLE_KEY, LEAF_KEY = (ed25519.Ed25519PrivateKey.generate() for _ in range(3))
ROOT = issue("root", ROOT_KEY, "root", ROOT_KEY)
MIDDLE = issue("middle", MIDDLE_KEY, "root", ROOT_KEY)
LEAF = issue("leaf", LEAF_KEY, "middle", MIDDLE_KEY)


def check(*ders: bytes, now: datetime = NOW) -> bytes:
    return check_chain(parse_chain(ders), now).spki


def spki_of(key: Any) -> bytes:
    encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    spki: bytes = key.public_key().public_bytes(encoding, form)
    return spki


def test_a_good_chain_ends_in_its_root() -> None:
    assert check(LEAF, MIDDLE, ROOT) == spki_of(ROOT_KEY)
    assert check(ROOT) == spki_of(ROOT_KEY)
    leaf = parse_certificate(LEAF)
    assert leaf is not None
    assert leaf.ed25519_key().to_bytes() == LEAF_KEY.public_key().public_bytes_raw()


@pytest.mark.parametrize(
    "ders",
    [
        (ROOT, MIDDLE),
        (LEAF, ROOT),
        (LEAF, MIDDLE),
        (MIDDLE, LEAF, ROOT),
        (LEAF, LEAF, MIDDLE, ROOT),
    ],
)
def test_each_must_be_issued_by_the_next_and_the_root_by_itself(ders: tuple[bytes, ...]) -> None:
    with pytest.raises(UnknownIssuer):
        check(*ders)


def test_a_name_alone_does_not_make_an_issuer() -> None:
    impostor = issue("middle", ROOT_KEY, "root", ROOT_KEY)
    with pytest.raises(UnknownIssuer):
        check(LEAF, impostor, ROOT)


def test_validity_includes_both_ends() -> None:
    assert check(ROOT, now=START) and check(ROOT, now=END)
    with pytest.raises(CertNotValidYet):
        check(LEAF, MIDDLE, ROOT, now=START - timedelta(seconds=1))
    with pytest.raises(CertExpired):
        check(LEAF, MIDDLE, ROOT, now=END + timedelta(seconds=1))


def test_order_of_errors_follows_the_chain() -> None:
    expired_root = issue("root", ROOT_KEY, "root", ROOT_KEY, end=START + timedelta(days=1))
    with pytest.raises(UnknownIssuer):
        check(LEAF, expired_root)
    with pytest.raises(CertExpired):
        check(MIDDLE, expired_root)


def test_unreadable_certificates_end_the_list() -> None:
    assert len(parse_chain([LEAF, b"garbage", MIDDLE, ROOT])) == 1
    with pytest.raises(Empty):
        check(b"garbage", ROOT)
    with pytest.raises(Empty):
        check()
    assert parse_certificate(ROOT + b"\0") is None
    assert parse_certificate(b"\x30" * 20_000) is None
    assert len(parse_chain([ROOT] * 40)) == CHAIN_LENGTH_MAX


def test_every_cut_certificate_is_unreadable() -> None:
    assert all(parse_certificate(ROOT[:end]) is None for end in range(len(ROOT)))


@pytest.mark.parametrize(
    ("key", "options"),
    [
        (rsa.generate_private_key(65537, 2048), {}),
        (ec.generate_private_key(ec.SECP256R1()), {}),
        (ec.generate_private_key(ec.SECP384R1()), {"algorithm": hashes.SHA384()}),
    ],
)
def test_other_kinds_of_keys(key: Any, options: dict[str, Any]) -> None:
    root = issue("r", key, "r", key, **options)
    assert check(root) == spki_of(key)
    certificate = parse_certificate(root)
    assert certificate is not None
    with pytest.raises(KeyFormatError):
        certificate.ed25519_key()


def test_rsa_pss() -> None:
    from cryptography.hazmat.primitives.asymmetric import padding

    key = rsa.generate_private_key(65537, 2048)
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256().digest_size)
    assert check(issue("r", key, "r", key, rsa_padding=pss)) == spki_of(key)


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (ec.generate_private_key(ec.SECP521R1()), hashes.SHA256()),
        (ec.generate_private_key(ec.SECP256R1()), hashes.SHA512()),
        (rsa.generate_private_key(65537, 1024), hashes.SHA256()),
    ],
)
def test_kinds_that_the_network_does_not_know(key: Any, algorithm: hashes.HashAlgorithm) -> None:
    with pytest.raises(UnknownIssuer):
        check(issue("r", key, "r", key, algorithm=algorithm))


def test_x25519_is_another_algorithm() -> None:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    certificate = parse_certificate(issue("x", X25519PrivateKey.generate(), "root", ROOT_KEY))
    assert certificate is not None
    with pytest.raises(AlgorithmMismatch):
        certificate.ed25519_key()
