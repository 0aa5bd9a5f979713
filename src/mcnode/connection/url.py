"""The part of the WHATWG URL rules that node URIs need: non-special schemes with an authority.

Python's `urllib.parse` follows an older rule and is laxer: it lower-cases no scheme in the text,
keeps dot segments and accepts blanks in a host. Error texts are those that the network's programs
print. [docs/protocol/service.md#7.2]
"""

import dataclasses
import ipaddress
import re
from urllib.parse import quote

from mcnode.errors import InvalidError

URL_CHARACTERS_MAX = 65536
"""Longer texts are refused before any work: no real URI comes near."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):")
_C0_OR_SPACE = "".join(map(chr, range(0x21)))
_FORBIDDEN_IN_HOST = frozenset("\0\t\n\r #/:<>?@[\\]^|")

# Printable ASCII that each part leaves as it is; anything else is percent-encoded. A `%` is never
# touched, so a text that is encoded already stays as it is.
_PRINTABLE = frozenset(map(chr, range(0x21, 0x7F)))
_KEPT_IN_HOST = "".join(sorted(_PRINTABLE))
_KEPT_IN_QUERY = "".join(sorted(_PRINTABLE - frozenset('"#<>')))
_KEPT_IN_FRAGMENT = "".join(sorted(_PRINTABLE - frozenset('"<>`')))
_KEPT_IN_PATH = "".join(sorted(_PRINTABLE - frozenset('"#<>?^`{}')))
_KEPT_IN_USERINFO = "".join(sorted(_PRINTABLE - frozenset('"#<>?^`{}/:;=@[\\]|')))

_SINGLE_DOTS = {".", "%2e"}
_DOUBLE_DOTS = {"..", ".%2e", "%2e.", "%2e%2e"}


class UrlSyntaxError(InvalidError):
    """The text is no URL; the message is the reason alone."""


@dataclasses.dataclass(frozen=True, slots=True)
class Url:
    """The parts of a URL, each percent-encoded as it is written."""

    scheme: str
    """Lower case."""
    username: str = dataclasses.field(repr=False)
    password: str | None = dataclasses.field(repr=False)
    host: str | None
    """None: the URL has no authority. Empty: it has one without a host."""
    port: int | None
    path: str
    query: str | None
    fragment: str | None

    def to_text(self) -> str:
        """The URL as a whole, normalised."""
        parts = [self.scheme, ":"]
        if self.host is not None:
            parts.append("//")
            if self.username or self.password:
                parts.append(self.username)
                if self.password:
                    parts += [":", self.password]
                parts.append("@")
            parts.append(self.host)
            if self.port is not None:
                parts.append(f":{self.port}")
        parts.append(self.path)
        if self.query is not None:
            parts += ["?", self.query]
        if self.fragment is not None:
            parts += ["#", self.fragment]
        return "".join(parts)


def parse_url(text: str) -> Url:
    """Split and normalise a URL.

    Raises:
        UrlSyntaxError: it does not follow the rules.
    """
    if len(text) > URL_CHARACTERS_MAX:
        raise UrlSyntaxError(f"text has {len(text)} characters, limit {URL_CHARACTERS_MAX}")
    text = text.strip(_C0_OR_SPACE)
    text = text.translate({ord(c): None for c in "\t\n\r"})
    scheme = _SCHEME.match(text)
    if scheme is None:
        raise UrlSyntaxError("relative URL without a base")
    rest, fragment = _cut(text[scheme.end() :], "#")
    rest, query = _cut(rest, "?")
    username, password, host, port = "", None, None, None
    if rest.startswith("//"):
        authority, slash, tail = rest[2:].partition("/")
        username, password, host, port = _parse_authority(authority)
        path = _normalise_path(slash + tail)
    elif rest.startswith("/"):
        path = _normalise_path(rest)
    else:
        path = _encode(rest, _KEPT_IN_HOST)
    return Url(
        scheme=scheme.group(1).lower(),
        username=username,
        password=password,
        host=host,
        port=port,
        path=path,
        query=None if query is None else _encode(query, _KEPT_IN_QUERY),
        fragment=None if fragment is None else _encode(fragment, _KEPT_IN_FRAGMENT),
    )


def _cut(text: str, mark: str) -> tuple[str, str | None]:
    before, found, after = text.partition(mark)
    return before, after if found else None


def _encode(text: str, kept: str) -> str:
    # `quote` never touches letters, digits and "_.-~"; `kept` holds the "%" as well.
    return quote(text, safe=kept, errors="surrogatepass")


def _parse_authority(authority: str) -> tuple[str, str | None, str, int | None]:
    userinfo, at_sign, host_and_port = authority.rpartition("@")
    username, colon, password = userinfo.partition(":")
    host, port = _split_port(host_and_port)
    if not host and (at_sign or port is not None):
        raise UrlSyntaxError("empty host")
    return (
        _encode(username, _KEPT_IN_USERINFO),
        _encode(password, _KEPT_IN_USERINFO) if colon else None,
        _parse_host(host),
        _parse_port(port),
    )


def _split_port(text: str) -> tuple[str, str | None]:
    """(host, text after its colon); a colon inside brackets belongs to the host."""
    start = text.rfind("]") + 1 if text.startswith("[") else 0
    position = text.find(":", start)
    return (text, None) if position < 0 else (text[:position], text[position + 1 :])


def _parse_port(text: str | None) -> int | None:
    if not text:
        return None
    significant = text.lstrip("0") or "0"
    if not (text.isascii() and text.isdigit()) or len(significant) > 5 or int(significant) > 65535:
        raise UrlSyntaxError("invalid port number")
    return int(significant)


def _parse_host(host: str) -> str:
    if host.startswith("["):
        if not host.endswith("]"):
            raise UrlSyntaxError("invalid IPv6 address")
        return f"[{_normalise_ipv6(host[1:-1])}]"
    if any(character in _FORBIDDEN_IN_HOST for character in host):
        raise UrlSyntaxError("invalid domain character")
    return _encode(host, _KEPT_IN_HOST)


def _normalise_ipv6(text: str) -> str:
    """Lower-case groups without leading zeros, the first longest run of zero groups as `::`."""
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError as error:
        raise UrlSyntaxError("invalid IPv6 address") from error
    if address.scope_id is not None:
        raise UrlSyntaxError("invalid IPv6 address")
    groups = [f"{int(group, 16):x}" for group in address.exploded.split(":")]
    start, length = _longest_zero_run(groups)
    if length < 2:
        return ":".join(groups)
    return ":".join(groups[:start]) + "::" + ":".join(groups[start + length :])


def _longest_zero_run(groups: list[str]) -> tuple[int, int]:
    """(start, length) of the first longest run of zero groups."""
    best = (0, 0)
    start = 0
    for position, group in enumerate(groups):
        if group != "0":
            start = position + 1
        elif position + 1 - start > best[1]:
            best = (start, position + 1 - start)
    return best


def _normalise_path(path: str) -> str:
    """Encode, and resolve `.` and `..` segments."""
    if not path:
        return ""
    kept: list[str] = []
    segments = path[1:].split("/")
    for position, segment in enumerate(segments):
        is_last = position == len(segments) - 1
        folded = segment.lower()
        if folded in _DOUBLE_DOTS:
            if kept:
                kept.pop()
            if is_last:
                kept.append("")
        elif folded in _SINGLE_DOTS:
            if is_last:
                kept.append("")
        else:
            kept.append(_encode(segment, _KEPT_IN_PATH))
    return "/" + "/".join(kept)
