"""Ports for a local network: the usual ones when they are free, others when they are taken."""

import contextlib
import dataclasses
import socket
from collections.abc import Iterable

from mcnode.errors import UnavailableError

CLIENT_PORT_BASE = 3200
PEER_PORT_BASE = 3300
ADMIN_PORT_BASE = 3400
ADMIN_HTTP_PORT_BASE = 3500
_BLOCK = 1000
"""When a port is taken, the whole set is tried again this much higher."""
_PORT_MAX = 60000


class NoFreePorts(UnavailableError):
    """No set of ports is free."""


@dataclasses.dataclass(frozen=True, slots=True)
class NodePorts:
    """The listeners of one node."""

    client: int
    peer: int
    admin: int
    admin_http: int


def choose_ports(node_count: int) -> list[NodePorts]:
    """Free ports for some nodes, the network's usual ones (3200, 3300, …) if possible.

    Raises:
        NoFreePorts: every candidate has a port that is taken.
    """
    for offset in range(0, _PORT_MAX - ADMIN_HTTP_PORT_BASE, _BLOCK):
        chosen = [
            NodePorts(
                client=CLIENT_PORT_BASE + offset + number,
                peer=PEER_PORT_BASE + offset + number,
                admin=ADMIN_PORT_BASE + offset + number,
                admin_http=ADMIN_HTTP_PORT_BASE + offset + number,
            )
            for number in range(node_count)
        ]
        if _are_free(port for ports in chosen for port in dataclasses.astuple(ports)):
            return chosen
    raise NoFreePorts(f"no free ports for {node_count} nodes below {_PORT_MAX}")


def _are_free(ports: Iterable[int]) -> bool:
    with contextlib.ExitStack() as stack:
        for port in ports:
            listener = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            # A port whose last connections are still winding down counts as free.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True
