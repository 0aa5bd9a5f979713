"""gRPC channels to, and listeners on, a URI. [docs/protocol/service.md#8]"""

import ipaddress
from collections.abc import Sequence
from typing import Final

import grpc
import grpc.aio

from mcnode.connection.tls import ServerCertificates, channel_credentials
from mcnode.connection.uri import PEER, Uri
from mcnode.errors import UnavailableError

Options = Sequence[tuple[str, int | str]]

PEER_MESSAGE_BYTES_MAX: Final = 64 * 1024 * 1024
"""Between nodes. The largest honest one, an answer with 100 transactions of the greatest size, has
31 MB."""

_KEEPALIVE: Final = (
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 20_000),
)


def _reconnect_after(initial_ms: int, max_ms: int) -> Options:
    return (
        ("grpc.initial_reconnect_backoff_ms", initial_ms),
        ("grpc.max_reconnect_backoff_ms", max_ms),
    )


_PINGING: Final[Options] = (*_KEEPALIVE, ("grpc.http2.max_pings_without_data", 0))

CLIENT_OPTIONS: Final[Options] = (*_PINGING, *_reconnect_after(1_000, 2_000))
"""The same keepalive and reconnect times as the network's clients."""

PEER_OPTIONS: Final[Options] = (
    *_PINGING,
    *_reconnect_after(100, 2_000),  # nodes that start together must find each other at once
    ("grpc.max_send_message_length", PEER_MESSAGE_BYTES_MAX),
    ("grpc.max_receive_message_length", PEER_MESSAGE_BYTES_MAX),
)

SERVER_OPTIONS: Final[Options] = (
    *_KEEPALIVE,
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    ("grpc.http2.max_ping_strikes", 0),  # clients ping every 10 s also when idle: bear with them
    ("grpc.so_reuseport", 0),  # a second process on the same port must fail, not share it
)


class CannotListen(UnavailableError):
    """The address of a listener cannot be bound."""


def open_channel(uri: Uri) -> grpc.aio.Channel:
    """A channel that connects when it is first used. Close it when done.

    Raises:
        TlsConfigError: the URI names a certificate bundle that cannot be read.
    """
    options = list(PEER_OPTIONS if uri.kind is PEER else CLIENT_OPTIONS)
    if _is_loopback(uri.host):
        options.append(("grpc.enable_http_proxy", 0))
    target = f"dns:///{uri.addr}"
    if not uri.use_tls:
        return grpc.aio.insecure_channel(target, options=options)
    if uri.tls_hostname_override is not None:
        options.append(("grpc.ssl_target_name_override", uri.tls_hostname_override))
    return grpc.aio.secure_channel(target, channel_credentials(uri), options=options)


def listen(server: grpc.aio.Server, uri: Uri) -> ServerCertificates | None:
    """Bind `server` to the address of `uri`; the certificates are for later reloads.

    Raises:
        TlsConfigError: a TLS scheme without usable certificate and key.
        CannotListen: the port is taken, privileged or the address not ours.
    """
    certificates = ServerCertificates(uri) if uri.use_tls else None
    try:
        if certificates is None:
            server.add_insecure_port(uri.addr)
        else:
            server.add_secure_port(uri.addr, certificates.credentials())
    except RuntimeError as error:
        raise CannotListen(f"cannot listen on {uri}: is the port taken?") from error
    return certificates


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
