"""What the wallet commands have in common: options, settings from them, progress, output."""

import contextlib
import dataclasses
import functools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from mcnode.cli.parameters import DIRECTORY, EXISTING_FILE, together
from mcnode.errors import InvalidError

if TYPE_CHECKING:
    from mcnode.wallet.ledger_copy import Progress, ReportProgress
    from mcnode.wallet.settings import WalletSettings
    from mcnode.wallet.trust import TrustedEnclave

Command = TypeVar("Command", bound=Callable[..., Any])

NO_NODE_LEDGER = Path("none")
SUBADDRESS = click.IntRange(0, (1 << 64) - 1)
WALLET_FILE = click.Path(path_type=Path, dir_okay=False)


def _or_as_said_before(context: click.Context, parameter: click.Parameter, value: Path) -> Path:
    """`mcnode wallet --wallet FILE COMMAND` counts, unless the command has its own `--wallet`."""
    if context.get_parameter_source("path") is ParameterSource.COMMANDLINE:
        return value
    parent = context.parent
    while parent is not None:
        before = parent.params.get("path")
        if isinstance(before, Path):
            return before
        parent = parent.parent
    return value


wallet_option = click.option(
    "--wallet",
    "path",
    envvar="MC_WALLET",
    default="wallet.db",
    show_default=True,
    type=WALLET_FILE,
    callback=_or_as_said_before,
    help="The wallet file; it holds the account's keys.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
no_sync_option = click.option(
    "--no-sync", is_flag=True, help="Use what the last sync found; read no archive."
)

fee_option = click.option("--fee", help="Fee, written like an amount. Default: the minimum.")
_wait = together(
    click.option(
        "--wait/--no-wait", default=True, show_default=True, help="Wait until it is in a block."
    ),
    click.option(
        "--timeout",
        "timeout_s",
        default=60.0,
        show_default=True,
        type=click.FloatRange(0),
        help="How many seconds to wait.",
    ),
)


def wait_options(command: Callable[..., None]) -> Callable[..., None]:
    """How long a command follows its transaction: `timeout_s`, None for not at all."""

    @functools.wraps(command)
    def with_timeout(*, wait: bool, timeout_s: float, **rest: Any) -> None:
        command(timeout_s=timeout_s if wait else None, **rest)

    return _wait(with_timeout)


def parse_tx_hash(text: str) -> bytes:
    """The bytes of a transaction hash. Raises `InvalidError` for what is not hex."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise InvalidError(f"transaction hash {text[:70]!r} is not hex") from None


def token_option(name: str, help_text: str) -> Callable[[Command], Command]:
    """A token id, MOB by default."""
    return click.option(
        name, default=0, show_default=True, type=click.IntRange(0, (1 << 64) - 1), help=help_text
    )


network_options = together(
    click.option(
        "--node",
        "nodes",
        envvar="MC_NODE",
        multiple=True,
        help="Node to hand payments to, insecure-mc://host:port/ or mc://host/; repeat or separate "
        "by commas: the next one is tried when one fails.",
    ),
    click.option(
        "--archive",
        "--tx-source-url",
        "archives",
        envvar="MC_TX_SOURCE_URL",
        multiple=True,
        help="Archive to read blocks from, file:///directory; repeat or separate by commas.",
    ),
    click.option("--chain-id", envvar="MC_CHAIN_ID", help="Name of the network, such as local."),
    click.option(
        "--ledger-copy",
        envvar="MC_LEDGER_COPY",
        type=DIRECTORY,
        help="Where the blocks read so far are kept; wallets may share it. "
        "Default: beside the wallet file.",
    ),
    click.option(
        "--node-ledger",
        envvar="MC_NODE_LEDGER",
        type=DIRECTORY,
        help="Ledger directory of a node on this machine: read blocks there, instead of from "
        "archives and into a copy; `none`: from archives again.",
    ),
    click.option(
        "--trust-css",
        envvar="MC_TRUST_CSS",
        type=EXISTING_FILE,
        help="SIGSTRUCT (.css) of the enclave to trust: its signer, product and least version. "
        "Default: the simulated one.",
    ),
    click.option(
        "--trust-anchor",
        envvar="MC_TRUST_ANCHOR",
        type=EXISTING_FILE,
        help="PEM file of the root of real attestation evidence (Intel's SGX root), with "
        "--trust-css. Default: the simulation root.",
    ),
)
"""Options that override the settings in the wallet file."""


@dataclasses.dataclass(frozen=True, slots=True)
class NetworkOptions:
    """The values of `network_options`."""

    nodes: tuple[str, ...]
    archives: tuple[str, ...]
    chain_id: str | None
    ledger_copy: Path | None
    node_ledger: Path | None
    trust_css: Path | None
    trust_anchor: Path | None

    def over(self, base: "WalletSettings") -> "WalletSettings":
        """`base` with what the command line says."""
        changes: dict[str, Any] = {}
        if self.nodes:
            changes["nodes"] = _split(self.nodes)
        if self.archives:
            changes["archives"] = _split(self.archives)
        if self.chain_id is not None:
            changes["chain_id"] = self.chain_id
        if self.ledger_copy is not None:
            changes["ledger_copy"] = self.ledger_copy.absolute()
        if self.node_ledger is not None:
            is_none = self.node_ledger == NO_NODE_LEDGER
            changes["node_ledger"] = None if is_none else self.node_ledger.absolute()
        if self.trust_css is not None:
            changes["enclave"] = self._trusted_enclave(self.trust_css)
        elif self.trust_anchor is not None:
            raise InvalidError("--trust-anchor needs --trust-css: which enclave to trust")
        return dataclasses.replace(base, **changes)

    def _trusted_enclave(self, css: Path) -> "TrustedEnclave":
        from mcnode.wallet.trust import TrustedEnclave

        try:
            anchor = "" if self.trust_anchor is None else self.trust_anchor.read_text("ascii")
            return TrustedEnclave.from_sigstruct(css.read_bytes(), anchor)
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidError(f"cannot read {css} or {self.trust_anchor}: {error}") from error


def _split(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part for text in texts for part in text.split(",") if part)


@contextlib.contextmanager
def progress_shown() -> Iterator["ReportProgress"]:
    """A bar on standard error while something takes long; nothing when that is no terminal."""
    if not sys.stderr.isatty():
        yield lambda _progress: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Bars(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as bars:
        tasks = {}

        def report(progress: "Progress") -> None:
            if progress.step not in tasks:
                tasks[progress.step] = bars.add_task(progress.step, total=None)
            bars.update(tasks[progress.step], completed=progress.done, total=progress.total)

        yield report


def warn_if_simulated(settings: "WalletSettings") -> None:
    """Say on standard error that payments are handed to a simulated enclave."""
    from mcnode.wallet.trust import SIMULATION_WARNING

    if settings.nodes and settings.enclave.is_simulated:
        click.secho(f"warning: {SIMULATION_WARNING}", err=True, fg="yellow")
