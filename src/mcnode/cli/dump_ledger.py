"""`dump-ledger`: blocks of a ledger as JSON."""

from pathlib import Path

import click

from mcnode.cli.main import run_command
from mcnode.cli.parameters import DIRECTORY


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--ledger-db",
    envvar="MC_LEDGER_DB",
    required=True,
    type=DIRECTORY,
    help="Directory of the ledger.",
)
@click.option(
    "--first-index",
    envvar="MC_FIRST_INDEX",
    default=0,
    show_default=True,
    type=click.IntRange(0),
    help="First block to print.",
)
@click.option(
    "--last-index",
    envvar="MC_LAST_INDEX",
    type=click.IntRange(0),
    help="Last block to print; default: the newest.",
)
def dump_ledger(ledger_db: Path, first_index: int, last_index: int | None) -> None:
    """Print blocks as a JSON array, byte strings as lists of numbers.

    Works while a node runs on the ledger.

    Example: dump-ledger --ledger-db ledger --first-index 10 --last-index 12
    """
    from mcnode.ledger.db import LedgerDB
    from mcnode.ledger.dump import dump_blocks

    with LedgerDB.open(ledger_db, read_only=True) as ledger:
        for piece in dump_blocks(ledger, first_index, last_index):
            click.echo(piece, nl=False)
    click.echo()


def main() -> None:
    """Entry point of the program `dump-ledger`."""
    run_command(dump_ledger)


if __name__ == "__main__":
    main()
