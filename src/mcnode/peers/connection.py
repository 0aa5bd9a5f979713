"""One connection to one peer: attested when first used, and again after any failure.

The session that we start carries what we send and what we fetch; the one that the peer starts with
us is not known here. Messages of a session use implicit nonces, so encrypting and sending happen
under a lock, one after the other. [docs/protocol/service.md#12.6]
"""

import asyncio
from collections.abc import Sequence

import grpc
import grpc.aio
import structlog
from google.protobuf.empty_pb2 import Empty

from mcnode.api.convert import from_generated
from mcnode.api.gen.attest_pb2 import AuthMessage, Message
from mcnode.api.gen.consensus_common_pb2 import BlocksRequest
from mcnode.api.gen.consensus_peer_pb2 import ConsensusMsg, ConsensusMsgResult, GetTxsRequest
from mcnode.api.rpc import call
from mcnode.api.services import (
    AUTH,
    GET_BLOCKS,
    GET_LATEST_MSG,
    GET_TXS,
    PEER_TX_PROPOSE,
    SEND_CONSENSUS_MSG,
    Method,
    Request,
    Response,
)
from mcnode.blockchain.block import Block
from mcnode.connection.uri import Uri
from mcnode.enclave.errors import AttestError, EnclaveError
from mcnode.enclave.interface import ConsensusEnclave, EnclaveMessage, TxContext
from mcnode.errors import InvalidError, UnavailableError
from mcnode.peers.errors import (
    PeerAttestationFailed,
    PeerUnreachable,
    RequestTooLarge,
    TxHashesNotInCache,
)

CALL_TIMEOUT_S = 30.0
"""No call between nodes takes nearly that long; a peer that hangs must not hold a lane for ever."""
U32_MAX = 2**32 - 1

log = structlog.get_logger("mcnode.peers.connection")


class PeerConnection:
    """Calls to the peer at `uri`, over `channel`, on behalf of the node `own_responder_id`."""

    def __init__(
        self,
        uri: Uri,
        channel: grpc.aio.Channel,
        enclave: ConsensusEnclave,
        own_responder_id: str,
    ) -> None:
        self.uri = uri
        self._channel = channel
        self._enclave = enclave
        self._own_responder_id = own_responder_id
        self._session: bytes | None = None
        self._is_unknown_there = False
        self._attest_lock = asyncio.Lock()
        self._session_lock = asyncio.Lock()

    @property
    def responder_id(self) -> str:
        """`host:port`, whatever the URI's parameters say."""
        return self.uri.host_and_port_responder_id

    @property
    def is_attested(self) -> bool:
        """Whether there is a session."""
        return self._session is not None

    async def send_consensus_msg(self, payload: bytes) -> None:
        """Deliver a signed statement. That the peer does not know us is logged once.

        Raises:
            PeerUnreachable, PeerAttestationFailed: try again later.
        """
        await self._attested()
        request = ConsensusMsg(from_responder_id=self._own_responder_id, payload=payload)
        response = await self._call(SEND_CONSENSUS_MSG, request)
        if response.result == ConsensusMsgResult.UnknownPeer and not self._is_unknown_there:
            self._is_unknown_there = True
            log.warning(
                "peer does not take our statements: its network file has no broadcast peer of our "
                "responder id",
                peer=self.responder_id,
                own_responder_id=self._own_responder_id,
            )

    async def propose_txs(self, encrypted_txs: Sequence[bytes], aad: bytes) -> None:
        """Deliver transactions, ciphertexts of the cache. Raises as `send_consensus_msg`."""
        async with self._session_lock:
            session = await self._attested()
            try:
                message = await self._enclave.txs_for_peer(encrypted_txs, aad, session)
            except AttestError as error:
                raise await self._unusable_session(error) from error
            await self._call(PEER_TX_PROPOSE, _to_wire(message))

    async def fetch_txs(self, tx_hashes: Sequence[bytes]) -> Sequence[TxContext]:
        """Fetch transactions that the peer has named, in the order asked for.

        Raises:
            TxHashesNotInCache: it lacks some; the error names them.
            PeerUnreachable, PeerAttestationFailed: try again later.
        """
        async with self._session_lock:
            session = await self._attested()
            request = GetTxsRequest(channel_id=session, tx_hashes=tx_hashes)
            response = await self._call(GET_TXS, request)
            if response.WhichOneof("payload") == "tx_hashes_not_in_cache":
                absent = response.tx_hashes_not_in_cache.tx_hashes
                raise TxHashesNotInCache(self.responder_id, list(absent))
            answer = response.success
            message = EnclaveMessage(answer.aad, answer.channel_id, answer.data)
            try:
                contexts = await self._enclave.peer_tx_propose(message)
            except EnclaveError as error:
                raise await self._unusable_session(error) from error
        if len(contexts) != len(tx_hashes):
            raise TxHashesNotInCache(self.responder_id, tx_hashes)
        return contexts

    async def fetch_latest_msg(self) -> bytes:
        """The peer's highest statement as bytes, empty if it has made none."""
        await self._attested()
        response = await self._call(GET_LATEST_MSG, Empty())
        return response.payload

    async def fetch_blocks(self, first_index: int, count: int) -> list[Block]:
        """Headers from `first_index` on, as many as the peer has and gives.

        Raises:
            RequestTooLarge: more than 2^32 - 1 were asked for.
            PeerUnreachable, PeerAttestationFailed: try again later.
        """
        if count > U32_MAX:
            raise RequestTooLarge(count)
        await self._attested()
        response = await self._call(GET_BLOCKS, BlocksRequest(offset=first_index, limit=count))
        return [from_generated(block, Block) for block in response.blocks]

    async def close(self) -> None:
        """Give up the session and the channel."""
        await self._forget_session()
        await self._channel.close(None)

    async def _attested(self) -> bytes:
        """The session, made now if there is none."""
        if self._session is not None:
            return self._session
        async with self._attest_lock:
            if self._session is None:
                self._session = await self._attest()
            return self._session

    async def _attest(self) -> bytes:
        responder_id = self.uri.responder_id
        try:
            request = AuthMessage(data=await self._enclave.peer_init(responder_id))
            response = await self._call(AUTH, request)
            connected = await self._enclave.peer_connect(responder_id, response.data)
        except PeerUnreachable:
            raise
        except (InvalidError, UnavailableError) as error:
            raise PeerAttestationFailed(self.responder_id, str(error)) from error
        return connected.session

    async def _call(self, method: Method[Request, Response], request: Request) -> Response:
        try:
            return await call(self._channel, method, request, timeout_s=CALL_TIMEOUT_S)
        except grpc.aio.AioRpcError as error:
            await self._forget_session()
            status, text = error.code().name, error.details() or ""
            raise PeerUnreachable(self.responder_id, status, text) from error

    async def _unusable_session(self, error: EnclaveError) -> PeerAttestationFailed:
        """Our side does not know the session any more, or it is out of step: begin anew."""
        await self._forget_session()
        return PeerAttestationFailed(self.responder_id, str(error))

    async def _forget_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await self._enclave.peer_close(session)


def _to_wire(message: EnclaveMessage) -> Message:
    return Message(aad=message.aad, channel_id=message.channel_id, data=message.data)
