"""`ledger-from-archive`: build a ledger from archives."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click

from mcnode.cli.main import run_command
from mcnode.cli.parameters import DIRECTORY

_DEFAULT_LEDGER = Path(tempfile.gettempdir()) / "ledgerdb"
_REPORT_PERIOD_S = 2.0


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

    Ends where the archives end. Run it again to continue; it may be interrupted at any time.
    Exit status 3 when the archives give no first block, or one that is not right.

    Example: ledger-from-archive --ledger-db ledger --tx-source-url file:///srv/archive
    """
    from mcnode.ledger.archive.fetcher import BlockFetcher, InvalidBlockReceived
    from mcnode.ledger.archive.rebuild import rebuild_ledger
    from mcnode.ledger.db import LedgerDB
    from mcnode.ledger.in_use import alone_on

    urls = [url for text in tx_source_urls for url in text.split(",") if url]
    fetcher = BlockFetcher.from_urls(urls)
    with (
        alone_on(ledger_db, is_new=True),
        LedgerDB.open_or_create(ledger_db, durable=False) as ledger,
    ):
        appended, ended_by = rebuild_ledger(ledger, fetcher, num_blocks, _report_now_and_then())
        ledger.flush()
        total = ledger.num_blocks()
    click.echo(f"appended {appended} blocks to {ledger_db}: {total} in all")
    if ended_by is None:
        return
    if total == 0 or isinstance(ended_by, InvalidBlockReceived):
        raise ended_by
    click.echo(f"the archives end there: {ended_by}")


def _report_now_and_then() -> Callable[[int], None]:
    """Say on standard error how far it is, every few seconds."""
    said_at = time.monotonic()

    def report(num_blocks: int) -> None:
        nonlocal said_at
        if time.monotonic() - said_at > _REPORT_PERIOD_S:
            said_at = time.monotonic()
            click.echo(f"{num_blocks} blocks so far", err=True)

    return report


def main() -> None:
    """Entry point of the program `ledger-from-archive`."""
    run_command(ledger_from_archive)


if __name__ == "__main__":
    main()
