"""What is accepted as a key, what is shown of it, and which signatures hold."""

import pytest

from mcnode import _native
from mcnode.crypto.errors import (
    InvalidPrivateKey,
    InvalidPublicKey,
    KeyFormatError,
    LengthMismatch,
    SignatureError,
)
from mcnode.crypto.keys import (
    Ed25519Private,
    Ed25519Public,
    RistrettoPrivate,
    RistrettoPublic,
    X25519Private,
    X25519Public,
)
from support.seeds import random_bytes_of

random_bytes = random_bytes_of(__name__)

ORDER = 2**252 + 27742317777372353535851937790883648493
EDWARDS_IDENTITY = b"\x01" + bytes(31)


@pytest.mark.parametrize("length", [0, 31, 33])
@pytest.mark.parametrize("kind", [RistrettoPrivate, RistrettoPublic, X25519Private, X25519Public])
def test_wrong_length_is_named_with_both_numbers(kind: type, length: int) -> None:
    with pytest.raises(LengthMismatch, match=f"expected exactly 32 bytes, got {length}") as caught:
        kind(bytes(length))
    assert (caught.value.found, caught.value.required) == (length, 32)


def test_ed25519_names_wrong_lengths_differently() -> None:
    with pytest.raises(InvalidPublicKey):
        Ed25519Public(bytes(31))
    with pytest.raises(SignatureError):
        Ed25519Private(bytes(33))


def test_ristretto_contents_are_checked() -> None:
    with pytest.raises(InvalidPrivateKey):
        RistrettoPrivate(ORDER.to_bytes(32, "little"))
    with pytest.raises(InvalidPublicKey):
        RistrettoPublic(b"\x01" + bytes(31))
    assert RistrettoPublic(bytes(32)).to_bytes() == bytes(32)


@pytest.mark.parametrize("kind", [RistrettoPrivate, Ed25519Private, X25519Private])
def test_private_keys_do_not_show_themselves(kind: type) -> None:
    key = kind.random(random_bytes)  # type: ignore[attr-defined]
    for shown in (repr(key), str(key), f"{key}"):
        assert key.to_bytes().hex() not in shown
        assert str(key.public_key()) in shown
    with pytest.raises(TypeError):
        hash(key)


@pytest.mark.parametrize("kind", [RistrettoPrivate, Ed25519Private, X25519Private])
def test_equality_is_of_value_and_type(kind: type) -> None:
    secret = (5).to_bytes(32, "little")
    assert kind(secret) == kind.from_bytes(secret)  # type: ignore[attr-defined]
    assert kind(secret) != kind((6).to_bytes(32, "little"))
    assert kind(secret) != secret
    public = kind(secret).public_key()
    assert public == type(public)(public.to_bytes())
    assert len({public, type(public)(public.to_bytes())}) == 1


def test_public_keys_sort_as_bytes() -> None:
    keys = [RistrettoPrivate.random(random_bytes).public_key() for _ in range(8)]
    assert [key.to_bytes() for key in sorted(keys)] == sorted(key.to_bytes() for key in keys)


def test_key_exchange_agrees() -> None:
    a, b = RistrettoPrivate.random(random_bytes), RistrettoPrivate.random(random_bytes)
    assert a.multiply(b.public_key()) == b.multiply(a.public_key())
    assert (a * b).public_key() == a.multiply(b.public_key())
    assert (a + b).public_key() == a.public_key() + b.public_key()
    assert a.public_key() - a.public_key() == RistrettoPublic(bytes(32))


def test_ed25519_published_example() -> None:
    # RFC 8032, 7.1, test 3
    key = Ed25519Private(
        bytes.fromhex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7")
    )
    assert (
        str(key.public_key()) == "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"
    )
    signature = key.sign(b"\xaf\x82")
    assert signature.hex().startswith(
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5a"
    )
    key.public_key().verify(b"\xaf\x82", signature)


def test_ed25519_prehashed_published_example() -> None:
    # RFC 8032, 7.3
    key = Ed25519Private(
        bytes.fromhex("833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42")
    )
    signature = key.sign_prehashed(b"abc")
    assert signature.hex().startswith(
        "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6d"
    )
    key.public_key().verify_prehashed(b"abc", signature)
    with pytest.raises(SignatureError):
        key.public_key().verify(b"abc", signature)
    with pytest.raises(SignatureError):
        key.public_key().verify_prehashed(b"abd", signature)


def test_every_changed_byte_of_a_signature_is_refused() -> None:
    key = Ed25519Private.random(random_bytes)
    signature = key.sign(b"message")
    for position in range(64):
        changed = bytearray(signature)
        changed[position] ^= 1
        with pytest.raises(SignatureError):
            key.public_key().verify(b"message", bytes(changed))
    with pytest.raises(SignatureError):
        key.public_key().verify(b"messagf", signature)


@pytest.mark.parametrize("length", [0, 63, 65])
def test_signatures_of_other_lengths_are_refused(length: int) -> None:
    public = Ed25519Private(bytes(32)).public_key()
    for verify in (public.verify, public.verify_prehashed):
        with pytest.raises(SignatureError, match=f"{length} bytes, needs 64"):
            verify(b"", bytes(length))


def test_response_beyond_the_group_order_is_refused() -> None:
    key = Ed25519Private(bytes(32))
    signature = key.sign(b"m")
    response = int.from_bytes(signature[32:], "little") + ORDER
    with pytest.raises(SignatureError):
        key.public_key().verify(b"m", signature[:32] + response.to_bytes(32, "little"))


def test_small_order_points_are_refused_only_by_the_strict_check() -> None:
    forger = Ed25519Public(EDWARDS_IDENTITY)
    universal = EDWARDS_IDENTITY + bytes(32)
    with pytest.raises(SignatureError):
        forger.verify(b"anything", universal)
    forger.verify_prehashed(b"anything", universal)


def test_ed25519_keeps_the_bytes_of_a_non_canonical_encoding() -> None:
    encoding = (2**255 - 18).to_bytes(32, "little")  # p + 1, the identity again
    key = Ed25519Public(encoding)
    assert key.to_bytes() == encoding
    assert key != Ed25519Public(EDWARDS_IDENTITY)
    not_on_curve = (2).to_bytes(32, "little")
    with pytest.raises(InvalidPublicKey):
        Ed25519Public(not_on_curve)


def test_x25519_published_example() -> None:
    # RFC 7748, 5.2
    scalar = bytes.fromhex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4")
    point = bytes.fromhex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c")
    assert (
        X25519Private(scalar).exchange(X25519Public(point)).hex()
        == "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"
    )


def test_x25519_exchange_agrees() -> None:
    alice, bob = X25519Private.random(random_bytes), X25519Private.random(random_bytes)
    assert alice.exchange(bob.public_key()) == bob.exchange(alice.public_key())


def test_x25519_keeps_unclamped_bytes_and_allows_a_zero_result() -> None:
    key = X25519Private(b"\xff" * 32)
    assert key.to_bytes() == b"\xff" * 32
    assert key.exchange(X25519Public(bytes(32))) == bytes(32)


def test_random_keys_take_what_is_documented() -> None:
    drawn: list[int] = []

    def draw(count: int) -> bytes:
        drawn.append(count)
        return bytes(count - 1) + b"\x01"

    RistrettoPrivate.random(draw)
    RistrettoPublic.random(draw)
    Ed25519Private.random(draw)
    X25519Private.random(draw)
    assert drawn == [64, 64, 32, 32]
    wide = (7).to_bytes(64, "little")
    assert RistrettoPrivate.from_wide(wide).to_bytes() == _native.scalar_from_wide(wide)
    with pytest.raises(KeyFormatError):
        RistrettoPrivate.from_wide(bytes(63))
