"""SGX mode: the pseudo-files that the Gramine library OS offers inside an enclave.

[docs/protocol/enclave.md#9.2]

A value that is written (report data, target) counts for the next read, for the whole process, so a
lock is held from write to read.
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from mcnode.attest.certificate import Certificate
from mcnode.attest.errors import AttestationError
from mcnode.attest.report import REPORT_BYTES, TARGET_INFO_BYTES, ReportBody, report_body_of
from mcnode.enclave.errors import Quoting
from mcnode.enclave.interface import EnclaveMode
from mcnode.enclave.trusted.platform import Platform, QuoteOnPlatform

T = TypeVar("T")

ATTESTATION_ROOT: Final = Path("/dev/attestation")
RETRY_DELAYS_S: Final = (1.0, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0)
"""Before each of seven retries: the quoting enclave may be busy."""
_SEALING_KEY_BYTES: Final = 16
_QUOTE_BYTES_MAX: Final = 1 << 16


class NotInEnclave(Quoting):
    """The pseudo-files are not there: this is no SGX enclave, or one without attestation."""


class GramineMode(Platform):
    """The real thing.

    Raises:
        NotInEnclave: the pseudo-files are absent, or attestation is switched off.
    """

    def __init__(
        self,
        anchor: Certificate,
        root: Path = ATTESTATION_ROOT,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._anchor = anchor
        self._root = root
        self._sleep = sleep
        self._lock = threading.Lock()
        self._check_attestation_type()

    def _check_attestation_type(self) -> None:
        path = self._root / "attestation_type"
        try:
            kind = path.read_text().strip()
        except OSError as error:
            raise NotInEnclave(
                f"{path} cannot be read ({error.strerror}): not inside an SGX enclave under "
                "Gramine; use mode sim where no privacy is needed"
            ) from None
        if kind != "dcap":
            raise NotInEnclave(f"{path} says {kind!r}, needs 'dcap'")

    @property
    def mode(self) -> EnclaveMode:
        """SGX under Gramine."""
        return EnclaveMode.GRAMINE

    @property
    def anchor(self) -> Certificate:
        """Intel's root."""
        return self._anchor

    def own_report_body(self) -> ReportBody:
        """From a report of this enclave to itself."""
        with self._lock:
            return self._retried("report", self._read_own_report)

    def quote(self, report_data: bytes) -> QuoteOnPlatform:
        """From the machine's quoting enclave, without collateral: the node fetches that."""
        with self._lock:
            return QuoteOnPlatform(
                self._retried("quote", lambda: self._read_quote(report_data)), None
            )

    def sealing_key(self) -> bytes:
        """The key of this exact enclave on this machine."""
        return self._retried("sealing key", self._read_sealing_key)

    def _read_own_report(self) -> ReportBody:
        target = self._read("my_target_info", TARGET_INFO_BYTES)
        self._write("target_info", target)
        self._write("user_report_data", bytes(64))
        return report_body_of(self._read("report", REPORT_BYTES))

    def _read_quote(self, report_data: bytes) -> bytes:
        self._write("user_report_data", report_data)
        quote = (self._root / "quote").read_bytes()
        if not 0 < len(quote) <= _QUOTE_BYTES_MAX:
            raise Quoting(f"quote has {len(quote)} bytes, limit {_QUOTE_BYTES_MAX}")
        return quote

    def _read_sealing_key(self) -> bytes:
        return self._read("keys/_sgx_mrenclave", _SEALING_KEY_BYTES)

    def _read(self, name: str, size: int) -> bytes:
        data = (self._root / name).read_bytes()
        if len(data) != size:
            raise Quoting(f"{name} has {len(data)} bytes, needs {size}")
        return data

    def _write(self, name: str, data: bytes) -> None:
        with (self._root / name).open("r+b") as pseudo_file:
            pseudo_file.write(data)

    def _retried(self, what: str, attempt: Callable[[], T]) -> T:
        for delay_s in (*RETRY_DELAYS_S, None):
            try:
                return attempt()
            except OSError as error:
                if delay_s is None or isinstance(error, FileNotFoundError):
                    raise Quoting(f"no {what}: {error.strerror}") from None
                self._sleep(delay_s)
            except AttestationError as error:
                raise Quoting(f"no {what}: {error}") from None
        raise AssertionError
