"""One `consensus-service` as an operator runs it: flags, files, a log, signals."""

import asyncio
import base64
import contextlib
import json
import os
import sys

import grpc

from mcnode.api.gen.health_pb2 import HealthCheckRequest, HealthCheckResponse
from mcnode.api.services import HEALTH_CHECK
from mcnode.attest.dcap import DcapVerifier
from mcnode.attest.identity import TrustedMrEnclave
from mcnode.attest.simulation import simulation_anchor
from mcnode.connection.attested import AttestedClient, Trust
from mcnode.connection.uri import CLIENT, parse_uri
from mcnode.crypto.der import private_key_to_der, public_key_to_der
from mcnode.crypto.keys import Ed25519Private
from mcnode.enclave.trusted.simulated import DEFAULT_MR_ENCLAVE
from mcnode.ledger.db import LedgerDB
from support.daemon import Daemon, descendants_of
from support.ports import free_ports
from support.waiting import wait_until
from support.world import BLOCK_VERSION

CHAIN_ID = "local"
SOLO_NETWORK = {
    "broadcast_peers": [],
    "tx_source_urls": [],
    "quorum_set": {"threshold": 0, "members": []},
}
READY_TIMEOUT_S = 30.0


def trust(mr_enclave=DEFAULT_MR_ENCLAVE):
    """What a wallet accepts that knows one measurement."""
    return Trust(DcapVerifier(simulation_anchor(), (TrustedMrEnclave(mr_enclave),), True))


class Node:
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

    # -- questions --------------------------------------------------------------------------------

    def is_serving(self):
        """Whether the client listener says so."""
        with grpc.insecure_channel(f"127.0.0.1:{self.ports.client}") as channel:
            check = channel.unary_unary(
                HEALTH_CHECK.path,
                request_serializer=HealthCheckRequest.SerializeToString,
                response_deserializer=HealthCheckResponse.FromString,
            )
            try:
                return check(HealthCheckRequest(), timeout=2).status == HealthCheckResponse.SERVING
            except grpc.RpcError:
                return False

    def client(self, **changes):
        """A wallet's connection; the arguments are those of `AttestedClient`, and `uri`."""
        uri = parse_uri(changes.pop("uri", self.client_uri), CLIENT)
        return AttestedClient(uri, **{"chain_id": CHAIN_ID, "trust": trust(), **changes})

    def ask(self, question, **changes):
        """The result of `await question(client)`, over a connection of its own."""

        async def connect_and_ask():
            async with self.client(**changes) as client:
                return await question(client)

        return asyncio.run(connect_and_ask())

    def propose(self, tx, **changes):
        """Hand in a payment; raises what `AttestedClient.propose_tx` raises."""
        return self.ask(lambda client: client.propose_tx(tx), **changes)

    def block_count(self):
        """Blocks in its ledger, by its own word."""
        return 1 + self.ask(lambda client: client.fetch_block_info()).block_index

    def wait_for_blocks(self, count, *, timeout_s=20.0):
        """Until it has at least so many blocks."""
        wait_until(
            lambda: self.daemon.is_running and self.block_count() >= count,
            f"{count} blocks at {self.directory}",
            timeout_s=timeout_s,
        )

    @contextlib.contextmanager
    def ledger(self):
        """Its ledger, read from outside."""
        with LedgerDB.open(self.ledger_path, read_only=True) as ledger:
            yield ledger

    def has_spent(self, output):
        """Whether its ledger holds the output's key image."""
        with self.ledger() as ledger:
            return ledger.contains_key_image(output.key_image)

    def wait_final(self, *outputs, timeout_s=20.0):
        """Until its ledger holds all of these as spent."""
        wait_until(
            lambda: all(self.has_spent(output) for output in outputs),
            f"payment final in {self.ledger_path}",
            timeout_s=timeout_s,
        )

    def block_ids(self):
        """Ids of all its blocks."""
        with self.ledger() as ledger:
            return [ledger.block_id(index) for index in range(ledger.num_blocks())]

    def block_signer(self, index):
        """Public key that signed a block."""
        with self.ledger() as ledger:
            return ledger.get_block_signature(index).signer


def check_refusal(status, output, expected_status, *texts):
    """A node that ends by itself says why in exactly one `error:` line, without a traceback."""
    lines = [line for line in output.splitlines() if line.startswith("error: ")]
    assert status == expected_status, output
    assert len(lines) == 1, output
    assert "Traceback" not in output, output
    for text in texts:
        assert text in lines[0], lines[0]
