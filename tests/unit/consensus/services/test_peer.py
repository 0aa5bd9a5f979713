"""What other nodes are answered, status by status."""

import asyncio

import pytest
import structlog
from google.protobuf.empty_pb2 import Empty

from mcnode.api.gen.attest_pb2 import Message
from mcnode.api.gen.consensus_common_pb2 import ProposeTxResult
from mcnode.api.gen.consensus_peer_pb2 import ConsensusMsg as WireConsensusMsg
from mcnode.api.gen.consensus_peer_pb2 import ConsensusMsgResult, GetTxsRequest
from mcnode.api.services import (
    CLIENT_TX_PROPOSE,
    GET_LATEST_MSG,
    GET_TXS,
    PEER_TX_PROPOSE,
    SEND_CONSENSUS_MSG,
)
from mcnode.consensus.events import Received, ReceivedCopy
from mcnode.consensus.metrics import NodeMetrics
from mcnode.consensus.services import peer
from mcnode.consensus.services.peer import PeerService, StatementIntake
from mcnode.consensus.tx_manager import NotInCache, TxCacheFull
from mcnode.enclave.errors import Cipher, EnclaveGoneError, MalformedTx, NotFound
from mcnode.enclave.interface import EnclaveMessage, TxContext, WellFormedTx, WellFormedTxContext
from mcnode.errors import BugError
from mcnode.peers.consensus_msg import ConsensusMsg
from mcnode.peers.tx_propose_aad import TxProposeAAD
from mcnode.transaction.validation.errors import ContainsSpentKeyImage

pytestmark = pytest.mark.asyncio

NEIGHBOURS = frozenset({"node2.test:8443", "node3.test:8443"})
HASHES = [bytes([number]) * 32 for number in range(1, 4)]


class Node:
    """Everything around the service."""

    def __init__(self) -> None:
        self.events: list = []
        self.heard: list[str] = []
        self.accepted: list[tuple] = []
        self.errors: dict[bytes | str, Exception] = {}
        self.cached = set(HASHES)
        self.latest = b""
        self.metrics = NodeMetrics()
        self.intake = StatementIntake(self.post)
        self.service = PeerService(
            enclave=self,
            txs=self,
            intake=self.intake,
            neighbours=NEIGHBOURS,
            latest_statement=lambda: self.latest,
            num_blocks=lambda: 5,
            accept_from_peer=self.accept,
            heard_from=self.heard.append,
            metrics=self.metrics,
        )

    async def post(self, event) -> None:
        self.events.append(event)

    async def accept(self, tx_hash, aad) -> None:
        self.accepted.append((tx_hash, aad))

    # The enclave.

    async def peer_tx_propose(self, message):
        assert (message.channel_id, message.data) == (b"session", b"ciphertext")
        if "enclave" in self.errors:
            raise self.errors["enclave"]
        return tuple(TxContext(b"", tx_hash, (), (), ()) for tx_hash in HASHES)

    async def txs_for_peer(self, txs, aad, session):
        if "enclave" in self.errors:
            raise self.errors["enclave"]
        assert aad == b""
        return EnclaveMessage(b"", session, b" ".join(txs))

    # Transactions.

    async def insert(self, context):
        if context.tx_hash in self.errors:
            raise self.errors[context.tx_hash]
        return context.tx_hash

    def well_formed(self, tx_hashes):
        absent = [tx_hash for tx_hash in tx_hashes if tx_hash not in self.cached]
        if absent:
            raise NotInCache(absent)
        context = WellFormedTxContext(1, bytes(32), 1, (), (), ())
        return [WellFormedTx(b"tx %d" % tx_hash[0], context) for tx_hash in tx_hashes]


@pytest.fixture
def node():
    return Node()


# -- SendConsensusMsg ------------------------------------------------------------------------------


def send(msg_or_payload, source: str = "node2.test:8443") -> WireConsensusMsg:
    payload = getattr(msg_or_payload, "payload", msg_or_payload)
    return WireConsensusMsg(from_responder_id=source, payload=payload)


async def test_a_statement_of_a_neighbour_is_taken_whoever_made_it(serving, node, world) -> None:
    msg = world.nominate(9, 1)
    async with serving(node.service.served()) as call:
        response = await call(SEND_CONSENSUS_MSG, send(msg))
    assert response.result == ConsensusMsgResult.Ok
    assert node.events == [Received(msg, "node2.test:8443")]
    assert node.heard == ["node2.test:8443"]


async def test_copies_are_recognised_by_their_bytes(serving, node, world) -> None:
    msg = world.nominate(2, 1)
    async with serving(node.service.served()) as call:
        for source in ("node2.test:8443", "node3.test:8443", "node3.test:8443"):
            await call(SEND_CONSENSUS_MSG, send(msg, source))
    copy = ReceivedCopy(world.node_id(2).public_key, 3, "node3.test:8443")
    assert node.events == [Received(msg, "node2.test:8443"), copy, copy]


async def test_our_own_statement_coming_back_is_a_copy(serving, node, world) -> None:
    msg = world.nominate(1, 1)
    node.intake.remember_own(msg)
    async with serving(node.service.served()) as call:
        await call(SEND_CONSENSUS_MSG, send(msg))
    assert node.events == [ReceivedCopy(world.node_id(1).public_key, 3, "node2.test:8443")]


async def test_a_stranger_is_told_so_before_the_signature_counts(serving, node, world) -> None:
    msg = world.nominate(2, 1)
    unsigned = ConsensusMsg.from_parts(msg.scp_msg, msg.prev_block_id, bytes(64))
    async with serving(node.service.served()) as call:
        response = await call(SEND_CONSENSUS_MSG, send(unsigned, "node9.test:8443"))
        assert response.result == ConsensusMsgResult.UnknownPeer
        refused = await call.refused(SEND_CONSENSUS_MSG, send(b"junk", "node9.test:8443"))
    assert refused == ("INVALID_ARGUMENT", "send_consensus_msg: consensus_msg")
    assert node.events == node.heard == []


async def test_whoever_has_no_name_is_refused(serving, node, world) -> None:
    async with serving(node.service.served()) as call:
        refused = await call.refused(SEND_CONSENSUS_MSG, send(world.nominate(2, 1), "nobody"))
    assert refused == ("INVALID_ARGUMENT", "send_consensus_msg: from_responder_id")


@pytest.mark.parametrize("change", ["empty", "cut", "trailing byte", "too long"])
async def test_bytes_that_are_no_statement_are_refused(
    serving, node, world, change, monkeypatch
) -> None:
    payload = world.nominate(2, 1).payload
    if change == "too long":
        monkeypatch.setattr(peer, "STATEMENT_BYTES_MAX", len(payload) - 1)
    changed = {"empty": b"", "cut": payload[:-1], "trailing byte": payload + b"\0"}
    async with serving(node.service.served()) as call:
        refused = await call.refused(SEND_CONSENSUS_MSG, send(changed.get(change, payload)))
    assert refused == ("INVALID_ARGUMENT", "send_consensus_msg: consensus_msg")
    assert node.events == []


async def test_a_statement_that_its_author_has_not_signed_is_refused_each_time(
    serving, node, world
) -> None:
    msg = world.nominate(2, 1)
    other = ConsensusMsg.from_parts(msg.scp_msg, bytes(32), msg.signature)
    async with serving(node.service.served()) as call:
        for _ in range(2):
            assert await call.refused(SEND_CONSENSUS_MSG, send(other)) == (
                "INVALID_ARGUMENT",
                "send_consensus_msg: InvalidConsensusMsgSignature",
            )
    assert node.events == []


async def test_what_is_remembered_of_statements_is_bounded(node, world, monkeypatch) -> None:
    monkeypatch.setattr(peer, "SEEN_STATEMENTS_MAX", 2)
    msgs = [world.nominate(2, number) for number in range(3)]
    for msg in (*msgs, msgs[2], msgs[1], msgs[0]):
        await node.intake.take(msg.payload, "node2.test:8443")
    kinds = [type(event) for event in node.events]
    assert kinds == [Received] * 3 + [ReceivedCopy] * 2 + [Received]


async def test_a_node_that_signs_with_another_key_is_named_once(world) -> None:
    async def post(_) -> None: ...

    intake = StatementIntake(post, {"node2.test:8443": b"\1" * 32, "node3.test:8443": b"\1" * 32})
    with structlog.testing.capture_logs() as logs:
        for author in (2, 2, 3, 4):
            await intake.take(world.nominate(author, len(logs)).payload, "node2.test:8443")
    assert [entry["peer"] for entry in logs] == ["node2.test:8443", "node3.test:8443"]


# -- GetLatestMsg ----------------------------------------------------------------------------------


async def test_peers_that_ask_get_our_latest_statement(serving, node) -> None:
    async with serving(node.service.served()) as call:
        assert (await call(GET_LATEST_MSG, Empty())).payload == b""
        node.latest = b"statement"
        assert (await call(GET_LATEST_MSG, Empty())).payload == b"statement"


# -- PeerTxPropose ---------------------------------------------------------------------------------


def proposal(aad: bytes = b"") -> Message:
    return Message(aad=aad, channel_id=b"session", data=b"ciphertext")


async def test_transactions_of_a_peer_are_taken_with_their_origin(serving, node, world) -> None:
    aad = TxProposeAAD(world.node_id(3), "node2.test:8443")
    async with serving(node.service.served()) as call:
        response = await call(PEER_TX_PROPOSE, proposal(aad.to_bytes()))
    assert (response.result, response.block_count) == (ProposeTxResult.Ok, 5)
    assert response.block_version == 0
    assert node.accepted == [(tx_hash, aad) for tx_hash in HASHES]


@pytest.mark.parametrize("aad", [b"", b"junk", bytes(5000)])
async def test_an_origin_that_cannot_be_read_is_none(serving, node, aad) -> None:
    async with serving(node.service.served()) as call:
        await call(PEER_TX_PROPOSE, proposal(aad))
    assert node.accepted == [(tx_hash, None) for tx_hash in HASHES]


async def test_a_broken_transaction_does_not_spoil_the_others(serving, node) -> None:
    node.errors[HASHES[0]] = MalformedTx(ContainsSpentKeyImage(bytes(32)))
    node.errors[HASHES[1]] = TxCacheFull(9, 9)
    async with serving(node.service.served()) as call:
        response = await call(PEER_TX_PROPOSE, proposal())
    assert response.result == ProposeTxResult.Ok
    assert node.accepted == [(HASHES[2], None)]
    errors = 'consensus_service_tx_validation_errors{err="ContainsSpentKeyImage"} 1'
    assert errors in node.metrics.text()


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (
            NotFound("session"),
            "PERMISSION_DENIED",
            "peer_tx_propose: Enclave-related error "
            "`Attested AKE error: Connection not found by node ID or session`.",
        ),
        (
            Cipher("no"),
            "PERMISSION_DENIED",
            "peer_tx_propose: Enclave-related error `no`.",
        ),
        (EnclaveGoneError("gone"), "INTERNAL", "peer_tx_propose: gone"),
    ],
)
async def test_a_session_that_does_not_work_is_told(serving, node, error, status, text) -> None:
    node.errors["enclave"] = error
    async with serving(node.service.served()) as call:
        assert await call.refused(PEER_TX_PROPOSE, proposal()) == (status, text)


# -- GetTxs ----------------------------------------------------------------------------------------


def wanted(*tx_hashes: bytes) -> GetTxsRequest:
    return GetTxsRequest(channel_id=b"session", tx_hashes=tx_hashes)


async def test_cached_transactions_are_handed_out_in_order(serving, node) -> None:
    async with serving(node.service.served()) as call:
        response = await call(GET_TXS, wanted(HASHES[2], HASHES[0]))
    assert response.WhichOneof("payload") == "success"
    assert response.success.data == b"tx 3 tx 1"
    assert (response.success.aad, response.success.channel_id) == (b"", b"session")


async def test_all_missing_ones_are_listed(serving, node) -> None:
    node.cached = {HASHES[1]}
    async with serving(node.service.served()) as call:
        response = await call(GET_TXS, wanted(*HASHES))
    assert response.WhichOneof("payload") == "tx_hashes_not_in_cache"
    assert list(response.tx_hashes_not_in_cache.tx_hashes) == [HASHES[0], HASHES[2]]


@pytest.mark.parametrize("tx_hash", [b"", bytes(31), bytes(33)])
async def test_a_hash_has_32_bytes(serving, node, tx_hash) -> None:
    async with serving(node.service.served()) as call:
        refused = await call.refused(GET_TXS, wanted(HASHES[0], tx_hash))
    assert refused == ("INVALID_ARGUMENT", "tx_hash: ")


async def test_nobody_asks_for_more_than_a_block(serving, node, monkeypatch) -> None:
    monkeypatch.setattr(peer, "TX_HASHES_PER_CALL_MAX", 2)
    async with serving(node.service.served()) as call:
        await call(GET_TXS, wanted(*HASHES[:2]))
        refused = await call.refused(GET_TXS, wanted(*HASHES))
    assert refused == ("INVALID_ARGUMENT", "tx_hash: 3 hashes, limit 2")


@pytest.mark.parametrize("error", [NotFound("session"), EnclaveGoneError("gone")])
async def test_anything_else_went_wrong(serving, node, error) -> None:
    node.errors["enclave"] = error
    async with serving(node.service.served()) as call:
        refused = await call.refused(GET_TXS, wanted(HASHES[0]))
    assert refused == ("INTERNAL", "get_txs: Something went wrong...")


# -- everything else -------------------------------------------------------------------------------


async def test_a_service_of_another_listener_is_unknown_here(serving, node) -> None:
    async with serving(node.service.served()) as call:
        assert await call.refused(CLIENT_TX_PROPOSE, Message()) == ("UNIMPLEMENTED", "")


async def test_a_bug_does_not_pass_for_a_bad_transaction(node) -> None:
    node.errors[HASHES[0]] = BugError("ours")
    with pytest.raises(BugError):
        await node.service.peer_tx_propose(proposal(), None)
    await asyncio.sleep(0)
