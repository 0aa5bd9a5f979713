"""The boundary against hostile bytes, wrong tokens and a dying process."""

import asyncio
import socket
import threading

import pytest

from mcnode.codec import protobuf
from mcnode.conformance.enclave_fixture import make_trusted, over_tcp, served
from mcnode.enclave.boundary import (
    FRAME_BYTES_MAX,
    MAGIC,
    PROTOCOL_VERSION,
    BoundaryRequest,
    BoundaryResponse,
    Call,
    Hello,
    Nothing,
    UnknownCall,
    encode_request,
    frame,
)
from mcnode.enclave.client import connect_enclave
from mcnode.enclave.error_codec import decode_error
from mcnode.enclave.errors import EnclaveGoneError
from mcnode.enclave.interface import EnclaveMode
from support.wire import closing_is_no_error


def receive_exactly(connection, size):
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise EOFError(f"{len(data)} of {size} bytes")
        data += part
    return data


def receive_frame(connection):
    return receive_exactly(connection, int.from_bytes(receive_exactly(connection, 4), "big"))


def is_closed(connection):
    """Whether the other side ends the connection, without a word."""
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True


_opened = []


@pytest.fixture(autouse=True)
def close_connections():
    yield
    while _opened:
        _opened.pop().close()


def greet(server, greeting):
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    _opened.append(connection)
    connection.sendall(greeting)
    return connection


def as_node(server, token):
    connection = greet(server, MAGIC + token)
    hello = protobuf.decode(Hello, receive_frame(connection))
    assert hello == Hello(PROTOCOL_VERSION, "sim")
    return connection


def answer_of(connection):
    return protobuf.decode(BoundaryResponse, receive_frame(connection))


@pytest.mark.parametrize("greeting", [b"x" * 36, b"MCE1" + bytes(32), b"GET / HTTP/1.1\r\n" * 4])
def test_wrong_token_is_closed_without_a_word(greeting):
    with served() as (server, token):
        assert is_closed(greet(server, greeting))
        as_node(server, token).close()  # the right one still gets in


def test_short_greeting_is_closed_when_the_sender_stops():
    with served() as (server, token):
        connection = greet(server, MAGIC)
        connection.shutdown(socket.SHUT_WR)
        assert is_closed(connection)
        as_node(server, token).close()


def test_only_one_node_gets_in():
    with served() as (server, token):
        first = as_node(server, token)
        with pytest.raises((ConnectionError, EOFError)):
            as_node(server, token)
        first.sendall(encode_request(7, Call.GET_IDENTITY, Nothing()))
        assert answer_of(first).id == 7
        first.close()


def test_unknown_call_is_refused_and_the_connection_goes_on():
    with served() as (server, token):
        connection = as_node(server, token)
        connection.sendall(frame(protobuf.encode(BoundaryRequest(1, 99, b""))))
        refused = answer_of(connection)
        assert refused.id == 1
        assert isinstance(decode_error(refused.error), UnknownCall)
        connection.sendall(encode_request(2, Call.GET_IDENTITY, Nothing()))
        assert answer_of(connection).error is None
        connection.close()


def test_body_that_does_not_decode_is_refused():
    with served() as (server, token):
        connection = as_node(server, token)
        request = BoundaryRequest(5, int(Call.CLIENT_TX_PROPOSE), b"\xff")
        connection.sendall(frame(protobuf.encode(request)))
        assert "invalid varint" in str(decode_error(answer_of(connection).error))
        connection.close()


@pytest.mark.parametrize(
    "bytes_",
    [
        (FRAME_BYTES_MAX + 1).to_bytes(4, "big"),
        b"\xff\xff\xff\xff",
        frame(b"\xff"),
        frame(protobuf.encode(BoundaryRequest(1, 3, b"")))[:-1],
    ],
    ids=["oversized", "huge", "no request", "truncated"],
)
def test_frames_that_end_the_connection(bytes_):
    with served() as (server, token):
        connection = as_node(server, token)
        with closing_is_no_error():
            connection.sendall(bytes_)
            connection.shutdown(socket.SHUT_WR)
        assert is_closed(connection)


def test_serving_ends_with_the_connection():
    with served() as (server, token):
        serving = next(t for t in threading.enumerate() if t.name == "enclave-acceptor")
        as_node(server, token).close()
        serving.join(10)
        assert not serving.is_alive()


@pytest.mark.asyncio
async def test_client_with_a_wrong_token():
    with served() as (server, _), pytest.raises(EnclaveGoneError):
        await connect_enclave("127.0.0.1", server.port, bytes(32))


@pytest.mark.asyncio
async def test_client_without_a_server():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(EnclaveGoneError):
        await connect_enclave("127.0.0.1", port, bytes(32))


class StandIn:
    """A server that greets as a trusted process does and then sends what it is told."""

    def __init__(self, *sent):
        self._sent = sent
        self._ended = asyncio.Event()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self._server.sockets[0].getsockname()[1]

    async def __aexit__(self, *_):
        async with asyncio.timeout(10):
            await self._ended.wait()
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader, writer):
        await reader.readexactly(36)
        for data in self._sent:
            writer.write(data)
        await writer.drain()
        await reader.read()
        writer.close()
        await writer.wait_closed()
        self._ended.set()


HELLO = frame(protobuf.encode(Hello(PROTOCOL_VERSION, "sim")))


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "first",
    [
        frame(b""),
        frame(protobuf.encode(Hello(2, "sim"))),
        frame(protobuf.encode(Hello(PROTOCOL_VERSION, "other"))),
        b"\xff" * 8,
    ],
    ids=["empty", "version", "mode", "oversized"],
)
async def test_client_refuses_what_is_no_trusted_process(first):
    async with StandIn(first) as port:
        with pytest.raises(EnclaveGoneError):
            await connect_enclave("127.0.0.1", port, bytes(32))


@pytest.mark.asyncio
@pytest.mark.parametrize("garbage", [b"\xff" * 8, frame(b"\xff")], ids=["oversized", "no response"])
async def test_calls_end_when_the_process_talks_garbage(garbage):
    async with StandIn(HELLO, garbage) as port:
        enclave = await connect_enclave("127.0.0.1", port, bytes(32))
        with pytest.raises(EnclaveGoneError):
            await enclave.get_identity()
        await enclave.wait_gone()
        await enclave.close()


@pytest.mark.asyncio
async def test_answers_nobody_waits_for_are_ignored():
    stray = frame(protobuf.encode(BoundaryResponse(99, b"")))
    async with StandIn(HELLO, stray) as port:
        enclave = await connect_enclave("127.0.0.1", port, bytes(32))
        assert enclave.mode is EnclaveMode.SIM
        await enclave.close()


@pytest.mark.asyncio
async def test_calls_under_way_end_when_the_process_dies(monkeypatch):
    trusted = make_trusted()
    entered, leave = threading.Event(), threading.Event()

    def hang():
        entered.set()
        leave.wait(30)
        return bytes(32)

    monkeypatch.setattr(trusted, "get_identity", hang)
    with served(trusted) as (server, token):
        enclave = await connect_enclave("127.0.0.1", server.port, token)
        calls = [asyncio.create_task(enclave.get_identity()) for _ in range(3)]
        await asyncio.to_thread(entered.wait, 30)
        server.stop()
        leave.set()
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert all(isinstance(result, EnclaveGoneError) for result in results)
        with pytest.raises(EnclaveGoneError):
            await enclave.get_signer()
        await enclave.wait_gone()
        await enclave.close()


@pytest.mark.asyncio
async def test_a_call_that_hangs_ends_the_connection(monkeypatch):
    monkeypatch.setattr("mcnode.enclave.client.CALL_TIMEOUT_S", 0.05)
    trusted = make_trusted()
    leave = threading.Event()
    monkeypatch.setattr(trusted, "get_identity", lambda: (leave.wait(30) and b"") or b"")
    with served(trusted) as (server, token):
        enclave = await connect_enclave("127.0.0.1", server.port, token)
        with pytest.raises(EnclaveGoneError, match="took more than"):
            await enclave.get_identity()
        leave.set()
        await enclave.close()


@pytest.mark.asyncio
async def test_closing_is_final():
    async with over_tcp() as enclave:
        await enclave.close()
        with pytest.raises(EnclaveGoneError):
            await enclave.get_identity()


@pytest.mark.asyncio
async def test_unexpected_errors_show_no_text(monkeypatch):
    trusted = make_trusted()

    def fail():
        raise RuntimeError("a secret")

    monkeypatch.setattr(trusted, "get_identity", fail)
    with served(trusted) as (server, token):
        enclave = await connect_enclave("127.0.0.1", server.port, token)
        with pytest.raises(Exception, match="internal error: RuntimeError") as caught:
            await enclave.get_identity()
        assert "secret" not in str(caught.value)
        await enclave.close()
