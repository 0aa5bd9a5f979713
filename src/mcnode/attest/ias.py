"""Verification of reports of the older attestation service. [docs/protocol/enclave.md#5.5]

The service itself is gone; its reports stay in old block metadata and in old captures.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa

from mcnode.attest.advisories import Advisories
from mcnode.attest.certificate import CHAIN_LENGTH_MAX, Certificate, Signed
from mcnode.attest.errors import AttestationError, InvalidContents, VerificationError
from mcnode.attest.ias_report import STATUS_OK, TOLERABLE, IasReportBody
from mcnode.attest.identity import TrustedIdentity
from mcnode.attest.messages import VerificationReport

_WALK_DEPTH_MAX: Final = 5


class NoChain(AttestationError):
    """A report comes without certificates."""

    def __init__(self) -> None:
        super().__init__("report has 0 certificates, needs 1")


class BadSignature(AttestationError):
    """A report is not signed by a certificate that leads to the trust anchor."""

    def __init__(self) -> None:
        super().__init__("report is not signed by a certificate of the trust anchor")


@dataclasses.dataclass(frozen=True, slots=True)
class IasVerifier:
    """What a verifier of reports trusts.

    Args:
        anchors: root certificates, any one of which will do.
        identities: which enclaves are trusted; with none of them, every enclave is.
        allow_debug: whether enclaves whose memory can be read from outside are tolerated.
    """

    anchors: Sequence[Certificate]
    identities: Sequence[TrustedIdentity]
    allow_debug: bool

    def check(
        self,
        report: VerificationReport,
        *,
        nonce: bytes | None = None,
        report_data_start: bytes | None = None,
    ) -> IasReportBody:
        """Check signature and contents; returns the parsed body.

        Args:
            report: the report.
            nonce: if given, the 16 bytes that the report must repeat.
            report_data_start: if given, what the quote's report data must start with.

        Raises:
            NoChain: there is no certificate.
            BadSignature: no certificate both signed it and leads to an anchor.
            ParseError: the body is not a report.
            VerificationError: the contents are not what is trusted.
        """
        if not report.chain:
            raise NoChain
        self._check_signature(report)
        body = IasReportBody.from_json(report.http_body)
        self._check_contents(body, nonce, report_data_start)
        return body

    def check_identity(self, body: IasReportBody) -> None:
        """Check that some trusted identity fits the enclave and tolerates its status.

        Raises:
            VerificationError: none does.
        """
        if self.identities and not any(_fits(identity, body) for identity in self.identities):
            measured = body.quote.report_body
            raise VerificationError(
                f"status {body.quote_status} of MRENCLAVE {measured.mr_enclave.hex()}, "
                f"MRSIGNER {measured.mr_signer.hex()} fits no trusted identity"
            )

    def _check_contents(
        self, body: IasReportBody, nonce: bytes | None, report_data_start: bytes | None
    ) -> None:
        measured = body.quote.report_body
        if nonce is not None and body.nonce != nonce:
            raise VerificationError(f"report repeats nonce {body.nonce!r}, needs {nonce!r}")
        if report_data_start is not None and not measured.report_data.startswith(report_data_start):
            raise VerificationError("report data does not name the expected key")
        if measured.is_debug and not self.allow_debug:
            raise VerificationError("enclave can be debugged")
        self.check_identity(body)

    def _check_signature(self, report: VerificationReport) -> None:
        signed = Signed(report.http_body.encode(), "sha256_rsa", report.sig)
        chain = list(_parsable(report.chain[:CHAIN_LENGTH_MAX]))
        for certificate in chain:
            if _is_signed_by(signed, certificate) and self._leads_to_anchor(certificate, chain):
                return
        raise BadSignature

    def _leads_to_anchor(self, certificate: Certificate, chain: Sequence[Certificate]) -> bool:
        anchor_keys = {anchor.public_key_der for anchor in self.anchors}
        for depth in range(_WALK_DEPTH_MAX):
            if certificate.public_key_der in anchor_keys:
                return True
            if any(anchor.is_parent_of(certificate, depth) for anchor in self.anchors):
                return True
            parents = (c for c in chain if c != certificate and c.is_parent_of(certificate, depth))
            parent = next(parents, None)
            if parent is None:
                return False
            certificate = parent
        return False


def _parsable(ders: Sequence[bytes]) -> Iterator[Certificate]:
    """The certificates that parse, with keys that do; the others are skipped."""
    for der in ders:
        try:
            certificate = Certificate.from_der(der)
            certificate.public_key()
        except InvalidContents:
            continue
        yield certificate


def _is_signed_by(signed: Signed, certificate: Certificate) -> bool:
    key = certificate.public_key()
    return isinstance(key, rsa.RSAPublicKey) and signed.is_signed_by(key)


def _fits(identity: TrustedIdentity, body: IasReportBody) -> bool:
    if not identity.describes(body.quote.report_body):
        return False
    if body.quote_status == STATUS_OK:
        return True
    status = TOLERABLE.get(body.quote_status)
    if status is None:
        return False
    return identity.advisories.allow(Advisories(frozenset(body.advisory_ids), status))
