"""What wallets are answered, status by status."""

import pytest
from google.protobuf.empty_pb2 import Empty

from mcnode.api.gen import external_pb2
from mcnode.api.gen.attest_pb2 import Message
from mcnode.api.gen.consensus_client_pb2 import MintValidationResultCode
from mcnode.api.gen.consensus_common_pb2 import ProposeTxResult
from mcnode.api.gen.consensus_config_pb2 import ConsensusNodeConfig
from mcnode.api.services import (
    CLIENT_TX_PROPOSE,
    GET_NODE_CONFIG,
    PROPOSE_MINT_CONFIG_TX,
    PROPOSE_MINT_TX,
)
from mcnode.consensus.config.errors import MissingMobConfig
from mcnode.consensus.metrics import NodeMetrics
from mcnode.consensus.services.client import (
    FAILURE_WINDOW_S,
    FAILURES_PER_SESSION_MAX,
    ClientService,
    SessionTracker,
)
from mcnode.consensus.services.guards import PENDING_LIMIT
from mcnode.consensus.tx_manager import NotInCache, TxCacheFull
from mcnode.crypto.keys import RistrettoPrivate
from mcnode.enclave.errors import (
    CacheCipher,
    Cipher,
    EnclaveGoneError,
    FeeMapDigestMismatch,
    MalformedTx,
    NotFound,
    Serialization,
)
from mcnode.enclave.interface import TxContext
from mcnode.ledger.errors import Deserialization, StorageUnavailable
from mcnode.peers.consensus_value import tx_hash_value
from mcnode.transaction.mint.errors import (
    InvalidBlockVersion,
    InvalidNonceLength,
    InvalidTokenId,
    NoGovernors,
    NonceAlreadyUsed,
)
from mcnode.transaction.validation.errors import (
    ContainsSpentKeyImage,
    InsufficientRingSize,
    LedgerTxOutIndexOutOfBounds,
    TombstoneBlockExceeded,
)

pytestmark = pytest.mark.asyncio

TX_HASH = b"\7" * 32
REQUEST = Message(channel_id=b"session 1", data=b"ciphertext")
LOCAL = ("chain-id", "local")
POINT = RistrettoPrivate((7).to_bytes(32, "little")).public_key().to_bytes()


class Node:
    """Everything around the service: enclave, transactions, mints, the node's state."""

    def __init__(self, guards, **changes) -> None:
        self.errors: dict[str, Exception] = {}
        self.calls: list[str] = []
        self.proposed: list = []
        self.pending, self.serving = 0, True
        self.metrics = NodeMetrics()
        self.sessions = SessionTracker(10)
        self.service = ClientService(
            guards=guards,
            state=self,
            enclave=self,
            txs=self,
            mints=self,
            propose=self.propose,
            node_config=self.node_config,
            block_version=3,
            sessions=self.sessions,
            metrics=self.metrics,
        )

    def happen(self, name: str) -> None:
        self.calls.append(name)
        if name in self.errors:
            raise self.errors[name]

    # The node's state.

    def pending_values(self) -> int:
        return self.pending

    def is_serving(self) -> bool:
        return self.serving

    def num_blocks(self) -> int:
        self.happen("num_blocks")
        return 5

    def node_config(self) -> ConsensusNodeConfig:
        self.happen("node_config")
        return ConsensusNodeConfig(peer_responder_id="node1.test:8443", block_version=3)

    async def propose(self, value) -> None:
        self.happen("propose")
        self.proposed.append(value)

    # The enclave.

    async def client_discard_message(self, message) -> None:
        self.happen("discard")
        assert (message.channel_id, message.data) == (b"session 1", b"ciphertext")

    async def client_tx_propose(self, message) -> TxContext:
        self.happen("client_tx_propose")
        return TxContext(b"", TX_HASH, (), (), ())

    # Managers.

    async def insert(self, context) -> bytes:
        self.happen("insert")
        return context.tx_hash

    def check(self, tx_hash) -> None:
        self.happen("check")

    def check_mint_config_tx(self, tx) -> None:
        self.happen("check_mint_config_tx")

    def check_mint_tx(self, tx) -> None:
        self.happen("check_mint_tx")


@pytest.fixture
def node(make_guards):
    return Node(make_guards())


@pytest.fixture
def guarded(make_guards):
    """A node that wants tokens."""
    return Node(make_guards(secret=bytes(32)))


# -- ClientTxPropose -------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [(), (LOCAL,)])
async def test_a_good_transaction_is_taken(serving, node, headers) -> None:
    async with serving(node.service.served()) as call:
        response = await call(CLIENT_TX_PROPOSE, REQUEST, *headers)
    assert response.result == ProposeTxResult.Ok
    assert (response.block_count, response.block_version, response.err_msg) == (5, 3, "")
    assert node.proposed == [tx_hash_value(TX_HASH)]
    assert node.calls == ["client_tx_propose", "insert", "check", "propose", "num_blocks"]
    text = node.metrics.text()
    assert 'consensus_scp{op="add_tx_initiated"} 1' in text
    assert 'consensus_scp{op="add_tx"} 1' in text


@pytest.mark.parametrize(
    ("step", "error", "code", "text"),
    [
        ("check", ContainsSpentKeyImage(b"\1" * 32), ProposeTxResult.ContainsSpentKeyImage, None),
        ("check", TombstoneBlockExceeded(4, 5), ProposeTxResult.TombstoneBlockExceeded, None),
        (
            "insert",
            MalformedTx(InsufficientRingSize(0, 10)),
            ProposeTxResult.InsufficientRingSize,
            str(InsufficientRingSize(0, 10)),
        ),
        (
            "insert",
            LedgerTxOutIndexOutOfBounds(99),
            ProposeTxResult.LedgerTxOutIndexOutOfBounds,
            None,
        ),
        (
            "client_tx_propose",
            FeeMapDigestMismatch(),
            ProposeTxResult.FeeMapDigestMismatch,
            "Fee Map Digest Mismatch",
        ),
    ],
)
async def test_a_broken_rule_is_an_answer(serving, node, step, error, code, text) -> None:
    node.errors[step] = error
    async with serving(node.service.served()) as call:
        response = await call(CLIENT_TX_PROPOSE, REQUEST)
    assert response.result == code
    assert response.err_msg == (str(error) if text is None else text)
    assert (response.block_count, response.block_version) == (5, 3)
    assert node.proposed == []
    assert "consensus_service_tx_validation_errors{" in node.metrics.text()
    assert node.sessions.failed(b"session 1", 1_700_000_000.0) == 2


@pytest.mark.parametrize(
    ("step", "error", "status", "text"),
    [
        (
            "client_tx_propose",
            NotFound("session"),
            "PERMISSION_DENIED",
            "Permission Denied (attestation)",
        ),
        (
            "client_tx_propose",
            Cipher("does not decrypt"),
            "PERMISSION_DENIED",
            "Permission Denied (attestation)",
        ),
        (
            "client_tx_propose",
            Serialization("no transaction"),
            "INTERNAL",
            "Internal error: Enclave error: `no transaction`",
        ),
        (
            "insert",
            CacheCipher("not ours"),
            "INTERNAL",
            "Internal error: Enclave error: `not ours`",
        ),
        ("insert", EnclaveGoneError("gone"), "UNAVAILABLE", "Temporarily not serving requests"),
        ("insert", TxCacheFull(9, 9), "UNAVAILABLE", "Temporarily over capacity"),
        ("num_blocks", Deserialization("damaged"), "INTERNAL", "Ledger error: damaged"),
        ("check", StorageUnavailable("no disk"), "INTERNAL", "Ledger error: no disk"),
        (
            "check",
            NotInCache([TX_HASH]),
            "INTERNAL",
            f"tx manager error: Tx(s) not in cache [{TX_HASH.hex()}]",
        ),
    ],
)
async def test_every_other_failure_has_its_status(serving, node, step, error, status, text) -> None:
    node.errors[step] = error
    async with serving(node.service.served()) as call:
        assert await call.refused(CLIENT_TX_PROPOSE, REQUEST) == (status, text)


async def test_over_capacity_the_nonce_is_kept_in_step(serving, node) -> None:
    node.pending = PENDING_LIMIT
    node.serving = False  # capacity comes first
    async with serving(node.service.served()) as call:
        refused = await call.refused(CLIENT_TX_PROPOSE, REQUEST)
    assert refused == ("UNAVAILABLE", "Temporarily over capacity")
    assert node.calls == ["discard"]


async def test_just_below_capacity_is_fine(serving, node) -> None:
    node.pending = PENDING_LIMIT - 1
    async with serving(node.service.served()) as call:
        await call(CLIENT_TX_PROPOSE, REQUEST)


async def test_a_node_that_is_not_serving_says_so_and_keeps_the_nonce_in_step(
    serving, node
) -> None:
    node.serving = False
    async with serving(node.service.served()) as call:
        for _ in range(2):
            refused = await call.refused(CLIENT_TX_PROPOSE, REQUEST)
            assert refused == ("UNAVAILABLE", "Temporarily not serving requests")
    assert node.calls == ["discard"] * 2


async def test_an_unknown_session_comes_before_capacity(serving, node) -> None:
    node.pending = PENDING_LIMIT
    node.errors["discard"] = NotFound("session")
    async with serving(node.service.served()) as call:
        refused = await call.refused(CLIENT_TX_PROPOSE, REQUEST)
    assert refused == ("PERMISSION_DENIED", "Permission Denied (attestation)")


# -- guards ----------------------------------------------------------------------------------------

GUARDED = [
    (CLIENT_TX_PROPOSE, REQUEST),
    (PROPOSE_MINT_CONFIG_TX, external_pb2.MintConfigTx()),
    (PROPOSE_MINT_TX, external_pb2.MintTx()),
]


@pytest.mark.parametrize(("method", "request_"), GUARDED)
@pytest.mark.parametrize(
    "headers", [[("chain-id", "other")], [("chain-id", "")], [LOCAL, ("chain-id", "other")]]
)
async def test_another_networks_wallet_is_told_ours(
    serving, guarded, method, request_, headers
) -> None:
    async with serving(guarded.service.served()) as call:  # before authentication
        refused = await call.refused(method, request_, *headers)
    assert refused == ("FAILED_PRECONDITION", "chain-id mismatch: 'local'")
    assert guarded.calls == []


@pytest.mark.parametrize(("method", "request_"), GUARDED)
async def test_without_credentials_nothing_is_looked_at(serving, guarded, method, request_) -> None:
    async with serving(guarded.service.served()) as call:
        assert await call.refused(method, request_) == ("UNAUTHENTICATED", "Unauthenticated")
    assert guarded.calls == []


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ("", "Authorization header error: Unsupported authorization method"),
        ("basic YTpi", "Authorization header error: Unsupported authorization method"),
        ("Basic", "Authorization header error: Invalid authorization header"),
        ("Basic !!", "Authorization header error: Invalid authorization header"),
        ("Basic  YTpi", "Authorization header error: Invalid credentials"),
        ("Basic YWI=", "Authorization header error: Invalid credentials"),
    ],
)
async def test_a_header_that_is_there_must_be_well_formed(serving, node, header, text) -> None:
    async with serving(node.service.served()) as call:
        refused = await call.refused(CLIENT_TX_PROPOSE, REQUEST, ("authorization", header))
    assert refused == ("UNAUTHENTICATED", text)


async def test_sessions_are_tracked_before_anything_is_checked(serving, guarded) -> None:
    async with serving(guarded.service.served()) as call:
        await call.refused(CLIENT_TX_PROPOSE, REQUEST)
    assert list(guarded.sessions._failures) == [b"session 1"]


# -- mints -----------------------------------------------------------------------------------------

MINT_TX = external_pb2.MintTx(
    prefix=external_pb2.MintTxPrefix(
        token_id=1,
        view_public_key=external_pb2.CompressedRistretto(data=POINT),
        spend_public_key=external_pb2.CompressedRistretto(data=POINT),
    )
)
MINTS = [
    (PROPOSE_MINT_CONFIG_TX, external_pb2.MintConfigTx(), "check_mint_config_tx"),
    (PROPOSE_MINT_TX, MINT_TX, "check_mint_tx"),
]


@pytest.mark.parametrize(("method", "request_", "check"), MINTS)
async def test_a_good_mint_is_taken_and_has_no_result(
    serving, node, method, request_, check
) -> None:
    async with serving(node.service.served()) as call:
        response = await call(method, request_)
    assert not response.HasField("result")
    assert (response.block_count, response.block_version) == (5, 3)
    assert len(node.proposed) == 1
    assert node.calls == [check, "propose", "num_blocks"]


@pytest.mark.parametrize(("method", "request_", "check"), MINTS)
@pytest.mark.parametrize(
    ("error", "code", "fields"),
    [
        (NonceAlreadyUsed(bytes(64), 1), "NonceAlreadyUsed", {}),
        (NoGovernors(7), "NoGovernors", {"token_id": 7}),
        (InvalidTokenId(8), "InvalidTokenId", {"token_id": 8}),
        (InvalidNonceLength(5), "InvalidNonceLength", {"nonce_length": 5}),
        (InvalidBlockVersion(1), "InvalidBlockVersion", {"block_version": 1}),
    ],
)
async def test_a_mint_that_breaks_a_rule_is_an_answer(
    serving, node, method, request_, check, error, code, fields
) -> None:
    node.errors[check] = error
    async with serving(node.service.served()) as call:
        response = await call(method, request_)
    assert response.result.code == MintValidationResultCode.Value(code)
    for name in ("token_id", "nonce_length", "block_version"):
        assert getattr(response.result, name) == fields.get(name, 0)
    assert (response.block_count, response.block_version) == (5, 3)
    assert node.proposed == []


@pytest.mark.parametrize(("method", "request_", "check"), MINTS)
@pytest.mark.parametrize(
    ("pending", "is_serving", "text"),
    [
        (PENDING_LIMIT, True, "Temporarily over capacity"),
        (0, False, "Temporarily not serving requests"),
    ],
)
async def test_mints_are_refused_like_transactions_but_nothing_is_discarded(
    serving, node, method, request_, check, pending, is_serving, text
) -> None:
    node.pending, node.serving = pending, is_serving
    async with serving(node.service.served()) as call:
        assert await call.refused(method, request_) == ("UNAVAILABLE", text)
    assert node.calls == []


@pytest.mark.parametrize(("method", "request_", "check"), MINTS)
async def test_a_ledger_that_fails_is_not_the_mints_fault(
    serving, node, method, request_, check
) -> None:
    node.errors[check] = Deserialization("damaged")
    async with serving(node.service.served()) as call:
        assert await call.refused(method, request_) == ("INTERNAL", "Ledger error: damaged")


async def test_a_mint_without_keys_does_not_convert(serving, node) -> None:
    async with serving(node.service.served()) as call:
        refused = await call.refused(PROPOSE_MINT_TX, external_pb2.MintTx())
    assert refused == ("INTERNAL", "Internal error: Invalid argument `ArrayCastError`")


# -- GetNodeConfig ---------------------------------------------------------------------------------


async def test_the_configuration_is_for_everybody(serving, guarded) -> None:
    async with serving(guarded.service.served()) as call:
        response = await call(GET_NODE_CONFIG, Empty(), ("chain-id", "other"))
    assert response == ConsensusNodeConfig(peer_responder_id="node1.test:8443", block_version=3)


async def test_a_tokens_file_that_went_bad_is_an_internal_error(serving, node) -> None:
    node.errors["node_config"] = MissingMobConfig()
    async with serving(node.service.served()) as call:
        refused = await call.refused(GET_NODE_CONFIG, Empty())
    assert refused == (
        "INTERNAL",
        "Internal error: Configuration error `Missing MOB token configuration`",
    )


# -- session tracking ------------------------------------------------------------------------------


async def test_the_least_recently_used_session_goes() -> None:
    sessions = SessionTracker(2)
    for session in (b"a", b"b", b"a", b"c"):
        sessions.touch(session)
    assert sessions.failed(b"a", 0.0) == 1
    assert sessions.failed(b"a", 0.0) == 2
    assert sessions.failed(b"b", 0.0) == 1
    assert sessions.failed(b"b", 0.0) == 1  # forgotten, so nothing is kept


async def test_failures_count_for_a_minute_and_within_a_limit() -> None:
    sessions = SessionTracker(2)
    sessions.touch(b"a")
    sessions.failed(b"a", 0.0)
    assert sessions.failed(b"a", FAILURE_WINDOW_S - 0.1) == 2
    assert sessions.failed(b"a", FAILURE_WINDOW_S) == 2
    for _ in range(2 * FAILURES_PER_SESSION_MAX):
        count = sessions.failed(b"a", FAILURE_WINDOW_S)
    assert count == FAILURES_PER_SESSION_MAX


async def test_no_tracking_at_all_is_fine() -> None:
    sessions = SessionTracker(0)
    sessions.touch(b"a")
    assert sessions.failed(b"a", 0.0) == 1
