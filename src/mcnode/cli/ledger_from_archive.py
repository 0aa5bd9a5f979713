"""`ledger-from-archive`: build a ledger from archives."""

import tempfile
from pathlib import Path

import click

from mcnode.cli.main import run_command
from mcnode.cli.parameters import DIRECTORY

_DEFAULT_LEDGER = Path(tempfile.gettempdir()) / "ledgerdb"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--ledger-db",
    envvar="MC_LEDGER_DB",
    default=_DEFAULT_LEDGER,
    show_default=True,
    type=DIRECTORY,
    help="Directory of the ledger; made if missing, else continued.",
)
@click.option(
    "--tx-source-url",
    "tx_source_urls",
    envvar="MC_TX_SOURCE_URL",
    required=True,
    multiple=True,
    help="Archive to read, file:///directory; repeat or separate by commas.",
)
@click.option(
    "-n",
    "--num-blocks",
    envvar="MC_NUM_BLOCKS",
    type=click.IntRange(1),
    help="Stop at this many blocks; default: all there are.",
)
def ledger_from_archive(
    ledger_db: Path, tx_source_urls: tuple[str, ...], num_blocks: int | None
) -> None:
    """Fetch blocks from archives, check every one and append it with its signature and metadata.

    Ends where the archives end. Run it again to continue.

    Example: ledger-from-archive --ledger-db ledger --tx-source-url file:///srv/archive
    """
    from mcnode.ledger.archive.fetcher import BlockFetcher
    from mcnode.ledger.archive.rebuild import rebuild_ledger
    from mcnode.ledger.db import LedgerDB

    urls = [url for text in tx_source_urls for url in text.split(",") if url]
    fetcher = BlockFetcher.from_urls(urls)
    with LedgerDB.open_or_create(ledger_db, durable=False) as ledger:
        appended, ended_by = rebuild_ledger(ledger, fetcher, num_blocks)
        ledger.flush()
        click.echo(f"appended {appended} blocks to {ledger_db}: {ledger.num_blocks()} in all")
        if ended_by is not None:
            click.echo(f"the archives end there: {ended_by}")


def main() -> None:
    """Entry point of the program `ledger-from-archive`."""
    run_command(ledger_from_archive)


if __name__ == "__main__":
    main()
