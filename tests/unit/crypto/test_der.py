"""DER and PEM of keys: forms, order of errors, agreement with other tools."""

import subprocess
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from mcnode.crypto import der
from mcnode.crypto.errors import (
    AlgorithmMismatch,
    InternalKeyError,
    InvalidPrivateKey,
    InvalidPublicKey,
    KeyFormatError,
    LengthMismatch,
)
from mcnode.crypto.keys import Ed25519Private, X25519Private
from support.seeds import random_bytes_of

random_bytes = random_bytes_of(__name__)

ED = Ed25519Private(bytes(range(32)))
X = X25519Private(bytes(range(32)))
READERS: list[tuple[Callable[[bytes], object], bytes, type[KeyFormatError], int]] = [
    (der.ed25519_public_from_der, der.public_key_to_der(ED.public_key()), InvalidPublicKey, 6),
    (der.ed25519_private_from_der, der.private_key_to_der(ED), InvalidPrivateKey, 9),
    (der.x25519_public_from_der, der.public_key_to_der(X.public_key()), InvalidPublicKey, 6),
    (der.x25519_private_from_der, der.private_key_to_der(X), InvalidPrivateKey, 9),
    (
        der.ed25519_signature_from_der,
        der.ed25519_signature_to_der(ED.sign(b"")),
        InvalidPublicKey,
        6,
    ),
]


def test_lengths_and_round_trips() -> None:
    assert [len(encoded) for _, encoded, _, _ in READERS] == [44, 48, 44, 48, 76]
    assert der.ed25519_public_from_der(READERS[0][1]) == ED.public_key()
    assert der.ed25519_private_from_der(READERS[1][1]) == ED
    assert der.x25519_public_from_der(READERS[2][1]) == X.public_key()
    assert der.x25519_private_from_der(READERS[3][1]) == X
    assert der.ed25519_signature_from_der(READERS[4][1]) == ED.sign(b"")


@pytest.mark.parametrize(("read", "good", "prefix_error", "oid"), READERS)
def test_order_of_errors(
    read: Callable[[bytes], object], good: bytes, prefix_error: type[KeyFormatError], oid: int
) -> None:
    def changed(position: int, data: bytes) -> bytes:
        return data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]

    everything_wrong = changed(0, changed(oid, good)) + b"\0"
    with pytest.raises(LengthMismatch, match=f"exactly {len(good)} bytes, got {len(good) + 1}"):
        read(everything_wrong)
    with pytest.raises(AlgorithmMismatch):
        read(changed(0, changed(oid, good)))
    with pytest.raises(prefix_error):
        read(changed(0, good))


def test_payload_off_the_curve_is_internal() -> None:
    encoded = READERS[0][1][:12] + (2).to_bytes(32, "little")
    with pytest.raises(InternalKeyError):
        der.ed25519_public_from_der(encoded)


def test_kinds_are_told_apart() -> None:
    with pytest.raises(AlgorithmMismatch):
        der.x25519_public_from_der(READERS[0][1])
    with pytest.raises(AlgorithmMismatch):
        der.ed25519_private_from_der(READERS[3][1])


@given(st.binary(max_size=100))
def test_arbitrary_bytes_give_key_errors_only(data: bytes) -> None:
    for read, *_ in READERS:
        try:
            read(data)
        except KeyFormatError:
            continue


def test_agreement_with_another_library() -> None:
    theirs = Ed25519PrivateKey.from_private_bytes(ED.to_bytes())
    encoding, pkcs8 = serialization.Encoding, serialization.PrivateFormat.PKCS8
    plain = serialization.NoEncryption()
    assert theirs.private_bytes(encoding.DER, pkcs8, plain) == der.private_key_to_der(ED)
    assert theirs.private_bytes(encoding.PEM, pkcs8, plain).decode() == der.private_key_to_pem(ED)
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    public = theirs.public_key()
    assert public.public_bytes(encoding.PEM, spki).decode() == der.public_key_to_pem(
        ED.public_key()
    )


def test_pem_reads_back_with_other_line_ends_and_text_around() -> None:
    for text in (
        der.private_key_to_pem(ED),
        der.private_key_to_pem(ED).replace("\n", "\r\n"),
        "a comment\n" + der.public_key_to_pem(ED.public_key()) + der.private_key_to_pem(ED),
    ):
        assert der.parse_ed25519_private_pem(text) == ED
    assert der.parse_ed25519_public_pem(der.public_key_to_pem(ED.public_key())) == ED.public_key()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", AlgorithmMismatch),
        (der.public_key_to_pem(ED.public_key()), AlgorithmMismatch),
        (der.private_key_to_pem(X), AlgorithmMismatch),
        (der.private_key_to_pem(ED).replace("END PRIVATE", "END PUBLIC"), InvalidPublicKey),
        (der.private_key_to_pem(ED).replace("MC4", "MC"), InvalidPublicKey),
        ("x" * 5000, InvalidPublicKey),
    ],
)
def test_bad_pem(text: str, error: type[KeyFormatError]) -> None:
    with pytest.raises(error):
        der.parse_ed25519_private_pem(text)


def test_keys_made_by_openssl() -> None:
    try:
        made = subprocess.run(
            ["openssl", "genpkey", "-algorithm", "ed25519"], capture_output=True, check=True
        )
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    key = der.parse_ed25519_private_pem(made.stdout.decode())
    assert der.private_key_to_pem(key) == made.stdout.decode()


def test_fingerprint_is_sha256_of_the_der() -> None:
    shown = der.fingerprint(ED.public_key())
    assert len(shown.split(":")) == 32
    assert shown == shown.lower()
    assert der.fingerprint(Ed25519Private.random(random_bytes).public_key()) != shown
