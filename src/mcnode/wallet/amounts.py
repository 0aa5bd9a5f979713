"""Amounts as people write them.

MOB (token 0) is written as a decimal number of MOB with at most 12 digits after the point. Other
tokens have no common unit on the network, so they are written as a whole number of smallest units.
"""

import re
from typing import Final

from mcnode.transaction.constants import MOB, U64_MAX
from mcnode.wallet.errors import InvalidAmount

MOB_DIGITS: Final = 12
_DECIMAL: Final = re.compile(r"([0-9]{1,20})(?:\.([0-9]{1,20}))?", re.ASCII)
"""Twenty digits are more than 64 bits hold."""


def parse_amount(text: str, token_id: int = MOB) -> int:
    """The number of smallest units: `1.5` MOB is 1,500,000,000,000.

    Raises:
        InvalidAmount: no such number, more digits than the token has, or above 64 bits.
    """
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise InvalidAmount(f"amount {text[:40]!r} is not a number such as 12 or 0.5")
    whole, fraction = match[1], match[2] or ""
    digits = _digits(token_id)
    if len(fraction) > digits:
        raise InvalidAmount(
            f"amount {text} has {len(fraction)} digits after the point, limit {digits} for token "
            f"{token_id}"
        )
    value = int(whole + fraction.ljust(digits, "0"))
    if value > U64_MAX:
        raise InvalidAmount(f"amount {text} is {value} smallest units, limit {U64_MAX}")
    return value


def format_amount(value: int, token_id: int = MOB) -> str:
    """The number as it is written, without needless zeros, and its unit."""
    digits = _digits(token_id)
    if not digits:
        return f"{value} of token {token_id}"
    whole, fraction = divmod(value, 10**digits)
    shown = f"{fraction:0{digits}}".rstrip("0")
    return f"{whole}.{shown} MOB" if shown else f"{whole} MOB"


def _digits(token_id: int) -> int:
    return MOB_DIGITS if token_id == MOB else 0
