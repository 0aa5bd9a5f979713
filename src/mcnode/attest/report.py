"""SGX report bodies: what a processor says about an enclave. [docs/protocol/enclave.md#3]"""

import dataclasses
import struct
from typing import Final, Self

from mcnode.attest.errors import LengthMismatch

REPORT_BODY_BYTES: Final = 384
REPORT_BYTES: Final = 432
"""A body, then a key id (32 bytes) and a MAC (16 bytes) that only this machine can check."""
TARGET_INFO_BYTES: Final = 512
REPORT_DATA_BYTES: Final = 64

FLAG_INITTED: Final = 0x1
FLAG_DEBUG: Final = 0x2
FLAG_MODE64BIT: Final = 0x4

_LAYOUT: Final = struct.Struct("<16sI12s16sQQ32s32s32s32s64sHHH42s16s64s")


@dataclasses.dataclass(frozen=True, slots=True)
class ReportBody:
    """The 384 bytes of a report body, field by field; integers are little-endian in the bytes."""

    cpu_svn: bytes = bytes(16)
    misc_select: int = 0
    reserved1: bytes = bytes(12)
    isv_ext_prod_id: bytes = bytes(16)
    flags: int = 0
    xfrm: int = 0
    mr_enclave: bytes = bytes(32)
    reserved2: bytes = bytes(32)
    mr_signer: bytes = bytes(32)
    reserved3: bytes = bytes(32)
    config_id: bytes = bytes(64)
    isv_prod_id: int = 0
    isv_svn: int = 0
    config_svn: int = 0
    reserved4: bytes = bytes(42)
    isv_family_id: bytes = bytes(16)
    report_data: bytes = bytes(64)

    @property
    def is_debug(self) -> bool:
        """Whether the enclave's memory may be read from outside."""
        return bool(self.flags & FLAG_DEBUG)

    @property
    def attributes(self) -> bytes:
        """The 16 bytes of flags and xfrm in memory order."""
        return struct.pack("<QQ", self.flags, self.xfrm)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Take apart exactly 384 bytes.

        Raises:
            LengthMismatch: there are more or fewer.
        """
        if len(data) != REPORT_BODY_BYTES:
            raise LengthMismatch("report body", len(data), REPORT_BODY_BYTES)
        return cls(*_LAYOUT.unpack(data))

    def to_bytes(self) -> bytes:
        """The 384 bytes."""
        return _LAYOUT.pack(*(getattr(self, f.name) for f in dataclasses.fields(self)))


def report_body_of(report: bytes) -> ReportBody:
    """The body of a 432-byte report; its key id and MAC are left out.

    Raises:
        LengthMismatch: it has not 432 bytes.
    """
    if len(report) != REPORT_BYTES:
        raise LengthMismatch("report", len(report), REPORT_BYTES)
    return ReportBody.from_bytes(report[:REPORT_BODY_BYTES])
