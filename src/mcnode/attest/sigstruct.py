"""SIGSTRUCT files: the signed measurement of an enclave. [docs/protocol/enclave.md#3]"""

import dataclasses
import hashlib
import struct
from typing import Final, Self

from mcnode.attest.errors import AttestationError

SIGSTRUCT_BYTES: Final = 1808

_HEADER1: Final = bytes.fromhex("06000000e10000000000010000000000")
_HEADER2: Final = bytes.fromhex("01010000600000006000000001000000")
_VENDORS: Final = (0, 0x8086)
_DATE_MIN: Final = 0x2017_0120
"""Binary coded decimal: the day the format's tools came out."""
_RESERVED: Final = ((44, 84), (908, 20), (992, 32), (1028, 12))


class SigstructError(AttestationError):
    """The bytes are not a SIGSTRUCT."""


class Length(SigstructError):
    """Fewer than 1808 bytes."""

    def __init__(self, length: int) -> None:
        super().__init__(f"SIGSTRUCT has {length} bytes, needs {SIGSTRUCT_BYTES}")


class BadHeader1(SigstructError):
    """The first 16 bytes are not those of a SIGSTRUCT."""

    def __init__(self) -> None:
        super().__init__("SIGSTRUCT does not start with its header")


class UnknownVendor(SigstructError):
    """The vendor is neither 0 nor 0x8086."""

    def __init__(self, vendor: int) -> None:
        super().__init__(f"SIGSTRUCT has vendor {vendor:#x}, known are 0 and 0x8086")


class BadDate(SigstructError):
    """The date is before the format existed."""

    def __init__(self, date: int) -> None:
        super().__init__(f"SIGSTRUCT has date {date:x}, must be at least {_DATE_MIN:x}")


class BadHeader2(SigstructError):
    """The second header is not that of a SIGSTRUCT."""

    def __init__(self) -> None:
        super().__init__("SIGSTRUCT has no second header")


class NonZeroReserved(SigstructError):
    """A reserved part is not zero."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"SIGSTRUCT has non-zero reserved bytes from {offset}")


@dataclasses.dataclass(frozen=True, slots=True)
class Sigstruct:
    """The fields that say which enclave was signed by whom."""

    vendor: int
    date: int
    """Binary coded decimal, 0xYYYYMMDD."""
    swdefined: bytes
    modulus: bytes
    """384 bytes, little-endian."""
    exponent: int
    misc_select: int
    misc_mask: int
    attributes: bytes
    attribute_mask: bytes
    mr_enclave: bytes
    isv_prod_id: int
    isv_svn: int

    @property
    def mr_signer(self) -> bytes:
        """SHA-256 of the signer's modulus as it is stored."""
        return hashlib.sha256(self.modulus).digest()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Take a SIGSTRUCT apart; bytes after its 1808 are ignored. Its signature is not checked.

        Raises:
            SigstructError: one class per rule, in the order of the fields.
        """
        if len(data) < SIGSTRUCT_BYTES:
            raise Length(len(data))
        if data[:16] != _HEADER1:
            raise BadHeader1
        vendor, date = struct.unpack_from("<II", data, 16)
        if vendor not in _VENDORS:
            raise UnknownVendor(vendor)
        if date < _DATE_MIN:
            raise BadDate(date)
        if data[24:40] != _HEADER2:
            raise BadHeader2
        for offset, size in _RESERVED:
            if any(data[offset : offset + size]):
                raise NonZeroReserved(offset)
        (exponent,) = struct.unpack_from("<I", data, 512)
        misc_select, misc_mask = struct.unpack_from("<II", data, 900)
        isv_prod_id, isv_svn = struct.unpack_from("<HH", data, 1024)
        return cls(
            vendor=vendor,
            date=date,
            swdefined=data[40:44],
            modulus=data[128:512],
            exponent=exponent,
            misc_select=misc_select,
            misc_mask=misc_mask,
            attributes=data[928:944],
            attribute_mask=data[944:960],
            mr_enclave=data[960:992],
            isv_prod_id=isv_prod_id,
            isv_svn=isv_svn,
        )
