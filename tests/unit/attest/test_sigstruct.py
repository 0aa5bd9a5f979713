import pytest

from mcnode.attest.sigstruct import (
    BadDate,
    BadHeader1,
    BadHeader2,
    Length,
    NonZeroReserved,
    Sigstruct,
    UnknownVendor,
)


def made(**changes):
    """A SIGSTRUCT with some byte ranges replaced: offset to bytes."""
    data = bytearray(1808)
    parts = {
        0: bytes.fromhex("06000000e10000000000010000000000"),
        20: bytes.fromhex("22112620"),
        24: bytes.fromhex("01010000600000006000000001000000"),
        128: b"\x07" * 384,
        512: b"\x03\0\0\0",
        960: b"\x0e" * 32,
        1024: b"\x01\0\x0a\0",
    }
    parts |= {int(name[1:]): value for name, value in changes.items()}
    for offset, value in parts.items():
        data[offset : offset + len(value)] = value
    return bytes(data)


def test_fields():
    parsed = Sigstruct.from_bytes(made())
    assert parsed.mr_enclave == b"\x0e" * 32
    assert (parsed.isv_prod_id, parsed.isv_svn, parsed.exponent) == (1, 10, 3)
    assert parsed.date == 0x20261122
    assert len(parsed.mr_signer) == 32
    assert Sigstruct.from_bytes(made() + b"more") == parsed
    Sigstruct.from_bytes(made(_16=b"\x86\x80\0\0"))


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (made()[:-1], Length),
        (made(_0=b"\x07"), BadHeader1),
        (made(_16=b"\x01"), UnknownVendor),
        (made(_20=bytes.fromhex("19011720")), BadDate),
        (made(_24=b"\x02"), BadHeader2),
        (made(_44=b"\x01"), NonZeroReserved),
        (made(_908=b"\x01"), NonZeroReserved),
        (made(_992=b"\x01"), NonZeroReserved),
        (made(_1028=b"\x01"), NonZeroReserved),
        (made(_0=b"\x07", _16=b"\x01", _44=b"\x01"), BadHeader1),
    ],
)
def test_rules_in_order(data, error):
    with pytest.raises(error):
        Sigstruct.from_bytes(data)
