import pytest

from mcnode.connection.uri import (
    ADMIN,
    CLIENT,
    PEER,
    Base64Decode,
    KeyConversion,
    NoPubkey,
    UriError,
    parse_uri,
)

KEY_HEX = "ee07bfb8852db7752cf53ff19c44604b2f646f537175b0e1c4bb083cdf85037d"
KEY_BASE64 = "MCowBQYDK2VwAyEA7ge_uIUtt3Us9T_xnERgSy9kb1NxdbDhxLsIPN-FA30="


def test_default_ports_and_display() -> None:
    uri = parse_uri("insecure-mcp://user:secret@node.example:77/path?responder-id=other:1", PEER)
    assert str(uri) == "insecure-mcp://node.example:77/"
    assert uri.url == "insecure-mcp://user:secret@node.example:77/path/?responder-id=other:1"
    assert uri.responder_id == "other:1"
    assert uri.host_and_port_responder_id == "node.example:77"
    assert "secret" not in repr(uri)
    assert parse_uri("mca://h", ADMIN).addr == "h:9443"
    assert parse_uri("mc://h", CLIENT) == parse_uri("mc://h/", CLIENT)
    assert parse_uri("mc://h", CLIENT) != parse_uri("mc://h:443/", CLIENT)


def test_password_keeps_its_colons() -> None:
    uri = parse_uri("mc://abc:def:1:2:3@h/", CLIENT)
    assert (uri.username, uri.password) == ("abc", "def:1:2:3")
    uri = parse_uri("mc://a%3Ab:%C3%BC@h/", CLIENT)
    assert (uri.username, uri.password) == ("a:b", "ü")


def test_parameters() -> None:
    uri = parse_uri("mcp://h/?a=&a=x&b=1&c=true&d=yes&e=1+2", PEER)
    assert uri.param("a") == "x"
    assert uri.param("e") == "1 2"
    assert uri.param("nothing") is None
    assert [uri.bool_param(name) for name in "bcde"] == [True, True, False, False]


@pytest.mark.parametrize(
    ("query", "pushes"),
    [("", True), ("broadcast-consensus-msgs=1", True), ("broadcast-consensus-msgs=", True)]
    + [(f"broadcast-consensus-msgs={value}", False) for value in ("0", "true", "2")],
)
def test_broadcast_is_on_unless_something_else_than_1_is_said(query: str, pushes: bool) -> None:
    assert parse_uri(f"mcp://h/?{query}", PEER).broadcasts_consensus_msgs is pushes


@pytest.mark.parametrize("value", [KEY_HEX, KEY_HEX.upper(), KEY_BASE64])
def test_message_key(value: str) -> None:
    uri = parse_uri(f"mcp://h/?consensus-msg-key={value}", PEER)
    assert uri.consensus_msg_key().to_bytes().hex() == KEY_HEX


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("", NoPubkey),
        ("consensus-msg-key=", NoPubkey),
        ("consensus-msg-key=!!", Base64Decode),
        (f"consensus-msg-key={KEY_BASE64.rstrip('=')}", Base64Decode),
        (f"consensus-msg-key={KEY_BASE64.replace('_', '/')}", Base64Decode),
        ("consensus-msg-key=AAAA", KeyConversion),
        (f"consensus-msg-key={KEY_HEX}0000", KeyConversion),
        (f"consensus-msg-key={'02' + '00' * 31}", KeyConversion),
    ],
)
def test_unusable_message_key(query: str, error: type[UriError]) -> None:
    with pytest.raises(error):
        parse_uri(f"mcp://h/?{query}", PEER).consensus_msg_key()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("abc", 'Url parse error: "abc", "relative URL without a base"'),
        ("mc:///", "Missing host"),
        ("localhost:5", "Missing host"),
        ("http://h/", "Unknown scheme: Valid possibilities are `mc`, `insecure-mc`"),
        ("mc://%ff@h/", "Percent decoding error: '%ff'"),
        ("http://%ff@h/", "Unknown scheme: Valid possibilities are `mc`, `insecure-mc`"),
    ],
)
def test_error_texts(text: str, message: str) -> None:
    with pytest.raises(UriError) as caught:
        parse_uri(text, CLIENT)
    assert str(caught.value) == message
