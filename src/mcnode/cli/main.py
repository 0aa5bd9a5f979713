"""The umbrella command `mcnode`: each sub-command is a thin module, imported when it is called."""

import importlib
import sys
from typing import Any

import click

import mcnode
from mcnode.errors import BugError, McNodeError, UnavailableError

EXIT_INVALID = 2
EXIT_UNAVAILABLE = 3

_COMMANDS = {
    "network": ("mcnode.cli.network", "network"),
    "wallet": ("mcnode.cli.wallet", "wallet"),
    "ledger": ("mcnode.cli.ledger", "ledger"),
    "conformance": ("mcnode.cli.conformance", "conformance"),
}
"""Name of each sub-command: (module, attribute)."""


class LazyGroup(click.Group):
    """A group that imports a sub-command's module only when that command is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order of the table."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of `cmd_name` and return its command."""
        if cmd_name not in _COMMANDS:
            return None
        module, attribute = _COMMANDS[cmd_name]
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(mcnode.__version__, prog_name="mcnode")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(debug: bool) -> None:
    """MobileCoin consensus in Python: run a network, pay, verify.

    First steps:

    \b
      mcnode network demo      five nodes, a private payment, a crash, a verdict
      mcnode network up        a local network to play with
      mcnode wallet --help     accounts, balances, payments
    """


def run_command(command: click.Command, **options: Any) -> None:
    """Run a command as a program: an error of ours is one line on stderr, not a traceback.

    Exit status 2 for bad input, 3 for something that is not there now; `--debug` anywhere on the
    command line shows the traceback. A bug of ours always shows it.
    """
    try:
        command(**options)
    except BugError:
        raise
    except McNodeError as error:
        if "--debug" in sys.argv:
            raise
        click.echo(f"error: {error}", err=True)
        sys.exit(EXIT_UNAVAILABLE if isinstance(error, UnavailableError) else EXIT_INVALID)


def main() -> None:
    """Entry point of the program `mcnode`."""
    run_command(cli)
