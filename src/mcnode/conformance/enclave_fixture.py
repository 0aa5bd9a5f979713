"""Trusted enclaves with seeded randomness, and a ledger whose payments they can take.

For tests and measurements of whatever talks to a trusted process.
"""

import contextlib
import dataclasses
import os
import secrets
import threading
from collections.abc import AsyncIterator, Iterator, Sequence

from mcnode.attest.dcap import DcapVerifier
from mcnode.attest.identity import TrustedMrEnclave
from mcnode.attest.key_exchange import EvidenceVerifier, start_client
from mcnode.attest.simulation import simulation_anchor
from mcnode.blockchain.block import Block, make_origin_block
from mcnode.codec import protobuf
from mcnode.conformance.tx_fixture import TxFixture
from mcnode.crypto.noise import Transport
from mcnode.crypto.rng import ChaCha12Rng
from mcnode.enclave.boundary import TOKEN_BYTES
from mcnode.enclave.client import RemoteEnclave, connect_enclave
from mcnode.enclave.config import BlockchainConfig
from mcnode.enclave.evidence_refresh import refresh_evidence
from mcnode.enclave.in_process import InProcessEnclave
from mcnode.enclave.interface import (
    ConsensusEnclave,
    EnclaveMessage,
    EnclaveStarted,
    EncryptedTxWithProofs,
    FormBlockInputs,
    FormedBlock,
    WellFormedTx,
)
from mcnode.enclave.trusted.constants import MeasuredConstants
from mcnode.enclave.trusted.dispatcher import Dispatcher
from mcnode.enclave.trusted.enclave import TrustedEnclave
from mcnode.enclave.trusted.platform import Platform
from mcnode.enclave.trusted.server import Server
from mcnode.enclave.trusted.simulated import (
    DEFAULT_MR_ENCLAVE,
    SimulatedMeasurement,
    SimulatedMode,
)
from mcnode.enclave.trusted.workers import WorkerPool
from mcnode.transaction.constants import RING_SIZE
from mcnode.transaction.membership_proof import compute_implied_root
from mcnode.transaction.messages import Amount, Tx, TxOutMembershipElement

NOW_UNIX = 1_800_000_000
PEER_ID = "node1.test:8443"
CLIENT_ID = "node1.test:443"


class SharedRandom:
    """A seeded generator that several threads may draw from."""

    def __init__(self, seed: int) -> None:
        self._generator = ChaCha12Rng(bytes([seed]) * 32)
        self._lock = threading.Lock()

    def __call__(self, count: int, /) -> bytes:
        """So many bytes."""
        with self._lock:
            return self._generator(count)


def make_trusted(
    seed: int = 1,
    *,
    measurement: SimulatedMeasurement | None = None,
    platform: Platform | None = None,
) -> TrustedEnclave:
    """A trusted half in simulated mode, or on a given platform."""
    random_bytes = SharedRandom(seed)
    simulated = SimulatedMode(measurement or SimulatedMeasurement(), random_bytes, lambda: NOW_UNIX)
    return TrustedEnclave(platform or simulated, MeasuredConstants(), random_bytes)


@contextlib.asynccontextmanager
async def in_process(
    seed: int = 1, *, measurement: SimulatedMeasurement | None = None
) -> AsyncIterator[InProcessEnclave]:
    """An enclave on threads of this process."""
    enclave = InProcessEnclave(make_trusted(seed, measurement=measurement), workers=2)
    try:
        yield enclave
    finally:
        await enclave.close()


@contextlib.contextmanager
def served(trusted: TrustedEnclave | None = None) -> Iterator[tuple[Server, bytes]]:
    """A server on a thread of its own, with its start token."""
    trusted = trusted or make_trusted()
    token = secrets.token_bytes(TOKEN_BYTES)
    server = Server(Dispatcher(trusted, WorkerPool(2)), trusted.mode, token)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server, token
    finally:
        server.stop()
        thread.join()


@contextlib.asynccontextmanager
async def over_tcp(
    seed: int = 1, *, measurement: SimulatedMeasurement | None = None
) -> AsyncIterator[RemoteEnclave]:
    """An enclave behind the boundary, on threads of this process."""
    with served(make_trusted(seed, measurement=measurement)) as (server, token):
        enclave = await connect_enclave("127.0.0.1", server.port, token)
        try:
            yield enclave
        finally:
            await enclave.close()


async def start(
    enclave: ConsensusEnclave,
    peer_id: str = PEER_ID,
    config: BlockchainConfig | None = None,
    sealed: bytes | None = None,
) -> EnclaveStarted:
    """Initialise and give evidence, so that handshakes work."""
    started = await enclave.enclave_init(peer_id, CLIENT_ID, sealed, config or BlockchainConfig())
    await refresh_evidence(enclave)
    return started


def simulation_verifier(mr_enclave: bytes = DEFAULT_MR_ENCLAVE) -> EvidenceVerifier:
    """What a client trusts that knows the measurement."""
    identity = TrustedMrEnclave(mr_enclave)
    dcap = DcapVerifier(simulation_anchor(), (identity,), allow_debug=True)
    return EvidenceVerifier(dcap, time_unix=NOW_UNIX)


@dataclasses.dataclass(frozen=True, slots=True)
class Client:
    """A wallet's side of a channel."""

    session: bytes
    channel: Transport

    def message(self, plaintext: bytes, aad: bytes = b"") -> EnclaveMessage:
        """The next message to the enclave."""
        return EnclaveMessage(aad, self.session, self.channel.encrypt(plaintext, aad))


async def connect_client(enclave: ConsensusEnclave, responder_id: str = CLIENT_ID) -> Client:
    """Shake hands as a client."""
    initiator = start_client(responder_id, os.urandom(32))
    accepted = await enclave.client_accept(initiator.request)
    channel, _ = initiator.finish(accepted.auth_response, simulation_verifier())
    return Client(accepted.session, channel)


async def open_peer_session(
    initiator: ConsensusEnclave, responder: ConsensusEnclave, responder_id: str
) -> bytes:
    """Shake hands as peers; returns the session of both."""
    accepted = await responder.peer_accept(await initiator.peer_init(responder_id))
    connected = await initiator.peer_connect(responder_id, accepted.auth_response)
    return connected.session


class PaymentLedger:
    """A small ledger, and payments of one input and output each that can share a block."""

    def __init__(self, payment_count: int = 3) -> None:
        stride = 2 * RING_SIZE
        self.fixture = TxFixture(seed=b"\x21" * 32, tx_out_count=stride * payment_count)
        self.txs = [self._payment(stride * number) for number in range(payment_count)]
        self.tx_bytes = [protobuf.encode(tx) for tx in self.txs]
        self.proofs = [self.fixture.root_proofs(tx) for tx in self.txs]
        self.root = compute_implied_root(self.fixture.tree.proof(0))
        self.parent, _ = make_origin_block([owned.tx_out for owned in self.fixture.owned])

    def _payment(self, real: int) -> Tx:
        builder = self.fixture.builder()
        builder.add_input(self.fixture.credentials(real))
        left = self.fixture.owned[real].amount.value - builder.fee.value
        builder.add_output(Amount(left, 0), self.fixture.recipient.default_subaddress())
        return builder.build()

    async def propose(
        self, enclave: ConsensusEnclave, client: Client, number: int = 0
    ) -> WellFormedTx:
        """The whole way of a payment into the cache."""
        context = await enclave.client_tx_propose(client.message(self.tx_bytes[number]))
        return await enclave.tx_is_well_formed(
            context.locally_encrypted_tx, self.parent.index, self.proofs[number]
        )

    async def form(
        self,
        enclave: ConsensusEnclave,
        txs: Sequence[WellFormedTx],
        *,
        parent: Block | None = None,
        root: TxOutMembershipElement | None = None,
    ) -> FormedBlock:
        """The block of the first payments, as `propose` gave them."""
        with_proofs = tuple(
            EncryptedTxWithProofs(tx.well_formed_encrypted_tx, proofs)
            for tx, proofs in zip(txs, self.proofs, strict=False)
        )
        inputs = FormBlockInputs(with_proofs)
        return await enclave.form_block(parent or self.parent, inputs, root or self.root)
