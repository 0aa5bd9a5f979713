import pytest

from mcnode.connection.auth_token import (
    AnonymousAuthenticator,
    AuthenticationError,
    BasicCredentials,
    ExpiredAuthorizationToken,
    InvalidAuthorizationHeader,
    InvalidAuthorizationToken,
    InvalidCredentials,
    TokenAuthenticator,
    Unauthenticated,
    UnsupportedAuthorizationMethod,
    authenticate_call,
    make_token,
    parse_authorization_header,
    percent_encode_password,
)

SECRET = bytes([0x11]) * 32
NOW = 1_700_000_000
GATE = TokenAuthenticator(SECRET, max_lifetime_s=100)


@pytest.mark.parametrize("age", [-99, 0, 99])
def test_fresh_token_names_its_user(age: int) -> None:
    credentials = make_token(SECRET, "alice", NOW - age)
    assert GATE.authenticate(credentials, NOW + 0.9) == "alice"


@pytest.mark.parametrize("age", [-100, 100, 10**12])
def test_token_too_far_from_now(age: int) -> None:
    with pytest.raises(ExpiredAuthorizationToken, match="Expired user authorization token"):
        GATE.authenticate(make_token(SECRET, "alice", max(0, NOW - age)), NOW)


def test_credentials_are_needed() -> None:
    with pytest.raises(Unauthenticated):
        GATE.authenticate(None, NOW)


@pytest.mark.parametrize(
    "password",
    [
        "",
        "alice",
        f"alice:{NOW}",
        f"alice:{NOW}:00:00",
        f"bob:{NOW}:00000000000000000000",
        "alice:now:00000000000000000000",
        "alice:-1:00000000000000000000",
        f"alice:{1 << 64}:00000000000000000000",
        f"alice:{'9' * 5000}:00000000000000000000",
        f"alice:{NOW}:zz",
        f"alice:{NOW}:0",
        f"alice:{NOW}:",
    ],
)
def test_malformed_tokens(password: str) -> None:
    with pytest.raises(InvalidAuthorizationToken):
        GATE.authenticate(BasicCredentials("alice", password), NOW)


def test_other_secret_and_untruncated_mac() -> None:
    with pytest.raises(InvalidAuthorizationToken):
        GATE.authenticate(make_token(bytes(32), "alice", NOW), NOW)
    good = make_token(SECRET, "alice", NOW)
    longer = BasicCredentials("alice", good.password + "00")
    with pytest.raises(InvalidAuthorizationToken):
        GATE.authenticate(longer, NOW)
    upper = BasicCredentials("alice", "alice:" + good.password[6:].upper())
    assert GATE.authenticate(upper, NOW) == "alice"


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("", UnsupportedAuthorizationMethod),
        ("basic dTpw", UnsupportedAuthorizationMethod),
        ("Bearer x", UnsupportedAuthorizationMethod),
        ("Basic", InvalidAuthorizationHeader),
        ("Basic !!", InvalidAuthorizationHeader),
        (b"Basic \xff", InvalidAuthorizationHeader),
        ("Basic " + "A" * 9000, InvalidAuthorizationHeader),
        ("Basic  dTpw", InvalidCredentials),
        ("Basic bm9jb2xvbg==", InvalidCredentials),
        ("Basic //46eA==", InvalidCredentials),
    ],
)
def test_malformed_headers(value: str | bytes, error: type[AuthenticationError]) -> None:
    with pytest.raises(error):
        parse_authorization_header(value)
    with pytest.raises(error):
        authenticate_call(AnonymousAuthenticator(), [("authorization", value)], NOW)


def test_header_round_trip_and_later_words() -> None:
    credentials = BasicCredentials("u", "p:q")
    assert parse_authorization_header(credentials.to_header()) == credentials
    assert parse_authorization_header("Basic dTpw extra words") == BasicCredentials("u", "p")
    assert "p:q" not in repr(credentials)


def test_who_calls() -> None:
    anonymous = AnonymousAuthenticator()
    assert authenticate_call(anonymous, [], NOW) == "<anonymous>"
    header = make_token(SECRET, "carol", NOW).to_header()
    assert authenticate_call(GATE, [("x", "y"), ("Authorization", header)], NOW) == "carol"


def test_percent_encoding_leaves_letters_and_digits() -> None:
    assert percent_encode_password("a.b-c_d 9:\u00fc") == "a%2Eb%2Dc%5Fd%209%3A%C3%BC"
