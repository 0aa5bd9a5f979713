"""`mcnode wallet view`: a wallet that sees, with a signer that spends somewhere else."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mcnode.cli.parameters import EXISTING_FILE
from mcnode.cli.wallet_options import (
    NetworkOptions,
    fee_option,
    json_option,
    network_options,
    wait_options,
    wallet_option,
    warn_if_simulated,
)
from mcnode.cli.wallet_output import print_json, print_payment
from mcnode.cli.wallet_pay import choice_of, coin_options, order_of
from mcnode.cli.wallet_running import Session, closing, open_wallet, session_options, wait_for

if TYPE_CHECKING:
    from mcnode.wallet.records import Payment
    from mcnode.wallet.wallet import Wallet

_output = click.option(
    "--output",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write, .json.",
)


@click.group()
def view() -> None:
    """Watch an account whose spend key is on another machine, and pay from it.

    The other machine runs `transaction-signer`, which is also `mcnode signer`.
    """


@view.command("import")
@wallet_option
@click.argument("source", type=EXISTING_FILE)
@network_options
@json_option
def import_(*, path: Path, source: Path, as_json: bool, **options: Any) -> None:
    """Make a wallet that can see, of the file that the signer's `get-account` wrote."""
    from mcnode.wallet.offline import load_json, parse_account_info
    from mcnode.wallet.settings import WalletSettings
    from mcnode.wallet.wallet import Wallet

    settings = NetworkOptions(**options).over(WalletSettings())
    warn_if_simulated(settings)
    made = Wallet.import_(path, settings, parse_account_info(load_json(source)))
    address = closing(made, made.address)
    if as_json:
        print_json({"wallet": str(path), "address": address})
    else:
        click.echo(f"wallet    {path}\naddress   {address}")


@view.command("sync-request")
@_output
@session_options
def sync_request(*, session: Session, output: Path) -> None:
    """Write a request for the signer's `sync-txos`: new outputs can be spent only after it."""
    from mcnode.wallet.offline import save_json
    from mcnode.wallet.offline import sync_request as make_request

    async def work(opened: "Wallet") -> dict[str, Any]:
        return make_request(opened.account, opened.outputs_without_key_image())

    request = session.run(work)
    save_json(output, request)
    if session.as_json:
        print_json({"num_outputs": len(request["txos"]), "file": str(output)})
    else:
        click.echo(f"{len(request['txos'])} outputs to ask about\nWrote {output}")


@view.command("sync-answer")
@wallet_option
@click.argument("source", type=EXISTING_FILE)
@json_option
def sync_answer(*, path: Path, source: Path, as_json: bool) -> None:
    """Read what the signer's `sync-txos` wrote."""
    from mcnode.wallet.offline import load_json, parse_sync_answer

    opened = open_wallet(path)

    def work() -> int:
        told = parse_sync_answer(load_json(source), opened.account)
        return opened.add_key_images(told)

    count = closing(opened, work)
    if as_json:
        print_json({"num_outputs": count})
    else:
        click.echo(f"{count} outputs learned")


@view.command()
@click.argument("address")
@click.argument("amount", required=False)
@click.option("--token", type=click.IntRange(0, (1 << 64) - 1), help="Token id. Default: MOB.")
@fee_option
@coin_options
@_output
@session_options
def export(
    *,
    session: Session,
    address: str,
    amount: str | None,
    token: int | None,
    fee: str | None,
    coins: str,
    inputs: tuple[str, ...],
    output: Path,
) -> None:
    """Write a payment for the signer's `sign-tx`, and show what it changes.

    Arguments as of `send`. The outputs that it spends are not reserved until it is submitted.
    """
    from mcnode.wallet.offline import report_of, save_json, sign_request

    order = order_of(address, amount, token, fee, choice_of(coins, inputs))

    async def work(opened: "Wallet") -> "tuple[str, dict[str, Any]]":
        warn_if_simulated(opened.settings)
        unsigned = await opened.with_terms(order.build_unsigned)
        report = str(report_of(unsigned, opened.account))
        return report, sign_request(opened.account, unsigned)

    report, request = session.run(work)
    save_json(output, request)
    if session.as_json:
        print_json({"report": report, "file": str(output)})
    else:
        click.echo(f"{report}Wrote {output}")


@view.command()
@click.argument("signed", type=EXISTING_FILE)
@click.option(
    "--request",
    "request_file",
    required=True,
    type=EXISTING_FILE,
    help="The file that `export` wrote: what was signed must be that.",
)
@wait_options
@session_options
def submit(*, session: Session, signed: Path, request_file: Path, timeout_s: float | None) -> None:
    """Hand in what the signer's `sign-tx` wrote."""
    from mcnode.wallet.offline import load_json, parse_sign_answer, parse_sign_request

    async def work(opened: "Wallet") -> "Payment":
        warn_if_simulated(opened.settings)
        unsigned = parse_sign_request(load_json(request_file), opened.account)
        tx, spent = parse_sign_answer(load_json(signed), opened.account)
        opened.add_key_images(spent)
        built = opened.note_signed(unsigned, tx)
        await opened.submit(built)
        return await wait_for(opened, built.payment, timeout_s)

    print_payment(session.run(work), session.as_json)
