"""Node URIs: where to listen or connect, and how. [docs/protocol/service.md#7]

`parse_uri("mc://node1.example.com/", CLIENT)` gives the address, the credentials and the query
parameters of a URI of one kind. Error texts are the network's.
"""

import dataclasses
from typing import Final
from urllib.parse import parse_qsl, unquote_to_bytes

from mcnode.connection.strict_base64 import Base64Error, decode_base64
from mcnode.connection.url import Url, UrlSyntaxError, parse_url
from mcnode.crypto.der import ed25519_public_from_der
from mcnode.crypto.errors import KeyFormatError
from mcnode.crypto.keys import KEY_BYTES, Ed25519Public
from mcnode.errors import InvalidError

QUERY_PAIRS_MAX: Final = 100
"""Seven parameters are known; more pairs than this are not a URI of ours."""


class UriError(InvalidError):
    """A URI cannot be used."""


class UrlParseError(UriError):
    """The text is no URL at all."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(f'Url parse error: "{text}", "{reason}"')


class MissingHost(UriError):
    """There is no host in it."""

    def __init__(self) -> None:
        super().__init__("Missing host")


class UnknownScheme(UriError):
    """The scheme is not one of the two of this kind."""

    def __init__(self, kind: "UriKind") -> None:
        super().__init__(
            f"Unknown scheme: Valid possibilities are `{kind.secure_scheme}`, "
            f"`{kind.insecure_scheme}`"
        )


class PercentDecodingError(UriError):
    """User name or password, percent-decoded, is not UTF-8."""

    def __init__(self, text: str) -> None:
        super().__init__(f"Percent decoding error: '{text}'")


class ConsensusMsgKeyError(UriError):
    """The `consensus-msg-key` of a peer is absent or no key."""


class NoPubkey(ConsensusMsgKeyError):
    """The parameter is absent or empty."""


class Base64Decode(ConsensusMsgKeyError):
    """The parameter is neither hex of 32 bytes nor url-safe base64."""


class KeyConversion(ConsensusMsgKeyError):
    """The parameter decodes to something that is no Ed25519 public key."""


@dataclasses.dataclass(frozen=True, slots=True)
class UriKind:
    """The two schemes of one kind of listener and their default ports."""

    name: str
    secure_scheme: str
    secure_port: int
    insecure_scheme: str
    insecure_port: int


CLIENT: Final = UriKind("consensus client", "mc", 443, "insecure-mc", 3223)
PEER: Final = UriKind("consensus peer", "mcp", 8443, "insecure-mcp", 8080)
ADMIN: Final = UriKind("admin", "mca", 9443, "insecure-mca", 9090)
FOG: Final = UriKind("fog report", "fog", 443, "insecure-fog", 3225)
WATCHER: Final = UriKind("watcher", "watcher", 443, "insecure-watcher", 3226)


@dataclasses.dataclass(frozen=True, slots=True)
class Uri:
    """A parsed URI; equal to another when the normalised texts are equal."""

    kind: UriKind = dataclasses.field(repr=False, compare=False)
    url: str = dataclasses.field(repr=False)
    """The whole normalised URL: what files hold. May contain a password."""
    scheme: str
    host: str
    port: int
    use_tls: bool
    username: str = dataclasses.field(repr=False)
    password: str = dataclasses.field(repr=False)
    params: tuple[tuple[str, str], ...] = dataclasses.field(repr=False)
    """Query pairs in order, form-decoded: a `+` has become a blank."""

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}/"

    @property
    def addr(self) -> str:
        """`host:port`."""
        return f"{self.host}:{self.port}"

    @property
    def responder_id(self) -> str:
        """The parameter `responder-id`, or else `host:port`."""
        return self.param("responder-id") or self.addr

    @property
    def host_and_port_responder_id(self) -> str:
        """`host:port` whatever the parameters say: what connections are told apart by."""
        return self.addr

    @property
    def tls_hostname_override(self) -> str | None:
        """The name to look for in the server's certificate instead of the host."""
        return self.param("tls-hostname")

    @property
    def broadcasts_consensus_msgs(self) -> bool:
        """Whether we push statements and transactions to this peer. [#7.3]"""
        return (self.param("broadcast-consensus-msgs") or "1") == "1"

    @property
    def relays_incoming_txs(self) -> bool:
        """Whether transactions that this peer brought in are pushed on by us. [#7.3]"""
        return self.bool_param("consensus-relay-incoming-txs")

    def param(self, name: str) -> str | None:
        """The first value of that name that is not empty, or None."""
        return next((value for key, value in self.params if key == name and value), None)

    def bool_param(self, name: str) -> bool:
        """True only for `1` and `true`."""
        return self.param(name) in ("1", "true")

    def consensus_msg_key(self) -> Ed25519Public:
        """The key that this peer signs consensus messages with.

        Raises:
            NoPubkey, Base64Decode, KeyConversion: there is no usable `consensus-msg-key`.
        """
        text = self.param("consensus-msg-key")
        if text is None:
            raise NoPubkey(f"{self} has no consensus-msg-key")
        try:
            raw = bytes.fromhex(text) if text.isalnum() else b""
        except ValueError:
            raw = b""
        try:
            if len(raw) == KEY_BYTES:
                return Ed25519Public.from_bytes(raw)
            return ed25519_public_from_der(decode_base64(text, url_safe=True))
        except Base64Error as error:
            raise Base64Decode(f"consensus-msg-key of {self} is not base64: {error}") from error
        except KeyFormatError as error:
            raise KeyConversion(f"consensus-msg-key of {self}: {error}") from error


def parse_uri(text: str, kind: UriKind) -> Uri:
    """Parse and normalise.

    Raises:
        UrlParseError, MissingHost, UnknownScheme, PercentDecodingError: looked for in this order.
    """
    try:
        url = parse_url(text)
    except UrlSyntaxError as error:
        raise UrlParseError(text, str(error)) from error
    host = url.host
    if not host:
        raise MissingHost
    if url.scheme not in (kind.secure_scheme, kind.insecure_scheme):
        raise UnknownScheme(kind)
    use_tls = url.scheme == kind.secure_scheme
    default_port = kind.secure_port if use_tls else kind.insecure_port
    if not url.path.endswith("/"):
        url = dataclasses.replace(url, path=url.path + "/")
    return Uri(
        kind=kind,
        url=url.to_text(),
        scheme=url.scheme,
        host=host,
        port=default_port if url.port is None else url.port,
        use_tls=use_tls,
        username=_percent_decode(url.username),
        password=_percent_decode(url.password or ""),
        params=_parse_query(text, url),
    )


def _percent_decode(text: str) -> str:
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError as error:
        raise PercentDecodingError(text) from error


def _parse_query(text: str, url: Url) -> tuple[tuple[str, str], ...]:
    try:
        pairs = parse_qsl(url.query or "", keep_blank_values=True, max_num_fields=QUERY_PAIRS_MAX)
    except ValueError as error:
        raise UrlParseError(text, f"more than {QUERY_PAIRS_MAX} query pairs") from error
    return tuple(pairs)
