"""Simulated mode: an ordinary process that presents the measurement it is told to.

[docs/protocol/enclave.md#6]
"""

import dataclasses
import hashlib
import threading
from collections.abc import Callable
from typing import Final, Self

from mcnode.attest.certificate import Certificate
from mcnode.attest.report import FLAG_DEBUG, FLAG_INITTED, FLAG_MODE64BIT, ReportBody
from mcnode.attest.sigstruct import Sigstruct
from mcnode.attest.simulation import DEFAULT_SEED, SimulatedPlatform, simulation_anchor
from mcnode.crypto.rng import RandomBytes
from mcnode.enclave.interface import EnclaveMode
from mcnode.enclave.trusted.constants import PRODUCT_ID, SECURITY_VERSION
from mcnode.enclave.trusted.platform import Platform, QuoteOnPlatform

DEFAULT_MR_ENCLAVE: Final = hashlib.sha256(b"mcnode simulated consensus enclave").digest()
DEFAULT_MR_SIGNER: Final = hashlib.sha256(b"mcnode simulated enclave signer").digest()
_XFRM_LEGACY: Final = 0x3
_DEVELOPMENT_SEALING_KEY: Final = hashlib.sha256(b"mcnode development sealing key").digest()[:16]
"""Known to everybody, as nothing can be kept from the machine's operator in this mode."""


@dataclasses.dataclass(frozen=True, slots=True)
class SimulatedMeasurement:
    """What the enclave claims to be. Nodes of one network must agree in `mr_enclave`."""

    mr_enclave: bytes = DEFAULT_MR_ENCLAVE
    mr_signer: bytes = DEFAULT_MR_SIGNER
    product_id: int = PRODUCT_ID
    security_version: int = SECURITY_VERSION

    @classmethod
    def from_sigstruct(cls, sigstruct: Sigstruct) -> Self:
        """The measurement that a signed enclave has."""
        return cls(
            sigstruct.mr_enclave, sigstruct.mr_signer, sigstruct.isv_prod_id, sigstruct.isv_svn
        )

    def report_body(self, report_data: bytes = bytes(64)) -> ReportBody:
        """The report that an enclave of this measurement would make."""
        return ReportBody(
            flags=FLAG_INITTED | FLAG_DEBUG | FLAG_MODE64BIT,
            xfrm=_XFRM_LEGACY,
            mr_enclave=self.mr_enclave,
            mr_signer=self.mr_signer,
            isv_prod_id=self.product_id,
            isv_svn=self.security_version,
            report_data=report_data,
        )


class SimulatedMode(Platform):
    """Evidence under the simulation root of a public seed, documents issued anew for each quote."""

    def __init__(
        self,
        measurement: SimulatedMeasurement,
        random_bytes: RandomBytes,
        unix_time: Callable[[], int],
        seed: bytes = DEFAULT_SEED,
    ) -> None:
        self._measurement = measurement
        self._random_bytes = random_bytes
        self._unix_time = unix_time
        self._seed = seed
        self._anchor = simulation_anchor(seed)
        self._lock = threading.Lock()

    @property
    def mode(self) -> EnclaveMode:
        """Simulated."""
        return EnclaveMode.SIM

    @property
    def anchor(self) -> Certificate:
        """The simulation root of the seed."""
        return self._anchor

    def own_report_body(self) -> ReportBody:
        """The configured measurement."""
        return self._measurement.report_body()

    def quote(self, report_data: bytes) -> QuoteOnPlatform:
        """A quote under a fresh processor certificate, dated now."""
        with self._lock:
            platform = SimulatedPlatform.issue(self._seed, self._unix_time(), self._random_bytes)
            body = self._measurement.report_body(report_data)
            return QuoteOnPlatform(platform.quote(body, self._random_bytes), platform.collateral)

    def sealing_key(self) -> bytes:
        """A key that everybody knows."""
        return _DEVELOPMENT_SEALING_KEY
