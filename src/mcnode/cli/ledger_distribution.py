"""`ledger-distribution`: publish a node's ledger as an archive of files."""

import signal
import threading
from pathlib import Path

import click
import structlog

from mcnode.cli.main import run_command
from mcnode.cli.parameters import DIRECTORY
from mcnode.errors import InvalidError, UnavailableError

POLL_INTERVAL_S = 0.05
"""How soon a new block is seen: well within the time that a block takes to agree on."""
RETRY_DELAYS_S = (0.1, 0.5, 1.0, 5.0, 10.0)
"""Pauses after failures in a row, the last one repeated."""

log = structlog.get_logger()


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--ledger-path",
    envvar="MC_LEDGER_PATH",
    required=True,
    type=DIRECTORY,
    help="Directory of the node's ledger.",
)
@click.option("--dest", envvar="MC_DEST", required=True, help="Where to write: file:///directory.")
@click.option(
    "--merge-buckets",
    envvar="MC_MERGE_BUCKETS",
    default="100,1000,10000",
    show_default=True,
    help="Sizes of merged files, comma separated; 0 and 1 are ignored.",
)
@click.option("--once", is_flag=True, help="Stop when everything is published.")
def ledger_distribution(ledger_path: Path, dest: str, merge_buckets: str, once: bool) -> None:
    """Write every block of a ledger to an archive, then each new one as it comes.

    Other nodes catch up from such archives (`tx_source_urls` in their network files), wallets read
    them. Starts where the archive ends; may be stopped and started at any time, a half-written file
    never shows.

    Example: ledger-distribution --ledger-path ledger --dest file:///srv/archive
    """
    from mcnode.ledger.archive.destination import open_destination
    from mcnode.ledger.archive.distribution import Distribution
    from mcnode.ledger.db import LedgerDB

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    buckets = _parse_buckets(merge_buckets)
    destination = open_destination(dest)
    with LedgerDB.open(ledger_path, read_only=True) as ledger:
        distribution = Distribution(ledger, destination, buckets)
        failures = 0
        while not stop.is_set():
            try:
                block_data = distribution.publish_next()
            except UnavailableError as error:
                delay_s = RETRY_DELAYS_S[min(failures, len(RETRY_DELAYS_S) - 1)]
                failures += 1
                log.warning("cannot publish", error=str(error), retry_in_s=delay_s)
                stop.wait(delay_s)
                continue
            failures = 0
            if block_data is not None:
                log.info("published", block_index=block_data.block.index, dest=dest)
            elif once:
                return
            else:
                stop.wait(POLL_INTERVAL_S)


def _parse_buckets(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isdecimal() for part in parts):
        raise InvalidError(f"--merge-buckets {text!r}: write numbers, comma separated")
    return tuple(int(part) for part in parts)


def main() -> None:
    """Entry point of the program `ledger-distribution`."""
    run_command(ledger_distribution)


if __name__ == "__main__":
    main()
