import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcnode.crypto.noise import (
    NONCE_MAX,
    PLAINTEXT_BYTES_MAX,
    AeadError,
    CipherState,
    Handshake,
    LowOrderKey,
    MessageTooShort,
    Pattern,
    ReKeyNeeded,
    public_key_of,
)
from mcnode.errors import BugError

E1, E2, S1, S2 = (bytes([n]) * 32 for n in (1, 2, 3, 4))


def pair(pattern=Pattern.NX, prologues=(b"host:1", b"host:1")):
    first = S1 if pattern is Pattern.IX else None
    return (
        Handshake(pattern, initiator=True, prologue=prologues[0], ephemeral=E1, static=first),
        Handshake(pattern, initiator=False, prologue=prologues[1], ephemeral=E2, static=S2),
    )


def channels(pattern=Pattern.NX):
    initiator, responder = pair(pattern)
    responder.read_message(initiator.write_message(b"hello"))
    assert initiator.read_message(responder.write_message(b"answer")) == b"answer"
    return initiator.finish(), responder.finish()


@pytest.mark.parametrize("pattern", Pattern)
def test_channel(pattern):
    initiator, responder = channels(pattern)
    assert initiator.channel_id == responder.channel_id
    assert len(initiator.channel_id) == 64
    for number in range(3):
        text = bytes([number]) * (70_000 * number)
        assert responder.decrypt(initiator.encrypt(text, b"aad"), b"aad") == text
        assert initiator.decrypt(responder.encrypt(text)) == text


def test_static_keys_are_learned():
    initiator, responder = pair(Pattern.IX)
    responder.read_message(initiator.write_message())
    initiator.read_message(responder.write_message())
    assert responder.remote_static == public_key_of(S1)
    assert initiator.remote_static == public_key_of(S2)
    anonymous = pair(Pattern.NX)
    anonymous[1].read_message(anonymous[0].write_message())
    assert anonymous[1].remote_static is None


@pytest.mark.parametrize("pattern", Pattern)
def test_prologue_counts(pattern):
    initiator, responder = pair(pattern, (b"host:1", b"HOST:1"))
    responder.read_message(initiator.write_message())
    with pytest.raises(AeadError):
        initiator.read_message(responder.write_message())


@pytest.mark.parametrize("pattern", Pattern)
@given(data=st.data())
def test_second_message_cannot_be_altered(pattern, data):
    initiator, responder = pair(pattern)
    responder.read_message(initiator.write_message())
    message = responder.write_message(b"payload")
    position = data.draw(st.integers(0, len(message) - 1))
    bit = 1 << data.draw(st.integers(0, 7))
    altered = message[:position] + bytes([message[position] ^ bit]) + message[position + 1 :]
    with pytest.raises(AeadError):
        initiator.read_message(altered)


@pytest.mark.parametrize("pattern", Pattern)
def test_short_messages(pattern):
    initiator, responder = pair(pattern)
    first = initiator.write_message()
    for length in (0, 31, len(first) - 1):
        with pytest.raises(MessageTooShort):
            pair(pattern)[1].read_message(first[:length])
    responder.read_message(first)
    second = responder.write_message()
    for length in (0, 31, 79, 95):
        fresh = pair(pattern)[0]
        fresh.write_message()
        with pytest.raises((MessageTooShort, AeadError)):
            fresh.read_message(second[:length])


@pytest.mark.parametrize("key", [bytes(32), b"\x01" + bytes(31)])
def test_low_order_keys_are_refused(key):
    responder = pair()[1]
    responder.read_message(key)
    with pytest.raises(LowOrderKey):
        responder.write_message()


def test_messages_in_turn_only():
    initiator, responder = pair()
    with pytest.raises(BugError):
        responder.write_message()
    with pytest.raises(BugError):
        initiator.read_message(bytes(96))
    first = initiator.write_message()
    with pytest.raises(BugError):
        initiator.write_message()
    with pytest.raises(BugError):
        initiator.finish()
    responder.read_message(first)
    initiator.read_message(responder.write_message())
    assert initiator.is_complete
    with pytest.raises(BugError):
        initiator.write_message()


def test_who_has_a_static_key():
    for pattern, initiator, static in (
        (Pattern.NX, True, S1),
        (Pattern.NX, False, None),
        (Pattern.IX, True, None),
    ):
        with pytest.raises(BugError):
            Handshake(pattern, initiator=initiator, prologue=b"", ephemeral=E1, static=static)


def test_order_of_messages():
    initiator, responder = channels()
    first, second = initiator.encrypt(b"1"), initiator.encrypt(b"2")
    with pytest.raises(AeadError):
        responder.decrypt(second)
    assert responder.decrypt(first) == b"1"
    with pytest.raises(AeadError):
        responder.decrypt(first)
    assert responder.decrypt(second) == b"2"
    for bad in (b"", bytes(15), bytes(16)):
        with pytest.raises(AeadError):
            responder.decrypt(bad)


def test_associated_data_counts():
    initiator, responder = channels()
    sealed = initiator.encrypt(b"text", b"one")
    with pytest.raises(AeadError):
        responder.decrypt(sealed, b"two")
    assert responder.decrypt(sealed, b"one") == b"text"


@pytest.mark.parametrize("attribute", ["_nonce", "_bytes"])
def test_used_up_ciphers(attribute):
    limit = {"_nonce": NONCE_MAX, "_bytes": PLAINTEXT_BYTES_MAX}[attribute]
    cipher = CipherState(E1)
    setattr(cipher, attribute, limit - 1)
    sealed = CipherState(E1)
    setattr(sealed, attribute, limit - 1)
    message = sealed.encrypt(b"x", b"")
    assert cipher.decrypt(message, b"") == b"x"
    for call in (lambda: sealed.encrypt(b"x", b""), lambda: cipher.decrypt(message, b"")):
        with pytest.raises(ReKeyNeeded):
            call()


def test_secrets_are_hidden():
    initiator, responder = channels()
    for thing in (initiator, responder, *pair()):
        assert E1.hex() not in repr(thing)
        assert "key" not in repr(thing).lower()
