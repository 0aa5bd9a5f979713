"""Printable codes."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcnode.account.account_key import AccountKey
from mcnode.account.printable import (
    Deserialization,
    PaymentRequest,
    Printable,
    PrintableGiftCode,
    TransferPayload,
    parse_printable,
    parse_printable_address,
    to_printable,
)
from mcnode.codec import base58

ACCOUNT = AccountKey.random(random.Random(1).randbytes)
ADDRESS = ACCOUNT.default_subaddress()
VALUES: list[Printable] = [
    ADDRESS,
    PaymentRequest(ADDRESS, 5, "for lunch", 1, 99),
    PaymentRequest(None, 0, "", 0, 0),
    TransferPayload(b"", ADDRESS.view_public_key, "gift", bytes(range(32))),
    PrintableGiftCode(2**40, ACCOUNT.spend_private_key, ADDRESS.spend_public_key),
]


@pytest.mark.parametrize("value", VALUES)
def test_round_trip(value: Printable) -> None:
    assert parse_printable(to_printable(value)) == value


def test_long_fog_hosts_fit_into_255_characters() -> None:
    """Checksum and signature come first: one in thirty has 255 of them, none has more."""
    account = AccountKey.from_keys(
        ACCOUNT.view_private, ACCOUNT.spend_private, fog_report_url="fog://" + "h" * 33
    )
    assert len(to_printable(account.default_subaddress())) <= 255


@given(st.binary(max_size=300))
def test_any_payload_round_trips_and_any_damage_shows(payload: bytes) -> None:
    text = base58.encode_checked(payload)
    if not payload:
        with pytest.raises(base58.InsufficientBytes):
            base58.decode_checked(text)
        return
    assert base58.decode_checked(text) == payload
    swapped = ("2" if text[-1] != "2" else "3").join([text[:-1], ""])
    with pytest.raises(base58.PrintableError):
        base58.decode_checked(swapped)


@pytest.mark.parametrize("text", ["0", "l", "address!", "é", "1" * 8193])
def test_text_that_is_no_base58(text: str) -> None:
    with pytest.raises(base58.B58):
        parse_printable(text)


def test_too_short_and_wrong_checksum() -> None:
    with pytest.raises(base58.InsufficientBytes, match="has 0 bytes, needs at least 5"):
        parse_printable("")
    with pytest.raises(base58.ChecksumMismatch):
        parse_printable("2222222222")


def test_payloads_that_are_no_printable_message() -> None:
    for payload in (b"\xff\xff", b"\x0a\x05abc", b"\x2a\x00"):
        with pytest.raises(Deserialization):
            parse_printable(base58.encode_checked(payload))
    with pytest.raises(Deserialization, match="PaymentRequest, needs an address"):
        parse_printable_address(to_printable(VALUES[1]))


def test_secrets_do_not_show() -> None:
    for value in VALUES[3:]:
        assert repr(bytes(range(32))) not in repr(value)
        assert repr(ACCOUNT.spend_private_key) not in repr(value)
