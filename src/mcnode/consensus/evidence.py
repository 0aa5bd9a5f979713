"""Keeping the attestation evidence fresh. [docs/protocol/enclave.md#5.2]"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from mcnode.attest.messages import Collateral, DcapEvidence, Quote3
from mcnode.enclave.interface import ConsensusEnclave
from mcnode.errors import McNodeError, UnavailableError

REFRESH_INTERVAL_S = 18 * 3600.0
LOOK_INTERVAL_S = 1.0
"""A failed refresh is repeated this soon, and this often is looked at the clock."""

FetchCollateral = Callable[[bytes], Awaitable[Collateral]]
"""Collateral for a quote, from a provisioning cache; asked only outside of simulated mode."""

log = structlog.get_logger("mcnode.consensus.evidence")


class NoCollateralSource(UnavailableError):
    """A real quote needs collateral, and nobody is configured to give it."""


async def no_collateral(_quote: bytes) -> Collateral:
    """For simulated mode, where the trusted process brings its own.

    Raises:
        NoCollateralSource: always.
    """
    raise NoCollateralSource("no source of attestation collateral is configured")


class EvidenceRefresher:
    """Refreshes at start, then every 18 hours."""

    def __init__(
        self,
        enclave: ConsensusEnclave,
        *,
        fetch_collateral: FetchCollateral,
        clock: Callable[[], float],
        refreshed: Callable[[], None],
    ) -> None:
        """`refreshed` is told of every success, for a gauge."""
        self._enclave = enclave
        self._fetch_collateral = fetch_collateral
        self._clock = clock
        self._refreshed = refreshed
        self._last_success = -REFRESH_INTERVAL_S

    async def refresh(self) -> None:
        """Make, complete and check evidence; later handshakes present it."""
        pending = await self._enclave.begin_attestation()
        collateral = pending.collateral or await self._fetch_collateral(pending.quote)
        evidence = DcapEvidence(
            quote=Quote3(data=pending.quote),
            collateral=collateral,
            report_data=pending.report_data,
        )
        await self._enclave.verify_attestation_evidence(evidence)
        self._last_success = self._clock()
        self._refreshed()

    async def run(self) -> None:
        """Refresh whenever it is due, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_INTERVAL_S)
            if self._clock() - self._last_success < REFRESH_INTERVAL_S:
                continue
            try:
                await self.refresh()
            except McNodeError as error:
                log.error("attestation evidence could not be refreshed", error=str(error))
