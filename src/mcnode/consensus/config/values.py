"""Values of flags, with the texts that the network's programs give for bad ones.
[docs/protocol/service.md#3]
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from mcnode.connection.strict_base64 import Base64Error, decode_base64
from mcnode.connection.uri import Uri, UriKind, parse_uri
from mcnode.consensus.config.arguments import EmptyValueError
from mcnode.crypto.der import ed25519_private_from_der
from mcnode.crypto.errors import KeyFormatError, LengthMismatch
from mcnode.crypto.keys import Ed25519Private
from mcnode.errors import InvalidError
from mcnode.transaction.block_version import MAX_BLOCK_VERSION, BlockVersion

_HEX_DIGITS: Final = frozenset("0123456789abcdefABCDEF")
_UNSIGNED: Final = re.compile(r"\+?[0-9]+")


class ValueTextError(InvalidError):
    """A flag's value is not usable; the message is the network's."""


def parse_path(text: str) -> Path:
    """A path; an empty one counts as no value."""
    if not text:
        raise EmptyValueError("path is empty")
    return Path(text)


def parse_unsigned(bits: int) -> Callable[[str], int]:
    """A parser of decimal numbers of so many bits."""

    def parse(text: str) -> int:
        if not text:
            raise ValueTextError("cannot parse integer from empty string")
        if not text.isascii() or not _UNSIGNED.fullmatch(text):
            raise ValueTextError("invalid digit found in string")
        significant = text.lstrip("+").lstrip("0") or "0"
        if len(significant) > 20 or int(significant) >= 1 << bits:
            raise ValueTextError("number too large to fit in target type")
        return int(significant)

    return parse


def parse_responder_id(text: str) -> str:
    """`host:port`; all that is asked is a colon."""
    if ":" not in text:
        raise ValueTextError(f"Invalid Format for {text}")
    return text


def parse_msg_signer_key(text: str) -> Ed25519Private:
    """Standard base64 of the 48-byte PKCS#8 DER of an Ed25519 key."""
    try:
        der = decode_base64(text)
    except Base64Error as error:
        raise ValueTextError(f"Could not decode private key from base64 {error}") from error
    try:
        return ed25519_private_from_der(der)
    except KeyFormatError as error:
        raise ValueTextError(
            f"Could not get Ed25519Private from der {_key_error_name(error)}"
        ) from error


def _key_error_name(error: KeyFormatError) -> str:
    if isinstance(error, LengthMismatch):
        return f"LengthMismatch({error.found}, {error.required})"
    return type(error).__name__


def parse_node_block_version(text: str) -> BlockVersion:
    """0 to 4."""
    try:
        number = parse_unsigned(32)(text)
    except ValueTextError as error:
        raise ValueTextError("Could not parse block version") from error
    if number > MAX_BLOCK_VERSION:
        raise ValueTextError(
            f"Unsupported block version: {number} > {MAX_BLOCK_VERSION}. "
            "Try upgrading your software"
        )
    return BlockVersion(number)


def parse_hex(length: int) -> Callable[[str], bytes]:
    """A parser of exactly `length` bytes as hex, either case."""

    def parse(text: str) -> bytes:
        encoded = text.encode(errors="surrogatepass")
        if len(encoded) % 2:
            raise ValueTextError("Odd number of digits")
        if len(encoded) != 2 * length:
            raise ValueTextError("Invalid string length")
        for position, byte in enumerate(encoded):
            if chr(byte) not in _HEX_DIGITS:
                raise ValueTextError(f"Invalid character '{chr(byte)}' at position {position}")
        return bytes.fromhex(text)

    return parse


def parse_listen_uri(kind: UriKind) -> Callable[[str], Uri]:
    """A parser of URIs of one kind."""
    return lambda text: parse_uri(text, kind)


def refuse(advice: str) -> Callable[[str], str]:
    """A parser for flags that no longer exist and cannot be ignored."""

    def parse(_text: str) -> str:
        raise ValueTextError(advice)

    return parse
