import pytest

from mcnode.crypto.noise import CipherState, Transport
from mcnode.enclave.errors import Cipher, NotFound
from mcnode.enclave.trusted.sessions import Channels, LruTable


def transport(number):
    key = bytes([number]) * 32
    return Transport(bytes([number]) * 64, CipherState(key), CipherState(key))


def test_least_recently_used_goes_first():
    table = LruTable(2)
    table.put("a", 1)
    table.put("b", 2)
    assert table.get("a") == 1
    table.put("c", 3)
    assert table.get("b") is None
    assert (table.get("a"), table.get("c"), len(table)) == (1, 3, 2)
    assert table.pop("a") == 1
    assert table.pop("a") is None


def test_channels_of_all_tables_are_found_and_closed():
    channels = Channels(2, 2)
    inbound = channels.add(0, transport(1))
    outbound = channels.add(1, transport(2))
    assert len(channels) == 2
    sealed = channels.get(inbound).encrypt(b"text", b"")
    assert channels.get(inbound).decrypt(sealed, b"") == b"text"
    channels.close(outbound)
    channels.close(outbound)
    with pytest.raises(NotFound):
        channels.get(outbound)


def test_full_table_forgets_only_its_own():
    channels = Channels(1, 2)
    outbound = channels.add(1, transport(9))
    first = channels.add(0, transport(1))
    second = channels.add(0, transport(2))
    with pytest.raises(NotFound):
        channels.get(first)
    channels.get(second)
    channels.get(outbound)


def test_failed_message_leaves_the_channel_in_step():
    channels = Channels(1)
    session = channels.add(0, transport(1))
    channel = channels.get(session)
    sealed = channel.encrypt(b"text", b"aad")
    with pytest.raises(Cipher):
        channel.decrypt(sealed, b"other")
    assert channel.decrypt(sealed, b"aad") == b"text"
