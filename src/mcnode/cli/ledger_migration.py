"""`ledger-migration`: bring a ledger of an older release to the present format."""

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
    help="Directory of the ledger; stop the node first and keep a copy.",
)
def ledger_migration(ledger_db: Path) -> None:
    """Migrate a ledger in place, one format version after the other.

    May be stopped and started again. A ledger of the present format is left untouched.

    Example: ledger-migration --ledger-db ledger
    """
    from mcnode.ledger.db.migration import migrate
    from mcnode.ledger.db.records import FORMAT_VERSION
    from mcnode.ledger.in_use import alone_on

    with alone_on(ledger_db, is_new=False):
        for found, target in migrate(ledger_db):
            click.echo(f"migrated {ledger_db} from format {found} to {target}")
    click.echo(f"{ledger_db} has format {FORMAT_VERSION}, the present one")


def main() -> None:
    """Entry point of the program `ledger-migration`."""
    run_command(ledger_migration)


if __name__ == "__main__":
    main()
