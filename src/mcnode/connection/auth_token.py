"""Who is calling: Basic credentials and the short-lived tokens in them.
[docs/protocol/service.md#9]

A client sends `authorization: Basic <base64 of username:password>`. With a shared secret
configured, the password must be a token, `<username>:<unix seconds>:<first 10 bytes of a MAC>`, the
bytes in hex; without one anybody may call, but a header that is there must still be well formed.

Pure: the time comes from the caller.
"""

import base64
import binascii
import dataclasses
import hashlib
import hmac
import re
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from mcnode.connection.strict_base64 import Base64Error, decode_base64
from mcnode.errors import InvalidError

HEADER: Final = "authorization"
ANONYMOUS_USER: Final = "<anonymous>"
SECRET_BYTES: Final = 32
MAC_BYTES: Final = 10
"""Of HMAC-SHA256; the rest is cut off."""
HEADER_BYTES_MAX: Final = 8192
"""gRPC's own limit for all headers of a call together."""

_SECONDS: Final = re.compile(r"\+?[0-9]+")
_U64_MAX: Final = (1 << 64) - 1


class AuthenticationError(InvalidError):
    """The call is refused: UNAUTHENTICATED with this text."""


class Unauthenticated(AuthenticationError):
    """No credentials where some are needed."""

    def __init__(self) -> None:
        super().__init__("Unauthenticated")


class InvalidAuthorizationToken(AuthenticationError):
    """The password is no token of that user made with our secret."""

    def __init__(self) -> None:
        super().__init__("Invalid user authorization token")


class ExpiredAuthorizationToken(AuthenticationError):
    """The token's time is too far from now, in either direction."""

    def __init__(self) -> None:
        super().__init__("Expired user authorization token")


class AuthorizationHeaderError(AuthenticationError):
    """The header itself is malformed."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Authorization header error: {reason}")


class UnsupportedAuthorizationMethod(AuthorizationHeaderError):
    """The first word is not `Basic`."""

    def __init__(self) -> None:
        super().__init__("Unsupported authorization method")


class InvalidAuthorizationHeader(AuthorizationHeaderError):
    """Not text, no second word, or a second word that is no base64."""

    def __init__(self) -> None:
        super().__init__("Invalid authorization header")


class InvalidCredentials(AuthorizationHeaderError):
    """What the base64 holds is not text with a colon."""

    def __init__(self) -> None:
        super().__init__("Invalid credentials")


@dataclasses.dataclass(frozen=True, slots=True)
class BasicCredentials:
    """A user name and a password."""

    username: str
    password: str = dataclasses.field(repr=False)

    def to_header(self) -> str:
        """The value of the `authorization` header."""
        text = f"{self.username}:{self.password}"
        return f"Basic {base64.b64encode(text.encode()).decode()}"


def parse_authorization_header(value: str | bytes) -> BasicCredentials:
    """Read a header value. Words after the second are ignored.

    Raises:
        InvalidAuthorizationHeader, UnsupportedAuthorizationMethod, InvalidCredentials
    """
    if len(value) > HEADER_BYTES_MAX:
        raise InvalidAuthorizationHeader
    try:
        text = value.decode() if isinstance(value, bytes) else value
    except UnicodeDecodeError:
        raise InvalidAuthorizationHeader from None
    method, *words = text.split(" ")
    if method != "Basic":
        raise UnsupportedAuthorizationMethod
    if not words:
        raise InvalidAuthorizationHeader
    try:
        decoded = decode_base64(words[0])
    except Base64Error:
        raise InvalidAuthorizationHeader from None
    try:
        username, colon, password = decoded.decode().partition(":")
    except UnicodeDecodeError:
        raise InvalidCredentials from None
    if not colon:
        raise InvalidCredentials
    return BasicCredentials(username, password)


def make_token(secret: bytes, username: str, unix_time_s: int) -> BasicCredentials:
    """Credentials for `username`, dated `unix_time_s`, made with the 32-byte secret."""
    signed = f"{username}:{unix_time_s}"
    return BasicCredentials(username, f"{signed}:{_mac(secret, signed).hex()}")


def percent_encode_password(password: str) -> str:
    """Every byte that is no ASCII letter or digit as `%XX`, so that it fits into any URI."""
    return "".join(
        chr(byte) if chr(byte).isascii() and chr(byte).isalnum() else f"%{byte:02X}"
        for byte in password.encode()
    )


def _mac(secret: bytes, signed: str) -> bytes:
    return hmac.digest(secret, signed.encode(), hashlib.sha256)[:MAC_BYTES]


class Authenticator(Protocol):
    """Decides who calls."""

    def authenticate(self, credentials: BasicCredentials | None, unix_time_s: float) -> str:
        """The user's name.

        Raises:
            AuthenticationError: the call is refused.
        """


class AnonymousAuthenticator:
    """Lets everybody in."""

    def authenticate(self, credentials: BasicCredentials | None, unix_time_s: float) -> str:
        """Always the anonymous user."""
        return ANONYMOUS_USER


@dataclasses.dataclass(frozen=True, slots=True)
class TokenAuthenticator:
    """Lets those in who hold a fresh token made with `secret` (32 bytes)."""

    secret: bytes = dataclasses.field(repr=False)
    max_lifetime_s: int

    def authenticate(self, credentials: BasicCredentials | None, unix_time_s: float) -> str:
        """The name inside the token. The MAC covers the texts as they were sent.

        Raises:
            Unauthenticated, InvalidAuthorizationToken, ExpiredAuthorizationToken
        """
        if credentials is None:
            raise Unauthenticated
        parts = credentials.password.split(":")
        if len(parts) != 3:
            raise InvalidAuthorizationToken
        username, seconds, mac_hex = parts
        if username != credentials.username:
            raise InvalidAuthorizationToken
        token_time_s = _parse_seconds(seconds)
        if abs(int(unix_time_s) - token_time_s) >= self.max_lifetime_s:
            raise ExpiredAuthorizationToken
        mac = _parse_mac(mac_hex)
        if not hmac.compare_digest(mac, _mac(self.secret, f"{username}:{seconds}")):
            raise InvalidAuthorizationToken
        return username


def _parse_seconds(text: str) -> int:
    if not text.isascii() or not _SECONDS.fullmatch(text):
        raise InvalidAuthorizationToken
    digits = text.lstrip("+").lstrip("0") or "0"
    if len(digits) > 20 or int(digits) > _U64_MAX:
        raise InvalidAuthorizationToken
    return int(digits)


def _parse_mac(text: str) -> bytes:
    try:
        return binascii.unhexlify(text)
    except ValueError:
        raise InvalidAuthorizationToken from None


def authenticate_call(
    authenticator: Authenticator,
    metadata: Iterable[tuple[str, str | bytes]],
    unix_time_s: float,
) -> str:
    """The name of the user who sent these headers; the first `authorization` counts.

    Raises:
        AuthenticationError: the header is malformed, whatever the authenticator, or it refuses.
    """
    for key, value in metadata:
        if key.lower() == HEADER:
            return authenticator.authenticate(parse_authorization_header(value), unix_time_s)
    return authenticator.authenticate(None, unix_time_s)


CredentialsProvider = Callable[[], BasicCredentials | None]
"""Gives the credentials of the next call; None: send none."""
