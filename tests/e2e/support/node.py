"""One `consensus-service` as an operator runs it: flags, files, a log, signals."""

import base64
import json
import os
import sys

from mcnode.crypto.der import private_key_to_der, public_key_to_der
from mcnode.crypto.keys import Ed25519Private
from support.daemon import Daemon, descendants_of
from support.ports import free_ports
from support.questions import CHAIN_ID, Questions
from support.waiting import wait_until
from support.world import BLOCK_VERSION

SOLO_NETWORK = {
    "broadcast_peers": [],
    "tx_source_urls": [],
    "quorum_set": {"threshold": 0, "members": []},
}
READY_TIMEOUT_S = 30.0


class Node(Questions):
    """Configuration of a node; `start` makes a process of it.

    `network` is the content of its network file, by default that of a node alone. `flags` are
    added to the usual ones; a value of None takes one away. `launcher` stands before the program.
    """

    def __init__(self, directory, origin, *, network=SOLO_NETWORK, flags=None, launcher=()):
        self.directory = directory
        self.directory.mkdir(parents=True, exist_ok=True)
        self.ports = free_ports()
        self.signer = Ed25519Private.from_bytes(os.urandom(32))
        self.network = network
        self.origin = origin
        self.extra_flags = dict(flags or {})
        self.launcher = list(launcher)
        self.env = {}
        self.daemon = None

    # -- configuration ----------------------------------------------------------------------------

    @property
    def peer_responder_id(self):
        return f"localhost:{self.ports.peer}"

    @property
    def client_responder_id(self):
        return f"localhost:{self.ports.client}"

    @property
    def client_uri(self):
        return f"insecure-mc://{self.client_responder_id}/"

    @property
    def ledger_path(self):
        return self.directory / "ledger"

    @property
    def sealed_key_path(self):
        return self.directory / "block-signing-key.sealed"

    @property
    def network_path(self):
        return self.directory / "network.json"

    def peer_uri(self, signer=None):
        """How other nodes' network files name this one; `signer`: as if it had another key."""
        der = public_key_to_der((signer or self.signer).public_key())
        key = base64.urlsafe_b64encode(der).decode()
        return f"insecure-mcp://{self.peer_responder_id}/?consensus-msg-key={key}"

    def flags(self):
        """All flags with their values."""
        usual = {
            "--chain-id": CHAIN_ID,
            "--client-responder-id": self.client_responder_id,
            "--peer-responder-id": self.peer_responder_id,
            "--msg-signer-key": base64.b64encode(private_key_to_der(self.signer)).decode(),
            "--network": self.network_path,
            "--origin-block-path": self.origin,
            "--ledger-path": self.ledger_path,
            "--sealed-block-signing-key": self.sealed_key_path,
            "--block-version": BLOCK_VERSION,
            "--client-listen-uri": f"insecure-mc://127.0.0.1:{self.ports.client}/",
            "--peer-listen-uri": f"insecure-mcp://127.0.0.1:{self.ports.peer}/",
            "--admin-listen-uri": f"insecure-mca://127.0.0.1:{self.ports.admin}/",
        }
        wanted = {**usual, **self.extra_flags}
        return {flag: str(value) for flag, value in wanted.items() if value is not None}

    def argv(self):
        words = [word for flag in self.flags().items() for word in flag]
        return [*self.launcher, sys.executable, "-m", "mcnode.cli.consensus_service", *words]

    @property
    def is_running(self):
        return self.daemon is not None and self.daemon.is_running

    # -- life -------------------------------------------------------------------------------------

    def start(self):
        """Start a process; returns at once."""
        assert self.daemon is None or not self.daemon.is_running
        self.network_path.write_text(json.dumps(self.network, indent=2))
        self.daemon = Daemon(self.argv(), self.directory / "consensus-service.log", env=self.env)
        return self

    def wait_serving(self, *, timeout_s=READY_TIMEOUT_S):
        """Until clients are served; fails at once when the process ends."""

        def serves():
            assert self.daemon.is_running, f"node has ended:\n{self.daemon.log()}"
            return self.is_serving()

        wait_until(serves, f"service of {self.directory}", timeout_s=timeout_s)
        return self

    def start_and_serve(self):
        return self.start().wait_serving()

    def run_to_end(self, *, timeout_s=30.0):
        """Start a process that is to refuse; its exit status and all it said."""
        self.start()
        status = self.daemon.wait_end(timeout_s=timeout_s)
        return status, self.daemon.log()

    def stop(self):
        return self.daemon.stop()

    def kill(self):
        self.daemon.kill()

    def dispose(self):
        if self.daemon is not None:
            self.daemon.dispose()

    @property
    def enclave_pid(self):
        """Of the trusted process, the node's only child."""
        [pid] = descendants_of(self.daemon.pid)
        return pid


def check_refusal(status, output, expected_status, *texts):
    """A node that ends by itself says why in exactly one `error:` line, without a traceback."""
    lines = [line for line in output.splitlines() if line.startswith("error: ")]
    assert status == expected_status, output
    assert len(lines) == 1, output
    assert "Traceback" not in output, output
    for text in texts:
        assert text in lines[0], lines[0]
