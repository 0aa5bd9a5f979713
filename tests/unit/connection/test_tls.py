import socket
from pathlib import Path

import grpc
import grpc.aio
import pytest

from mcnode.api.gen.health_pb2 import PingRequest, PingResponse
from mcnode.api.rpc import Call, call, handlers, serve
from mcnode.api.services import HEALTH_PING
from mcnode.connection.channel import SERVER_OPTIONS, CannotListen, listen, open_channel
from mcnode.connection.tls import ServerCertificates, TlsConfigError, system_roots
from mcnode.connection.uri import CLIENT, parse_uri
from support.certificates import write_certificate
from support.ports import free_port


async def ping(request: PingRequest, _call: Call) -> PingResponse:
    return PingResponse(data=request.data)


async def ask(url: str) -> bytes:
    async with open_channel(parse_uri(url, CLIENT)) as channel:
        answer = await call(channel, HEALTH_PING, PingRequest(data=b"x"), timeout_s=10)
    return answer.data


@pytest.mark.asyncio
async def test_tls_with_override_bundle_and_reload(tmp_path: Path) -> None:
    write_certificate(tmp_path, "node.example")
    port = free_port()
    files = f"tls-chain={tmp_path}/chain.pem&tls-key={tmp_path}/key.pem"
    server = grpc.aio.server(options=SERVER_OPTIONS)
    server.add_generic_rpc_handlers(handlers([serve(HEALTH_PING, ping)]))
    certificates = listen(server, parse_uri(f"mc://127.0.0.1:{port}/?{files}", CLIENT))
    assert certificates is not None
    await server.start()
    try:
        old_roots = tmp_path / "old.crt"
        old_roots.write_bytes((tmp_path / "chain.pem").read_bytes())
        target = f"mc://127.0.0.1:{port}/?tls-hostname=node.example&ca-bundle="
        assert await ask(f"{target}{old_roots}") == b"x"
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await ask(f"mc://127.0.0.1:{port}/?tls-hostname=other.example&ca-bundle={old_roots}")
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE

        write_certificate(tmp_path, "node.example")
        assert await ask(f"{target}{old_roots}") == b"x"  # nobody asked for a reload yet
        certificates.request_reload()
        assert await ask(f"{target}{tmp_path}/chain.pem") == b"x"

        (tmp_path / "key.pem").unlink()
        certificates.request_reload()
        assert await ask(f"{target}{tmp_path}/chain.pem") == b"x"  # the old one stays
    finally:
        await server.stop(None)


@pytest.mark.asyncio
async def test_a_taken_port_is_refused() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        server = grpc.aio.server(options=SERVER_OPTIONS)
        with pytest.raises(CannotListen, match=f"insecure-mc://127.0.0.1:{port}/"):
            listen(server, parse_uri(f"insecure-mc://127.0.0.1:{port}/", CLIENT))
        await server.stop(None)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "Uri must have tls-chain when using TLS"),
        ("tls-chain=/x", "Uri must have tls-key in when using TLS"),
        ("tls-chain=/nowhere/c&tls-key=/nowhere/k", "failed reading /nowhere/k: No such file"),
    ],
)
def test_listener_without_files(query: str, message: str) -> None:
    with pytest.raises(TlsConfigError, match=message):
        ServerCertificates(parse_uri(f"mc://h/?{query}", CLIENT))


@pytest.mark.asyncio
async def test_missing_bundle_is_an_error(tmp_path: Path) -> None:
    for bundle, message in ((tmp_path / "absent", "failed reading"), (tmp_path, "no certificate")):
        with pytest.raises(TlsConfigError, match=message):
            open_channel(parse_uri(f"mc://h/?ca-bundle={bundle}", CLIENT))


def test_where_system_roots_come_from(tmp_path: Path) -> None:
    (tmp_path / "b.PEM").write_bytes(b"second")
    (tmp_path / "a.crt").write_bytes(b"first")
    (tmp_path / "c.txt").write_bytes(b"not this")
    assert system_roots({"SSL_CERT_DIR": str(tmp_path)}) == b"first\nsecond"
    file = str(tmp_path / "c.txt")
    assert system_roots({"SSL_CERT_FILE": file, "SSL_CERT_DIR": str(tmp_path)}) == b"not this"
    absent = str(tmp_path / "absent")
    assert system_roots({"SSL_CERT_FILE": absent, "SSL_CERT_DIR": str(tmp_path)}) == (
        b"first\nsecond"
    )
