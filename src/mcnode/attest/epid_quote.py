"""EPID quotes, version 2, of the older attestation service. [docs/protocol/enclave.md#3]"""

import dataclasses
import struct
from typing import Final, Self

from mcnode.attest.errors import InvalidContents
from mcnode.attest.report import REPORT_BODY_BYTES, ReportBody

UNSIGNED_BYTES: Final = 432
"""What the attestation service gives back: everything before the signature."""
SIGNATURE_BYTES_MAX: Final = 16_384
LINKABLE: Final = 1

_HEADER: Final = struct.Struct("<HH4sHHI32s")


class InvalidInputLength(InvalidContents):
    """The bytes are neither a quote without signature nor one with all of it."""

    def __init__(self, length: int) -> None:
        super().__init__(
            f"EPID quote has {length} bytes, needs {UNSIGNED_BYTES} or its declared signature "
            f"of at most {SIGNATURE_BYTES_MAX} besides"
        )


@dataclasses.dataclass(frozen=True, slots=True)
class EpidQuote:
    """A quote taken apart."""

    version: int
    sign_type: int
    """0 unlinkable, 1 linkable."""
    epid_group_id: bytes
    """4 bytes, shown as a little-endian number in hex."""
    qe_svn: int
    pce_svn: int
    xeid: int
    basename: bytes
    report_body: ReportBody
    unsigned: bytes
    """The first 432 bytes."""
    signature: bytes

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Take a quote apart; 432 bytes have no signature, otherwise its length stands there.

        Raises:
            InvalidInputLength: the bytes end too early, or the signature is too long.
        """
        signature = _signature_of(data)
        version, sign_type, group_id, qe_svn, pce_svn, xeid, basename = _HEADER.unpack_from(data)
        body = ReportBody.from_bytes(data[_HEADER.size : _HEADER.size + REPORT_BODY_BYTES])
        return cls(
            version=version,
            sign_type=sign_type,
            epid_group_id=group_id,
            qe_svn=qe_svn,
            pce_svn=pce_svn,
            xeid=xeid,
            basename=basename,
            report_body=body,
            unsigned=data[:UNSIGNED_BYTES],
            signature=signature,
        )


def _signature_of(data: bytes) -> bytes:
    if len(data) == UNSIGNED_BYTES:
        return b""
    start = UNSIGNED_BYTES + 4
    if len(data) < start:
        raise InvalidInputLength(len(data))
    size = int.from_bytes(data[UNSIGNED_BYTES:start], "little")
    if size > SIGNATURE_BYTES_MAX or start + size > len(data):
        raise InvalidInputLength(len(data))
    return data[start : start + size]
