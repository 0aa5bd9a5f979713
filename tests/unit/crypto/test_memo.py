"""Memo cipher and MAC."""

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from mcnode.crypto.hkdf import HashName, hkdf
from mcnode.crypto.memo import BadLength, _keystream, apply_memo_cipher, memo_mac

SECRET = bytes(range(32))


def test_is_its_own_inverse_and_depends_on_the_secret() -> None:
    memo = bytes(range(66))
    sealed = apply_memo_cipher(SECRET, memo)
    assert sealed != memo
    assert apply_memo_cipher(SECRET, sealed) == memo
    assert apply_memo_cipher(bytes(32), sealed) != memo


def test_is_counter_mode_where_the_counter_does_not_wrap() -> None:
    okm = hkdf(HashName.SHA512, salt=b"mc-memo-okm", ikm=SECRET, info=b"", length=48)
    theirs = Cipher(algorithms.AES(okm[:32]), modes.CTR(okm[32:])).encryptor()
    assert apply_memo_cipher(SECRET, bytes(66)) == theirs.update(bytes(66))


def test_counter_never_carries_into_the_high_half() -> None:
    key, high = bytes(32), b"\x01" * 8
    stream = _keystream(key, high + b"\xff" * 8, 32)
    wrapped = _keystream(key, high + bytes(8), 16)
    assert stream[16:] == wrapped
    full_carry = Cipher(algorithms.AES(key), modes.CTR(high + b"\xff" * 8)).encryptor()
    assert stream != full_carry.update(bytes(32))


@pytest.mark.parametrize("length", [0, 64, 65, 67])
def test_length(length: int) -> None:
    with pytest.raises(BadLength, match=f"{length} bytes, needs 66"):
        apply_memo_cipher(SECRET, bytes(length))


def test_mac_covers_the_first_48_bytes() -> None:
    point, public, memo_type, data = b"p" * 32, b"k" * 32, b"\x01\x00", bytes(range(64))
    expected = hmac.new(point, b"mc-memo-mac" + public + memo_type + data[:48], hashlib.sha512)
    assert memo_mac(point, public, memo_type, data) == expected.digest()[:16]
    assert memo_mac(point, public, memo_type, data[:48]) == expected.digest()[:16]
    for changed in (
        (b"q" * 32, public, memo_type, data),
        (point, b"l" * 32, memo_type, data),
        (point, public, b"\x01\x01", data),
        (point, public, memo_type, b"\xff" + data[1:]),
    ):
        assert memo_mac(*changed) != expected.digest()[:16]
