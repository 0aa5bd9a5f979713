"""Garbage, truncated and oversized input on the three listeners of a node.

Every call gets the network's own status, and afterwards the node makes blocks as before.
"""

import random

import pytest

from mcnode.api.gen.admin_pb2 import SetRustLogRequest
from mcnode.api.gen.attest_pb2 import AuthMessage, Message
from mcnode.api.gen.consensus_common_pb2 import BlocksRequest, BlocksResponse
from mcnode.api.gen.consensus_peer_pb2 import ConsensusMsg, GetTxsRequest
from mcnode.api.services import (
    AUTH,
    CLIENT_TX_PROPOSE,
    GET_BLOCKS,
    GET_INFO,
    GET_TXS,
    HEALTH_CHECK,
    HEALTH_WATCH,
    PEER_TX_PROPOSE,
    PROPOSE_MINT_TX,
    SEND_CONSENSUS_MSG,
    SET_RUST_LOG,
)
from mcnode.attest.key_exchange import start_client
from mcnode.codec import protobuf
from mcnode.connection.errors import CallFailed
from support.wire import call_raw, send_and_drain, status_of

MESSAGE_BYTES_MAX = 4 << 20
UNDECODABLE = "Failed to deserialize response message: Codec(WireError(UnexpectedEof))"
OVERSIZED = f"Received message larger than max ({MESSAGE_BYTES_MAX + 1} vs. {MESSAGE_BYTES_MAX})"
TRUNCATED = b"\x1a\x7fcut"  # field 3 announces 127 bytes, 3 follow
HTTP2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SEED = 20


@pytest.fixture(scope="module")
def node(make_module_node):
    return make_module_node().start_and_serve()


@pytest.fixture(scope="module")
def purse(world):
    return world.purse()


@pytest.fixture(params=["client", "peer", "admin"])
def port(request, node):
    return getattr(node.ports, request.param)


@pytest.fixture(autouse=True)
def node_goes_on(node, purse):
    """After whatever a test sent, the same process takes a payment to its end."""
    assert node.is_running
    pid, height = node.daemon.pid, node.block_count()
    yield
    assert node.is_running
    output = purse.take()
    node.propose(purse.payment(output))
    node.wait_final(output)
    assert node.daemon.pid == pid
    assert node.block_count() == height + 1
    assert "Traceback" not in node.daemon.log()


GARBAGE = random.Random(SEED).randbytes(100_000)


@pytest.mark.parametrize(
    "data",
    [
        GARBAGE,
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        HTTP2_PREFACE + GARBAGE,
        HTTP2_PREFACE + b"\xff\xff\xff\x00\x00\x00\x00\x00\x00" + GARBAGE,
        HTTP2_PREFACE[:10],
        b"",
    ],
    ids=["garbage", "http1", "h2-garbage", "h2-frame-of-16-MiB", "cut-preface", "nothing"],
)
def test_bytes_that_are_no_grpc(node, data):
    for port in (node.ports.client, node.ports.peer, node.ports.admin):
        assert b"grpc-status" not in send_and_drain(port, data)


@pytest.mark.parametrize("request_bytes", [TRUNCATED, b"\xff" * 1000], ids=["truncated", "garbage"])
def test_requests_that_are_no_protobuf(node, request_bytes):
    for port, method in (
        (node.ports.client, AUTH),
        (node.ports.client, CLIENT_TX_PROPOSE),
        (node.ports.client, PROPOSE_MINT_TX),
        (node.ports.client, GET_BLOCKS),
        (node.ports.peer, AUTH),
        (node.ports.peer, PEER_TX_PROPOSE),
        (node.ports.peer, SEND_CONSENSUS_MSG),
        (node.ports.peer, GET_TXS),
        (node.ports.admin, SET_RUST_LOG),
        (node.ports.admin, HEALTH_CHECK),
    ):
        assert status_of(port, method.path, request_bytes) == ("INTERNAL", UNDECODABLE)


@pytest.mark.parametrize(
    ("listener", "method"),
    [("client", CLIENT_TX_PROPOSE), ("peer", PEER_TX_PROPOSE), ("admin", SET_RUST_LOG)],
    ids=["client", "peer", "admin"],
)
def test_oversized_messages(node, listener, method):
    port = getattr(node.ports, listener)
    largest = bytes(MESSAGE_BYTES_MAX)
    assert status_of(port, method.path, largest) == ("INTERNAL", UNDECODABLE)  # taken, then read
    code, details = status_of(port, method.path, largest + b"\x00")
    assert code == "RESOURCE_EXHAUSTED"
    assert details.endswith(OVERSIZED)


def test_unknown_methods(node, port):
    for path in ("/no.Service/Method", "/attest.AttestedApi/NoSuchMethod", "/"):
        assert status_of(port, path, b"") == ("UNIMPLEMENTED", "")


def test_methods_of_another_listener(node):
    for port, method in (
        (node.ports.client, SEND_CONSENSUS_MSG),
        (node.ports.client, GET_INFO),
        (node.ports.peer, CLIENT_TX_PROPOSE),
        (node.ports.admin, AUTH),
    ):
        assert status_of(port, method.path, b"") == ("UNIMPLEMENTED", "")


def test_health_cannot_be_watched(node, port):
    assert status_of(port, HEALTH_WATCH.path, b"") == ("UNIMPLEMENTED", "Unimplemented")


CLIENT_HANDSHAKE = start_client("localhost:1", GARBAGE[:32]).request
"""32 bytes; more may follow, which is then a payload in the clear and not looked at."""
HANDSHAKES = {
    ("client", "nothing"): b"",
    ("client", "cut"): CLIENT_HANDSHAKE[:-1],
    ("client", "zero key"): bytes(len(CLIENT_HANDSHAKE)),
    ("client", "2 MB"): CLIENT_HANDSHAKE + GARBAGE * 20,
    ("peer", "nothing"): b"",
    ("peer", "of a client"): CLIENT_HANDSHAKE,
    ("peer", "garbage"): GARBAGE[:10_000],
    ("peer", "zero keys"): bytes(10_000),
    ("peer", "2 MB"): GARBAGE * 20,
}


@pytest.mark.parametrize(("listener", "name"), HANDSHAKES)
def test_handshakes_that_are_none(node, listener, name):
    request = AuthMessage(data=HANDSHAKES[listener, name]).SerializeToString()
    assert status_of(getattr(node.ports, listener), AUTH.path, request) == (
        "PERMISSION_DENIED",
        f"{listener}_auth: Permission denied",
    )


@pytest.mark.parametrize("channel_id", [b"", bytes(64), GARBAGE[:1000]], ids=len)
def test_messages_without_a_session(node, channel_id):
    message = Message(channel_id=channel_id, data=GARBAGE[:500]).SerializeToString()
    assert status_of(node.ports.client, CLIENT_TX_PROPOSE.path, message) == (
        "PERMISSION_DENIED",
        "Permission Denied (attestation)",
    )
    code, details = status_of(node.ports.peer, PEER_TX_PROPOSE.path, message)
    assert code == "PERMISSION_DENIED"
    assert details.startswith("peer_tx_propose: Enclave-related error `")


class SpoiltSession:
    """Stands before a client's session and spoils each ciphertext."""

    def __init__(self, session, spoil):
        self.channel_id = session.channel_id
        self._session, self._spoil = session, spoil

    def encrypt(self, plaintext):
        return self._spoil(self._session.encrypt(plaintext))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[:-1],
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda data: data[:8],
        lambda data: b"",
    ],
    ids=["cut", "one bit", "a few bytes", "nothing"],
)
def test_spoilt_ciphertext_of_a_session(node, purse, spoil):
    output = purse.take()

    async def propose_spoilt_then_whole(client):
        await client.attest()
        client._session = SpoiltSession(client._session, spoil)
        with pytest.raises(CallFailed) as caught:
            await client.propose_tx(purse.payment(output))
        assert (caught.value.code.name, caught.value.details) == (
            "PERMISSION_DENIED",
            "Permission Denied (attestation)",
        )
        assert not client.is_attested
        assert not node.has_spent(output)

    node.ask(propose_spoilt_then_whole)


NO_TRANSACTIONS = {
    "garbage": lambda encoded: GARBAGE[:5000],
    "cut": lambda encoded: encoded[:-1],
    "trailing": lambda encoded: encoded + b"\xff",
}


@pytest.mark.parametrize("name", NO_TRANSACTIONS)
def test_plaintext_that_is_no_transaction(node, purse, name):
    plaintext = NO_TRANSACTIONS[name](protobuf.encode(purse.payment()))
    with pytest.raises(CallFailed) as caught:
        node.ask(lambda client: client.propose_tx_bytes(plaintext))
    assert caught.value.code.name == "INTERNAL"
    assert caught.value.details.startswith("Internal error: Enclave error: `")


@pytest.mark.parametrize(
    ("sender", "payload", "reason"),
    [
        ("no colon", b"", "from_responder_id"),
        ("", b"", "from_responder_id"),
        ("localhost:1", b"", "consensus_msg"),
        ("localhost:1", GARBAGE, "consensus_msg"),
        ("localhost:1", b"\x81" * 100_000, "consensus_msg"),  # nested without end
        ("localhost:1", b"\x9b" + b"\xff" * 8, "consensus_msg"),  # announces 2^64 - 1 items
        ("localhost:1", bytes(3 << 20), "consensus_msg"),
    ],
    ids=["no-colon", "no-sender", "empty", "garbage", "nested", "many", "3-MiB"],
)
def test_statements_that_are_none(node, sender, payload, reason):
    request = ConsensusMsg(from_responder_id=sender, payload=payload).SerializeToString()
    assert status_of(node.ports.peer, SEND_CONSENSUS_MSG.path, request) == (
        "INVALID_ARGUMENT",
        f"send_consensus_msg: {reason}",
    )


def test_fetching_with_hashes_that_are_none(node):
    request = GetTxsRequest(tx_hashes=[bytes(31)]).SerializeToString()
    assert status_of(node.ports.peer, GET_TXS.path, request) == ("INVALID_ARGUMENT", "tx_hash: ")


def test_fetching_blocks_beyond_all_numbers(node):
    for port in (node.ports.client, node.ports.peer):
        for offset, limit in ((2**64 - 1, 2**32 - 1), (1_000_000, 10), (0, 0)):
            request = BlocksRequest(offset=offset, limit=limit).SerializeToString()
            response = call_raw(port, GET_BLOCKS.path, request)
            assert not BlocksResponse.FromString(response).blocks


def test_log_filter_that_is_none(node):
    request = SetRustLogRequest(rust_log="mcnode=loudest").SerializeToString()
    code, details = status_of(node.ports.admin, SET_RUST_LOG.path, request)
    assert code == "INVALID_ARGUMENT"
    assert "loudest" in details
