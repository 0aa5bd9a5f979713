"""Amounts as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcnode.wallet.amounts import format_amount, parse_amount
from mcnode.wallet.errors import InvalidAmount


@given(st.integers(0, 2**64 - 1))
def test_mob_reads_back(value):
    shown = format_amount(value)
    assert shown.endswith(" MOB")
    assert parse_amount(shown.removesuffix(" MOB")) == value


@pytest.mark.parametrize(
    ("text", "token_id", "value"),
    [
        ("1.5", 0, 1_500_000_000_000),
        ("0.000000000001", 0, 1),
        ("007", 0, 7_000_000_000_000),
        ("0", 0, 0),
        ("18446744.073709551615", 0, 2**64 - 1),
        ("1024", 2, 1024),
    ],
)
def test_parsed(text, token_id, value):
    assert parse_amount(text, token_id) == value


@pytest.mark.parametrize(
    ("text", "token_id"),
    [
        ("", 0),
        ("-1", 0),
        ("+1", 0),
        ("1e3", 0),
        (".5", 0),
        ("5.", 0),
        ("1,5", 0),
        (" 1", 0),
        ("1\n", 0),
        ("١", 0),
        ("1_000", 0),
        ("nan", 0),
        ("0.0000000000001", 0),
        ("18446744.073709551616", 0),
        ("9" * 1000, 0),
        ("1.5", 2),
        ("18446744073709551616", 2),
    ],
)
def test_refused(text, token_id):
    with pytest.raises(InvalidAmount) as error:
        parse_amount(text, token_id)
    assert len(str(error.value)) < 200


def test_shown():
    assert format_amount(1_500_000_000_000) == "1.5 MOB"
    assert format_amount(10**12) == "1 MOB"
    assert format_amount(1) == "0.000000000001 MOB"
    assert format_amount(77, 2) == "77 of token 2"
