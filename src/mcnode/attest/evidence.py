"""Evidence taken apart, ready for the checks. [docs/protocol/enclave.md#5.3]"""

import dataclasses
import hashlib
from collections.abc import Sequence
from typing import Final, Self

from mcnode.attest.advisories import Advisories
from mcnode.attest.certificate import (
    CHAIN_LENGTH_MAX,
    Certificate,
    RevocationList,
    parse_pem_chain,
)
from mcnode.attest.collateral_json import QeIdentity, TcbInfo
from mcnode.attest.errors import (
    FmspcMismatch,
    InvalidContents,
    LengthMismatch,
    MissingField,
    UnsupportedQuoteCertificationData,
)
from mcnode.attest.messages import Collateral, DcapEvidence, EnclaveReportDataContents
from mcnode.attest.pck_extension import PckExtension
from mcnode.attest.quote3 import CERTIFICATION_PEM_CHAIN, Quote

NONCE_BYTES: Final = 16
KEY_BYTES: Final = 32
CUSTOM_IDENTITY_BYTES: Final = 32


@dataclasses.dataclass(frozen=True, slots=True)
class ReportDataContents:
    """What an enclave binds into its report: freshness and its keys."""

    nonce: bytes
    """16 bytes."""
    key: bytes
    """32 bytes: the X25519 identity of its channels."""
    custom_identity: bytes | None = None
    """32 bytes: its block-signing key."""

    @classmethod
    def from_message(cls, message: EnclaveReportDataContents) -> Self:
        """Check the sizes. A nonce may be longer than it should; the excess is dropped.

        Raises:
            LengthMismatch: a nonce below 16 bytes, a key that is not 32, an identity that is
                neither empty nor 32.
        """
        if len(message.nonce) < NONCE_BYTES:
            raise LengthMismatch("nonce", len(message.nonce), NONCE_BYTES)
        if len(message.key) != KEY_BYTES:
            raise LengthMismatch("key", len(message.key), KEY_BYTES)
        custom = message.custom_identity
        if len(custom) not in (0, CUSTOM_IDENTITY_BYTES):
            raise LengthMismatch("custom identity", len(custom), CUSTOM_IDENTITY_BYTES)
        return cls(message.nonce[:NONCE_BYTES], message.key, custom or None)

    def to_message(self) -> EnclaveReportDataContents:
        """The declared message of these contents."""
        return EnclaveReportDataContents(self.nonce, self.key, self.custom_identity or b"")

    def sha256(self) -> bytes:
        """The first half of the report data that binds these contents."""
        return hashlib.sha256(self.nonce + self.key + (self.custom_identity or b"")).digest()


@dataclasses.dataclass(frozen=True, slots=True)
class CollateralParts:
    """Collateral with its certificates and revocation lists parsed, its JSON texts not yet."""

    root_crl: RevocationList
    pck_crl: RevocationList
    tcb_info_chain: tuple[Certificate, ...]
    tcb_info: str
    qe_identity_chain: tuple[Certificate, ...]
    qe_identity: str

    @classmethod
    def from_message(cls, message: Collateral) -> Self:
        """Parse the DER parts.

        Raises:
            InvalidContents: one is absent or does not parse.
        """
        chains = (
            message.pck_crl_issuer_chain,
            message.tcb_info_issuer_chain,
            message.qe_identity_issuer_chain,
        )
        if not all((*chains, message.tcb_info, message.qe_identity)):
            raise InvalidContents("one of the collateral's fields is missing")
        _, tcb_info_chain, qe_identity_chain = (_parse_chain(chain) for chain in chains)
        return cls(
            RevocationList.from_der(message.root_ca_crl),
            RevocationList.from_der(message.pck_crl),
            tcb_info_chain,
            message.tcb_info,
            qe_identity_chain,
            message.qe_identity,
        )


def _parse_chain(ders: Sequence[bytes]) -> tuple[Certificate, ...]:
    if len(ders) > CHAIN_LENGTH_MAX:
        raise InvalidContents(f"chain has {len(ders)} certificates, limit {CHAIN_LENGTH_MAX}")
    return tuple(Certificate.from_der(der) for der in ders)


@dataclasses.dataclass(frozen=True, slots=True)
class Evidence:
    """Everything the checks look at."""

    quote: Quote
    collateral: CollateralParts
    report_data: ReportDataContents
    tcb_info: TcbInfo
    qe_identity: QeIdentity
    pck_chain: tuple[Certificate, ...]
    advisories: Advisories
    """What applies to the processor, from the level of the TCB info that it reaches."""

    @classmethod
    def from_message(cls, message: DcapEvidence) -> Self:
        """Take a decoded message apart.

        Raises:
            ConversionError: a part is absent, or its bytes are not what they must be.
            EvidenceError: the parts do not make up evidence.
        """
        if message.quote is None:
            raise MissingField("quote")
        if message.collateral is None:
            raise MissingField("collateral")
        if message.report_data is None:
            raise MissingField("report_data")
        return cls.from_parts(
            Quote.from_bytes(message.quote.data),
            CollateralParts.from_message(message.collateral),
            ReportDataContents.from_message(message.report_data),
        )

    @classmethod
    def from_parts(
        cls, quote: Quote, collateral: CollateralParts, report_data: ReportDataContents
    ) -> Self:
        """Put evidence together: read the JSON texts and find the processor's level.

        Raises:
            JsonError: a JSON text is not of the documented form.
            UnsupportedQuoteCertificationData: the quote carries no PEM chain.
            MissingSgxExtension: the first certificate does not describe a processor.
            FmspcMismatch: the TCB info is of other processors.
            UnsupportedTcbLevel: the processor reaches no level.
        """
        qe_identity = QeIdentity.from_json(collateral.qe_identity)
        tcb_info = TcbInfo.from_json(collateral.tcb_info)
        pck_chain = _pck_chain(quote)
        processor = PckExtension.of(pck_chain[0])
        if tcb_info.fmspc != processor.fmspc:
            raise FmspcMismatch(tcb_info.fmspc, processor.fmspc)
        return cls(
            quote,
            collateral,
            report_data,
            tcb_info,
            qe_identity,
            pck_chain,
            tcb_info.advisories_for(processor.component_svns, processor.pce_svn),
        )


def _pck_chain(quote: Quote) -> tuple[Certificate, ...]:
    if quote.certification_type != CERTIFICATION_PEM_CHAIN:
        raise UnsupportedQuoteCertificationData(f"it is of type {quote.certification_type}")
    try:
        return parse_pem_chain(quote.certification_data)
    except InvalidContents as error:
        raise UnsupportedQuoteCertificationData(str(error)) from None
