"""JSON as the verifier of collateral reads it. [docs/protocol/enclave.md#5.3]

The collateral's signatures cover the raw bytes of one member of an outer object, so a member's
extent in the text counts, not only its value. A member that is looked for must be there once;
members nobody looks for are skipped, whatever they hold.
"""

import json
from typing import Any, Final, NoReturn, TypeVar

from mcnode.attest.errors import JsonError

T = TypeVar("T")

_WHITESPACE: Final = " \t\n\r"


class JsonObject:
    """The members of an object in order, repetitions included."""

    __slots__ = ("_members",)

    def __init__(self, members: list[tuple[str, Any]]) -> None:
        self._members = members

    def _values(self, name: str) -> list[Any]:
        return [value for key, value in self._members if key == name]

    def take(self, name: str, kind: type[T]) -> T:
        """The member of this name.

        Raises:
            JsonError: it is absent, repeated or of another type.
        """
        values = self._values(name)
        if not values:
            raise JsonError(f"missing field {name}")
        return _only(name, kind, values)

    def take_optional(self, name: str, kind: type[T]) -> T | None:
        """Like `take`, None when absent or null."""
        values = self._values(name)
        if not values or values == [None]:
            return None
        return _only(name, kind, values)

    def take_u16(self, name: str) -> int:
        """A number below 65536."""
        return self._take_unsigned(name, 16)

    def take_u32(self, name: str) -> int:
        """A number below 2**32."""
        return self._take_unsigned(name, 32)

    def take_hex(self, name: str, size: int) -> bytes:
        """A text of `size` bytes in hex of either letter case."""
        text = self.take(name, str)
        try:
            value = bytes.fromhex(text)
        except ValueError:
            value = b""
        if len(value) != size or len(text) != 2 * size:
            raise JsonError(f"field {name} is not {size} bytes in hex: {text[:80]!r}")
        return value

    def take_objects(self, name: str) -> "list[JsonObject]":
        """A list of objects."""
        return [_only(name, JsonObject, [item]) for item in self.take(name, list)]

    def take_texts(self, name: str) -> list[str]:
        """A list of texts, empty when absent."""
        return [_only(name, str, [item]) for item in self.take_optional(name, list) or []]

    def _take_unsigned(self, name: str, bits: int) -> int:
        value = self.take(name, int)
        if not 0 <= value < 1 << bits:
            raise JsonError(f"field {name} is {value}, must be below {1 << bits}")
        return value


def _only(name: str, kind: type[T], values: list[Any]) -> T:
    if len(values) > 1:
        raise JsonError(f"duplicate field {name}")
    value = values[0]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise JsonError(f"field {name} is not of type {kind.__name__}")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise JsonError(f"{name} is no JSON number")


_decoder: Final = json.JSONDecoder(
    object_pairs_hook=JsonObject, parse_constant=_refuse_constant, strict=True
)


def parse_object(text: str) -> JsonObject:
    """A text that holds one object and nothing else.

    Raises:
        JsonError: it does not.
    """
    value, end = _decode(text, _skip(text, 0))
    _expect_end(text, end)
    return _only("(whole)", JsonObject, [value])


def parse_signed(text: str, member: str) -> tuple[JsonObject, bytes, bytes]:
    """Split `{member: {…}, "signature": hex}`, its members in any order.

    Returns the member's value, the raw bytes of that value as they stand in the text, and the 64
    bytes of the signature.

    Raises:
        JsonError: the text is not of that form.
    """
    outer = parse_object(text)
    value = outer.take(member, JsonObject)
    start, end = _extent(text, member)
    return value, text[start:end].encode(), outer.take_hex("signature", 64)


def _extent(text: str, member: str) -> tuple[int, int]:
    """Where the value of a member of the outer object begins and ends; the text is well formed."""
    position = _skip(text, text.index("{") + 1)
    while True:
        key, position = _decode(text, position)
        start = _skip(text, _skip(text, position) + 1)
        _, end = _decode(text, start)
        if key == member:
            return start, end
        position = _skip(text, _skip(text, end) + 1)


def _decode(text: str, position: int) -> tuple[Any, int]:
    try:
        return _decoder.raw_decode(text, position)
    except RecursionError:
        raise JsonError("JSON is nested too deeply") from None
    except ValueError as error:
        raise JsonError(f"JSON: {error}") from None


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position] in _WHITESPACE:
        position += 1
    return position


def _expect_end(text: str, position: int) -> None:
    if _skip(text, position) != len(text):
        raise JsonError(f"JSON is followed by {len(text) - position} characters")
