"""The `chain-id` header, which keeps a wallet of one network off the nodes of another.
[docs/protocol/service.md#9]
"""

from collections.abc import Iterable
from typing import Final

from mcnode.errors import InvalidError

HEADER: Final = "chain-id"


class ChainIdMismatch(InvalidError):
    """A caller belongs to another network: FAILED_PRECONDITION with this text."""

    def __init__(self, configured: str) -> None:
        super().__init__(f"chain-id mismatch: '{configured}'")


def check_chain_id(metadata: Iterable[tuple[str, str | bytes]], configured: str | None) -> None:
    """Every `chain-id` header must equal ours; none is fine. Without a configured one, all are.

    Raises:
        ChainIdMismatch: one differs, be it empty or the second of two.
    """
    if configured is None:
        return
    expected = configured.encode()
    for key, value in metadata:
        if key.lower() == HEADER:
            sent = value if isinstance(value, bytes) else value.encode()
            if sent != expected:
                raise ChainIdMismatch(configured)


def chain_id_metadata(chain_id: str) -> tuple[tuple[str, str], ...]:
    """What a client adds to its calls: nothing if its chain id is empty."""
    return ((HEADER, chain_id),) if chain_id else ()
