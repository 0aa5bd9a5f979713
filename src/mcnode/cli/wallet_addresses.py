"""`mcnode wallet address`, `label`, `watch`, `contact`: own addresses, and other people's."""

from pathlib import Path

import click

from mcnode.cli.wallet_options import SUBADDRESS, json_option, wallet_option
from mcnode.cli.wallet_output import print_contacts, print_json, print_labels, print_watched
from mcnode.cli.wallet_pay import read_code
from mcnode.cli.wallet_running import closing, open_wallet


@click.command()
@wallet_option
@click.option(
    "--subaddress",
    default=0,
    show_default=True,
    type=SUBADDRESS,
    help="Which of the account's addresses; all lead to the same balance.",
)
@json_option
def address(*, path: Path, subaddress: int, as_json: bool) -> None:
    """Print the address to be paid at."""
    opened = open_wallet(path)
    found = closing(opened, lambda: opened.address(subaddress))
    if as_json:
        print_json({"address": found, "subaddress": subaddress})
    else:
        click.echo(found)


@click.command()
@wallet_option
@click.argument("subaddress", type=SUBADDRESS, required=False)
@click.argument("name", required=False)
@json_option
def label(*, path: Path, subaddress: int | None, name: str | None, as_json: bool) -> None:
    """Name SUBADDRESS, so that the history says where a payment came in; without, list names.

    Example: mcnode wallet label 3 shop
    """
    opened = open_wallet(path)

    def work() -> dict[int, str]:
        if subaddress is not None:
            opened.set_label(subaddress, name or "")
        return opened.labels()

    print_labels(closing(opened, work), as_json)


@click.command()
@wallet_option
@click.argument("address", required=False)
@click.argument("name", required=False)
@json_option
def contact(*, path: Path, address: str | None, name: str | None, as_json: bool) -> None:
    """Name somebody else's ADDRESS (or @FILE); without a NAME forget it; without both, list names.

    The history shows the name, and takes a sender's memo for proved when it is theirs.

    Example: mcnode wallet contact @keys/account_keys_1.b58pub Ben
    """
    code = None if address is None else read_code(address)
    opened = open_wallet(path)

    def work() -> dict[str, str]:
        if code is not None:
            opened.set_contact(code, name or "")
        return opened.contacts()

    print_contacts(closing(opened, work), as_json)


@click.command()
@wallet_option
@click.argument("first", type=SUBADDRESS, required=False)
@click.argument("count", type=click.IntRange(1), default=1)
@json_option
def watch(*, path: Path, first: int | None, count: int, as_json: bool) -> None:
    """Look for payments to COUNT subaddresses from FIRST on too; without, list those added.

    Subaddresses 0 to 9 are always looked for. The next sync searches all blocks for new ones.

    Example: mcnode wallet watch 1000 250
    """
    opened = open_wallet(path)

    def work() -> list[tuple[int, int]]:
        if first is not None:
            opened.watch(first, count)
        return [(each.first, each.count) for each in opened.watched()]

    print_watched(closing(opened, work), as_json)
