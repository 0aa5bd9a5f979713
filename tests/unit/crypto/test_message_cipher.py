"""The cipher of state outside of trusted memory."""

import pytest

from mcnode.crypto.message_cipher import MacFailure, MessageCipher, TooShort, UnknownKey
from support.seeds import random_bytes_of

random_bytes = random_bytes_of(__name__)


def test_round_trip_and_layout() -> None:
    cipher = MessageCipher(random_bytes)
    first, second = cipher.encrypt(b"state"), cipher.encrypt(b"state")
    assert len(first) == len(b"state") + 16 + 8 + 12
    assert first[-20:-12] == bytes(8)
    assert (first[-12:], second[-12:]) == (bytes(12), b"\x01" + bytes(11))
    assert first[:-20] != second[:-20]
    assert cipher.decrypt(first) == cipher.decrypt(second) == b"state"


def test_associated_data_counts() -> None:
    cipher = MessageCipher(random_bytes)
    sealed = cipher.encrypt(b"state", b"where")
    assert cipher.decrypt(sealed, b"where") == b"state"
    with pytest.raises(MacFailure):
        cipher.decrypt(sealed)


def test_a_used_up_nonce_brings_a_new_key() -> None:
    cipher = MessageCipher(random_bytes, first_nonce=2**96 - 2)
    sealed = [cipher.encrypt(b"%d" % n) for n in range(3)]
    assert [message[-12:].hex() for message in sealed] == [
        "fe" + "ff" * 11,
        "00" * 12,
        "01" + "00" * 11,
    ]
    assert [message[-20] for message in sealed] == [0, 1, 1]
    assert [cipher.decrypt(message) for message in sealed] == [b"0", b"1", b"2"]


def test_errors() -> None:
    cipher = MessageCipher(random_bytes)
    sealed = cipher.encrypt(b"state")
    with pytest.raises(TooShort, match="19 bytes, needs at least 20"):
        cipher.decrypt(bytes(19))
    with pytest.raises(UnknownKey, match="key 1, there are 1"):
        cipher.decrypt(sealed[:-20] + b"\x01" + sealed[-19:])
    with pytest.raises(MacFailure):
        cipher.decrypt(bytes(20))
    with pytest.raises(MacFailure):
        MessageCipher(random_bytes).decrypt(sealed)
    for position in range(len(sealed) - 20):
        with pytest.raises(MacFailure):
            cipher.decrypt(
                sealed[:position] + bytes([sealed[position] ^ 1]) + sealed[position + 1 :]
            )


def test_keys_do_not_show() -> None:
    assert repr(MessageCipher(random_bytes)) == "MessageCipher(keys=1)"
