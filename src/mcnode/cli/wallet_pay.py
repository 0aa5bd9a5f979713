"""`mcnode wallet send`, `burn`, `merge`: what takes value out of outputs."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mcnode.cli.parameters import together
from mcnode.cli.wallet_options import (
    fee_option,
    token_option,
    wait_options,
)
from mcnode.cli.wallet_running import Session, session_options
from mcnode.errors import InvalidError
from mcnode.files import read_text

if TYPE_CHECKING:
    from mcnode.wallet.payments import PaymentOrder
    from mcnode.wallet.selection import InputChoice

coin_options = together(
    click.option(
        "--coins",
        type=click.Choice(["smallest", "fewest"]),
        default="smallest",
        show_default=True,
        help="Which outputs to spend: use up small ones, or as few as will do.",
    ),
    click.option(
        "--input",
        "inputs",
        multiple=True,
        help="Spend exactly this output, by its public key in hex; repeat for several.",
    ),
)
"""Which outputs to spend."""


def choice_of(coins: str, inputs: tuple[str, ...]) -> "InputChoice":
    """What `coin_options` say."""
    from mcnode.wallet.selection import FewestInputs, SmallestFirst, TheseInputs

    if not inputs:
        return FewestInputs() if coins == "fewest" else SmallestFirst()
    try:
        return TheseInputs(tuple(bytes.fromhex(text) for text in inputs))
    except ValueError:
        raise InvalidError("--input needs the public key of an output in hex") from None


@click.command()
@click.argument("address")
@click.argument("amount", required=False)
@click.option("--token", type=click.IntRange(0, (1 << 64) - 1), help="Token id. Default: MOB.")
@click.option(
    "--intent",
    type=click.IntRange(0, (1 << 64) - 1),
    help="A number of yours that the recipient reads in the memo; not with a request that has one.",
)
@fee_option
@coin_options
@wait_options
@session_options
def send(
    *,
    session: Session,
    address: str,
    amount: str | None,
    token: int | None,
    intent: int | None,
    fee: str | None,
    coins: str,
    inputs: tuple[str, ...],
    timeout_s: float | None,
) -> None:
    """Pay AMOUNT to ADDRESS, without asking again.

    ADDRESS is what `mcnode wallet address` or `request` prints, or @FILE to read it from a .b58pub
    file. AMOUNT is in MOB, such as 1.5; with --token, a whole number of the token's smallest unit.
    A request that names its amount needs none.

    Example: mcnode wallet send @keys/account_keys_1.b58pub 1.5
    """
    order = order_of(address, amount, token, fee, choice_of(coins, inputs))
    if intent is not None and order.payment_request_id is not None:
        raise InvalidError("the request has an id: leave out --intent")
    order = dataclasses.replace(order, payment_intent_id=intent)
    session.carry_out(order, timeout_s)


@click.command()
@click.argument("amount")
@token_option("--token", "Token id.")
@click.option("--data", default="", help="64 bytes in hex for who redeems it; shorter is padded.")
@fee_option
@coin_options
@wait_options
@session_options
def burn(
    *,
    session: Session,
    amount: str,
    token: int,
    data: str,
    fee: str | None,
    coins: str,
    inputs: tuple[str, ...],
    timeout_s: float | None,
) -> None:
    """Destroy AMOUNT for good, without asking again; everybody can see how much.

    Example: mcnode wallet burn 5000 --token 1 --data 0011aabb
    """
    from mcnode.transaction.memo.base import DATA_LENGTH
    from mcnode.wallet.amounts import parse_amount
    from mcnode.wallet.payments import BurnOrder

    try:
        memo = bytes.fromhex(data).ljust(DATA_LENGTH, b"\0")
    except ValueError:
        raise InvalidError("--data is not hex") from None
    wish = None if fee is None else parse_amount(fee, token)
    choice = choice_of(coins, inputs)
    order = BurnOrder(parse_amount(amount, token), token, wish, memo, choice)
    session.carry_out(order, timeout_s)


@click.command()
@token_option("--token", "Token id.")
@fee_option
@wait_options
@session_options
def merge(*, session: Session, token: int, fee: str | None, timeout_s: float | None) -> None:
    """Put 16 outputs together into one, so that larger payments fit into one transaction again."""
    from mcnode.wallet.amounts import parse_amount
    from mcnode.wallet.payments import MergeOrder

    order = MergeOrder(token, None if fee is None else parse_amount(fee, token))
    session.carry_out(order, timeout_s)


def order_of(
    code: str, amount: str | None, token: int | None, fee: str | None, choice: "InputChoice"
) -> "PaymentOrder":
    """The payment that a command line asks for.

    Raises:
        PrintableError, InvalidAmount: as they say.
        InvalidError: amount or token are missing, or not those of the request.
    """
    from mcnode.account.printable import PaymentRequest, parse_printable, parse_printable_address
    from mcnode.wallet.amounts import parse_amount
    from mcnode.wallet.payments import PaymentOrder

    if amount is not None:
        parse_amount(amount, token or 0)  # what is not even a number is said first
    text = read_code(code)
    found = parse_printable(text)
    request = found if isinstance(found, PaymentRequest) else PaymentRequest(None, 0, "", 0, 0)
    if request.public_address is not None:
        recipient = request.public_address
        if token not in (None, request.token_id):
            raise InvalidError(f"token is {token}, the request says {request.token_id}")
        token = request.token_id
    else:
        recipient = parse_printable_address(text)
    token = token or 0
    value = request.value if amount is None else parse_amount(amount, token)
    if amount is None and not request.value:
        raise InvalidError("how much? neither an AMOUNT is given, nor does a request name one")
    if request.value not in (0, value):
        raise InvalidError(f"amount is {value}, the request says {request.value}")
    wish = None if fee is None else parse_amount(fee, token)
    return PaymentOrder(recipient, value, token, wish, request.payment_id or None, choice)


def read_code(text: str) -> str:
    """A printable code as it is, or what is in the file of `@FILE`. Raises `InvalidError`."""
    if not text.startswith("@"):
        return text
    path = Path(text[1:])
    try:
        return read_text(path, _CODE_BYTES_MAX).strip()
    except OSError as error:
        raise InvalidError(f"cannot read {path}: {error.strerror}") from error


_CODE_BYTES_MAX = 1 << 14
"""As long as no printable code is."""
