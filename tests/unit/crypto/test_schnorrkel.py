"""Schnorrkel: deterministic, exact about form."""

import pytest

from mcnode.crypto import schnorrkel
from mcnode.crypto.errors import SignatureError
from mcnode.crypto.keys import RistrettoPrivate
from support.seeds import random_bytes_of

random_bytes = random_bytes_of(__name__)

ORDER = 2**252 + 27742317777372353535851937790883648493
KEY = RistrettoPrivate((1234567).to_bytes(32, "little"))


def test_round_trip_and_determinism() -> None:
    for message in (b"", b"message", random_bytes(1000)):
        signature = schnorrkel.sign(KEY, b"context", message)
        assert signature == schnorrkel.sign(KEY, b"context", message)
        assert len(signature) == 64
        assert signature[63] & 0x80
        schnorrkel.verify(KEY.public_key(), b"context", message, signature)


def test_key_context_and_message_all_count() -> None:
    signature = schnorrkel.sign(KEY, b"context", b"message")
    other = RistrettoPrivate((1).to_bytes(32, "little")).public_key()
    for public, context, message in (
        (other, b"context", b"message"),
        (KEY.public_key(), b"contex", b"tmessage"),
        (KEY.public_key(), b"context", b"messag"),
    ):
        with pytest.raises(SignatureError, match="does not verify"):
            schnorrkel.verify(public, context, message, signature)


def test_every_changed_byte_is_refused() -> None:
    signature = schnorrkel.sign(KEY, b"c", b"m")
    for position in range(64):
        changed = bytearray(signature)
        changed[position] ^= 1
        with pytest.raises(SignatureError):
            schnorrkel.verify(KEY.public_key(), b"c", b"m", bytes(changed))


@pytest.mark.parametrize("length", [0, 63, 65])
def test_length(length: int) -> None:
    with pytest.raises(SignatureError, match=f"{length} bytes, needs 64"):
        schnorrkel.verify(KEY.public_key(), b"", b"", b"\xff" * length)


def test_marker_bit_is_needed() -> None:
    signature = schnorrkel.sign(KEY, b"c", b"m")
    unmarked = signature[:63] + bytes([signature[63] & 0x7F])
    with pytest.raises(SignatureError, match="not marked"):
        schnorrkel.verify(KEY.public_key(), b"c", b"m", unmarked)


def test_response_must_be_canonical() -> None:
    signature = schnorrkel.sign(KEY, b"c", b"m")
    response = int.from_bytes(signature[32:], "little") & ~(1 << 255)
    assert response + ORDER < 1 << 255
    wrapped = (response + ORDER | 1 << 255).to_bytes(32, "little")
    with pytest.raises(SignatureError, match="not canonical"):
        schnorrkel.verify(KEY.public_key(), b"c", b"m", signature[:32] + wrapped)
