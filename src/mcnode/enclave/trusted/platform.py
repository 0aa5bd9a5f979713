"""Where the trusted process runs: who measures it, quotes it and keeps its sealing key.

[docs/protocol/enclave.md#9.4]
"""

import abc
import dataclasses

from mcnode.attest.certificate import Certificate
from mcnode.attest.messages import Collateral
from mcnode.attest.report import ReportBody
from mcnode.enclave.interface import EnclaveMode


@dataclasses.dataclass(frozen=True, slots=True)
class QuoteOnPlatform:
    """A quote, with its collateral where the platform has it at hand."""

    quote: bytes
    collateral: Collateral | None


class Platform(abc.ABC):
    """One of the modes. Calls come from several threads."""

    @property
    @abc.abstractmethod
    def mode(self) -> EnclaveMode:
        """Which mode."""

    @property
    @abc.abstractmethod
    def anchor(self) -> Certificate:
        """The only root that evidence of this mode may lead to."""

    @property
    def allows_debug(self) -> bool:
        """Whether enclaves that can be debugged are acceptable peers."""
        return self.mode is EnclaveMode.SIM

    @abc.abstractmethod
    def own_report_body(self) -> ReportBody:
        """This enclave's measurement; its report data means nothing.

        Raises:
            Quoting: the processor does not give one.
        """

    @abc.abstractmethod
    def quote(self, report_data: bytes) -> QuoteOnPlatform:
        """A quote of this enclave over 64 bytes.

        Raises:
            Quoting: the quoting enclave does not give one.
        """

    @abc.abstractmethod
    def sealing_key(self) -> bytes:
        """16 bytes that only this enclave on this machine gets (in simulated mode: anybody).

        Raises:
            Quoting: the processor does not give one.
        """
