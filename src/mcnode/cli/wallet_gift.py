"""`mcnode wallet gift`: value handed over as one word."""

from typing import TYPE_CHECKING

import click

from mcnode.cli.wallet_options import (
    fee_option,
    token_option,
    wait_options,
    warn_if_simulated,
)
from mcnode.cli.wallet_output import print_gifts
from mcnode.cli.wallet_running import Session, session_options

if TYPE_CHECKING:
    from mcnode.wallet.gifts import GivenGift
    from mcnode.wallet.wallet import Wallet


@click.group()
def gift() -> None:
    """Give value as a code that anyone who has it can take.

    \b
      mcnode wallet gift fund 2.5 --note birthday
      mcnode wallet gift list
      mcnode wallet gift redeem CODE
    """


@gift.command()
@click.argument("amount")
@token_option("--token", "Token id.")
@click.option("--note", default="", help="For your own history; at most 53 bytes.")
@fee_option
@click.option(
    "--timeout",
    "timeout_s",
    default=60.0,
    show_default=True,
    type=click.FloatRange(0),
    help="How many seconds to wait for the block that holds the gift.",
)
@session_options
def fund(
    *, session: Session, amount: str, token: int, note: str, fee: str | None, timeout_s: float
) -> None:
    """Put AMOUNT aside and print the code that gives it away, once it is in a block."""
    from mcnode.wallet.amounts import parse_amount
    from mcnode.wallet.gifts import FundGiftOrder

    wish = None if fee is None else parse_amount(fee, token)
    order = FundGiftOrder(parse_amount(amount, token), token, wish, note)

    async def work(opened: "Wallet") -> "list[GivenGift]":
        warn_if_simulated(opened.settings)
        final = await opened.wait_final(await opened.carry_out(order), timeout_s)
        key = final.output_public_key
        return [given for given in opened.gifts() if given.output.public_key == key]

    print_gifts(session.run(work), session.as_json)


@gift.command("list")
@session_options
def list_(*, session: Session) -> None:
    """Show the gifts of this account, their codes, and which are taken."""

    async def work(opened: "Wallet") -> "list[GivenGift]":
        return opened.gifts()

    print_gifts(session.run(work), session.as_json)


@gift.command()
@click.argument("code")
@click.option("--note", default="", help="For your own history; at most 57 bytes.")
@wait_options
@session_options
def redeem(*, session: Session, code: str, note: str, timeout_s: float | None) -> None:
    """Take the gift of CODE; the fee comes out of it.

    A transfer code of older wallets is taken too.
    """
    from mcnode.wallet.gifts import RedeemGiftOrder, parse_gift_code

    session.carry_out(RedeemGiftOrder(parse_gift_code(code), note=note), timeout_s)


@gift.command()
@click.argument("output", type=click.IntRange(0))
@wait_options
@session_options
def cancel(*, session: Session, output: int, timeout_s: float | None) -> None:
    """Take back the gift at OUTPUT, the number that `list` shows, if nobody was quicker."""
    from mcnode.wallet.gifts import CancelGiftOrder

    session.carry_out(CancelGiftOrder(output), timeout_s)
