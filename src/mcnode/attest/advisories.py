"""How up to date a processor is, and how much of that a verifier tolerates.

[docs/protocol/enclave.md#5.3]
"""

import dataclasses
import enum
from collections.abc import Iterable
from typing import Final


class TcbStatus(enum.IntEnum):
    """State of a processor's trusted computing base, worst first."""

    Revoked = 0
    OutOfDateConfigurationNeeded = 1
    OutOfDate = 2
    ConfigurationAndSWHardeningNeeded = 3
    ConfigurationNeeded = 4
    SWHardeningNeeded = 5
    UpToDate = 6


@dataclasses.dataclass(frozen=True, slots=True)
class Advisories:
    """Advisory ids with a status: what applies to a processor, or the worst that is tolerated."""

    ids: frozenset[str] = frozenset()
    status: TcbStatus = TcbStatus.UpToDate

    def allow(self, actual: "Advisories") -> bool:
        """Whether a processor with `actual` is tolerated: no worse status, no other ids."""
        return self.status <= actual.status and actual.ids <= self.ids

    def __str__(self) -> str:
        ids = ", ".join(sorted(self.ids)) or "none"
        return f"{self.status.name} with advisories {ids}"


NO_ADVISORIES: Final = Advisories()
"""Of a processor: entirely up to date. Of an identity: nothing else is tolerated."""


def mitigated_advisories(config: Iterable[str], hardening: Iterable[str]) -> Advisories:
    """What an enclave tolerates that mitigates these configuration and hardening advisories."""
    config_ids, hardening_ids = frozenset(config), frozenset(hardening)
    match bool(config_ids), bool(hardening_ids):
        case True, True:
            status = TcbStatus.ConfigurationAndSWHardeningNeeded
        case True, False:
            status = TcbStatus.ConfigurationNeeded
        case False, True:
            status = TcbStatus.SWHardeningNeeded
        case _:
            status = TcbStatus.UpToDate
    return Advisories(config_ids | hardening_ids, status)
