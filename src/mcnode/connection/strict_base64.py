"""Standard base64 that accepts exactly one text for any bytes: padded, no unused bits set.

The error texts are the ones operators know from the network's own programs.
"""

import base64
import binascii
import string
from typing import Final

from mcnode.errors import InvalidError

_ALPHABET: Final = frozenset(string.ascii_letters + string.digits + "+/")
_PADDING: Final = "="


class Base64Error(InvalidError):
    """The text is no base64; the message is what the network's programs print."""


def decode_base64(text: str, *, url_safe: bool = False) -> bytes:
    """The bytes that `text` stands for; with `url_safe`, `-` and `_` instead of `+` and `/`.

    Raises:
        Base64Error: a foreign character, wrong padding, or unused bits that are not zero.
    """
    standard = text.translate(str.maketrans("-_+/", "+/-_")) if url_safe else text
    body = standard.rstrip(_PADDING)
    _check_characters(text, standard, len(body))
    padding = len(standard) - len(body)
    if len(body) % 4 == 1:
        raise Base64Error("InvalidLength")
    if padding != -len(body) % 4:
        raise Base64Error("InvalidPadding")
    try:
        decoded = base64.b64decode(standard, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Base64Error(str(error)) from error
    if base64.b64encode(decoded).decode() != standard:
        last = len(body) - 1
        raise Base64Error(f"InvalidLastSymbol({last}, {ord(text[last])})")
    return decoded


def _check_characters(text: str, standard: str, body_length: int) -> None:
    """Name the first foreign byte by its position and value."""
    for position in range(body_length):
        if standard[position] not in _ALPHABET:
            offset = len(text[:position].encode())
            byte = text[position].encode(errors="surrogatepass")[0]
            raise Base64Error(f"InvalidByte({offset}, {byte})")
