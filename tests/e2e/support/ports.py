"""Ports that nothing else on this machine is about to take.

Below the range that the kernel gives to outgoing connections, and each test process has a part of
its own, so that two workers never choose the same.
"""

import itertools
import os
import socket

from mcnode.network.ports import NodePorts

_FIRST, _LAST = 10_000, 32_000
_PER_PROCESS = 400
_start = _FIRST + os.getpid() * _PER_PROCESS % (_LAST - _FIRST)
_candidates = itertools.cycle(
    _FIRST + (_start - _FIRST + step) % (_LAST - _FIRST) for step in range(_PER_PROCESS)
)


def is_free(port):
    """Whether a listener could have the port now."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port():
    """A free port."""
    return next(port for port in itertools.islice(_candidates, _PER_PROCESS) if is_free(port))


def free_ports():
    """The ports of one node."""
    return NodePorts(free_port(), free_port(), free_port(), free_port())
