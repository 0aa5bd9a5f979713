"""`mcnode wallet gift`: value handed over as one word."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mcnode.cli.wallet_options import (
    NetworkOptions,
    fee_option,
    json_option,
    network_options,
    no_sync_option,
    token_option,
    wait_options,
    wallet_option,
    warn_if_simulated,
)
from mcnode.cli.wallet_output import print_gifts, print_payment
from mcnode.cli.wallet_running import follow, run_wallet

if TYPE_CHECKING:
    from mcnode.wallet.gifts import GivenGift
    from mcnode.wallet.records import Payment
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
@wallet_option
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
@network_options
@no_sync_option
@json_option
def fund(
    *,
    path: Path,
    amount: str,
    token: int,
    note: str,
    fee: str | None,
    timeout_s: float,
    no_sync: bool,
    as_json: bool,
    **options: Any,
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

    print_gifts(run_wallet(path, NetworkOptions(**options), work, is_synced=not no_sync), as_json)


@gift.command("list")
@wallet_option
@network_options
@no_sync_option
@json_option
def list_(*, path: Path, no_sync: bool, as_json: bool, **options: Any) -> None:
    """Show the gifts of this account, their codes, and which are taken."""

    async def work(opened: "Wallet") -> "list[GivenGift]":
        return opened.gifts()

    print_gifts(run_wallet(path, NetworkOptions(**options), work, is_synced=not no_sync), as_json)


@gift.command()
@wallet_option
@click.argument("code")
@click.option("--note", default="", help="For your own history; at most 57 bytes.")
@wait_options
@network_options
@no_sync_option
@json_option
def redeem(
    *,
    path: Path,
    code: str,
    note: str,
    wait: bool,
    timeout_s: float,
    no_sync: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Take the gift of CODE; the fee comes out of it.

    A transfer code of older wallets is taken too.
    """
    from mcnode.wallet.gifts import RedeemGiftOrder, parse_gift_code

    order = RedeemGiftOrder(parse_gift_code(code), note=note)

    async def work(opened: "Wallet") -> "Payment":
        return await follow(opened, order, timeout_s if wait else None)

    payment = run_wallet(path, NetworkOptions(**options), work, is_synced=not no_sync)
    print_payment(payment, as_json)


@gift.command()
@wallet_option
@click.argument("output", type=click.IntRange(0))
@wait_options
@network_options
@no_sync_option
@json_option
def cancel(
    *,
    path: Path,
    output: int,
    wait: bool,
    timeout_s: float,
    no_sync: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Take back the gift at OUTPUT, the number that `list` shows, if nobody was quicker."""
    from mcnode.wallet.gifts import CancelGiftOrder

    async def work(opened: "Wallet") -> "Payment":
        return await follow(opened, CancelGiftOrder(output), timeout_s if wait else None)

    payment = run_wallet(path, NetworkOptions(**options), work, is_synced=not no_sync)
    print_payment(payment, as_json)
