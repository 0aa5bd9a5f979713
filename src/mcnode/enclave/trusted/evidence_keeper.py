"""The evidence that this enclave presents, and its renewal. [docs/protocol/enclave.md#5.2]

Renewal has two halves, because quoting happens here and fetching collateral in the node: `begin`
gives a quote over fresh contents, `finish` takes the completed evidence, checks it as a peer would,
and from then on handshakes present it.
"""

import threading

from mcnode.attest.advisories import mitigated_advisories
from mcnode.attest.dcap import DcapVerifier
from mcnode.attest.errors import AttestationError
from mcnode.attest.evidence import NONCE_BYTES, Evidence, ReportDataContents
from mcnode.attest.identity import TrustedMrEnclave
from mcnode.attest.key_exchange import EvidenceVerifier
from mcnode.attest.messages import DcapEvidence
from mcnode.attest.quote3 import Quote
from mcnode.attest.report import ReportBody
from mcnode.crypto.rng import RandomBytes
from mcnode.enclave.errors import (
    InvalidState,
    NoAttestationEvidenceAvailable,
    Quoting,
    Verify,
)
from mcnode.enclave.interface import PendingEvidence
from mcnode.enclave.trusted.constants import MeasuredConstants
from mcnode.enclave.trusted.platform import Platform
from mcnode.enclave.trusted.sessions import PENDING_MAX, LruTable


class ReportMismatch(AttestationError):
    """Evidence holds another report than the one made for its nonce."""

    def __init__(self) -> None:
        super().__init__("report body is not the one made for this nonce")


class EvidenceKeeper:
    """Pending quotes and the current evidence."""

    def __init__(
        self, platform: Platform, constants: MeasuredConstants, random_bytes: RandomBytes
    ) -> None:
        self._platform = platform
        self._random_bytes = random_bytes
        own = platform.own_report_body()
        advisories = mitigated_advisories((), constants.mitigated_hardening_advisories)
        identity = TrustedMrEnclave(own.mr_enclave, advisories)
        self._verifier = DcapVerifier(
            platform.anchor, (identity,), allow_debug=platform.allows_debug
        )
        self._pending: LruTable[bytes, ReportBody] = LruTable(PENDING_MAX)
        self._current: DcapEvidence | None = None
        self._lock = threading.Lock()

    @property
    def peer_verifier(self) -> EvidenceVerifier:
        """What is accepted of peers: this very enclave, at no particular time."""
        return EvidenceVerifier(self._verifier)

    def current(self) -> DcapEvidence:
        """What handshakes present.

        Raises:
            NoAttestationEvidenceAvailable: nothing was finished yet.
        """
        with self._lock:
            if self._current is None:
                raise NoAttestationEvidenceAvailable
            return self._current

    def begin(self, key: bytes, custom_identity: bytes) -> PendingEvidence:
        """A quote over a fresh nonce and two public keys, 32 bytes each.

        Raises:
            Quoting: the platform gives none.
        """
        contents = ReportDataContents(self._random_bytes(NONCE_BYTES), key, custom_identity)
        made = self._platform.quote(contents.sha256() + bytes(32))
        try:
            body = Quote.from_bytes(made.quote).report_body
        except AttestationError as error:
            raise Quoting(f"platform's quote does not parse: {error}") from error
        with self._lock:
            self._pending.put(contents.nonce, body)
        return PendingEvidence(made.quote, contents.to_message(), made.collateral)

    def finish(self, message: DcapEvidence) -> None:
        """Check completed evidence and present it from now on.

        Raises:
            InvalidState: no quote with its nonce is pending; the nonce is used up by a failure too.
            Verify: it does not verify.
        """
        try:
            evidence = Evidence.from_message(message)
            self._take_pending(evidence)
            self._verifier.check(evidence)
        except AttestationError as error:
            raise Verify(error) from error
        with self._lock:
            self._current = message

    def _take_pending(self, evidence: Evidence) -> None:
        with self._lock:
            pending = self._pending.pop(evidence.report_data.nonce)
        if pending is None:
            raise InvalidState("no quote with this nonce is pending")
        if evidence.quote.report_body != pending:
            raise ReportMismatch
