"""`ConsensusPeerAPI`: statements and transactions from other nodes. [docs/protocol/service.md#8.4]

A statement usually arrives several times, over several neighbours. Its copies are recognised by the
hash of their bytes before anything is decoded; the signature of each distinct one is checked once.
"""

import asyncio
import dataclasses
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType

import grpc
import structlog
from google.protobuf.empty_pb2 import Empty

from mcnode.api.gen import attest_pb2
from mcnode.api.gen.consensus_common_pb2 import ProposeTxResponse, ProposeTxResult
from mcnode.api.gen.consensus_peer_pb2 import ConsensusMsg as WireConsensusMsg
from mcnode.api.gen.consensus_peer_pb2 import (
    ConsensusMsgResponse,
    ConsensusMsgResult,
    GetLatestMsgResponse,
    GetTxsRequest,
    GetTxsResponse,
    TxHashesNotInCache,
)
from mcnode.api.rpc import Call, Served, StatusError, serve
from mcnode.api.services import (
    GET_LATEST_MSG,
    GET_TXS,
    PEER_TX_PROPOSE,
    SEND_CONSENSUS_MSG,
)
from mcnode.consensus.events import Event, Received, ReceivedCopy
from mcnode.consensus.metrics import NodeMetrics
from mcnode.consensus.services.results import peer_tx_propose_status
from mcnode.consensus.tx_manager import NotInCache, TxManager, transaction_error
from mcnode.crypto.errors import SignatureError
from mcnode.enclave.interface import ConsensusEnclave, EnclaveMessage, TxContext
from mcnode.errors import InvalidError, McNodeError, UnavailableError
from mcnode.peers.consensus_msg import ConsensusMsg, check_signature
from mcnode.peers.tx_propose_aad import TxProposeAAD, parse_tx_propose_aad
from mcnode.scp import NodeID

SEEN_STATEMENTS_MAX = 10_000
"""Distinct statements whose copies are recognised."""
STATEMENT_BYTES_MAX = 2 << 20
"""A statement naming 5,000 hashes in six lists takes about that; more is refused undecoded."""
TX_HASH_BYTES = 32
TX_HASHES_PER_CALL_MAX = 5_000
"""One full block; callers of the network ask for 100 at a time."""

log = structlog.get_logger("mcnode.consensus.peer")


@dataclasses.dataclass(frozen=True, slots=True)
class _Seen:
    author: bytes
    slot_index: int


class StatementIntake:
    """Decodes and verifies statements, each distinct one once, and posts them to the worker."""

    def __init__(
        self,
        post: Callable[[Event], Awaitable[None]],
        configured_keys: Mapping[str, bytes] = MappingProxyType({}),
    ) -> None:
        """`configured_keys` are the keys (32 bytes) that the network file gives responder ids."""
        self._post = post
        self._configured_keys = configured_keys
        self._other_keys_seen: set[str] = set()
        self._seen: OrderedDict[bytes, _Seen] = OrderedDict()

    def remember_own(self, msg: ConsensusMsg) -> None:
        """A statement of this node: copies that come back need no second look."""
        self._remember(_digest(msg.payload), msg)

    async def take(self, payload: bytes, received_from: str) -> None:
        """Take a statement's bytes from a neighbour.

        Raises:
            InvalidError: the bytes do not decode.
            SignatureError: the author has not signed it.
        """
        digest = _digest(payload)
        seen = self._seen.get(digest)
        if seen is not None:
            self._seen.move_to_end(digest)
            await self._post(ReceivedCopy(seen.author, seen.slot_index, received_from))
            return
        msg = ConsensusMsg.from_bytes(payload)
        check_signature(msg)
        self._warn_of_another_key(msg.scp_msg.sender_id)
        self._remember(digest, msg)
        await self._post(Received(msg, received_from))

    def _warn_of_another_key(self, author: NodeID) -> None:
        """Say once per node that its statements will not count as the network file wants it."""
        expected = self._configured_keys.get(author.responder_id, author.public_key)
        if expected != author.public_key and author.responder_id not in self._other_keys_seen:
            self._other_keys_seen.add(author.responder_id)
            log.warning(
                "node signs with another key than its consensus-msg-key in the network file: its "
                "statements do not count",
                peer=author.responder_id,
                signs_with=author.public_key.hex(),
                network_file=expected.hex(),
            )

    def _remember(self, digest: bytes, msg: ConsensusMsg) -> None:
        scp_msg = msg.scp_msg
        self._seen[digest] = _Seen(scp_msg.sender_id.public_key, scp_msg.slot_index)
        if len(self._seen) > SEEN_STATEMENTS_MAX:
            self._seen.popitem(last=False)


def _digest(payload: bytes) -> bytes:
    return hashlib.blake2b(payload, digest_size=32).digest()


AcceptFromPeer = Callable[[bytes, TxProposeAAD | None], Awaitable[None]]
"""Hand a checked transaction's hash on, with what is known of its origin."""


@dataclasses.dataclass(frozen=True, slots=True)
class PeerService:
    """The four calls of the peer listener. `neighbours` are the responder ids we accept from."""

    enclave: ConsensusEnclave
    txs: TxManager
    intake: StatementIntake
    neighbours: frozenset[str]
    latest_statement: Callable[[], bytes]
    num_blocks: Callable[[], int]
    accept_from_peer: AcceptFromPeer
    heard_from: Callable[[str], None]
    metrics: NodeMetrics

    def served(self) -> Sequence[Served]:
        """The methods, for the server."""
        return (
            serve(PEER_TX_PROPOSE, self.peer_tx_propose),
            serve(SEND_CONSENSUS_MSG, self.send_consensus_msg),
            serve(GET_LATEST_MSG, self.get_latest_msg),
            serve(GET_TXS, self.get_txs),
        )

    async def peer_tx_propose(self, request: attest_pb2.Message, _call: Call) -> ProposeTxResponse:
        """Take transactions; a broken one is counted and dropped, the others go on."""
        message = EnclaveMessage(request.aad, request.channel_id, request.data)
        origin = parse_tx_propose_aad(request.aad)
        try:
            contexts = await self.enclave.peer_tx_propose(message)
        except McNodeError as error:
            raise peer_tx_propose_status(error) from error
        await asyncio.gather(*(self._take(context, origin) for context in contexts))
        return ProposeTxResponse(result=ProposeTxResult.Ok, block_count=self.num_blocks())

    async def _take(self, context: TxContext, origin: TxProposeAAD | None) -> None:
        try:
            tx_hash = await self.txs.insert(context)
        except InvalidError as error:
            broken = transaction_error(error)
            self.metrics.count_validation_error(type(broken).__name__)
            log.info("transaction from a peer refused", error=str(broken))
        except UnavailableError as error:
            log.warning("transaction from a peer not taken", error=str(error))
        else:
            await self.accept_from_peer(tx_hash, origin)

    async def send_consensus_msg(
        self, request: WireConsensusMsg, _call: Call
    ) -> ConsensusMsgResponse:
        """Take a statement from a configured neighbour, whoever its author is."""
        neighbour = request.from_responder_id
        if ":" not in neighbour:
            raise _invalid("from_responder_id")
        if len(request.payload) > STATEMENT_BYTES_MAX:
            raise _invalid("consensus_msg")
        if neighbour not in self.neighbours:
            self._check_decodes(request.payload)
            return ConsensusMsgResponse(result=ConsensusMsgResult.UnknownPeer)
        self.heard_from(neighbour)
        try:
            await self.intake.take(request.payload, neighbour)
        except SignatureError as error:
            raise _invalid("InvalidConsensusMsgSignature") from error
        except InvalidError as error:
            raise _invalid("consensus_msg") from error
        return ConsensusMsgResponse(result=ConsensusMsgResult.Ok)

    @staticmethod
    def _check_decodes(payload: bytes) -> None:
        """A stranger's bytes are judged before the stranger is, as on the network."""
        try:
            ConsensusMsg.from_bytes(payload)
        except InvalidError as error:
            raise _invalid("consensus_msg") from error

    async def get_latest_msg(self, _request: Empty, _call: Call) -> GetLatestMsgResponse:
        """The highest statement that this node has made; empty if there is none."""
        return GetLatestMsgResponse(payload=self.latest_statement())

    async def get_txs(self, request: GetTxsRequest, _call: Call) -> GetTxsResponse:
        """Cached transactions, encrypted for the caller's session, in the order asked for."""
        tx_hashes = list(request.tx_hashes)
        if any(len(tx_hash) != TX_HASH_BYTES for tx_hash in tx_hashes):
            raise StatusError(grpc.StatusCode.INVALID_ARGUMENT, "tx_hash: ")
        if len(tx_hashes) > TX_HASHES_PER_CALL_MAX:
            limit = f"tx_hash: {len(tx_hashes)} hashes, limit {TX_HASHES_PER_CALL_MAX}"
            raise StatusError(grpc.StatusCode.INVALID_ARGUMENT, limit)
        try:
            cached = self.txs.well_formed(tx_hashes)
            message = await self.enclave.txs_for_peer(
                [tx.well_formed_encrypted_tx for tx in cached], b"", request.channel_id
            )
        except NotInCache as error:
            absent = TxHashesNotInCache(tx_hashes=error.tx_hashes)
            return GetTxsResponse(tx_hashes_not_in_cache=absent)
        except McNodeError as error:
            log.info("transactions not handed out", error=str(error))
            text = "get_txs: Something went wrong..."
            raise StatusError(grpc.StatusCode.INTERNAL, text) from error
        return GetTxsResponse(
            success=attest_pb2.Message(
                aad=message.aad, channel_id=message.channel_id, data=message.data
            )
        )


def _invalid(what: str) -> StatusError:
    return StatusError(grpc.StatusCode.INVALID_ARGUMENT, f"send_consensus_msg: {what}")
