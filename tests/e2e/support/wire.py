"""Bytes on the wire as no well-behaved program sends them."""

import contextlib
import errno
import socket

import grpc

CALL_TIMEOUT_S = 10.0
_UNLIMITED = (
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.enable_http_proxy", 0),
)


def call_raw(port, path, request, *, metadata=()):
    """The response bytes of a call whose request bytes are sent as they are.

    Raises `grpc.RpcError`.
    """
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=_UNLIMITED) as channel:
        return channel.unary_unary(path)(request, timeout=CALL_TIMEOUT_S, metadata=metadata)


def status_of(port, path, request, *, metadata=()):
    """Status name and details that such a call ends with."""
    try:
        call_raw(port, path, request, metadata=metadata)
    except grpc.RpcError as error:
        return error.code().name, error.details()
    return "OK", ""


def send_and_drain(port, data):
    """Send bytes over TCP, close our half, and return all that comes until the other side closes.

    A reset counts as closing; a side that neither closes nor resets fails by timeout.
    """
    received = bytearray()
    with (
        socket.create_connection(("127.0.0.1", port), timeout=CALL_TIMEOUT_S) as connection,
        closing_is_no_error(),
    ):
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        while part := connection.recv(1 << 16):
            received += part
    return bytes(received)


@contextlib.contextmanager
def closing_is_no_error():
    """The other side may have closed or reset before we are done."""
    try:
        yield
    except ConnectionError:
        return
    except OSError as error:
        if error.errno != errno.ENOTCONN:
            raise
