"""`mc-util-grpc-admin-tool`: a node's admin API on the command line.

[docs/protocol/service.md#13]
"""

import asyncio

import click
import grpc.aio
from google.protobuf.empty_pb2 import Empty

from mcnode.api.gen.admin_pb2 import SetRustLogRequest
from mcnode.api.rpc import call
from mcnode.api.services import (
    GET_INFO,
    GET_PROMETHEUS_METRICS,
    SET_RUST_LOG,
    TEST_LOG_ERROR,
    Method,
    Request,
    Response,
)
from mcnode.cli.main import run_command
from mcnode.connection.channel import open_channel
from mcnode.connection.errors import call_error
from mcnode.connection.uri import ADMIN, Uri, parse_uri

TIMEOUT_S = 10.0


@click.group("mc-util-grpc-admin-tool")
@click.option(
    "--uri",
    envvar="MC_URI",
    required=True,
    help="Admin listener of the node, such as insecure-mca://127.0.0.1:8001/.",
)
@click.pass_context
def grpc_admin_tool(context: click.Context, uri: str) -> None:
    """Ask a running node for metrics and facts, or change what it logs.

    Example: mc-util-grpc-admin-tool --uri insecure-mca://127.0.0.1:9090/ get-info
    """
    context.obj = parse_uri(uri, ADMIN)


@grpc_admin_tool.command()
@click.pass_obj
def metrics(uri: Uri) -> None:
    """Print all metrics."""
    print(_ask(uri, GET_PROMETHEUS_METRICS, Empty()).metrics)


@grpc_admin_tool.command("get-info")
@click.pass_obj
def get_info(uri: Uri) -> None:
    """Print what the node is and was told."""
    info = _ask(uri, GET_INFO, Empty())
    print(f"Service name: {info.name}")
    print(f"Service id:   {info.id}")
    print(f"RUST_LOG:     {info.rust_log}")
    print(f"Build info:   {info.build_info_json}")
    print(f"Config json:  {info.config_json}")


@grpc_admin_tool.command("set-rust-log")
@click.argument("value")
@click.pass_obj
def set_rust_log(uri: Uri, value: str) -> None:
    """Set the log filter, such as info,mcnode.scp=debug."""
    _ask(uri, SET_RUST_LOG, SetRustLogRequest(rust_log=value))
    print("Done.")


@grpc_admin_tool.command("test-log-error")
@click.pass_obj
def test_log_error(uri: Uri) -> None:
    """Have the node log one error, to see where it ends up."""
    _ask(uri, TEST_LOG_ERROR, Empty())
    print("Done.")


def _ask(uri: Uri, method: Method[Request, Response], request: Request) -> Response:
    async def ask() -> Response:
        async with open_channel(uri) as channel:
            try:
                return await call(channel, method, request, timeout_s=TIMEOUT_S)
            except grpc.aio.AioRpcError as error:
                raise call_error(uri, error) from error

    return asyncio.run(ask())


def main() -> None:
    """Entry point."""
    run_command(grpc_admin_tool)


if __name__ == "__main__":
    main()
