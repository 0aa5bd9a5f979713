"""The node's side of the boundary: calls to a trusted process over one connection.

[docs/protocol/enclave.md#9.3]
"""

import asyncio
import itertools
from collections.abc import Sequence
from typing import Any, Final, TypeVar

from mcnode.attest.messages import DcapEvidence
from mcnode.blockchain.block import Block
from mcnode.codec import protobuf
from mcnode.codec.errors import DecodeError
from mcnode.enclave.boundary import (
    CALLS,
    LENGTH_BYTES,
    MAGIC,
    PROTOCOL_VERSION,
    BoundaryError,
    BoundaryResponse,
    Call,
    EnclaveInitRequest,
    Hello,
    MinimumFeeResponse,
    Nothing,
    OpaqueBytes,
    PeerHandshakeRequest,
    TokenIdRequest,
    TxContexts,
    TxIsWellFormedRequest,
    TxsForPeerRequest,
    encode_request,
    form_block_request,
    frame_length,
    pack_proofs,
)
from mcnode.enclave.config import BlockchainConfig
from mcnode.enclave.error_codec import decode_error
from mcnode.enclave.errors import EnclaveGoneError
from mcnode.enclave.interface import (
    Accepted,
    Connected,
    ConsensusEnclave,
    EnclaveMessage,
    EnclaveMode,
    EnclaveStarted,
    FeePublicKey,
    FormBlockInputs,
    FormedBlock,
    PendingEvidence,
    TxContext,
    WellFormedTx,
)
from mcnode.transaction.messages import TxOutMembershipElement, TxOutMembershipProof

T = TypeVar("T")

CONNECT_TIMEOUT_S: Final = 10.0
CALL_TIMEOUT_S: Final = 120.0
"""A block of 5,000 transactions takes tens of seconds; a call that takes longer hangs."""
_STREAM_BUFFER_BYTES: Final = 1 << 20


class CallingEnclave(ConsensusEnclave):
    """Turns the interface's calls into boundary messages; `_call` brings them across."""

    async def _call(self, call: Call, request: Any, response: type[T]) -> T:
        raise NotImplementedError

    async def enclave_init(
        self,
        peer_responder_id: str,
        client_responder_id: str,
        sealed_key: bytes | None,
        config: BlockchainConfig,
    ) -> EnclaveStarted:
        """See the interface."""
        request = EnclaveInitRequest(
            peer_responder_id, client_responder_id, sealed_key, config.to_message()
        )
        return await self._call(Call.ENCLAVE_INIT, request, EnclaveStarted)

    async def get_minimum_fee(self, token_id: int) -> int | None:
        """See the interface."""
        request = TokenIdRequest(token_id)
        return (await self._call(Call.GET_MINIMUM_FEE, request, MinimumFeeResponse)).fee

    async def get_identity(self) -> bytes:
        """See the interface."""
        return (await self._call(Call.GET_IDENTITY, Nothing(), OpaqueBytes)).data

    async def get_signer(self) -> bytes:
        """See the interface."""
        return (await self._call(Call.GET_SIGNER, Nothing(), OpaqueBytes)).data

    async def get_fee_recipient(self) -> FeePublicKey:
        """See the interface."""
        return await self._call(Call.GET_FEE_RECIPIENT, Nothing(), FeePublicKey)

    async def get_minting_trust_root(self) -> bytes:
        """See the interface."""
        return (await self._call(Call.GET_MINTING_TRUST_ROOT, Nothing(), OpaqueBytes)).data

    async def begin_attestation(self) -> PendingEvidence:
        """See the interface."""
        return await self._call(Call.BEGIN_ATTESTATION, Nothing(), PendingEvidence)

    async def verify_attestation_evidence(self, evidence: DcapEvidence) -> None:
        """See the interface."""
        await self._call(Call.VERIFY_ATTESTATION_EVIDENCE, evidence, Nothing)

    async def get_attestation_evidence(self) -> DcapEvidence:
        """See the interface."""
        return await self._call(Call.GET_ATTESTATION_EVIDENCE, Nothing(), DcapEvidence)

    async def client_accept(self, auth_request: bytes) -> Accepted:
        """See the interface."""
        return await self._call(Call.CLIENT_ACCEPT, OpaqueBytes(auth_request), Accepted)

    async def client_close(self, session: bytes) -> None:
        """See the interface."""
        await self._call(Call.CLIENT_CLOSE, OpaqueBytes(session), Nothing)

    async def client_discard_message(self, message: EnclaveMessage) -> None:
        """See the interface."""
        await self._call(Call.CLIENT_DISCARD_MESSAGE, message, Nothing)

    async def client_tx_propose(self, message: EnclaveMessage) -> TxContext:
        """See the interface."""
        return await self._call(Call.CLIENT_TX_PROPOSE, message, TxContext)

    async def peer_init(self, responder_id: str) -> bytes:
        """See the interface."""
        request = PeerHandshakeRequest(responder_id)
        return (await self._call(Call.PEER_INIT, request, OpaqueBytes)).data

    async def peer_accept(self, auth_request: bytes) -> Accepted:
        """See the interface."""
        return await self._call(Call.PEER_ACCEPT, OpaqueBytes(auth_request), Accepted)

    async def peer_connect(self, responder_id: str, auth_response: bytes) -> Connected:
        """See the interface."""
        request = PeerHandshakeRequest(responder_id, auth_response)
        return await self._call(Call.PEER_CONNECT, request, Connected)

    async def peer_close(self, session: bytes) -> None:
        """See the interface."""
        await self._call(Call.PEER_CLOSE, OpaqueBytes(session), Nothing)

    async def peer_tx_propose(self, message: EnclaveMessage) -> tuple[TxContext, ...]:
        """See the interface."""
        return (await self._call(Call.PEER_TX_PROPOSE, message, TxContexts)).contexts

    async def tx_is_well_formed(
        self,
        locally_encrypted_tx: bytes,
        block_index: int,
        membership_proofs: Sequence[TxOutMembershipProof],
    ) -> WellFormedTx:
        """See the interface."""
        request = TxIsWellFormedRequest(
            locally_encrypted_tx, block_index, pack_proofs(membership_proofs)
        )
        return await self._call(Call.TX_IS_WELL_FORMED, request, WellFormedTx)

    async def txs_for_peer(
        self, well_formed_encrypted_txs: Sequence[bytes], aad: bytes, session: bytes
    ) -> EnclaveMessage:
        """See the interface."""
        request = TxsForPeerRequest(tuple(well_formed_encrypted_txs), aad, session)
        return await self._call(Call.TXS_FOR_PEER, request, EnclaveMessage)

    async def form_block(
        self,
        parent_block: Block,
        inputs: FormBlockInputs,
        root_element: TxOutMembershipElement,
    ) -> FormedBlock:
        """See the interface."""
        request = form_block_request(parent_block, inputs, root_element)
        return await self._call(Call.FORM_BLOCK, request, FormedBlock)


class RemoteEnclave(CallingEnclave):
    """A trusted process that was connected to with `connect_enclave`.

    There is no reconnecting: when the connection breaks, every call under way and every later one
    raises `EnclaveGoneError`, and `wait_gone` returns.
    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, mode: EnclaveMode
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._mode = mode
        self._numbers = itertools.count(1)
        self._pending: dict[int, asyncio.Future[bytes]] = {}
        self._gone = asyncio.Event()
        self._gone_reason = ""
        self._reading = asyncio.create_task(self._read(), name="enclave-reader")

    @property
    def mode(self) -> EnclaveMode:
        """What the trusted process runs as."""
        return self._mode

    async def wait_gone(self) -> None:
        """Return when the connection has ended."""
        await self._gone.wait()

    async def close(self) -> None:
        """End the connection, and with it the trusted process."""
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        self._end("it was closed")
        await _close(self._writer)

    async def _call(self, call: Call, request: Any, response: type[T]) -> T:
        if self._gone.is_set():
            raise self._gone_error()
        number = next(self._numbers)
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        # Written before the first suspension, so that the order of calls is that of the frames.
        self._writer.write(encode_request(number, call, request))
        self._pending[number] = answer
        try:
            async with asyncio.timeout(CALL_TIMEOUT_S):
                await self._drain()
                body = await answer
        except TimeoutError:
            self._end(f"{call.name.lower()} took more than {CALL_TIMEOUT_S} s")
            self._writer.close()
            raise self._gone_error() from None
        finally:
            self._pending.pop(number, None)
        return protobuf.decode(response, body)

    async def _drain(self) -> None:
        try:
            await self._writer.drain()
        except OSError as error:
            self._end(str(error))
            raise self._gone_error() from None

    async def _read(self) -> None:
        """Hand answers to whoever waits for them, until the connection ends."""
        reason = "its connection closed"
        try:
            while True:
                header = await self._reader.readexactly(LENGTH_BYTES)
                body = await self._reader.readexactly(frame_length(header))
                self._take(protobuf.decode(BoundaryResponse, body))
        except asyncio.IncompleteReadError:
            return
        except (OSError, BoundaryError, DecodeError) as error:
            reason = str(error)
        finally:
            self._end(reason)
            self._writer.close()

    def _take(self, response: BoundaryResponse) -> None:
        waiting = self._pending.get(response.id)
        if waiting is None or waiting.done():
            return
        if response.error is None:
            waiting.set_result(response.body)
        else:
            waiting.set_exception(decode_error(response.error))

    def _end(self, reason: str) -> None:
        if self._gone.is_set():
            return
        self._gone_reason = reason
        self._gone.set()
        for waiting in self._pending.values():
            if not waiting.done():
                waiting.set_exception(self._gone_error())

    def _gone_error(self) -> EnclaveGoneError:
        return EnclaveGoneError(f"trusted process is gone: {self._gone_reason}")


async def connect_enclave(host: str, port: int, token: bytes) -> RemoteEnclave:
    """Connect to a trusted process that was started with this token (32 bytes).

    Raises:
        EnclaveGoneError: nobody listens there, the token is wrong, somebody else is connected
            already, or the answer is not that of a trusted process.
    """
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(host, port, limit=_STREAM_BUFFER_BYTES)
            try:
                writer.write(MAGIC + token)
                await writer.drain()
                header = await reader.readexactly(LENGTH_BYTES)
                hello = protobuf.decode(Hello, await reader.readexactly(frame_length(header)))
                mode = _mode_of(hello)
            except BaseException:
                await _close(writer)
                raise
    except (OSError, TimeoutError, EOFError, BoundaryError, DecodeError) as error:
        what = str(error) or type(error).__name__
        raise EnclaveGoneError(f"no trusted process at {host}:{port}: {what}") from error
    return RemoteEnclave(reader, writer, mode)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    try:
        await writer.wait_closed()
    except OSError:
        return


def _mode_of(hello: Hello) -> EnclaveMode:
    if hello.version != PROTOCOL_VERSION:
        raise BoundaryError(f"boundary version is {hello.version}, needs {PROTOCOL_VERSION}")
    try:
        return EnclaveMode(hello.mode)
    except ValueError:
        raise BoundaryError(f"trusted process runs in unknown mode {hello.mode!r}") from None


assert set(CALLS) == set(Call), "every call has a shape"
