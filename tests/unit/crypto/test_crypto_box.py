"""Hybrid encryption and fog hints."""

import pytest

from mcnode.crypto import crypto_box
from mcnode.crypto.errors import InvalidPublicKey
from mcnode.crypto.fog_hint import (
    FogHintError,
    decrypt_fog_hint,
    encrypt_fog_hint,
    fake_onetime_hint,
)
from mcnode.crypto.keys import RistrettoPrivate, RistrettoPublic
from mcnode.crypto.rng import Hc128Rng
from support.seeds import random_bytes_of

random_bytes = random_bytes_of(__name__)

KEY = RistrettoPrivate.random(random_bytes)


@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 34, 5000])
def test_round_trip(length: int) -> None:
    plaintext = random_bytes(length)
    cryptogram = crypto_box.encrypt(random_bytes, KEY.public_key(), plaintext)
    assert len(cryptogram) == length + crypto_box.FOOTER_BYTES
    assert cryptogram[-2:] == b"\x01\x00"
    opened = crypto_box.decrypt(KEY, cryptogram)
    assert (opened.is_authentic, opened.plaintext) == (True, plaintext)


def test_damage_and_other_keys_give_garbage_not_errors() -> None:
    plaintext = b"some plaintext"
    cryptogram = crypto_box.encrypt(random_bytes, KEY.public_key(), plaintext)
    other = RistrettoPrivate.random(random_bytes)
    assert not crypto_box.decrypt(other, cryptogram).is_authentic
    for position in [*range(len(plaintext)), *range(len(cryptogram) - 18, len(cryptogram) - 2)]:
        changed = bytearray(cryptogram)
        changed[position] ^= 1
        opened = crypto_box.decrypt(KEY, bytes(changed))
        assert not opened.is_authentic
        assert len(opened.plaintext) == len(plaintext)


def test_order_of_errors() -> None:
    good = crypto_box.encrypt(random_bytes, KEY.public_key(), b"")
    with pytest.raises(crypto_box.TooShort, match="49 bytes, needs at least 50"):
        crypto_box.decrypt(KEY, good[:-1])
    not_a_point = b"\x01" + bytes(31) + bytes(16)
    with pytest.raises(crypto_box.WrongMagicBytes, match="is 2, needs 1"):
        crypto_box.decrypt(KEY, not_a_point + b"\x02\x01")
    with pytest.raises(crypto_box.UnknownAlgorithm, match="is 1, needs 0"):
        crypto_box.decrypt(KEY, not_a_point + b"\x01\x01")
    with pytest.raises(InvalidPublicKey):
        crypto_box.decrypt(KEY, not_a_point + b"\x01\x00")


def test_version_selection() -> None:
    assert crypto_box.select_version([(9, 9), (1, 0)]) == (1, 0)
    with pytest.raises(crypto_box.NoAcceptableVersions):
        crypto_box.select_version([(1, 1)])


def test_fog_hint_round_trip() -> None:
    view = RistrettoPublic.random(random_bytes)
    hint = encrypt_fog_hint(random_bytes, KEY.public_key(), view)
    assert len(hint) == 84
    assert decrypt_fog_hint(KEY, hint) == view
    with pytest.raises(FogHintError):
        decrypt_fog_hint(RistrettoPrivate.random(random_bytes), hint)


def test_hints_that_hold_something_else_are_refused() -> None:
    view = RistrettoPublic.random(random_bytes).to_bytes()
    public = KEY.public_key()
    for plaintext in (view + b"\x2a\x2b", view + bytes(2), b"\x01" + bytes(31) + b"\x2a\x2a"):
        with pytest.raises(FogHintError):
            decrypt_fog_hint(KEY, crypto_box.encrypt(random_bytes, public, plaintext))
    for length in (0, 83, 85):
        with pytest.raises(FogHintError, match=f"{length} bytes, needs 84"):
            decrypt_fog_hint(KEY, bytes(length))
    with pytest.raises(FogHintError):
        decrypt_fog_hint(KEY, b"\x09" * 84)


def test_fake_hints_draw_128_bytes_and_open_for_nobody() -> None:
    draw = Hc128Rng(bytes(32))
    hint = fake_onetime_hint(draw)
    assert len(hint) == 84
    reference = Hc128Rng(bytes(32))
    reference(128)
    assert draw(4) == reference(4)
    with pytest.raises(FogHintError):
        decrypt_fog_hint(KEY, hint)
