"""`mc-admin-http-gateway`: a node's admin API over HTTP. [docs/protocol/service.md#13]"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from mcnode.cli.run_program import run_program
from mcnode.connection.uri import ADMIN, Uri
from mcnode.consensus.config.arguments import Flag, Program, parse_arguments
from mcnode.consensus.config.values import parse_listen_uri, parse_unsigned
from mcnode.errors import UnavailableError

PROGRAM: Final = Program(
    name="mc-admin-http-gateway",
    about="Serve the admin API of a node over HTTP: an overview page, /info and /metrics.",
    version_text="mc-admin-http-gateway 7.0.0",
    flags=(
        Flag(
            "--listen-host", env="MC_LISTEN_HOST", default="127.0.0.1", help="address to listen on"
        ),
        Flag(
            "--listen-port",
            parse_unsigned(16),
            "MC_LISTEN_PORT",
            default="9090",
            help="port to listen on; 0 takes a free one",
        ),
        Flag(
            "--admin-uri",
            parse_listen_uri(ADMIN),
            "MC_ADMIN_URI",
            required=True,
            help="admin listener of the node, such as insecure-mca://127.0.0.1:8001/",
        ),
    ),
    closing="Example:\n"
    "  mc-admin-http-gateway --admin-uri insecure-mca://127.0.0.1:9090/ --listen-port 9100",
)


class AddressTaken(UnavailableError):
    """The HTTP address cannot be bound."""


def admin_http_gateway(args: Sequence[str], environment: Mapping[str, str]) -> int:
    """Serve until interrupted."""
    arguments = parse_arguments(PROGRAM, args, environment)
    asyncio.run(_serve(arguments["admin_uri"], arguments["listen_host"], arguments["listen_port"]))
    return 0


async def _serve(admin_uri: Uri, host: str, port: int) -> None:
    from mcnode.connection.channel import open_channel
    from mcnode.consensus.admin_http import serve_gateway

    async with open_channel(admin_uri) as channel:
        try:
            server = await serve_gateway(channel, host, port)
        except OSError as error:
            raise AddressTaken(f"cannot listen on {host}:{port}: {error.strerror}") from error
        bound = server.sockets[0].getsockname()
        print(f"http://{bound[0]}:{bound[1]}/ shows {admin_uri}", flush=True)
        async with server:
            await server.serve_forever()


def main() -> None:
    """Entry point."""
    run_program(admin_http_gateway)


if __name__ == "__main__":
    main()
