"""Cases given as changes to the bytes of another case."""

from collections.abc import Sequence


def splice(base: bytes, parts: Sequence[str | list[int]]) -> bytes:
    """Bytes from parts: `[offset, length]` of the base, or literal hex."""
    return b"".join(
        bytes.fromhex(part) if isinstance(part, str) else base[part[0] : part[0] + part[1]]
        for part in parts
    )
