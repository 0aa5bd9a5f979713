"""The loopback port of a real trusted process: strangers, and a node that has lost its mind.

Exit status 0: the connection of the node has ended, for whatever reason; 4: no node came.
"""

import contextlib
import json
import random
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from mcnode.codec import protobuf
from mcnode.enclave.boundary import (
    FRAME_BYTES_MAX,
    LENGTH_BYTES,
    MAGIC,
    PROTOCOL_VERSION,
    BoundaryRequest,
    BoundaryResponse,
    Hello,
    frame,
)
from support.daemon import Daemon
from support.waiting import wait_until
from support.wire import closing_is_no_error, send_and_drain

TOKEN = bytes(range(32))
GREETING = MAGIC + TOKEN
GARBAGE = random.Random(7).randbytes(50_000)
TIMEOUT_S = 10.0


@pytest.fixture
def enclave(tmp_path):
    """A trusted process that waits for its node; with the attribute `port`."""
    argv = [sys.executable, "-m", "mcnode.cli.consensus_enclave", "--token-stdin"]
    daemon = Daemon(argv, tmp_path / "consensus-enclave.log", stdin=subprocess.PIPE)
    daemon.process.stdin.write(TOKEN.hex().encode() + b"\n")
    daemon.process.stdin.flush()
    daemon.wait_for_log('"mode"')
    announced = next(line for line in daemon.log().splitlines() if line.startswith("{"))
    daemon.port = json.loads(announced)["port"]
    yield daemon
    daemon.process.stdin.close()
    daemon.dispose()


def receive_frame(connection):
    with connection.makefile("rb") as stream:
        return stream.read(int.from_bytes(stream.read(LENGTH_BYTES), "big"))


@contextlib.contextmanager
def greeted(enclave):
    """The node's connection."""
    with socket.create_connection(("127.0.0.1", enclave.port), TIMEOUT_S) as connection:
        connection.sendall(GREETING)
        hello = protobuf.decode(Hello, receive_frame(connection))
        assert (hello.version, hello.mode) == (PROTOCOL_VERSION, "sim")
        yield connection


def ask(connection, number, call, body=b""):
    connection.sendall(frame(protobuf.encode(BoundaryRequest(number, call, body))))
    return protobuf.decode(BoundaryResponse, receive_frame(connection))


def test_strangers_get_no_word_and_the_node_gets_in(enclave):
    strangers = [
        b"",
        GARBAGE,
        GREETING[:-1],
        MAGIC + bytes(32),
        b"MCE2" + TOKEN,
        b"\xff\xff\xff\xff" + GARBAGE,
        b"GET / HTTP/1.1\r\n\r\n",
    ]
    for greeting in strangers:
        assert send_and_drain(enclave.port, greeting) == b""
    with greeted(enclave) as connection:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", enclave.port), TIMEOUT_S)
        unknown = ask(connection, 1, 99)
        assert unknown.id == 1
        assert b"call 99 is unknown" in unknown.error
        undecodable = ask(connection, 2, 1, GARBAGE)
        assert undecodable.id == 2
        assert undecodable.error
    assert enclave.wait_end() == 0
    assert "Traceback" not in enclave.log()


@pytest.mark.parametrize(
    "data",
    [
        (FRAME_BYTES_MAX + 1).to_bytes(LENGTH_BYTES, "big"),
        b"\xff" * LENGTH_BYTES + GARBAGE,
        frame(GARBAGE),
        frame(bytes(100))[:50],
    ],
    ids=["too long", "garbage", "garbage in a frame", "cut"],
)
def test_bytes_of_a_node_that_cannot_be_understood(enclave, data):
    with greeted(enclave) as connection:
        with closing_is_no_error():
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        assert enclave.wait_end() == 0
    assert "Traceback" not in enclave.log()


def listening_sockets(pid):
    """Inodes of the sockets on which a process waits for connections."""
    listening = set()
    for path in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(path).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A":  # LISTEN
                listening.add(fields[9])
    held = {str(path.readlink()) for path in Path(f"/proc/{pid}/fd").iterdir()}
    return {inode for inode in listening if f"socket:[{inode}]" in held}


def test_running_node_leaves_no_port_open_to_its_trusted_process(make_node):
    node = make_node().start_and_serve()
    assert len(listening_sockets(node.daemon.pid)) == 3
    wait_until(lambda: not listening_sockets(node.enclave_pid), "closed listener")
