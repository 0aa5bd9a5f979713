"""Which subaddresses a wallet looks for. [docs/protocol/transaction.md#18]

Subaddresses 0 to 9 and the reserved ones are always looked for. Ranges of others can be added at
any time; each remembers how far blocks were searched for it, so that it catches up with the rest.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Final

from mcnode.account.subaddress import (
    CHANGE_SUBADDRESS_INDEX,
    DEFAULT_SUBADDRESS_INDEX,
    GIFT_CODE_SUBADDRESS_INDEX,
)
from mcnode.wallet.errors import SettingsError, SubaddressNotWatched

SUBADDRESSES_WATCHED: Final = 10
"""Subaddresses 0 to 9, besides the reserved ones."""
SUBADDRESSES_MAX: Final = 100_000
"""That may be added: their keys take some 2 s of one core to compute, at each scan, and 20 MB."""

ALWAYS: Final = (
    *range(DEFAULT_SUBADDRESS_INDEX, SUBADDRESSES_WATCHED),
    CHANGE_SUBADDRESS_INDEX,
    GIFT_CODE_SUBADDRESS_INDEX,
)
"""Indices that need not be added."""


@dataclasses.dataclass(frozen=True, slots=True)
class WatchedRange:
    """Subaddresses that were added."""

    number: int
    """Of its row in the wallet file."""
    first: int
    count: int
    next_block: int
    """The first block that has not been searched for them."""

    @property
    def indices(self) -> range:
        """The subaddresses."""
        return range(self.first, self.first + self.count)


def all_indices(ranges: Iterable[WatchedRange]) -> list[int]:
    """Every subaddress that is looked for."""
    return [*ALWAYS, *(index for each in ranges for index in each.indices)]


def check_watched(ranges: Iterable[WatchedRange], index: int) -> None:
    """Raise `SubaddressNotWatched` for a subaddress whose payments would not be seen."""
    if index not in ALWAYS and not any(index in each.indices for each in ranges):
        raise SubaddressNotWatched(index)


def runs_to_add(ranges: Sequence[WatchedRange], first: int, count: int) -> list[tuple[int, int]]:
    """What of a range is not looked for yet, as runs: first index and count of each.

    Raises:
        SettingsError: an index is reserved or beyond 64 bits, or there are too many.
    """
    end = first + count
    if first < 0 or count < 1 or end > GIFT_CODE_SUBADDRESS_INDEX:
        raise SettingsError(
            f"subaddresses {first} to {end - 1} cannot be watched, limits 0 and "
            f"{GIFT_CODE_SUBADDRESS_INDEX - 1}"
        )
    held = sum(each.count for each in ranges)
    if held + count > SUBADDRESSES_MAX:
        raise SettingsError(
            f"{held + count} subaddresses would be watched, limit {SUBADDRESSES_MAX}"
        )
    known = [range(SUBADDRESSES_WATCHED), *(each.indices for each in ranges)]
    runs = []
    at = first
    for taken in sorted(known, key=lambda each: each.start):
        if at < min(taken.start, end):
            runs.append((at, min(taken.start, end) - at))
        at = max(at, taken.stop)
    if at < end:
        runs.append((at, end - at))
    return runs
