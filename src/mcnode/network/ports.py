"""Ports for a local network: the usual ones when they are free, others when they are taken.

Between the choice and the moment when the nodes listen, a guard port that belongs to the whole set
is held, so that two networks that are started at the same time do not choose the same set.
"""

import contextlib
import dataclasses
import socket
from collections.abc import Iterable, Sequence

from mcnode.errors import UnavailableError

HOST_ADDRESS = "127.0.0.1"
CLIENT_PORT_BASE = 3200
PEER_PORT_BASE = 3300
ADMIN_PORT_BASE = 3400
ADMIN_HTTP_PORT_BASE = 3500
GUARD_PORT = 3199
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


class ReservedPorts:
    """A set of free ports that is ours until `release`, to be called once the nodes listen."""

    def __init__(self, ports: Sequence[NodePorts], guard: socket.socket) -> None:
        self.ports = tuple(ports)
        self._guard = guard

    def release(self) -> None:
        """Let others try these ports. May be called again."""
        self._guard.close()


def reserve_ports(node_count: int) -> ReservedPorts:
    """Free ports for some nodes, the network's usual ones (3200, 3300, …) if possible.

    Raises:
        NoFreePorts: every candidate has a port that is taken.
    """
    for offset in range(0, _PORT_MAX - ADMIN_HTTP_PORT_BASE, _BLOCK):
        guard = _listen(GUARD_PORT + offset)
        if guard is None:
            continue
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
            return ReservedPorts(chosen, guard)
        guard.close()
    raise NoFreePorts(f"no free ports for {node_count} nodes below {_PORT_MAX}")


def _listen(port: int) -> socket.socket | None:
    """A listener that no other process can have at the same time; None if one has it."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.bind((HOST_ADDRESS, port))
        listener.listen()
    except OSError:
        listener.close()
        return None
    return listener


def _are_free(ports: Iterable[int]) -> bool:
    with contextlib.ExitStack() as stack:
        for port in ports:
            listener = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            # A port whose last connections are still winding down counts as free.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((HOST_ADDRESS, port))
            except OSError:
                return False
    return True
