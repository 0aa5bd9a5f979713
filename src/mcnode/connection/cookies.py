"""Cookies of load balancers in front of a node. [docs/protocol/service.md#15]

A balancer that spreads calls over several nodes sets a cookie on the first answer; sessions belong
to one node, so later calls must carry it. Only names and values count here: the jar belongs to one
connection to one host and is emptied with the session.
"""

from collections.abc import Iterable
from typing import Final

COOKIES_MAX: Final = 50
COOKIE_BYTES_MAX: Final = 4096
"""Per cookie; the same limits as in browsers. Larger or further ones are not kept."""


class CookieJar:
    """The cookies of one connection."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    def store(self, metadata: Iterable[tuple[str, str | bytes]]) -> None:
        """Take the `set-cookie` entries of response headers or trailers."""
        for key, value in metadata:
            if key.lower() == "set-cookie" and isinstance(value, str):
                self._store_one(value)

    def _store_one(self, text: str) -> None:
        pair = text.partition(";")[0]
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not equals or not name or len(pair) > COOKIE_BYTES_MAX:
            return
        if name in self._values or len(self._values) < COOKIES_MAX:
            self._values[name] = value

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """One `cookie` entry for each."""
        return tuple(("cookie", f"{name}={value}") for name, value in self._values.items())

    def clear(self) -> None:
        """Forget all."""
        self._values.clear()
