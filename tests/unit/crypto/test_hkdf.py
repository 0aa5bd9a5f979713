"""Key derivation against the RFC's example and another library."""

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from mcnode.crypto.hkdf import HashName, hkdf


def test_published_example() -> None:
    # RFC 5869, A.1
    okm = hkdf(
        HashName.SHA256,
        salt=bytes(range(13)),
        ikm=b"\x0b" * 22,
        info=bytes(range(0xF0, 0xFA)),
        length=42,
    )
    assert okm.hex() == (
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    )


@pytest.mark.parametrize(
    ("name", "algorithm"),
    [(HashName.SHA512, hashes.SHA512()), (HashName.BLAKE2B_512, hashes.BLAKE2b(64))],
)
@pytest.mark.parametrize("salt", [b"", b"salt", bytes(200)])
@pytest.mark.parametrize("length", [1, 64, 65, 300])
def test_agreement_with_another_library(
    name: HashName, algorithm: hashes.HashAlgorithm, salt: bytes, length: int
) -> None:
    theirs = HKDF(algorithm, length, salt or None, b"info").derive(b"secret")
    assert hkdf(name, salt=salt, ikm=b"secret", info=b"info", length=length) == theirs


def test_blake2b_256_is_not_a_cut_blake2b_512() -> None:
    short = hkdf(HashName.BLAKE2B_256, ikm=b"x", info=b"", length=32)
    long = hkdf(HashName.BLAKE2B_512, ikm=b"x", info=b"", length=32)
    assert short != long
