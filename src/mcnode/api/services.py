"""Every gRPC method the network knows, declared once. [docs/protocol/service.md#8.1]

A test compares this table with the service descriptors of `proto/`.
"""

import dataclasses
from typing import Any, Generic, TypeVar

from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message as ProtobufMessage

from mcnode.api.gen.admin_pb2 import (
    GetInfoResponse,
    GetPrometheusMetricsResponse,
    SetRustLogRequest,
)
from mcnode.api.gen.attest_pb2 import AuthMessage, Message
from mcnode.api.gen.build_info_pb2 import BuildInfo
from mcnode.api.gen.consensus_client_pb2 import (
    ProposeMintConfigTxResponse,
    ProposeMintTxResponse,
)
from mcnode.api.gen.consensus_common_pb2 import (
    BlocksRequest,
    BlocksResponse,
    LastBlockInfoResponse,
    ProposeTxResponse,
)
from mcnode.api.gen.consensus_config_pb2 import ConsensusNodeConfig
from mcnode.api.gen.consensus_peer_pb2 import (
    ConsensusMsg,
    ConsensusMsgResponse,
    GetLatestMsgResponse,
    GetTxsRequest,
    GetTxsResponse,
)
from mcnode.api.gen.external_pb2 import MintConfigTx, MintTx
from mcnode.api.gen.health_pb2 import (
    HealthCheckRequest,
    HealthCheckResponse,
    PingRequest,
    PingResponse,
)

Request = TypeVar("Request", bound=ProtobufMessage)
Response = TypeVar("Response", bound=ProtobufMessage)


@dataclasses.dataclass(frozen=True, slots=True)
class Method(Generic[Request, Response]):
    """One call: its place on the wire and its two message classes."""

    service: str
    """Package and service, such as `attest.AttestedApi`."""
    name: str
    request: type[Request]
    response: type[Response]
    streams_response: bool = False

    @property
    def path(self) -> str:
        """The HTTP/2 path, `/<package>.<Service>/<Method>`."""
        return f"/{self.service}/{self.name}"


_ATTESTED = "attest.AttestedApi"
AUTH = Method(_ATTESTED, "Auth", AuthMessage, AuthMessage)

_CLIENT = "consensus_client.ConsensusClientAPI"
CLIENT_TX_PROPOSE = Method(_CLIENT, "ClientTxPropose", Message, ProposeTxResponse)
PROPOSE_MINT_CONFIG_TX = Method(
    _CLIENT, "ProposeMintConfigTx", MintConfigTx, ProposeMintConfigTxResponse
)
PROPOSE_MINT_TX = Method(_CLIENT, "ProposeMintTx", MintTx, ProposeMintTxResponse)
GET_NODE_CONFIG = Method(_CLIENT, "GetNodeConfig", Empty, ConsensusNodeConfig)

_BLOCKCHAIN = "consensus_common.BlockchainAPI"
GET_LAST_BLOCK_INFO = Method(_BLOCKCHAIN, "GetLastBlockInfo", Empty, LastBlockInfoResponse)
GET_BLOCKS = Method(_BLOCKCHAIN, "GetBlocks", BlocksRequest, BlocksResponse)

_PEER = "consensus_peer.ConsensusPeerAPI"
PEER_TX_PROPOSE = Method(_PEER, "PeerTxPropose", Message, ProposeTxResponse)
SEND_CONSENSUS_MSG = Method(_PEER, "SendConsensusMsg", ConsensusMsg, ConsensusMsgResponse)
GET_LATEST_MSG = Method(_PEER, "GetLatestMsg", Empty, GetLatestMsgResponse)
GET_TXS = Method(_PEER, "GetTxs", GetTxsRequest, GetTxsResponse)

_HEALTH = "grpc.health.v1.Health"
HEALTH_CHECK = Method(_HEALTH, "Check", HealthCheckRequest, HealthCheckResponse)
HEALTH_WATCH = Method(
    _HEALTH, "Watch", HealthCheckRequest, HealthCheckResponse, streams_response=True
)
"""Always refused, so it is served like a call with one answer: the bytes are the same."""
HEALTH_PING = Method(_HEALTH, "Ping", PingRequest, PingResponse)

_BUILD_INFO = "build_info.BuildInfoApi"
GET_BUILD_INFO = Method(_BUILD_INFO, "GetBuildInfo", Empty, BuildInfo)

_ADMIN = "admin.AdminAPI"
GET_PROMETHEUS_METRICS = Method(_ADMIN, "GetPrometheusMetrics", Empty, GetPrometheusMetricsResponse)
GET_INFO = Method(_ADMIN, "GetInfo", Empty, GetInfoResponse)
SET_RUST_LOG = Method(_ADMIN, "SetRustLog", SetRustLogRequest, Empty)
TEST_LOG_ERROR = Method(_ADMIN, "TestLogError", Empty, Empty)

METHODS: tuple[Method[Any, Any], ...] = (
    AUTH,
    CLIENT_TX_PROPOSE,
    PROPOSE_MINT_CONFIG_TX,
    PROPOSE_MINT_TX,
    GET_NODE_CONFIG,
    GET_LAST_BLOCK_INFO,
    GET_BLOCKS,
    PEER_TX_PROPOSE,
    SEND_CONSENSUS_MSG,
    GET_LATEST_MSG,
    GET_TXS,
    HEALTH_CHECK,
    HEALTH_WATCH,
    HEALTH_PING,
    GET_BUILD_INFO,
    GET_PROMETHEUS_METRICS,
    GET_INFO,
    SET_RUST_LOG,
    TEST_LOG_ERROR,
)
