"""Connections between nodes: two trusted processes, a real peer service between them."""

import asyncio
import contextlib

import grpc
import grpc.aio
import pytest
import pytest_asyncio
import structlog

from mcnode.api.rpc import StatusError, handlers, serve
from mcnode.api.services import SEND_CONSENSUS_MSG
from mcnode.blockchain.block import make_origin_block
from mcnode.conformance.enclave_fixture import PaymentLedger, connect_client, in_process, start
from mcnode.connection.auth_token import AnonymousAuthenticator
from mcnode.connection.channel import SERVER_OPTIONS, open_channel
from mcnode.connection.uri import PEER, parse_uri
from mcnode.consensus.metrics import NodeMetrics
from mcnode.consensus.services.attested import AttestedService
from mcnode.consensus.services.blockchain import BlockchainService
from mcnode.consensus.services.guards import Guards
from mcnode.consensus.services.peer import PeerService, StatementIntake
from mcnode.consensus.tx_manager import TxManager
from mcnode.crypto.keys import Ed25519Private
from mcnode.enclave.config import BlockchainConfig
from mcnode.enclave.errors import CacheCipher
from mcnode.enclave.interface import EnclaveMessage
from mcnode.ledger.db import LedgerDB
from mcnode.peers import connection
from mcnode.peers.connection import PeerConnection
from mcnode.peers.consensus_msg import ConsensusMsg
from mcnode.peers.errors import (
    PeerAttestationFailed,
    PeerUnreachable,
    RequestTooLarge,
    TxHashesNotInCache,
)
from mcnode.peers.tx_propose_aad import TxProposeAAD
from mcnode.scp import Msg, NodeID, QuorumSet
from mcnode.scp.types import Nominate, NominatePayload
from mcnode.transaction.fee_map import FeeMap

pytestmark = pytest.mark.asyncio

OWN = "own.test:8443"
SIGNER = Ed25519Private(b"\1" * 32)


class PeerNode:
    """The other node: a trusted process, a ledger, and the peer listener's services."""

    def __init__(self, enclave, ledger: LedgerDB) -> None:
        self.enclave = enclave
        self.ledger = ledger
        self.txs = TxManager(enclave, ledger)
        self.events: list = []
        self.accepted: list[tuple] = []
        self.latest = b""
        self.neighbours = frozenset({OWN})
        self.port = 0
        self._server: grpc.aio.Server | None = None

    async def post(self, event) -> None:
        self.events.append(event)

    async def accept(self, tx_hash, aad) -> None:
        self.accepted.append((tx_hash, aad))

    def served(self):
        guards = Guards("local", AnonymousAuthenticator(), lambda: 0.0)
        service = PeerService(
            enclave=self.enclave,
            txs=self.txs,
            intake=StatementIntake(self.post),
            neighbours=self.neighbours,
            latest_statement=lambda: self.latest,
            num_blocks=self.ledger.num_blocks,
            accept_from_peer=self.accept,
            heard_from=lambda _: None,
            metrics=NodeMetrics(),
        )
        return [
            *service.served(),
            *AttestedService(guards, self.enclave.peer_accept, "peer_auth").served(),
            *BlockchainService(guards, self.ledger, {0: 1}, 4).served(),
        ]

    async def start(self, served=None) -> None:
        self._server = grpc.aio.server(options=list(SERVER_OPTIONS))
        self._server.add_generic_rpc_handlers(handlers(served or self.served()))
        self.port = self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop(None)

    @property
    def responder_id(self) -> str:
        return f"127.0.0.1:{self.port}"


@pytest.fixture(scope="module")
def payments():
    return PaymentLedger()


@pytest.fixture
def ledger(payments, tmp_path):
    with LedgerDB.create(tmp_path / "ledger", durable=False) as made:
        block, contents = make_origin_block([owned.tx_out for owned in payments.fixture.owned])
        made.append_block(block, contents)
        yield made


@pytest_asyncio.fixture
async def peer(ledger):
    """A running peer, whose trusted process knows itself by its address."""
    async with in_process(2) as enclave:
        node = PeerNode(enclave, ledger)
        await node.start()
        await start(enclave, node.responder_id)
        yield node
        await node.stop()


@contextlib.asynccontextmanager
async def connected(peer, *, config: BlockchainConfig | None = None, parameters: str = ""):
    """Our side: a trusted process and a connection to the peer."""
    uri = parse_uri(f"insecure-mcp://{peer.responder_id}/{parameters}", PEER)
    async with in_process(3) as enclave:
        await start(enclave, OWN, config)
        made = PeerConnection(uri, open_channel(uri), enclave, OWN)
        try:
            yield made, enclave
        finally:
            await made.close()


def statement() -> ConsensusMsg:
    author = NodeID(OWN, SIGNER.public_key().to_bytes())
    topic = Nominate(NominatePayload(()))
    return ConsensusMsg.sign(Msg(author, 1, QuorumSet(0), topic), bytes(32), SIGNER)


async def take_payments(enclave, payments, ledger, *numbers: int):
    """Payments as ciphertexts of `enclave`'s cache, and their hashes."""
    txs = TxManager(enclave, ledger)
    client = await connect_client(enclave)
    hashes = []
    for number in numbers:
        message = client.message(payments.tx_bytes[number])
        hashes.append(await txs.insert(await enclave.client_tx_propose(message)))
    return [tx.well_formed_encrypted_tx for tx in txs.well_formed(hashes)], hashes


# -- sessions --------------------------------------------------------------------------------------


async def test_the_first_call_attests_and_later_ones_use_the_session(peer) -> None:
    async with connected(peer) as (made, enclave):
        assert made.responder_id == peer.responder_id
        assert not made.is_attested
        handshakes = count_calls(enclave, "peer_init")
        await asyncio.gather(*(made.fetch_latest_msg() for _ in range(5)))
        await made.fetch_latest_msg()
        assert made.is_attested
        assert handshakes == [1]


def count_calls(enclave, name: str) -> list[int]:
    """Count the calls of a method; the count is the list's one element."""
    original = getattr(enclave, name)
    count = [0]

    async def counted(*arguments):
        count[0] += 1
        return await original(*arguments)

    setattr(enclave, name, counted)
    return count


async def test_another_configuration_never_attests(peer) -> None:
    async with connected(peer, config=BlockchainConfig(FeeMap({0: 12800}))) as (made, _):
        with pytest.raises(PeerAttestationFailed, match=peer.responder_id):
            await made.fetch_latest_msg()
        assert not made.is_attested


async def test_a_peer_of_another_name_never_attests(peer) -> None:
    async with connected(peer, parameters="?responder-id=other.test:1") as (made, _):
        with pytest.raises(PeerAttestationFailed):
            await made.fetch_latest_msg()


async def test_nobody_there_is_unreachable(peer) -> None:
    async with connected(peer) as (made, _):
        await peer.stop()
        with pytest.raises(PeerUnreachable, match=r"gRPC failure: .* UNAVAILABLE"):
            await made.send_consensus_msg(b"")
        await peer.start()


async def test_a_restarted_peer_is_attested_anew(peer, payments, ledger) -> None:
    """Its trusted process has forgotten the session: the first call fails, the next one works."""
    async with connected(peer) as (made, enclave):
        txs, hashes = await take_payments(enclave, payments, ledger, 0)
        await made.propose_txs(txs, b"")
        session = made._session
        await peer.enclave.peer_close(session)
        with pytest.raises(PeerUnreachable, match="PERMISSION_DENIED"):
            await made.propose_txs(txs, b"")
        assert not made.is_attested
        await made.propose_txs(txs, b"")
        assert made._session != session
        assert [tx_hash for tx_hash, _ in peer.accepted] == hashes * 2


async def test_a_session_that_our_side_has_lost_is_made_anew(peer, payments, ledger) -> None:
    async with connected(peer) as (made, enclave):
        txs, _ = await take_payments(enclave, payments, ledger, 0)
        await made.propose_txs(txs, b"")
        await enclave.peer_close(made._session)
        with pytest.raises(PeerAttestationFailed):
            await made.propose_txs(txs, b"")
        assert not made.is_attested
        await made.propose_txs(txs, b"")


async def test_an_answer_out_of_step_ends_the_session(peer, payments, ledger) -> None:
    _, hashes = await take_payments(peer.enclave, payments, ledger, 0)
    await fill_cache(peer, payments, 0)
    async with connected(peer) as (made, _):
        await made.fetch_latest_msg()
        [tx] = peer.txs.well_formed(hashes)
        encrypted = [tx.well_formed_encrypted_tx]
        await peer.enclave.txs_for_peer(encrypted, b"", made._session)  # an answer is lost
        with pytest.raises(PeerAttestationFailed):
            await made.fetch_txs(hashes)
        assert not made.is_attested
        assert len(await made.fetch_txs(hashes)) == 1


async def fill_cache(peer, payments, *numbers: int) -> list[bytes]:
    client = await connect_client(peer.enclave)
    hashes = []
    for number in numbers:
        message = client.message(payments.tx_bytes[number])
        hashes.append(await peer.txs.insert(await peer.enclave.client_tx_propose(message)))
    return hashes


class Forgetful:
    """All that a connection with a session asks of its trusted process."""

    def __init__(self) -> None:
        self.closed: list[bytes] = []

    async def peer_close(self, session: bytes) -> None:
        self.closed.append(session)


@contextlib.asynccontextmanager
async def connected_to(implementation):
    """A connection with a session to a peer that answers statements in its own way."""
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(handlers([serve(SEND_CONSENSUS_MSG, implementation)]))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    uri = parse_uri(f"insecure-mcp://127.0.0.1:{port}/", PEER)
    made = PeerConnection(uri, open_channel(uri), Forgetful(), OWN)
    made._session = b"session"
    try:
        yield made
    finally:
        await made.close()
        await server.stop(None)


async def test_a_peer_that_hangs_is_given_up(monkeypatch) -> None:
    monkeypatch.setattr(connection, "CALL_TIMEOUT_S", 0.05)

    async def hang(_request, _call):
        await asyncio.Event().wait()

    async with connected_to(hang) as made:
        with pytest.raises(PeerUnreachable, match="DEADLINE_EXCEEDED"):
            await made.send_consensus_msg(b"")
        assert not made.is_attested
        assert made._enclave.closed == [b"session"]


async def test_a_status_of_the_peer_is_shown() -> None:
    async def refuse(_request, _call):
        raise StatusError(grpc.StatusCode.RESOURCE_EXHAUSTED, "too much")

    async with connected_to(refuse) as made:
        with pytest.raises(PeerUnreachable, match="RESOURCE_EXHAUSTED too much"):
            await made.send_consensus_msg(b"")


# -- calls -----------------------------------------------------------------------------------------


async def test_statements_arrive(peer) -> None:
    msg = statement()
    async with connected(peer) as (made, _):
        await made.send_consensus_msg(msg.payload)
    assert [(event.msg, event.received_from) for event in peer.events] == [(msg, OWN)]


async def test_a_refused_statement_ends_the_session(peer) -> None:
    async with connected(peer) as (made, _):
        with pytest.raises(PeerUnreachable, match="INVALID_ARGUMENT send_consensus_msg"):
            await made.send_consensus_msg(b"junk")
        assert not made.is_attested


async def test_a_peer_that_does_not_know_us_is_named_once(peer) -> None:
    await peer.stop()
    peer.neighbours = frozenset()
    await peer.start()
    async with connected(peer) as (made, _):
        with structlog.testing.capture_logs() as logs:
            for _ in range(2):
                await made.send_consensus_msg(statement().payload)
    assert [entry["peer"] for entry in logs] == [peer.responder_id]


async def test_the_latest_statement_is_fetched(peer) -> None:
    async with connected(peer) as (made, _):
        assert await made.fetch_latest_msg() == b""
        peer.latest = b"statement"
        assert await made.fetch_latest_msg() == b"statement"


async def test_transactions_are_pushed_with_their_origin(peer, payments, ledger) -> None:
    aad = TxProposeAAD(NodeID(OWN, SIGNER.public_key().to_bytes()), OWN)
    async with connected(peer) as (made, enclave):
        txs, hashes = await take_payments(enclave, payments, ledger, 0, 1)
        await made.propose_txs(txs, aad.to_bytes())
    assert dict(peer.accepted) == dict.fromkeys(hashes, aad)
    assert peer.txs.missing(hashes) == []


async def test_what_is_not_of_our_cache_is_not_sent(peer) -> None:
    async with connected(peer) as (made, _):
        with pytest.raises(CacheCipher):
            await made.propose_txs([b"not ours"], b"")
        assert made.is_attested


async def test_transactions_are_fetched_in_the_order_asked_for(peer, payments, ledger) -> None:
    hashes = await fill_cache(peer, payments, 0, 1, 2)
    async with connected(peer) as (made, enclave):
        for order in (hashes, hashes[::-1]):
            contexts = await made.fetch_txs(order)
            assert [context.tx_hash for context in contexts] == order
        # They are as good here as there.
        txs = TxManager(enclave, ledger)
        await asyncio.gather(*(txs.insert(context) for context in contexts))
        assert txs.missing(hashes) == []


async def test_pushing_and_fetching_at_once_keep_the_nonces_in_step(peer, payments, ledger) -> None:
    hashes = await fill_cache(peer, payments, 0)
    async with connected(peer) as (made, enclave):
        txs, _ = await take_payments(enclave, payments, ledger, 1)
        for _ in range(3):
            await asyncio.gather(
                made.propose_txs(txs, b""),
                made.fetch_txs(hashes),
                made.send_consensus_msg(statement().payload),
                made.fetch_txs(hashes),
                made.propose_txs(txs, b""),
            )
        assert made.is_attested


async def test_what_a_peer_lacks_is_named(peer, payments) -> None:
    hashes = await fill_cache(peer, payments, 0)
    async with connected(peer) as (made, _):
        with pytest.raises(TxHashesNotInCache, match="07070707") as caught:
            await made.fetch_txs([*hashes, b"\7" * 32])
        assert caught.value.tx_hashes == (b"\7" * 32,)
        assert made.is_attested


async def test_fewer_than_asked_for_are_none(peer, payments) -> None:
    hashes = await fill_cache(peer, payments, 0, 1)
    async with connected(peer) as (made, enclave):
        original = enclave.peer_tx_propose

        async def one_less(message: EnclaveMessage):
            return (await original(message))[:-1]

        enclave.peer_tx_propose = one_less
        with pytest.raises(TxHashesNotInCache):
            await made.fetch_txs(hashes)


async def test_headers_are_fetched_and_bounded(peer, ledger) -> None:
    async with connected(peer) as (made, _):
        assert await made.fetch_blocks(0, 10) == [ledger.get_block(0)]
        assert await made.fetch_blocks(1, 10) == []
        with pytest.raises(RequestTooLarge, match="4294967296 blocks, limit 4294967295"):
            await made.fetch_blocks(0, 2**32)
