"""The client against a stand-in node: real gRPC, real handshake, real simulated evidence."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.empty_pb2 import Empty

from mcnode.api.gen.attest_pb2 import AuthMessage, Message
from mcnode.api.gen.consensus_client_pb2 import MintValidationResult, ProposeMintTxResponse
from mcnode.api.gen.consensus_common_pb2 import LastBlockInfoResponse, ProposeTxResponse
from mcnode.api.gen.external_pb2 import MintTx as WireMintTx
from mcnode.api.rpc import Call, StatusError, handlers, serve
from mcnode.api.services import AUTH, CLIENT_TX_PROPOSE, GET_LAST_BLOCK_INFO, PROPOSE_MINT_TX
from mcnode.attest.dcap import DcapVerifier
from mcnode.attest.evidence import ReportDataContents
from mcnode.attest.identity import TrustedMrEnclave
from mcnode.attest.key_exchange import Responder, answer_client
from mcnode.attest.messages import DcapEvidence, Quote3
from mcnode.attest.report import ReportBody
from mcnode.attest.simulation import DEFAULT_SEED, SimulatedPlatform, simulation_anchor
from mcnode.codec import protobuf
from mcnode.connection.attested import Accepted, AttestedClient, Trust, token_credentials
from mcnode.connection.auth_token import BasicCredentials, parse_authorization_header
from mcnode.connection.channel import SERVER_OPTIONS
from mcnode.connection.errors import (
    CallFailed,
    CallRefused,
    EvidenceRefused,
    HandshakeFailed,
    MintTxRefused,
    TxRefused,
    may_retry,
)
from mcnode.connection.uri import CLIENT, parse_uri
from mcnode.crypto.keys import X25519Private
from mcnode.crypto.noise import AeadError, Transport
from mcnode.transaction.messages import MintTx, Tx, TxPrefix
from support.seeds import random_bytes_of

random_bytes = random_bytes_of(__name__)

pytestmark = pytest.mark.asyncio

NOW = 1_700_000_000
MR_ENCLAVE = bytes([7]) * 32
STATIC = X25519Private(bytes([5]) * 32)
TRUST = Trust(DcapVerifier(simulation_anchor(), (TrustedMrEnclave(MR_ENCLAVE),), allow_debug=True))


def simulated_evidence() -> DcapEvidence:
    platform = SimulatedPlatform.issue(DEFAULT_SEED, NOW, random_bytes)
    contents = ReportDataContents(bytes(16), STATIC.public_key().to_bytes())
    body = ReportBody(mr_enclave=MR_ENCLAVE, report_data=contents.sha256() + bytes(32))
    quote = Quote3(platform.quote(body, random_bytes))
    return DcapEvidence(quote, platform.collateral, contents.to_message())


EVIDENCE = simulated_evidence()


@dataclasses.dataclass
class StandIn:
    """A node that decrypts and remembers; `answer` decides what it says to a payment."""

    responder_id: str = ""
    answer: Callable[[], ProposeTxResponse] = lambda: ProposeTxResponse(
        block_count=9, block_version=4
    )
    sessions: dict[bytes, Transport] = dataclasses.field(default_factory=dict)
    plaintexts: list[bytes] = dataclasses.field(default_factory=list)
    headers: list[tuple[str, dict[str, Any]]] = dataclasses.field(default_factory=list)

    def note(self, name: str, call: Any) -> None:
        self.headers.append((name, dict(call.invocation_metadata())))

    async def auth(self, request: AuthMessage, call: Any) -> AuthMessage:
        self.note("Auth", call)
        await call.send_initial_metadata((("set-cookie", "route=abc; Path=/; HttpOnly"),))
        responder = Responder(self.responder_id, STATIC.to_bytes(), EVIDENCE)
        response, transport = answer_client(request.data, responder, random_bytes(32))
        self.sessions[transport.channel_id] = transport
        return AuthMessage(data=response)

    async def propose(self, request: Message, call: Call) -> ProposeTxResponse:
        self.note("ClientTxPropose", call)
        try:
            session = self.sessions[request.channel_id]
            self.plaintexts.append(session.decrypt(request.data, request.aad))
        except (KeyError, AeadError) as error:
            raise StatusError(
                grpc.StatusCode.PERMISSION_DENIED, "Permission Denied (attestation)"
            ) from error
        return self.answer()

    async def info(self, _request: Empty, call: Call) -> LastBlockInfoResponse:
        self.note("GetLastBlockInfo", call)
        return LastBlockInfoResponse(index=8, mob_minimum_fee=5, network_block_version=4)

    async def mint(self, request: WireMintTx, _call: Call) -> ProposeMintTxResponse:
        if request.prefix.token_id == 1:
            return ProposeMintTxResponse(block_count=9, block_version=4)
        return ProposeMintTxResponse(result=MintValidationResult(code=10), block_count=9)


@contextlib.asynccontextmanager
async def running(
    *, query: str = "", user: str = "", **options: Any
) -> AsyncIterator[tuple[StandIn, AttestedClient]]:
    node = StandIn()
    server = grpc.aio.server(options=SERVER_OPTIONS)
    server.add_generic_rpc_handlers(
        handlers(
            [
                serve(AUTH, node.auth),
                serve(CLIENT_TX_PROPOSE, node.propose),
                serve(GET_LAST_BLOCK_INFO, node.info),
                serve(PROPOSE_MINT_TX, node.mint),
            ]
        )
    )
    port = server.add_insecure_port("127.0.0.1:0")
    node.responder_id = f"127.0.0.1:{port}"
    await server.start()
    uri = parse_uri(f"insecure-mc://{user}127.0.0.1:{port}/{query}", CLIENT)
    options = {"chain_id": "local", "trust": TRUST, "unix_time": lambda: NOW + 60.0} | options
    try:
        async with AttestedClient(uri, **options) as client:
            yield node, client
    finally:
        await server.stop(None)


TX = Tx(prefix=TxPrefix(fee=7))


async def test_a_payment_arrives_as_it_was_encoded() -> None:
    async with running() as (node, client):
        assert await client.propose_tx(TX) == Accepted(block_count=9, block_version=4)
        assert client.is_attested
    assert node.plaintexts == [protobuf.encode(TX)]
    assert node.headers == [
        ("Auth", {**node.headers[0][1], "chain-id": "local"}),
        ("ClientTxPropose", {**node.headers[1][1], "chain-id": "local", "cookie": "route=abc"}),
    ]
    assert "authorization" not in node.headers[0][1]


async def test_concurrent_payments_keep_the_order_of_nonces() -> None:
    async with running() as (node, client):
        payments = [TxPrefix(fee=number) for number in range(20)]
        await asyncio.gather(*(client.propose_tx(Tx(prefix=prefix)) for prefix in payments))
    assert len(node.plaintexts) == 20
    assert len(node.sessions) == 1


async def test_a_lost_session_is_reported_and_the_next_call_begins_another() -> None:
    async with running() as (node, client):
        await client.propose_tx(TX)
        node.sessions.clear()
        with pytest.raises(CallFailed, match="PERMISSION_DENIED: Permission Denied") as caught:
            await client.propose_tx(TX)
        assert may_retry(caught.value)
        assert not client.is_attested
        await client.propose_tx(TX)
        assert len(node.plaintexts) == 2


async def test_refused_transactions_carry_code_name_and_the_nodes_words() -> None:
    async with running() as (node, client):
        node.answer = lambda: ProposeTxResponse(result=27, err_msg="spent", block_count=9)
        with pytest.raises(TxRefused, match="ContainsSpentKeyImage: spent") as caught:
            await client.propose_tx(TX)
        assert (caught.value.result, caught.value.name) == (27, "ContainsSpentKeyImage")
        assert not may_retry(caught.value)
        node.answer = lambda: ProposeTxResponse(result=54)
        with pytest.raises(TxRefused) as behind:
            await client.propose_tx(TX)
        assert may_retry(behind.value)
        node.answer = lambda: ProposeTxResponse(result=999)
        with pytest.raises(TxRefused, match="result 999"):
            await client.propose_tx(TX)
        assert client.is_attested


async def test_another_responder_id_shows_as_an_unreadable_handshake() -> None:
    async with running(query="?responder-id=other:1") as (_, client):
        with pytest.raises(HandshakeFailed, match="the node may not be other:1") as caught:
            await client.attest()
        assert may_retry(caught.value)


async def test_another_measurement_is_refused_for_good() -> None:
    stranger = TrustedMrEnclave(bytes(32))
    trust = Trust(DcapVerifier(simulation_anchor(), (stranger,), allow_debug=True))
    async with running(trust=trust) as (_, client):
        with pytest.raises(EvidenceRefused, match="enclave identity") as caught:
            await client.propose_tx(TX)
        assert not may_retry(caught.value)
        assert not client.is_attested


async def test_stale_evidence_is_refused() -> None:
    async with running(unix_time=lambda: NOW + 40 * 86400.0) as (_, client):
        with pytest.raises(EvidenceRefused, match=r"\[ \] TCB info"):
            await client.attest()


async def test_without_trust_nothing_is_proposed() -> None:
    async with running(trust=None) as (node, client):
        with pytest.raises(EvidenceRefused):
            await client.propose_tx(TX)
        assert node.headers == []


async def test_block_info_needs_no_session() -> None:
    async with running(user="me:secret@") as (node, client):
        info = await client.fetch_block_info()
        assert (info.block_index, dict(info.minimum_fees)) == (8, {0: 5})
        assert not client.is_attested
    header = node.headers[0][1]["authorization"]
    assert parse_authorization_header(header) == BasicCredentials("me", "secret")


async def test_tokens_are_made_anew_for_each_call() -> None:
    times = iter([100.0, 200.0])
    credentials = token_credentials(bytes(32), "me", lambda: next(times))
    async with running(credentials=credentials) as (node, client):
        await client.fetch_block_info()
        await client.fetch_block_info()
    sent = [parse_authorization_header(headers["authorization"]) for _, headers in node.headers]
    assert [each.password.split(":")[1] for each in sent] == ["100", "200"]


async def test_mint_transactions() -> None:
    async with running() as (_, client):
        good = MintTx(prefix=dataclasses.replace(MintTx().prefix, token_id=1))
        assert await client.propose_mint_tx(good) == Accepted(9, 4)
        with pytest.raises(MintTxRefused, match="NoGovernors") as caught:
            await client.propose_mint_tx(MintTx())
        assert caught.value.code == 10


async def test_unknown_methods_and_absent_nodes() -> None:
    async with running() as (_, client):
        with pytest.raises(CallRefused, match="UNIMPLEMENTED"):
            await client.fetch_node_config()
    uri = parse_uri("insecure-mc://127.0.0.1:1/", CLIENT)
    async with AttestedClient(uri, chain_id="", trust=None) as absent:
        with pytest.raises(CallFailed, match="UNAVAILABLE") as caught:
            await absent.fetch_block_info()
        assert may_retry(caught.value)
