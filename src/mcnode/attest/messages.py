"""Evidence as it travels in handshakes and lies in block metadata. [docs/protocol/enclave.md#4.4]

Two kinds exist. `DcapEvidence` is what every node of today presents; `VerificationReport` is the
older kind, which old block metadata still carries and an initiator can still verify. Both are kept
here as opaque bytes: nothing in this module parses a quote or a certificate, because block metadata
is hashed, stored and archived without looking inside.
"""

from mcnode.codec.schema import (
    BYTES,
    OPTIONAL,
    REQUIRED,
    TEXT,
    VERIFICATION_SIGNATURE,
    field,
    message,
    repeated,
)


@message
class Quote3:
    """A whole SGX quote of version 3. [docs/protocol/enclave.md#3]"""

    data: bytes = field(1, BYTES)


@message
class Collateral:
    """What a verifier needs besides the quote: DER certificates and CRLs, JSON as Intel served it.

    The two JSON texts are kept verbatim, since their signatures cover raw bytes of them.
    """

    pck_crl_issuer_chain: tuple[bytes, ...] = repeated(1, BYTES)
    root_ca_crl: bytes = field(2, BYTES)
    pck_crl: bytes = field(3, BYTES)
    tcb_info_issuer_chain: tuple[bytes, ...] = repeated(4, BYTES)
    tcb_info: str = field(5, TEXT)
    qe_identity_issuer_chain: tuple[bytes, ...] = repeated(6, BYTES)
    qe_identity: str = field(7, TEXT)


@message
class EnclaveReportDataContents:
    """What the report data of a quote hashes. [docs/protocol/enclave.md#5.1]"""

    nonce: bytes = field(1, BYTES)
    """16 bytes."""
    key: bytes = field(2, BYTES)
    """32 bytes: the X25519 identity of the enclave's channels."""
    custom_identity: bytes = field(3, BYTES)
    """Empty, or 32 bytes: the enclave's block-signing key."""


@message
class DcapEvidence:
    """A quote, its collateral and the contents of its report data."""

    quote: Quote3 | None = field(1, Quote3, presence=OPTIONAL)
    collateral: Collateral | None = field(2, Collateral, presence=OPTIONAL)
    report_data: EnclaveReportDataContents | None = field(
        3, EnclaveReportDataContents, presence=OPTIONAL
    )


@message
class VerificationReport:
    """A report signed by the older attestation service. [docs/protocol/enclave.md#5.5]"""

    sig: bytes = field(1, VERIFICATION_SIGNATURE)
    """The RSA signature over `http_body`."""
    chain: tuple[bytes, ...] = repeated(2, BYTES)
    """DER certificates, the signing one first."""
    http_body: str = field(3, TEXT, presence=REQUIRED, never_omit=True)
    """JSON text exactly as it was signed."""


@message
class EvidenceMessage:
    """The wrapper of a responder's evidence; bytes without tag 4 are a `VerificationReport`."""

    dcap_evidence: DcapEvidence | None = field(4, DcapEvidence, presence=OPTIONAL)


AttestationEvidence = VerificationReport | DcapEvidence
