"""Keeping the enclave's evidence fresh, from the node's side. [docs/protocol/enclave.md#5.2]"""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from typing import Final

from mcnode.attest.messages import Collateral, DcapEvidence, Quote3
from mcnode.enclave.interface import ConsensusEnclave
from mcnode.errors import McNodeError, UnavailableError

REFRESH_AGE_S: Final = 18 * 3600.0
"""Evidence older than this is renewed: the documents in it change, and clients look at dates."""
RETRY_S: Final = 1.0
"""A failed renewal is tried again after this."""

CollateralSource = Callable[[bytes], Awaitable[Collateral]]
"""From a quote to the documents about its processor."""


class NoCollateralSource(UnavailableError):
    """The platform's quotes come without documents and nothing fetches them."""

    def __init__(self) -> None:
        super().__init__("quote has no collateral and no source for it is configured")


async def refresh_evidence(
    enclave: ConsensusEnclave, fetch_collateral: CollateralSource | None = None
) -> None:
    """Give the enclave new evidence, once.

    Raises:
        NoCollateralSource: the quote needs collateral that nobody fetches.
        EnclaveError: the enclave gives no quote, or refuses the evidence.
    """
    pending = await enclave.begin_attestation()
    collateral = pending.collateral
    if collateral is None:
        if fetch_collateral is None:
            raise NoCollateralSource
        collateral = await fetch_collateral(pending.quote)
    evidence = DcapEvidence(Quote3(pending.quote), collateral, pending.report_data)
    await enclave.verify_attestation_evidence(evidence)


@dataclasses.dataclass(slots=True)
class EvidenceRefresher:
    """Renews evidence every 18 hours.

    Args:
        enclave: whose evidence.
        monotonic: a clock in seconds.
        on_refreshed: called after each success.
        on_failed: called with the reason of each failure.
        fetch_collateral: where documents come from, if the platform does not have them.
    """

    enclave: ConsensusEnclave
    monotonic: Callable[[], float]
    on_refreshed: Callable[[], None]
    on_failed: Callable[[McNodeError], None]
    fetch_collateral: CollateralSource | None = None
    _refreshed_at: float | None = None

    async def refresh(self) -> None:
        """Renew now. Errors as `refresh_evidence`; a node does not start without the first."""
        await refresh_evidence(self.enclave, self.fetch_collateral)
        self._refreshed_at = self.monotonic()
        self.on_refreshed()

    async def run(self) -> None:
        """Renew whenever it is time, for ever."""
        while True:
            await asyncio.sleep(self._wait_s())
            try:
                await self.refresh()
            except McNodeError as error:
                self.on_failed(error)

    def _wait_s(self) -> float:
        if self._refreshed_at is None:
            return 0.0
        return max(RETRY_S, self._refreshed_at + REFRESH_AGE_S - self.monotonic())
