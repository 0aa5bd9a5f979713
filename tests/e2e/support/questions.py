"""Asking a running node, over its client listener and by reading its ledger from outside."""

import asyncio
import contextlib

import grpc

from mcnode.api.gen.health_pb2 import HealthCheckRequest, HealthCheckResponse
from mcnode.api.services import HEALTH_CHECK
from mcnode.attest.dcap import DcapVerifier
from mcnode.attest.identity import TrustedMrEnclave
from mcnode.attest.simulation import simulation_anchor
from mcnode.connection.attested import AttestedClient, Trust
from mcnode.connection.uri import CLIENT, parse_uri
from mcnode.enclave.trusted.simulated import DEFAULT_MR_ENCLAVE
from mcnode.ledger.db import LedgerDB
from support.waiting import wait_until

CHAIN_ID = "local"


def trust(mr_enclave=DEFAULT_MR_ENCLAVE):
    """What a wallet accepts that knows one measurement."""
    return Trust(DcapVerifier(simulation_anchor(), (TrustedMrEnclave(mr_enclave),), True))


class Questions:
    """For classes with `ports`, `client_uri`, `ledger_path` and `is_running`."""

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
            lambda: self.is_running and self.block_count() >= count,
            f"{count} blocks at {self.client_uri}",
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
