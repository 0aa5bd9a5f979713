"""`ConsensusClientAPI`: wallets propose transactions and mints. [docs/protocol/service.md#8.2]"""

import asyncio
import dataclasses
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from google.protobuf.empty_pb2 import Empty

from mcnode.api.convert import from_generated
from mcnode.api.gen import attest_pb2, external_pb2
from mcnode.api.gen.consensus_client_pb2 import (
    ProposeMintConfigTxResponse,
    ProposeMintTxResponse,
)
from mcnode.api.gen.consensus_common_pb2 import ProposeTxResponse, ProposeTxResult
from mcnode.api.gen.consensus_config_pb2 import ConsensusNodeConfig
from mcnode.api.rpc import Call, Served, StatusError, serve
from mcnode.api.services import (
    CLIENT_TX_PROPOSE,
    GET_NODE_CONFIG,
    PROPOSE_MINT_CONFIG_TX,
    PROPOSE_MINT_TX,
)
from mcnode.blockchain.archive_contents import convert_mint_config_tx, convert_mint_tx
from mcnode.blockchain.archive_wire import WireMintConfigTx, WireMintTx
from mcnode.consensus.metrics import NodeMetrics
from mcnode.consensus.mint_tx_manager import MintTxManager
from mcnode.consensus.services.guards import Guards, refusal
from mcnode.consensus.services.results import (
    client_status,
    mint_validation_result,
    propose_tx_result,
    propose_tx_text,
)
from mcnode.consensus.tx_manager import TxManager, transaction_error
from mcnode.enclave.interface import ConsensusEnclave, EnclaveMessage
from mcnode.errors import InvalidError, McNodeError
from mcnode.peers.consensus_value import (
    ConsensusValue,
    mint_config_tx_value,
    mint_tx_value,
    tx_hash_value,
)
from mcnode.transaction.mint.errors import MintValidationError

FAILURE_WINDOW_S = 60.0
"""How long a session's refused transactions are remembered, for the operator's eyes."""
FAILURES_PER_SESSION_MAX = 100


class NodeState(Protocol):
    """What the service asks of the running node."""

    def pending_values(self) -> int:
        """Values that wait for a block."""
        ...

    def is_serving(self) -> bool:
        """Whether the node is started and not catching up."""
        ...

    def num_blocks(self) -> int:
        """Blocks in the ledger."""
        ...


Propose = Callable[[ConsensusValue], Awaitable[None]]
"""Hand a checked value of a client of ours to consensus and to the peers."""


class SessionTracker:
    """Recently used client sessions and when their transactions were refused; bounded."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._failures: OrderedDict[bytes, list[float]] = OrderedDict()

    def touch(self, session: bytes) -> None:
        """Make or refresh the entry of a session."""
        self._failures.setdefault(session, [])
        self._failures.move_to_end(session)
        if len(self._failures) > self._capacity:
            self._failures.popitem(last=False)

    def failed(self, session: bytes, now: float) -> int:
        """Note a refused transaction; returns how many there were within the window."""
        recent = [at for at in self._failures.get(session, ()) if now - at < FAILURE_WINDOW_S]
        recent = [*recent, now][-FAILURES_PER_SESSION_MAX:]
        if session in self._failures:
            self._failures[session] = recent
        return len(recent)


@dataclasses.dataclass(frozen=True, slots=True)
class ClientService:
    """The four calls of the client listener."""

    guards: Guards
    state: NodeState
    enclave: ConsensusEnclave
    txs: TxManager
    mints: MintTxManager
    propose: Propose
    node_config: Callable[[], ConsensusNodeConfig]
    block_version: int
    sessions: SessionTracker
    metrics: NodeMetrics

    def served(self) -> Sequence[Served]:
        """The methods, for the server."""
        return (
            serve(CLIENT_TX_PROPOSE, self.client_tx_propose),
            serve(PROPOSE_MINT_CONFIG_TX, self.propose_mint_config_tx),
            serve(PROPOSE_MINT_TX, self.propose_mint_tx),
            serve(GET_NODE_CONFIG, self.get_node_config),
        )

    async def client_tx_propose(self, request: attest_pb2.Message, call: Call) -> ProposeTxResponse:
        """Take an encrypted transaction; a broken rule is an answer, not a failure."""
        message = EnclaveMessage(request.aad, request.channel_id, request.data)
        self.sessions.touch(message.channel_id)
        self.guards.check_chain_id(call)
        self.guards.authenticate(call)
        refused = refusal(
            pending_values=self.state.pending_values(), is_serving=self.state.is_serving()
        )
        try:
            if refused is not None:
                await self.enclave.client_discard_message(message)
                raise refused
            response = await self._take(message)
            response.block_count = self.state.num_blocks()
        except McNodeError as error:
            raise client_status(error) from error
        response.block_version = self.block_version
        return response

    async def _take(self, message: EnclaveMessage) -> ProposeTxResponse:
        self.metrics.count("add_tx_initiated")
        try:
            context = await self.enclave.client_tx_propose(message)
            tx_hash = await self.txs.insert(context)
            self.txs.check(tx_hash)
        except InvalidError as error:
            code = propose_tx_result(error)
            if code is None:
                raise
            self._note_failure(message.channel_id, error)
            return ProposeTxResponse(result=code, err_msg=propose_tx_text(error))
        await self.propose(tx_hash_value(tx_hash))
        self.metrics.count("add_tx")
        return ProposeTxResponse(result=ProposeTxResult.Ok)

    def _note_failure(self, session: bytes, error: InvalidError) -> None:
        self.metrics.count_validation_error(type(transaction_error(error)).__name__)
        self.sessions.failed(session, self.guards.unix_time())

    async def propose_mint_config_tx(
        self, request: external_pb2.MintConfigTx, call: Call
    ) -> ProposeMintConfigTxResponse:
        """Take a mint configuration, which is public and travels in the clear."""
        self._admit(call)
        self.metrics.count("propose_mint_config_tx_initiated")
        response = ProposeMintConfigTxResponse()
        try:
            tx = convert_mint_config_tx(from_generated(request, WireMintConfigTx))
            self.mints.check_mint_config_tx(tx)
        except MintValidationError as error:
            response.result.CopyFrom(mint_validation_result(error))
        except McNodeError as error:
            raise client_status(error) from error
        else:
            await self.propose(mint_config_tx_value(tx))
            self.metrics.count("propose_mint_config_tx")
        response.block_count = self.state.num_blocks()
        response.block_version = self.block_version
        return response

    async def propose_mint_tx(
        self, request: external_pb2.MintTx, call: Call
    ) -> ProposeMintTxResponse:
        """Take a mint transaction, which is public and travels in the clear."""
        self._admit(call)
        self.metrics.count("propose_mint_tx_initiated")
        response = ProposeMintTxResponse()
        try:
            tx = convert_mint_tx(from_generated(request, WireMintTx))
            self.mints.check_mint_tx(tx)
        except MintValidationError as error:
            response.result.CopyFrom(mint_validation_result(error))
        except McNodeError as error:
            raise client_status(error) from error
        else:
            await self.propose(mint_tx_value(tx))
            self.metrics.count("propose_mint_tx")
        response.block_count = self.state.num_blocks()
        response.block_version = self.block_version
        return response

    def _admit(self, call: Call) -> None:
        self.guards.check_chain_id(call)
        self.guards.authenticate(call)
        refused: StatusError | None = refusal(
            pending_values=self.state.pending_values(), is_serving=self.state.is_serving()
        )
        if refused is not None:
            raise refused

    async def get_node_config(self, _request: Empty, _call: Call) -> ConsensusNodeConfig:
        """What this node is configured with; no header is looked at."""
        try:
            return await asyncio.to_thread(self.node_config)
        except McNodeError as error:
            raise client_status(error) from error
