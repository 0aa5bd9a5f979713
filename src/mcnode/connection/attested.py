"""A client's connection to one node, as wallets and tools use it. [docs/protocol/service.md#15]

    async with AttestedClient(uri, chain_id="main", trust=trust) as node:
        info = await node.fetch_block_info()
        answer = await node.propose_tx(tx)

Calls that go through the trusted process shake hands first when there is no session, and check the
evidence against what `trust` accepts *now*: dates included. Messages of a session use implicit
nonces, so they are encrypted and sent one after the other. A call that fails for whatever reason
ends the session; the next one begins another.
"""

import asyncio
import dataclasses
import os
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Final, Self

import grpc.aio
from google.protobuf.empty_pb2 import Empty

from mcnode.api.convert import from_generated, to_generated
from mcnode.api.gen import external_pb2
from mcnode.api.gen.attest_pb2 import AuthMessage, Message
from mcnode.api.gen.consensus_common_pb2 import BlocksRequest, ProposeTxResult
from mcnode.api.gen.consensus_config_pb2 import ConsensusNodeConfig
from mcnode.api.rpc import open_call
from mcnode.api.services import (
    AUTH,
    CLIENT_TX_PROPOSE,
    GET_BLOCKS,
    GET_LAST_BLOCK_INFO,
    GET_NODE_CONFIG,
    PROPOSE_MINT_CONFIG_TX,
    PROPOSE_MINT_TX,
    Method,
    Request,
    Response,
)
from mcnode.attest.dcap import DcapVerifier
from mcnode.attest.ias import IasVerifier
from mcnode.attest.key_exchange import (
    AkeError,
    EvidenceVerifier,
    HandshakeRead,
    Initiator,
    start_client,
)
from mcnode.attest.messages import AttestationEvidence
from mcnode.blockchain.block import Block
from mcnode.codec import protobuf
from mcnode.connection.auth_token import (
    HEADER as AUTHORIZATION,
)
from mcnode.connection.auth_token import (
    BasicCredentials,
    CredentialsProvider,
    make_token,
)
from mcnode.connection.chain_id import chain_id_metadata
from mcnode.connection.channel import open_channel
from mcnode.connection.cookies import CookieJar
from mcnode.connection.errors import (
    EvidenceRefused,
    HandshakeFailed,
    MintTxRefused,
    TxRefused,
    call_error,
)
from mcnode.connection.uri import Uri
from mcnode.crypto.keys import KEY_BYTES
from mcnode.crypto.noise import Transport
from mcnode.crypto.rng import RandomBytes
from mcnode.transaction.constants import MOB
from mcnode.transaction.messages import MintConfigTx, MintTx, Tx

CALL_TIMEOUT_S: Final = 30.0
"""The network's clients wait for ever; people do not."""


@dataclasses.dataclass(frozen=True, slots=True)
class Trust:
    """Which enclaves a client accepts. Without `ias`, reports of older nodes are refused."""

    dcap: DcapVerifier
    ias: IasVerifier | None = None

    def at(self, unix_time: float) -> EvidenceVerifier:
        """The verifier that also checks dates against that time."""
        return EvidenceVerifier(self.dcap, self.ias, int(unix_time))


@dataclasses.dataclass(frozen=True, slots=True)
class BlockInfo:
    """Where a node is and what it charges."""

    block_index: int
    """Of its last block."""
    minimum_fees: Mapping[int, int]
    """By token id; fees of 0 count as unknown and are left out."""
    network_block_version: int


@dataclasses.dataclass(frozen=True, slots=True)
class Accepted:
    """A transaction was taken for consideration; it is not in a block yet."""

    block_count: int
    block_version: int


def uri_credentials(uri: Uri) -> CredentialsProvider:
    """User name and password of the URI on every call; none unless it has both."""
    fixed = None
    if uri.username and uri.password:
        fixed = BasicCredentials(uri.username, uri.password)
    return lambda: fixed


def token_credentials(
    secret: bytes, username: str, unix_time: Callable[[], float] = time.time
) -> CredentialsProvider:
    """A fresh token on every call, made with the 32-byte secret shared with the node."""
    return lambda: make_token(secret, username, int(unix_time()))


class AttestedClient:
    """A connection to the client API of the node at `uri`.

    Args:
        chain_id: name of the network; empty: do not say.
        trust: which enclaves are accepted; None for a client that never proposes payments.
        credentials: user name and password of each call (default: those of the URI).
        unix_time, random_bytes: injected for tests.
    """

    def __init__(
        self,
        uri: Uri,
        *,
        chain_id: str,
        trust: Trust | None,
        credentials: CredentialsProvider | None = None,
        timeout_s: float = CALL_TIMEOUT_S,
        unix_time: Callable[[], float] = time.time,
        random_bytes: RandomBytes = os.urandom,
    ) -> None:
        self.uri = uri
        self._chain_id = chain_id
        self._trust = trust
        self._credentials = credentials or uri_credentials(uri)
        self._timeout_s = timeout_s
        self._unix_time = unix_time
        self._random_bytes = random_bytes
        self._channel = open_channel(uri)
        self._cookies = CookieJar()
        self._session: Transport | None = None
        self._session_lock = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        await self.close()

    @property
    def is_attested(self) -> bool:
        """Whether there is a session with the node's trusted process."""
        return self._session is not None

    async def close(self) -> None:
        """End the session and the connection."""
        self._forget_session()
        await self._channel.close(None)

    # ---- the attested channel -------------------------------------------------------------------

    async def attest(self) -> AttestationEvidence:
        """Begin a new session, whether or not there is one; returns what the node presented.

        Raises:
            CallFailed, CallRefused: the handshake call itself.
            HandshakeFailed: the answer cannot be read with this URI's responder id.
            EvidenceRefused: the evidence is not of an enclave that `trust` accepts.
        """
        async with self._session_lock:
            return await self._shake_hands()

    async def _shake_hands(self) -> AttestationEvidence:
        self._forget_session()
        if self._trust is None:
            raise EvidenceRefused(self.uri, "this client was made without anything to trust")
        initiator = start_client(self.uri.responder_id, self._random_bytes(KEY_BYTES))
        response = await self._call(AUTH, AuthMessage(data=initiator.request))
        verifier = self._trust.at(self._unix_time())
        self._session, evidence = await self._finish(initiator, response.data, verifier)
        return evidence

    async def _finish(
        self, initiator: Initiator, data: bytes, verifier: EvidenceVerifier
    ) -> tuple[Transport, AttestationEvidence]:
        """Verification takes some milliseconds of CPU, so it is done in a thread."""
        try:
            return await asyncio.to_thread(initiator.finish, data, verifier)
        except HandshakeRead as error:
            self._forget_session()
            raise HandshakeFailed(
                self.uri, f"{error}; the node may not be {self.uri.responder_id}"
            ) from error
        except AkeError as error:
            self._forget_session()
            raise EvidenceRefused(self.uri, error) from error

    async def propose_tx(self, tx: Tx) -> Accepted:
        """Hand in a payment, encrypted for the trusted process.

        Raises:
            TxRefused: it breaks a rule.
            As `attest`.
        """
        return await self.propose_tx_bytes(protobuf.encode(tx))

    async def propose_tx_bytes(self, tx_bytes: bytes) -> Accepted:
        """The same for a transaction that is encoded already."""
        async with self._session_lock:
            if self._session is None:
                await self._shake_hands()
            session = self._session
            assert session is not None
            message = Message(channel_id=session.channel_id, data=session.encrypt(tx_bytes))
            response = await self._call(CLIENT_TX_PROPOSE, message)
        if response.result != ProposeTxResult.Ok:
            raise TxRefused(response.result, response.err_msg, response.block_count)
        return Accepted(response.block_count, response.block_version)

    # ---- calls in the clear ---------------------------------------------------------------------

    async def propose_mint_config_tx(self, tx: MintConfigTx) -> Accepted:
        """Hand in a minting configuration.

        Raises:
            MintTxRefused: it breaks a rule.
            CallFailed, CallRefused
        """
        request = to_generated(tx, external_pb2.MintConfigTx)
        response = await self._call(PROPOSE_MINT_CONFIG_TX, request)
        if response.HasField("result") and response.result.code:
            raise MintTxRefused(response.result.code, response.block_count)
        return Accepted(response.block_count, response.block_version)

    async def propose_mint_tx(self, tx: MintTx) -> Accepted:
        """Hand in a mint transaction. Raises as `propose_mint_config_tx`."""
        request = to_generated(tx, external_pb2.MintTx)
        response = await self._call(PROPOSE_MINT_TX, request)
        if response.HasField("result") and response.result.code:
            raise MintTxRefused(response.result.code, response.block_count)
        return Accepted(response.block_count, response.block_version)

    async def fetch_block_info(self) -> BlockInfo:
        """The node's last block and minimum fees.

        Raises:
            CallFailed, CallRefused
        """
        response = await self._call(GET_LAST_BLOCK_INFO, Empty())
        fees = dict(response.minimum_fees) or {MOB: response.mob_minimum_fee}
        known = {token_id: fee for token_id, fee in sorted(fees.items()) if fee}
        return BlockInfo(response.index, known, response.network_block_version)

    async def fetch_blocks(self, first_index: int, count: int) -> Sequence[Block]:
        """Headers from `first_index` on, as many as the node has and gives; unchecked.

        Raises:
            CallFailed, CallRefused
            DecodeError: the node sent something that is no block.
        """
        response = await self._call(GET_BLOCKS, BlocksRequest(offset=first_index, limit=count))
        return [from_generated(block, Block) for block in response.blocks]

    async def fetch_node_config(self) -> ConsensusNodeConfig:
        """What the node says it is configured with.

        Raises:
            CallFailed, CallRefused
        """
        return await self._call(GET_NODE_CONFIG, Empty())

    # ---- the wire -------------------------------------------------------------------------------

    async def _call(self, method: Method[Request, Response], request: Request) -> Response:
        call = open_call(
            self._channel,
            method,
            request,
            metadata=self._metadata(),
            timeout_s=self._timeout_s,
        )
        try:
            response = await call
        except grpc.aio.AioRpcError as error:
            self._forget_session()
            raise call_error(self.uri, error) from error
        except BaseException:
            self._forget_session()  # cancelled: whether the node counted the message is unknown
            raise
        self._cookies.store(await call.initial_metadata())
        self._cookies.store(await call.trailing_metadata())
        return response

    def _metadata(self) -> tuple[tuple[str, str], ...]:
        credentials = self._credentials()
        authorization = ((AUTHORIZATION, credentials.to_header()),) if credentials else ()
        return (*self._cookies.metadata(), *authorization, *chain_id_metadata(self._chain_id))

    def _forget_session(self) -> None:
        self._session = None
        self._cookies.clear()
