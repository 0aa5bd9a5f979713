"""ECDSA quotes, version 3. [docs/protocol/enclave.md#3]

A quote says: an enclave with this report body ran on a processor that holds this certificate. The
chain of signatures is: the processor's certificate signs the report of Intel's quoting enclave,
whose report data names an attestation key, which signs header and body.
"""

import dataclasses
import struct
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric import ec

from mcnode.attest.errors import InvalidContents
from mcnode.attest.report import REPORT_BODY_BYTES, ReportBody

QUOTE_VERSION: Final = 3
HEADER_BYTES: Final = 48
SIGNED_BYTES: Final = HEADER_BYTES + REPORT_BODY_BYTES
"""Header and report body: what the attestation key signs."""
_SIGNATURE_DATA_OFFSET: Final = SIGNED_BYTES + 4
QUOTE_BYTES_MIN: Final = 1020

CERTIFICATION_PEM_CHAIN: Final = 5
_CERTIFICATION_TYPES: Final = range(1, 8)

_HEADER: Final = struct.Struct("<HHIHH16s20s")
_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class QuoteError(InvalidContents):
    """The bytes are not a quote of version 3."""


class InputLength(QuoteError):
    """The quote ends before its declared parts do."""

    def __init__(self, required: int, actual: int) -> None:
        super().__init__(f"quote has {actual} bytes, needs {required}")
        self.required = required
        self.actual = actual


class Version(QuoteError):
    """The quote has another version."""

    def __init__(self, version: int) -> None:
        super().__init__(f"quote has version {version}, needs {QUOTE_VERSION}")
        self.version = version


class CertificationDataType(QuoteError):
    """The quote's certification data is of an unknown type."""

    def __init__(self, data_type: int) -> None:
        super().__init__(f"quote has certification data of type {data_type}, known are 1 to 7")
        self.data_type = data_type


@dataclasses.dataclass(frozen=True, slots=True)
class QuoteHeader:
    """The first 48 bytes."""

    version: int
    att_key_type: int
    att_key_data_0: int
    qe_svn: int
    pce_svn: int
    vendor_id: bytes
    user_data: bytes

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """The header of a quote that is long enough to have one."""
        return cls(*_HEADER.unpack_from(data))

    def to_bytes(self) -> bytes:
        """The 48 bytes."""
        return _HEADER.pack(*dataclasses.astuple(self))


@dataclasses.dataclass(frozen=True, slots=True)
class Quote:
    """A quote taken apart. Signatures are r‖s and keys X‖Y, 64 bytes big-endian."""

    header: QuoteHeader
    report_body: ReportBody
    signed: bytes
    """Header and report body as they were, 432 bytes."""
    isv_signature: bytes
    attestation_key: bytes
    qe_report_body: ReportBody
    qe_report: bytes
    """The quoting enclave's report body as it was, 384 bytes."""
    qe_report_signature: bytes
    auth_data: bytes
    certification_type: int
    certification_data: bytes

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Take a quote apart; bytes after its declared end are ignored.

        Raises:
            InputLength: it is shorter than it declares, or than any quote.
            Version: not version 3.
            CertificationDataType: not one of the types 1 to 7.
            QuoteError: the key or a signature is no proper one of P-256.
        """
        if len(data) < QUOTE_BYTES_MIN:
            raise InputLength(QUOTE_BYTES_MIN, len(data))
        header = QuoteHeader.from_bytes(data)
        if header.version != QUOTE_VERSION:
            raise Version(header.version)
        (signature_size,) = struct.unpack_from("<I", data, SIGNED_BYTES)
        rest = _Reader(data, _SIGNATURE_DATA_OFFSET, _SIGNATURE_DATA_OFFSET + signature_size)
        isv_signature = _check_signature_range(rest.take(64))
        attestation_key = rest.take(64)
        _check_attestation_key(attestation_key)
        qe_report = rest.take(REPORT_BODY_BYTES)
        qe_report_signature = _check_signature_range(rest.take(64))
        auth_data = rest.take(rest.integer(2))
        certification_type = rest.integer(2)
        if certification_type not in _CERTIFICATION_TYPES:
            raise CertificationDataType(certification_type)
        certification_data = rest.take(rest.integer(4))
        return cls(
            header=header,
            report_body=ReportBody.from_bytes(data[HEADER_BYTES:SIGNED_BYTES]),
            signed=data[:SIGNED_BYTES],
            isv_signature=isv_signature,
            attestation_key=attestation_key,
            qe_report_body=ReportBody.from_bytes(qe_report),
            qe_report=qe_report,
            qe_report_signature=qe_report_signature,
            auth_data=auth_data,
            certification_type=certification_type,
            certification_data=certification_data,
        )


class _Reader:
    """Takes fields from the signature data, never past the end it declares."""

    def __init__(self, data: bytes, start: int, end: int) -> None:
        if end > len(data):
            raise InputLength(end, len(data))
        self._data = data
        self._position = start
        self._end = end

    def take(self, size: int) -> bytes:
        end = self._position + size
        if end > self._end:
            raise InputLength(end, self._end)
        part = self._data[self._position : end]
        self._position = end
        return part

    def integer(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")


def _check_signature_range(signature: bytes) -> bytes:
    for half in (signature[:32], signature[32:]):
        if not 0 < int.from_bytes(half, "big") < _P256_ORDER:
            raise QuoteError(f"quote has a signature that is no P-256 one: {signature.hex()}")
    return signature


def _check_attestation_key(key: bytes) -> None:
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + key)
    except ValueError:
        raise QuoteError(f"attestation key {key.hex()} is not on P-256") from None
