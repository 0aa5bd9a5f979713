"""`mcnode wallet swap`: one token for another, between people who need not trust each other."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mcnode.cli.wallet_options import (
    fee_option,
    token_option,
    wait_options,
    warn_if_simulated,
)
from mcnode.cli.wallet_output import print_json, print_offers, print_payment, print_sheet
from mcnode.cli.wallet_running import Session, session_options, wait_for
from mcnode.errors import InvalidError

if TYPE_CHECKING:
    from mcnode.transaction.messages import SignedContingentInput
    from mcnode.wallet.records import Offer, Payment
    from mcnode.wallet.swaps import OfferSheet
    from mcnode.wallet.wallet import Wallet


@click.group()
def swap() -> None:
    """Swap one token for another without trust in the other side.

    An offer is signed by who makes it and taken by whoever has it: the ledger takes the whole swap
    or nothing of it. Who takes it pays the fee.

    \b
    Anna offers 5 MOB for 900 of token 1, and sends Ben the file:
      mcnode wallet swap offer 5 900 --for-token 1 --output offer.swap
    Ben looks at it and takes it:
      mcnode wallet swap show @offer.swap
      mcnode wallet swap fill @offer.swap
    """


@swap.command()
@click.argument("give")
@click.argument("want")
@token_option("--token", "Token id of what is given.")
@token_option("--for-token", "Token id of what is wanted.")
@click.option("--partial", is_flag=True, help="A part may be taken, for its share of WANT.")
@click.option("--least", help="The least part that may be taken, written like GIVE.")
@click.option(
    "--blocks",
    default=0,
    type=click.IntRange(0, 1 << 32),
    help="How many blocks the offer lasts. Default: until it is cancelled.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the offer to this file instead of printing its code.",
)
@session_options
def offer(
    *,
    session: Session,
    give: str,
    want: str,
    token: int,
    for_token: int,
    partial: bool,
    least: str | None,
    blocks: int,
    output: Path | None,
) -> None:
    """Offer GIVE for WANT: prints a code that others can take, or writes it to a file.

    One output of at least GIVE is reserved until the offer is taken, cancelled or over; what it
    holds above GIVE comes back. Whoever has the code can take the offer.

    Example: mcnode wallet swap offer 5 900 --for-token 1 --partial --least 0.5
    """
    from mcnode.codec import protobuf
    from mcnode.transaction.messages import Amount
    from mcnode.wallet.amounts import parse_amount
    from mcnode.wallet.codes import to_code
    from mcnode.wallet.swaps import CODE_NAME, OfferTerms

    if least is not None and not partial:
        raise InvalidError("--least needs --partial")
    terms = OfferTerms(
        Amount(parse_amount(give, token), token),
        Amount(parse_amount(want, for_token), for_token),
        partial,
        0 if least is None else parse_amount(least, token),
        blocks,
    )

    async def work(opened: "Wallet") -> "SignedContingentInput":
        return await opened.offer(terms)

    sci = session.run(work)
    payload = protobuf.encode(sci)
    code = to_code(CODE_NAME, payload)
    if output is not None:
        output.write_bytes(payload)
    if session.as_json:
        print_json({"code": code, "file": None if output is None else str(output)})
    else:
        click.echo(code if output is None else f"offer written to {output}")


@swap.command("list")
@session_options
def list_(*, session: Session) -> None:
    """Show the offers of this wallet with their numbers."""

    async def work(opened: "Wallet") -> "list[Offer]":
        return opened.offers()

    print_offers(session.run(work), session.as_json)


@swap.command()
@click.argument("offer")
@click.option("--part", help="Show what this part of the offer costs.")
@session_options
def show(*, session: Session, offer: str, part: str | None) -> None:
    """Show what taking OFFER means, and whether it still can be taken.

    OFFER is a code, or @FILE.
    """
    sci = _read_offer(offer)

    async def work(opened: "Wallet") -> "tuple[OfferSheet, int]":
        return opened.examine_offer(sci), opened.ledger.num_blocks()

    sheet, num_blocks = session.run(work)
    print_sheet(sheet, _part_of(sheet.sci, part), num_blocks, session.as_json)


@swap.command()
@click.argument("offer")
@click.option("--part", help="Take only this much of what is offered. Default: all.")
@click.option(
    "--fee-token",
    type=click.IntRange(0, (1 << 64) - 1),
    help="Token id of the fee. Default: the token that is paid.",
)
@fee_option
@wait_options
@session_options
def fill(
    *,
    session: Session,
    offer: str,
    part: str | None,
    fee_token: int | None,
    fee: str | None,
    timeout_s: float | None,
) -> None:
    """Take OFFER, whole or in part, without asking again; look at it with `show` before.

    Example: mcnode wallet swap fill @offer.swap --part 1.5
    """
    from mcnode.wallet.amounts import parse_amount
    from mcnode.wallet.swaps import FillOrder, fee_token_of

    sci = _read_offer(offer)
    paid_in = fee_token_of(sci) if fee_token is None else fee_token
    wish = None if fee is None else parse_amount(fee, paid_in)
    session.carry_out(FillOrder(sci, _part_of(sci, part), paid_in, wish), timeout_s)


@swap.command()
@click.argument("number", type=click.IntRange(1))
@click.option(
    "--fee-token",
    type=click.IntRange(0, (1 << 64) - 1),
    help="Token id of the fee. Default: the offered token.",
)
@wait_options
@session_options
def cancel(
    *, session: Session, number: int, fee_token: int | None, timeout_s: float | None
) -> None:
    """Take back offer NUMBER of `list`: its output is paid to oneself, for a fee.

    Only then nobody can take the offer any more: whoever is first in a block wins.
    """
    from mcnode.wallet.swaps import CancelOfferOrder

    async def work(opened: "Wallet") -> "Payment":
        warn_if_simulated(opened.settings)
        offers = opened.offers()
        if number > len(offers):
            raise InvalidError(f"no offer {number}: the wallet has {len(offers)}")
        payment = await opened.carry_out(CancelOfferOrder(offers[number - 1], fee_token))
        return await wait_for(opened, payment, timeout_s)

    print_payment(session.run(work), session.as_json)


def _read_offer(source: str) -> "SignedContingentInput":
    from mcnode.wallet.codes import load_payload
    from mcnode.wallet.swaps import CODE_NAME, read_offer

    return read_offer(load_payload(CODE_NAME, source))


def _part_of(sci: "SignedContingentInput", part: str | None) -> int | None:
    from mcnode.wallet.amounts import parse_amount

    return None if part is None else parse_amount(part, sci.pseudo_output_amount.token_id)
