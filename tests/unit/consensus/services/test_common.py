"""Services that more than one listener has: headers of blocks, handshakes, health, operators."""

import json
import socket

import pytest
import structlog
from google.protobuf.empty_pb2 import Empty

from mcnode.api.convert import from_generated
from mcnode.api.gen.admin_pb2 import SetRustLogRequest
from mcnode.api.gen.attest_pb2 import AuthMessage
from mcnode.api.gen.build_info_pb2 import BuildInfo
from mcnode.api.gen.consensus_common_pb2 import BlocksRequest
from mcnode.api.gen.health_pb2 import HealthCheckRequest, HealthCheckResponse, PingRequest
from mcnode.api.services import (
    AUTH,
    GET_BLOCKS,
    GET_BUILD_INFO,
    GET_INFO,
    GET_LAST_BLOCK_INFO,
    GET_PROMETHEUS_METRICS,
    HEALTH_CHECK,
    HEALTH_PING,
    HEALTH_WATCH,
    SET_RUST_LOG,
    TEST_LOG_ERROR,
)
from mcnode.blockchain.block import Block, make_child_block, make_origin_block
from mcnode.blockchain.contents import BlockContents
from mcnode.connection.channel import CannotListen
from mcnode.connection.uri import ADMIN, parse_uri
from mcnode.consensus.config.errors import FileReadError
from mcnode.consensus.listeners import Listener, stop_all
from mcnode.consensus.metrics import NodeMetrics
from mcnode.consensus.services import blockchain
from mcnode.consensus.services.admin import AdminService, BuildInfoService
from mcnode.consensus.services.attested import AttestedService
from mcnode.consensus.services.blockchain import BlockchainService
from mcnode.consensus.services.health import HealthService
from mcnode.enclave.errors import Decode, EnclaveGoneError
from mcnode.enclave.interface import Accepted
from mcnode.errors import InvalidError
from mcnode.ledger.errors import Deserialization

pytestmark = pytest.mark.asyncio

LOCAL = ("chain-id", "local")


# -- BlockchainAPI ---------------------------------------------------------------------------------


class FakeLedger:
    """Ten headers."""

    def __init__(self) -> None:
        self.headers: list[Block] = []
        self.error: Exception | None = None
        block, _ = make_origin_block(())
        self.headers.append(block)
        while len(self.headers) < 10:
            contents = BlockContents((b"%032d" % len(self.headers),), (), (), ())
            self.headers.append(make_child_block(self.headers[-1], 2, contents))

    def num_blocks(self) -> int:
        if self.error is not None:
            raise self.error
        return len(self.headers)

    def get_blocks(self, first: int, count: int) -> list[Block]:
        if self.error is not None:
            raise self.error
        return self.headers[first : first + count]


@pytest.fixture
def ledger():
    return FakeLedger()


@pytest.fixture
def make_blockchain(ledger, make_guards):
    def make(secret: bytes | None = None):
        fees = {0: 400_000_000, 8: 1024}
        return BlockchainService(make_guards(secret), ledger, fees, block_version=3).served()

    return make


async def test_the_last_block_comes_with_fees_and_version(serving, make_blockchain) -> None:
    async with serving(make_blockchain()) as call:
        info = await call(GET_LAST_BLOCK_INFO, Empty(), ("chain-id", "other"))
    assert (info.index, info.mob_minimum_fee, info.network_block_version) == (9, 400_000_000, 3)
    assert dict(info.minimum_fees) == {0: 400_000_000, 8: 1024}


@pytest.mark.parametrize(
    ("offset", "limit", "expected"),
    [
        (0, 0, []),
        (0, 1, [0]),
        (0, 10, range(10)),
        (8, 100, [8, 9]),
        (10, 5, []),
        (2**64 - 1, 2**32 - 1, []),
    ],
)
async def test_headers_are_cut_at_the_end(
    serving, make_blockchain, ledger, offset, limit, expected
) -> None:
    async with serving(make_blockchain()) as call:
        response = await call(GET_BLOCKS, BlocksRequest(offset=offset, limit=limit))
    blocks = [from_generated(block, Block) for block in response.blocks]
    assert blocks == [ledger.headers[index] for index in expected]


async def test_a_call_gives_so_many_headers_at_most(serving, make_blockchain, monkeypatch) -> None:
    assert blockchain.HEADERS_PER_CALL_MAX == 2000
    monkeypatch.setattr(blockchain, "HEADERS_PER_CALL_MAX", 5)
    async with serving(make_blockchain()) as call:
        response = await call(GET_BLOCKS, BlocksRequest(offset=1, limit=100))
    assert [block.index for block in response.blocks] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("method", [GET_LAST_BLOCK_INFO, GET_BLOCKS])
async def test_headers_need_credentials_where_the_node_wants_them(
    serving, make_blockchain, method
) -> None:
    async with serving(make_blockchain(secret=bytes(32))) as call:
        refused = await call.refused(method, method.request())
    assert refused == ("UNAUTHENTICATED", "Unauthenticated")


@pytest.mark.parametrize("method", [GET_LAST_BLOCK_INFO, GET_BLOCKS])
async def test_a_ledger_that_fails_is_an_internal_error_without_text(
    serving, make_blockchain, ledger, method
) -> None:
    ledger.error = Deserialization("damaged")
    async with serving(make_blockchain()) as call:
        assert await call.refused(method, method.request()) == ("INTERNAL", "")


# -- AttestedApi -----------------------------------------------------------------------------------


@pytest.fixture
def accepted():
    """Handshake messages that the trusted process was given."""
    return []


@pytest.fixture
def make_attested(make_guards, accepted):
    def make(name="client_auth", secret: bytes | None = None, error: Exception | None = None):
        async def accept(data: bytes) -> Accepted:
            accepted.append(data)
            if error is not None:
                raise error
            return Accepted(b"answer to " + data, bytes(64))

        return AttestedService(make_guards(secret), accept, name).served()

    return make


async def test_a_handshake_is_answered(serving, make_attested) -> None:
    async with serving(make_attested()) as call:
        response = await call(AUTH, AuthMessage(data=b"hello"), LOCAL)
    assert response.data == b"answer to hello"


@pytest.mark.parametrize("name", ["client_auth", "peer_auth"])
async def test_why_a_handshake_fails_is_not_told(serving, make_attested, name) -> None:
    error = Decode("truncated")
    with structlog.testing.capture_logs() as logs:
        async with serving(make_attested(name, error=error)) as call:
            refused = await call.refused(AUTH, AuthMessage(data=b"hello"))
    assert refused == ("PERMISSION_DENIED", f"{name}: Permission denied")
    assert logs[0]["reason"] == str(error)


async def test_without_a_trusted_process_a_handshake_may_be_tried_again(
    serving, make_attested
) -> None:
    async with serving(make_attested(error=EnclaveGoneError("gone"))) as call:
        refused = await call.refused(AUTH, AuthMessage(data=b"hello"))
    assert refused == ("UNAVAILABLE", "Temporarily not serving requests")


async def test_chain_and_credentials_come_before_the_trusted_process(
    serving, make_attested, accepted
) -> None:
    async with serving(make_attested(secret=bytes(32))) as call:
        other = await call.refused(AUTH, AuthMessage(), ("chain-id", "other"))
        nobody = await call.refused(AUTH, AuthMessage(), LOCAL)
    assert other == ("FAILED_PRECONDITION", "chain-id mismatch: 'local'")
    assert nobody == ("UNAUTHENTICATED", "Unauthenticated")
    assert accepted == []


# -- Health ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_serving", [True, False])
async def test_health_is_what_the_node_says(serving, is_serving) -> None:
    async with serving(HealthService(lambda: is_serving).served()) as call:
        response = await call(HEALTH_CHECK, HealthCheckRequest(service="whatever"))
        assert (response.status == HealthCheckResponse.SERVING) is is_serving
        assert (await call(HEALTH_PING, PingRequest(data=b"\0\1"))).data == b"\0\1"
        refused = await call.refused(HEALTH_WATCH, HealthCheckRequest())
    assert refused == ("UNIMPLEMENTED", "Unimplemented")


# -- operators -------------------------------------------------------------------------------------


class Filter:
    def __init__(self) -> None:
        self.text = "info"

    def current(self) -> str:
        return self.text

    def set(self, text: str) -> None:
        if text == "bad":
            raise InvalidError("no such filter: bad")
        self.text = text


class Operators:
    def __init__(self) -> None:
        self.error: Exception | None = None
        self.filter = Filter()
        self.build_info = BuildInfo(git_commit="abc", sgx_mode="SW")
        self.service = AdminService(
            name="Consensus Service",
            id="node1.test:8443",
            build_info=self.build_info,
            build_info_json='{ "GIT_COMMIT": "abc" }',
            info=self.info,
            metrics_text=lambda: "consensus_scp 1\n",
            log_filter=self.filter,
        )

    async def info(self):
        if self.error is not None:
            raise self.error
        return {"status": {"b": 1, "a": None}, "config": {}}


@pytest.fixture
def operators():
    return Operators()


async def test_operators_see_who_the_node_is_and_how(serving, operators) -> None:
    async with serving(operators.service.served()) as call:
        info = await call(GET_INFO, Empty())
        metrics = await call(GET_PROMETHEUS_METRICS, Empty())
    assert (info.name, info.id, info.rust_log) == ("Consensus Service", "node1.test:8443", "info")
    assert info.build_info == operators.build_info
    assert info.build_info_json == '{ "GIT_COMMIT": "abc" }'
    assert info.config_json == '{"config":{},"status":{"a":null,"b":1}}'
    assert json.loads(info.config_json)["status"]["b"] == 1
    assert metrics.metrics == "consensus_scp 1\n"


async def test_a_file_that_went_bad_is_told(serving, operators) -> None:
    operators.error = FileReadError("No such file or directory (os error 2)")
    async with serving(operators.service.served()) as call:
        status, text = await call.refused(GET_INFO, Empty())
    assert status == "INTERNAL"
    assert "No such file" in text


async def test_the_log_filter_changes_while_the_node_runs(serving, operators) -> None:
    async with serving(operators.service.served()) as call:
        await call(SET_RUST_LOG, SetRustLogRequest(rust_log="debug"))
        assert (await call(GET_INFO, Empty())).rust_log == "debug"
        refused = await call.refused(SET_RUST_LOG, SetRustLogRequest(rust_log="bad"))
    assert refused == ("INVALID_ARGUMENT", "no such filter: bad")
    assert operators.filter.text == "debug"


async def test_operators_see_where_an_error_ends_up(serving, operators) -> None:
    with structlog.testing.capture_logs() as logs:
        async with serving(operators.service.served()) as call:
            await call(TEST_LOG_ERROR, Empty())
    assert [entry["log_level"] for entry in logs] == ["error"]


async def test_build_facts_are_for_everybody(serving, operators) -> None:
    async with serving(BuildInfoService(operators.build_info).served()) as call:
        assert await call(GET_BUILD_INFO, Empty()) == operators.build_info


# -- listeners -------------------------------------------------------------------------------------


async def test_a_port_is_listened_on_once(operators) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        uri = parse_uri(f"insecure-mca://127.0.0.1:{taken.getsockname()[1]}/", ADMIN)
        with pytest.raises(CannotListen, match="is the port taken"):
            Listener("admin", uri, operators.service.served(), NodeMetrics())


async def test_listeners_start_and_stop_in_order(operators) -> None:
    uri = parse_uri("insecure-mca://127.0.0.1:0/", ADMIN)
    listeners = [
        Listener(name, uri, operators.service.served(), NodeMetrics()) for name in ("a", "b")
    ]
    with structlog.testing.capture_logs() as logs:
        for listener in listeners:
            await listener.start()
            listener.reload_certificates()  # nothing to reload without TLS
        await stop_all(listeners)
    assert [entry["listener"] for entry in logs] == ["a", "b"]
