"""`mcnode wallet receipt`, `request`, `code`: what payer and payee hand each other."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mcnode.cli.wallet_options import (
    SUBADDRESS,
    json_option,
    parse_tx_hash,
    token_option,
    wallet_option,
)
from mcnode.cli.wallet_output import print_json, print_receipt
from mcnode.cli.wallet_pay import read_code
from mcnode.cli.wallet_running import Session, closing, open_wallet, session_options

if TYPE_CHECKING:
    from mcnode.wallet.receipts import CheckedReceipt
    from mcnode.wallet.wallet import Wallet


@click.group()
def receipt() -> None:
    """Prove a payment to its recipient, or check such a proof."""


@receipt.command()
@wallet_option
@click.argument("transaction")
@json_option
def make(*, path: Path, transaction: str, as_json: bool) -> None:
    """Print the receipt of a payment of this wallet, by its TRANSACTION hash.

    Only who paid can make it; it tells nobody but the recipient anything.
    """
    from mcnode.wallet.codes import to_code
    from mcnode.wallet.receipts import CODE_NAME, receipt_of

    tx_hash = parse_tx_hash(transaction)
    opened = open_wallet(path)
    code = closing(opened, lambda: to_code(CODE_NAME, receipt_of(opened.payment(tx_hash))))
    if as_json:
        print_json({"receipt": code})
    else:
        click.echo(code)


@receipt.command()
@click.argument("code")
@session_options
def check(*, session: Session, code: str) -> None:
    """Check that who gave CODE (or @FILE) paid this account, and see where the payment is.

    Exit status 2 when it proves nothing.
    """
    from mcnode.wallet.codes import load_payload
    from mcnode.wallet.receipts import CODE_NAME

    payload = load_payload(CODE_NAME, code)

    async def work(opened: "Wallet") -> "CheckedReceipt":
        return opened.check_receipt(payload)

    checked = session.run(work)
    print_receipt(checked, session.as_json)


@click.command()
@wallet_option
@click.argument("amount", required=False)
@token_option("--token", "Token id.")
@click.option("--note", default="", help="What for; who pays sees it.")
@click.option(
    "--id",
    "payment_id",
    default=0,
    type=click.IntRange(0, (1 << 64) - 1),
    help="A number that comes back in the payment's memo, to tell payments apart.",
)
@click.option(
    "--subaddress",
    default=0,
    show_default=True,
    type=SUBADDRESS,
    help="Which of the account's addresses is to be paid.",
)
@json_option
def request(
    *,
    path: Path,
    amount: str | None,
    token: int,
    note: str,
    payment_id: int,
    subaddress: int,
    as_json: bool,
) -> None:
    """Print a payment request: a code for `send`. Without AMOUNT, the payer chooses."""
    from mcnode.account.printable import PaymentRequest, parse_printable_address, to_printable
    from mcnode.wallet.amounts import parse_amount

    opened = open_wallet(path)
    address = parse_printable_address(closing(opened, lambda: opened.address(subaddress)))
    value = 0 if amount is None else parse_amount(amount, token)
    code = to_printable(PaymentRequest(address, value, note, token, payment_id))
    if as_json:
        print_json({"request": code})
    else:
        click.echo(code)


@click.command()
@click.argument("code")
@json_option
def code(*, code: str, as_json: bool) -> None:
    """Show what a printable CODE (or @FILE) is about: an address, a request, a gift, a transfer.

    No wallet and no network are needed; the keys in a gift are not shown.
    """
    from mcnode.account.printable import parse_printable
    from mcnode.wallet.export import printable_json

    found = printable_json(parse_printable(read_code(code)))
    if as_json:
        print_json(found)
        return
    for name, value in found.items():
        click.echo(f"{name.replace('_', ' '):<20} {'' if value is None else value}".rstrip())
