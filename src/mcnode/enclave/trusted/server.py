"""The trusted process's side of the boundary: one connection, any number of calls at a time.

[docs/protocol/enclave.md#9.3]

The first connection that knows the start token is the node's. Until then others may try, a few at a
time and for a few seconds each; after it nobody can connect any more. When the node's connection
closes, whatever the reason, `serve` returns and the process ends: all it knows is worthless without
the node, but for the signing key, which the node keeps sealed.
"""

import contextlib
import hmac
import socket
import threading
from typing import Final

from mcnode.codec import protobuf
from mcnode.codec.errors import DecodeError
from mcnode.enclave.boundary import (
    CALLS,
    GREETING_BYTES,
    LENGTH_BYTES,
    MAGIC,
    PROTOCOL_VERSION,
    BoundaryError,
    BoundaryRequest,
    BoundaryResponse,
    Hello,
    decode_call,
    frame,
    frame_length,
)
from mcnode.enclave.error_codec import encode_error
from mcnode.enclave.interface import EnclaveMode
from mcnode.enclave.trusted.dispatcher import Dispatcher
from mcnode.errors import McNodeError

GREETING_TIMEOUT_S: Final = 5.0
GREETERS_MAX: Final = 16
"""Connections that may be trying to show a token at once; further ones wait in the backlog."""
OUTSTANDING_CALLS_MAX: Final = 8_192
OUTSTANDING_BYTES_MAX: Final = 256 << 20
"""While this many calls or bytes of requests are not answered yet, no more are read."""


class Server:
    """Listens on the loopback interface and serves the one node that knows the token.

    Args:
        dispatcher: runs the calls.
        mode: what the node is told at the start.
        token: 32 bytes that the node must show.
        address: loopback address and port, 0 for any.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        mode: EnclaveMode,
        token: bytes,
        address: tuple[str, int] = ("127.0.0.1", 0),
    ) -> None:
        self._dispatcher = dispatcher
        self._mode = mode
        self._expected = MAGIC + token
        self._listener = socket.create_server(address, backlog=GREETERS_MAX)
        self.port: int = self._listener.getsockname()[1]
        """Where it listens, until the node has come."""
        self._node: socket.socket | None = None
        self._node_found = threading.Event()
        self._claim = threading.Lock()

    def serve(self, wait_s: float | None = None) -> bool:
        """Wait for the node, then answer its calls until its connection closes.

        Returns whether there was a node; False after `wait_s` without one, or when stopped before.
        """
        acceptor = threading.Thread(target=self._accept, name="enclave-acceptor", daemon=True)
        acceptor.start()
        self._node_found.wait(wait_s)
        with self._claim:
            node = self._node
            self._node_found.set()
        self._stop_listening()
        if node is not None:
            _NodeConnection(node, self._dispatcher).run()
            node.close()
        self._dispatcher.close()
        return node is not None

    def stop(self) -> None:
        """End `serve` from another thread."""
        self._stop_listening()
        with self._claim:  # so that a node that is just being let in is seen
            node = self._node
            self._node_found.set()
        if node is not None:
            _shut_down(node)

    def _accept(self) -> None:
        slots = threading.BoundedSemaphore(GREETERS_MAX)
        while not self._node_found.is_set():
            slots.acquire()
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            greeter = threading.Thread(
                target=self._greet, args=(connection, slots), name="enclave-greeter", daemon=True
            )
            greeter.start()

    def _greet(self, connection: socket.socket, slots: threading.BoundedSemaphore) -> None:
        """Let the connection show the token; the first that does becomes the node's."""
        try:
            if not self._shows_token(connection) or not self._become_node(connection):
                connection.close()
        finally:
            slots.release()

    def _shows_token(self, connection: socket.socket) -> bool:
        connection.settimeout(GREETING_TIMEOUT_S)
        try:
            greeting = _receive_exactly(connection, GREETING_BYTES)
        except OSError:
            return False
        return greeting is not None and hmac.compare_digest(greeting, self._expected)

    def _become_node(self, connection: socket.socket) -> bool:
        with self._claim:
            if self._node is not None or self._node_found.is_set():
                return False
            connection.settimeout(None)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._stop_listening()  # before the greeting: who was greeted is the only one, ever
            hello = Hello(PROTOCOL_VERSION, self._mode.value)
            with contextlib.suppress(OSError):  # gone already: reading from it will tell
                connection.sendall(frame(protobuf.encode(hello)))
            self._node = connection
            self._node_found.set()
        return True

    def _stop_listening(self) -> None:
        _shut_down(self._listener)
        self._listener.close()


class _NodeConnection:
    """Reads requests on its own thread's time, answers from the workers."""

    def __init__(self, connection: socket.socket, dispatcher: Dispatcher) -> None:
        self._connection = connection
        self._dispatcher = dispatcher
        self._send_lock = threading.Lock()
        self._room = threading.Condition()
        self._outstanding_calls = 0
        self._outstanding_bytes = 0

    def run(self) -> None:
        """Serve until the node closes, or sends what cannot be understood."""
        while True:
            self._wait_for_room()
            try:
                header = _receive_exactly(self._connection, LENGTH_BYTES)
                if header is None:
                    return
                body = _receive_exactly(self._connection, frame_length(header))
                if body is None:
                    return
                self._take(protobuf.decode(BoundaryRequest, body), len(body))
            except (OSError, BoundaryError, DecodeError):
                return

    def _take(self, request: BoundaryRequest, size: int) -> None:
        with self._room:
            self._outstanding_calls += 1
            self._outstanding_bytes += size
        try:
            call = decode_call(request.call)
            arguments = protobuf.decode(CALLS[call].request, request.body)
        except McNodeError as error:
            self._answer(request.id, size, None, error)
            return
        self._dispatcher.submit(
            call,
            arguments,
            lambda response, error: self._answer(request.id, size, response, error),
        )

    def _answer(
        self, request_id: int, size: int, response: object, error: BaseException | None
    ) -> None:
        try:
            self._send(_encode_response(request_id, response, error))
        finally:
            with self._room:
                self._outstanding_calls -= 1
                self._outstanding_bytes -= size
                self._room.notify()

    def _send(self, data: bytes) -> None:
        with self._send_lock:
            try:
                self._connection.sendall(data)
            except OSError:
                # The node is gone; the reading side notices and ends the process.
                _shut_down(self._connection)

    def _wait_for_room(self) -> None:
        with self._room:
            while (
                self._outstanding_calls >= OUTSTANDING_CALLS_MAX
                or self._outstanding_bytes >= OUTSTANDING_BYTES_MAX
            ):
                self._room.wait()


def _encode_response(request_id: int, response: object, error: BaseException | None) -> bytes:
    if error is None:
        try:
            body = protobuf.encode(response)
            return frame(protobuf.encode(BoundaryResponse(request_id, body)))
        except McNodeError as problem:
            error = problem
    failed = BoundaryResponse(request_id, error=encode_error(error))
    return frame(protobuf.encode(failed))


def _receive_exactly(connection: socket.socket, size: int) -> bytes | None:
    """That many bytes, None if the other side closes before."""
    buffer = bytearray()
    while len(buffer) < size:
        part = connection.recv(min(size - len(buffer), 1 << 20))
        if not part:
            return None
        buffer += part
    return bytes(buffer)


def _shut_down(connection: socket.socket) -> None:
    """Wake whoever reads from it."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
