"""Services on a real gRPC server, called over a real channel."""

import contextlib

import grpc
import grpc.aio
import pytest

from mcnode.api.rpc import UNOBSERVED, call, handlers
from mcnode.connection.auth_token import AnonymousAuthenticator, TokenAuthenticator
from mcnode.connection.channel import SERVER_OPTIONS, open_channel
from mcnode.connection.uri import CLIENT, parse_uri
from mcnode.consensus.services.guards import Guards

CALL_TIMEOUT_S = 20.0


class Caller:
    """Calls methods; a refusal comes back as (status, text)."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.channel = channel

    async def __call__(self, method, request, *headers: tuple[str, str]):
        return await call(self.channel, method, request, metadata=headers, timeout_s=CALL_TIMEOUT_S)

    async def refused(self, method, request, *headers: tuple[str, str]) -> tuple[str, str]:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await self(method, request, *headers)
        return caught.value.code().name, caught.value.details() or ""


@contextlib.asynccontextmanager
async def serve_all(served, observer=UNOBSERVED):
    server = grpc.aio.server(options=list(SERVER_OPTIONS))
    server.add_generic_rpc_handlers(handlers(served, observer))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    channel = open_channel(parse_uri(f"insecure-mc://127.0.0.1:{port}/", CLIENT))
    try:
        yield Caller(channel)
    finally:
        await channel.close(None)
        await server.stop(None)


@pytest.fixture
def serving():
    """`async with serving(methods) as call` serves them and gives a caller."""
    return serve_all


@pytest.fixture
def make_guards():
    """Guards of the chain `local`, by default for anybody."""

    def make(secret: bytes | None = None) -> Guards:
        authenticator = (
            AnonymousAuthenticator() if secret is None else TokenAuthenticator(secret, 86_400)
        )
        return Guards("local", authenticator, lambda: 1_700_000_000.0)

    return make
