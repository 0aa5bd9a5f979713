"""`mcnode network`: a local network of real nodes on this machine."""

import asyncio
import json
import os
import shlex
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from mcnode.errors import InvalidError

if TYPE_CHECKING:
    from mcnode.network.local import LocalNetwork, NodeStatus

DEFAULT_DIRECTORY = "mc-local-network"
_DIRECTORY_VARIABLE = "MC_NETWORK_WORK_DIR"
TOPOLOGY_NAMES = ("dense5", "dense3", "a-b-c", "ring5", "ring5b")
_FOLLOW_POLL_S = 0.2
_WATCH_POLL_S = 0.5

_directory = click.option(
    "--work-dir",
    envvar=_DIRECTORY_VARIABLE,
    default=DEFAULT_DIRECTORY,
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the network's files are.",
)
_topology = click.option(
    "--topology",
    "topology_name",
    type=click.Choice(TOPOLOGY_NAMES),
    default="dense5",
    show_default=True,
    help="Who knows and trusts whom.",
)


class NetworkExists(InvalidError):
    """There is another network in the work directory."""


@click.group()
def network() -> None:
    """A local network of real nodes on this machine, to play with and to test against.

    Every node is a consensus-service with its own trusted process, and a ledger-distribution.
    Attestation is simulated: nothing here is private from this machine's operator.

    \b
      mcnode network demo            the whole story in half a minute
      mcnode network up              start a network and keep it until Ctrl-C
      mcnode network up --detach     start it and leave it running
    """


@network.command()
@_directory
@_topology
@click.option("--fresh", is_flag=True, help="Throw away what is in the work directory first.")
@click.option("--detach", is_flag=True, help="Leave the network running and return.")
@click.option(
    "--accounts",
    default=6,
    show_default=True,
    type=click.IntRange(1, 1000),
    help="Accounts that have money at the start; their key files are in WORK_DIR/keys.",
)
@click.option(
    "--outputs",
    default=40,
    show_default=True,
    type=click.IntRange(1, 10_000),
    help="Outputs that each account starts with.",
)
@click.option(
    "--chain-id",
    envvar="MC_CHAIN_ID",
    default="local",
    show_default=True,
    help="Name of the network; wallets have to name it too.",
)
@click.option(
    "--block-version",
    default=4,
    show_default=True,
    type=click.IntRange(3, 4),
    help="Of new blocks.",
)
@click.pass_context
def up(
    context: click.Context,
    *,
    work_dir: Path,
    topology_name: str,
    fresh: bool,
    detach: bool,
    accounts: int,
    outputs: int,
    chain_id: str,
    block_version: int,
) -> None:
    """Start a network; without --detach it runs until Ctrl-C.

    A network that is in the work directory already goes on where it stopped, as it was made;
    --fresh begins anew.

    \b
    Topologies: dense5, dense3   everybody knows everybody
                a-b-c            a chain: a and c know only b
                ring5, ring5b    everybody needs the next one

    Example: mcnode network up --topology dense3 --work-dir /tmp/three
    """
    _end_politely_on_signals()
    from mcnode.network.bootstrap import Funding
    from mcnode.network.local import create_network, open_network
    from mcnode.network.plan import PLAN_FILE

    if (work_dir / PLAN_FILE).exists() and fresh:
        open_network(work_dir).stop()
        shutil.rmtree(work_dir)
    if (work_dir / PLAN_FILE).exists():
        local = open_network(work_dir)
        _check_not_running(local)
        _check_nothing_else_asked(context, local)
        click.echo(f"the {local.plan.topology.name} network in {work_dir} goes on")
    else:
        click.echo(f"making a {topology_name} network in {work_dir}")
        local = create_network(
            work_dir,
            topology_name,
            os.urandom,
            funding=Funding(accounts, outputs),
            chain_id=chain_id,
            block_version=block_version,
        )
    _run(local, detach=detach)


def _check_not_running(local: "LocalNetwork") -> None:
    running = local.running_names()
    if running:
        raise NetworkExists(
            f"this network runs already, {len(running)} of {len(local.plan.nodes)} nodes; see "
            f"`{_command('status', local)}`, stop it with `{_command('down', local)}`, or choose "
            "another --work-dir"
        )


def _check_nothing_else_asked(context: click.Context, local: "LocalNetwork") -> None:
    """Refuse options that only a new network can follow."""
    plan = local.plan
    made_with = {
        "topology_name": plan.topology.name,
        "chain_id": plan.chain_id,
        "block_version": plan.block_version,
        "accounts": None,
        "outputs": None,
    }
    for name, value in made_with.items():
        was_said = context.get_parameter_source(name) is not ParameterSource.DEFAULT
        if was_said and context.params[name] != value:
            option = "--" + name.removesuffix("_name").replace("_", "-")
            raise NetworkExists(
                f"{plan.directory} holds a {plan.topology.name} network; {option} is for a new "
                "one: add --fresh to replace it or choose another --work-dir"
            )


def _end_politely_on_signals() -> None:
    """SIGTERM, and SIGHUP of a terminal that is closed, stop the nodes as Ctrl-C does.

    They become SIGINT, which a running event loop turns into a cancellation: an exception that a
    handler raises itself may come up in the midst of native code, and end the process there.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a script's background job ignores it
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: signal.raise_signal(signal.SIGINT))


def _run(local: "LocalNetwork", *, detach: bool) -> None:
    started = time.monotonic()
    keep = False
    try:
        local.start()
        asyncio.run(local.wait_until_serving(progress=lambda text: click.echo(f"  {text}")))
        click.echo(f"{len(local.plan.nodes)} nodes serve after {time.monotonic() - started:.1f} s")
        _show_what_next(local, detach=detach)
        keep = detach
        if detach:
            click.echo(f"`{_command('down', local)}` stops the network.")
        else:
            click.echo("Ctrl-C stops the network.")
            _wait_until_down(local)
    except KeyboardInterrupt:
        click.echo()
    finally:
        if not keep:
            local.stop()
            click.echo(f"all nodes are stopped; `{_command('up', local)}` goes on from here")


def _show_what_next(local: "LocalNetwork", *, detach: bool) -> None:
    plan = local.plan
    click.echo("SIMULATED ATTESTATION: payments are not private from this machine's operator.")
    click.echo("\nEndpoints")
    for node in plan.nodes:
        click.echo(f"  node {node.name}  wallets {node.client_uri}  operators {node.admin_uri}")
    keys = _short(plan.keys_directory)
    click.echo(f"\nFunded accounts: key files in {keys}")
    first, *_ = plan.nodes
    click.echo(
        f"\nNext{'' if detach else ', in another terminal'}:\n"
        f"  mcnode wallet import {keys}/account_keys_0.json --chain-id {plan.chain_id} \\\n"
        f"      --node {first.client_uri} --archive {first.archive_url}\n"
        f"  mcnode wallet send @{keys}/account_keys_1.b58pub 1.5\n"
        f"  {_command('logs', local, first.name)} --follow\n"
        "`mcnode network --help` shows what else there is.\n"
    )


def _command(name: str, local: "LocalNetwork", *words: str) -> str:
    """A command to type here that is about this network."""
    directory = local.plan.directory
    is_default = directory == Path(os.environ.get(_DIRECTORY_VARIABLE, DEFAULT_DIRECTORY)).resolve()
    place = [] if is_default else ["--work-dir", str(_short(directory))]
    return shlex.join(["mcnode", "network", name, *words, *place])


def _short(path: Path) -> Path:
    """Relative, where the path is below the current directory."""
    current = Path.cwd()
    return path.relative_to(current) if path.is_relative_to(current) else path


def _wait_until_down(local: "LocalNetwork") -> None:
    """Until somebody stops every node from elsewhere."""
    while local.running_names():
        time.sleep(_WATCH_POLL_S)
    click.echo("every node was stopped from elsewhere")


@network.command()
@_directory
@click.option("--json", "as_json", is_flag=True, help="One JSON list, for scripts.")
def status(*, work_dir: Path, as_json: bool) -> None:
    """Show what every node is doing. Exit status 0 if all serve, 1 if not.

    Example: mcnode network status --json
    """
    import dataclasses

    from mcnode.network.local import open_network

    nodes = asyncio.run(open_network(work_dir).status())
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(node) for node in nodes], indent=2))
    else:
        for node in nodes:
            click.echo(f"  node {node.name}  {_state(node):<8}  {_height(node)}  {node.client_uri}")
    if not all(node.is_serving for node in nodes):
        sys.exit(1)


def _state(node: "NodeStatus") -> str:
    if not node.is_running:
        return "stopped"
    return "serving" if node.is_serving else "running"


def _height(node: "NodeStatus") -> str:
    return "height     ?" if node.block_height is None else f"height {node.block_height:5d}"


@network.command()
@_directory
@click.argument("node")
@click.option("--kill", is_flag=True, help="End it without warning, as a crash would.")
def stop(*, work_dir: Path, node: str, kill: bool) -> None:
    """Stop one node; NODE is its name in `mcnode network status`.

    Example: mcnode network stop 2 --kill
    """
    from mcnode.network.local import open_network

    open_network(work_dir).stop([node], kill=kill)
    click.echo(f"node {node} is stopped")


@network.command()
@_directory
@click.argument("node")
def start(*, work_dir: Path, node: str) -> None:
    """Start one node that was stopped, and wait until it serves.

    Example: mcnode network start 2
    """
    from mcnode.network.local import open_network

    local = open_network(work_dir)
    local.start([node])
    asyncio.run(local.wait_until_serving([node], progress=click.echo))


@network.command()
@_directory
@click.argument("node")
@click.option("-f", "--follow", is_flag=True, help="Go on until Ctrl-C.")
def logs(*, work_dir: Path, node: str, follow: bool) -> None:
    """Print a node's log.

    Example: mcnode network logs 0 --follow
    """
    from mcnode.network.local import open_network

    path = open_network(work_dir).log_paths(node)[0]
    try:
        with path.open(errors="replace") as log:
            while True:
                click.echo(log.read(), nl=False)
                if not follow:
                    return
                time.sleep(_FOLLOW_POLL_S)
    except FileNotFoundError:
        raise InvalidError(f"node {node} has not written a log yet: {path}") from None
    except KeyboardInterrupt:
        return


@network.command()
@_directory
@click.option("--remove", is_flag=True, help="Remove the work directory too.")
def down(*, work_dir: Path, remove: bool) -> None:
    """Stop every node. The ledgers stay, unless --remove.

    Example: mcnode network down --remove
    """
    from mcnode.network.local import open_network

    open_network(work_dir).stop()
    click.echo("all nodes are stopped")
    if remove:
        shutil.rmtree(work_dir)
        click.echo(f"{work_dir} is removed")


@network.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for scripts.")
@click.option(
    "--keep", is_flag=True, help="Keep the files (ledgers, logs, archives) for a look afterwards."
)
@click.option(
    "--work-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the files go; a temporary directory if left out.",
)
def demo(*, as_json: bool, keep: bool, work_dir: Path | None) -> None:
    """The whole story: five nodes, a private payment, a crash, a verdict.

    Starts a fresh network, pays, compares the ledgers block by block, verifies every block
    signature, kills a node, pays again, lets the node catch up, tries to spend twice. Everything is
    stopped at the end. Exit status 0 only if all of it held.

    Example: mcnode network demo --json
    """
    _end_politely_on_signals()
    from mcnode.network.demo import run_demo

    verdict = run_demo(
        work_dir,
        keep=keep,
        show=None if as_json else click.echo,
        begin=_show_for_now if sys.stdout.isatty() and not as_json else None,
    )
    if as_json:
        click.echo(json.dumps(verdict.to_json(), indent=2))
    if not verdict.held:
        sys.exit(1)


def _show_for_now(text: str) -> None:
    """A line that the next one overwrites."""
    click.echo(f"{text}\r", nl=False)
