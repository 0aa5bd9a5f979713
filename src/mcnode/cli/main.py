"""The umbrella command `mcnode`: each sub-command is a thin module, imported when it is called."""

import difflib
import importlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import NoReturn

import click

import mcnode
from mcnode.cli.run_command import complete, run_command

__all__ = ["PROGRAMS", "cli", "main", "run_command"]

_COMMANDS = {
    "network": ("mcnode.cli.network", "network", "Run real nodes on this machine; the demo."),
    "wallet": ("mcnode.cli.wallet", "wallet", "Accounts, balances and private payments."),
    "signer": ("mcnode.cli.signer", "signer", "Sign where the spend key is, without a network."),
    "ledger": (
        "mcnode.cli.ledger",
        "ledger",
        "What a ledger holds, and whether it holds together.",
    ),
    "tokens": ("mcnode.cli.tokens", "tokens", "Fees and governors of a tokens file, checked."),
    "tx": ("mcnode.cli.tx", "tx", "What a transaction holds, and whether it would be taken."),
    "sim": ("mcnode.cli.sim", "sim", "Whole networks under virtual time, by seed."),
    "slot": ("mcnode.cli.slot", "slot", "How a node agreed on a block, step by step."),
    "evidence": ("mcnode.cli.evidence", "evidence", "Nodes that contradicted themselves, signed."),
    "quorum": ("mcnode.cli.quorum", "quorum", "Whether a network can split or halt, and by whom."),
    "conformance": (
        "mcnode.cli.conformance",
        "conformance",
        "Run vector files against this build.",
    ),
}
"""Name of each sub-command: (module, attribute, line in the overview)."""

PROGRAMS: Mapping[str, str] = MappingProxyType(
    {
        "consensus-service": "A node.",
        "consensus-enclave": "Its trusted process; the node starts it.",
        "ledger-distribution": "Publish a node's blocks as an archive.",
        "ledger-from-archive": "Build a ledger from archives.",
        "ledger-migration": "Bring a ledger of an older release up to date.",
        "dump-ledger": "Blocks of a ledger as JSON.",
        "sample-keys": "Make accounts for tests.",
        "generate-sample-ledger": "Make a ledger that pays them.",
        "mc-util-grpc-admin-tool": "Ask a node for facts and metrics.",
        "mc-admin-http-gateway": "The same over HTTP, for Prometheus.",
        "mc-util-grpc-token-generator": "Passwords for nodes that ask for tokens.",
        "mc-consensus-tool": "Ask nodes for their height, or wait for it.",
        "mc-consensus-mint-client": "Configure minting, mint, sign offline.",
        "transaction-signer": "Sign transactions without a network: mcnode signer.",
        "sign-governors": "Sign the governors of a tokens file.",
    }
)
"""The programs beside this one, with what each is for."""


class LazyGroup(click.Group):
    """A group that imports a sub-command's module only when that command is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order of the table."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of `cmd_name` and return its command."""
        if cmd_name not in _COMMANDS:
            return None
        module, attribute, _ = _COMMANDS[cmd_name]
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return complete(command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with a hint what may have been meant."""
        if args and args[0] in PROGRAMS:
            ctx.fail(f"{args[0]} is a program of its own: leave out `mcnode`")
        if args and not args[0].startswith("-") and args[0] not in _COMMANDS:
            _fail_with_hint(ctx, args[0])
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The overview, from the table: showing it imports no command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, _, line) in _COMMANDS.items()])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The other programs, and what a status means."""
        with formatter.section("Programs beside it, each with --help"):
            formatter.write_dl(list(PROGRAMS.items()))
        formatter.write_paragraph()
        formatter.write_text(
            "Exit status: 0 done; 1 something does not hold; 2 wrong call or bad input; 3 "
            "something is not there now, try again; 130 interrupted."
        )


def _fail_with_hint(ctx: click.Context, word: str) -> NoReturn:
    close = difflib.get_close_matches(word, _COMMANDS, n=1)
    ctx.fail(f"no such command: {word}" + (f"; did you mean {close[0]}?" if close else ""))


@click.group("mcnode", cls=LazyGroup)
@click.version_option(mcnode.__version__, "-V", "--version", message="%(prog)s %(version)s")
def cli() -> None:
    """MobileCoin consensus in Python: run a network, pay, verify.

    \b
    First steps:
      mcnode network demo      five nodes, a private payment, a crash, a verdict
      mcnode network up        a local network to play with, until Ctrl-C
      mcnode wallet --help     accounts, balances, payments
    """


def main() -> None:
    """Entry point of the program `mcnode`."""
    run_command(cli)


if __name__ == "__main__":
    main()
