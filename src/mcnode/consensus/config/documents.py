"""Reading JSON and TOML files field by field, with the place of a fault in its message."""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from mcnode.consensus.config.errors import (
    FileReadError,
    FileSyntaxError,
    PathExtension,
    UnrecognizedExtension,
)
from mcnode.errors import InvalidError
from mcnode.files import UnfitFileError, read_text

FILE_BYTES_MAX: Final = 4 * 1024 * 1024
"""The largest real configuration has some 10 kB."""


class ShapeError(InvalidError):
    """A document holds something else than it should at some place."""


def load_document(path: Path) -> "Document":
    """Read a `.json` or `.toml` file; the format is that of the name.

    Raises:
        PathExtension, UnrecognizedExtension, FileReadError, FileSyntaxError: in this order.
    """
    if not path.suffix:
        raise PathExtension
    if path.suffix not in (".json", ".toml"):
        raise UnrecognizedExtension(path.suffix.removeprefix("."))
    try:
        text = read_text(path, FILE_BYTES_MAX)
    except OSError as error:
        raise FileReadError(f"{error.strerror} (os error {error.errno})") from error
    except UnfitFileError as error:
        raise FileReadError(str(error)) from error
    return parse_json(text) if path.suffix == ".json" else parse_toml(text)


def parse_json(text: str) -> "Document":
    """A JSON text as a document.

    Raises:
        FileSyntaxError: it is no JSON, repeats a key, or is nested deeper than Python reads.
    """
    try:
        return Document(json.loads(text, object_pairs_hook=_unique_keys), "", "JSON")
    except (ValueError, RecursionError) as error:
        raise FileSyntaxError("JSON", _one_line(error)) from error


def parse_toml(text: str) -> "Document":
    """A TOML text as a document.

    Raises:
        FileSyntaxError: it is no TOML.
    """
    try:
        return Document(tomllib.loads(text), "", "TOML")
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise FileSyntaxError("TOML", _one_line(error)) from error


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in pairs:
        if key in made:
            raise ValueError(f"duplicate field `{key}`")
        made[key] = value
    return made


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


class Document:
    """A value inside a file. Reading it as the wrong type raises `FileSyntaxError`."""

    __slots__ = ("_format", "_place", "value")

    def __init__(self, value: Any, place: str, format_name: str) -> None:
        self.value = value
        self._place = place
        self._format = format_name

    def fault(self, reason: str) -> FileSyntaxError:
        """An error that names this place."""
        return FileSyntaxError(self._format, f"{self._place}: {reason}" if self._place else reason)

    def fault_at_end(self, reason: str) -> FileSyntaxError:
        """The same, with the place after the reason: for texts that operators know."""
        return FileSyntaxError(self._format, f"{reason} at {self._place}")

    def optional(self, key: str) -> "Document | None":
        """The member `key`, or None when it is absent or null. Unknown members are ignored."""
        value = self._table().get(key)
        if value is None:
            return None
        place = f"{self._place}.{key}" if self._place else key
        return Document(value, place, self._format)

    def member(self, key: str) -> "Document":
        """The member `key`, which must be there."""
        found = self.optional(key)
        if found is None:
            raise self.fault(f"missing field `{key}`")
        return found

    def members(self) -> "Iterator[tuple[str, Document]]":
        """All members of a table."""
        for key, value in self._table().items():
            yield key, Document(value, f"{self._place}.{key}", self._format)

    def items(self) -> "Iterator[Document]":
        """The elements of a list."""
        if not isinstance(self.value, list):
            raise self.fault(f"{_kind(self.value)} where a list is expected")
        for index, value in enumerate(self.value):
            yield Document(value, f"{self._place}[{index}]", self._format)

    def text(self) -> str:
        """A string."""
        if not isinstance(self.value, str):
            raise self.fault(f"{_kind(self.value)} where text is expected")
        return self.value

    def flag(self) -> bool:
        """true or false."""
        if not isinstance(self.value, bool):
            raise self.fault(f"{_kind(self.value)} where true or false is expected")
        return self.value

    def unsigned(self, bits: int) -> int:
        """A number from 0 to 2^bits - 1."""
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            raise self.fault(f"{_kind(self.value)} where a whole number is expected")
        if not 0 <= self.value < 1 << bits:
            raise self.fault(f"{self.value} does not fit into {bits} bits")
        return self.value

    def _table(self) -> dict[str, Any]:
        if not isinstance(self.value, dict):
            raise self.fault(f"{_kind(self.value)} where a table is expected")
        return self.value


def _kind(value: Any) -> str:
    names = {dict: "table", list: "list", str: "text", bool: "boolean", type(None): "null"}
    return names.get(type(value), "number")
