"""`mc-consensus-tool`: where nodes are, and waiting for them. [docs/protocol/service.md#16.1]"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import click

from mcnode.cli.main import run_command
from mcnode.connection.attested import AttestedClient, BlockInfo
from mcnode.connection.uri import CLIENT, Uri, parse_uri
from mcnode.consensus.node_tool import QUIET_PERIOD_S, WAIT_PERIOD_S, Nodes, info_json

T = TypeVar("T")

TIMEOUT_S = 10.0

_nodes = click.argument("uris", nargs=-1, envvar="MC_PEER")


@click.group("mc-consensus-tool")
def consensus_tool() -> None:
    """Ask nodes for their last block, or wait for one.

    URIS are client URIs such as mc://node.example/, several ones separated by blanks or commas; the
    variable MC_PEER can hold them instead.

    \b
      mc-consensus-tool status mc://node1.example/ mc://node2.example/
      mc-consensus-tool wait-for-block mc://node1.example/ --index 1000
    """


@consensus_tool.command()
@_nodes
def status(uris: tuple[str, ...]) -> None:
    """Print what each node says: last block, minimum fees, block version.

    Example: mc-consensus-tool status insecure-mc://localhost:3200/
    """
    answers = _run(uris, lambda nodes: nodes.status())
    for uri, answer in answers.items():
        text = info_json(answer) if isinstance(answer, BlockInfo) else f"error: {answer}"
        print(f"{uri}: {text}")


@consensus_tool.command("wait-for-block")
@_nodes
@click.option(
    "--index", type=click.IntRange(0), envvar="MC_INDEX", required=True, help="Block to wait for."
)
@click.option(
    "--period",
    type=float,
    envvar="MC_PERIOD",
    default=WAIT_PERIOD_S,
    show_default=True,
    help="Seconds between two looks.",
)
def wait_for_block(uris: tuple[str, ...], index: int, period: float) -> None:
    """Return once every node has a block.

    Example: mc-consensus-tool wait-for-block insecure-mc://localhost:3200/ --index 3
    """
    _run(uris, lambda nodes: nodes.wait_for_block(index, period))


@consensus_tool.command("wait-for-quiet")
@_nodes
@click.option(
    "--period",
    type=float,
    envvar="MC_PERIOD",
    default=QUIET_PERIOD_S,
    show_default=True,
    help="Seconds without a new block that count as quiet.",
)
@click.option(
    "--beyond-block",
    type=click.IntRange(0),
    envvar="MC_BEYOND_BLOCK",
    help="Not before this block has come.",
)
def wait_for_quiet(uris: tuple[str, ...], period: float, beyond_block: int | None) -> None:
    """Return once no new blocks come; print the last index.

    Example: mc-consensus-tool wait-for-quiet insecure-mc://localhost:3200/ --period 5
    """
    print(_run(uris, lambda nodes: nodes.wait_for_quiet(period, beyond_block)), end="")


def _run(uris: tuple[str, ...], work: Callable[[Nodes], Awaitable[T]]) -> T:
    texts = [text for each in uris for text in each.split(",") if text]
    nodes = Nodes(tuple(parse_uri(text, CLIENT) for text in texts), _fetch)

    async def run() -> T:
        return await work(nodes)

    return asyncio.run(run())


async def _fetch(uri: Uri) -> BlockInfo:
    async with AttestedClient(uri, chain_id="", trust=None, timeout_s=TIMEOUT_S) as client:
        return await client.fetch_block_info()


def main() -> None:
    """Entry point."""
    run_command(consensus_tool)


if __name__ == "__main__":
    main()
