"""Who may talk to a node, and which node a wallet talks to: chain, name, evidence, TLS, tokens."""

import os
import signal
import time

import grpc
import pytest

from mcnode.api.gen.attest_pb2 import AuthMessage
from mcnode.api.services import (
    AUTH,
    CLIENT_TX_PROPOSE,
    GET_LAST_BLOCK_INFO,
    GET_NODE_CONFIG,
    HEALTH_CHECK,
    PROPOSE_MINT_TX,
)
from mcnode.connection.attested import token_credentials
from mcnode.connection.auth_token import BasicCredentials
from mcnode.connection.errors import CallFailed, CallRefused, EvidenceRefused, HandshakeFailed
from mcnode.enclave.trusted.simulated import DEFAULT_MR_ENCLAVE
from support.certificates import write_certificate
from support.questions import CHAIN_ID, trust
from support.waiting import wait_until
from support.wire import status_of

MR_ENCLAVE = bytes(range(32))
HOSTNAME = "node1.example.test"
TOKEN_SECRET = bytes(range(100, 132))
TOKEN_LIFETIME_S = 1000


@pytest.fixture(scope="module")
def purse(world):
    return world.purse()


@pytest.fixture(scope="module")
def node(make_module_node):
    """Presents a measurement of its own."""
    return make_module_node(flags={"--sim-mr-enclave": MR_ENCLAVE.hex()}).start_and_serve()


# -- chain id -------------------------------------------------------------------------------------

MISMATCH = ("FAILED_PRECONDITION", f"chain-id mismatch: '{CHAIN_ID}'")


@pytest.mark.parametrize("chain_id", ["main", "Local", "local2"])
def test_wallet_of_another_network(node, purse, chain_id):
    with pytest.raises(CallRefused) as caught:
        node.propose(purse.payment(), chain_id=chain_id, trust=trust(MR_ENCLAVE))
    assert (caught.value.code.name, caught.value.details) == MISMATCH


@pytest.mark.parametrize(
    "headers",
    [[("chain-id", "main")], [("chain-id", "")], [("chain-id", "local"), ("chain-id", "main")]],
    ids=["other", "empty", "second"],
)
def test_chain_id_headers(node, headers):
    for port, method in (
        (node.ports.client, AUTH),
        (node.ports.client, CLIENT_TX_PROPOSE),
        (node.ports.client, PROPOSE_MINT_TX),
        (node.ports.peer, AUTH),
    ):
        assert status_of(port, method.path, b"", metadata=headers) == MISMATCH
    for method in (GET_LAST_BLOCK_INFO, GET_NODE_CONFIG, HEALTH_CHECK):
        assert status_of(node.ports.client, method.path, b"", metadata=headers) == ("OK", "")


def test_wallet_that_names_no_network_is_served(node, purse):
    output = purse.take()
    node.propose(purse.payment(output), chain_id="", trust=trust(MR_ENCLAVE))
    node.wait_final(output)


# -- responder id and measurement -----------------------------------------------------------------


def test_wallet_that_expects_another_responder(node, purse):
    """The name is part of the handshake, so an answer to another name cannot be read."""
    uri = f"{node.client_uri}?responder-id=node2.example.test:443"
    with pytest.raises(HandshakeFailed, match=r"node2\.example\.test:443"):
        node.propose(purse.payment(), uri=uri, trust=trust(MR_ENCLAVE))


def test_wallet_pinned_to_another_measurement(node, purse):
    output = purse.take()
    payment = purse.payment(output)
    with pytest.raises(EvidenceRefused) as caught:
        node.propose(payment, trust=trust(DEFAULT_MR_ENCLAVE))
    assert MR_ENCLAVE.hex() in str(caught.value)
    node.propose(payment, trust=trust(MR_ENCLAVE))  # the payment was not sent before
    node.wait_final(output)


# -- TLS and tokens -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def guarded(make_module_node, tmp_path_factory):
    """A node with TLS and tokens on its client listener."""
    node = make_module_node()
    node.chain_path, node.key_path = write_certificate(tmp_path_factory.mktemp("tls"), HOSTNAME)
    node.extra_flags |= {
        "--client-listen-uri": (
            f"mc://127.0.0.1:{node.ports.client}/"
            f"?tls-chain={node.chain_path}&tls-key={node.key_path}"
        ),
        "--client-auth-token-secret": TOKEN_SECRET.hex(),
        "--client-auth-token-max-lifetime": str(TOKEN_LIFETIME_S),
    }
    node.start()
    node.daemon.wait_for_log("node is running")
    return node


def tls_uri(node, *, bundle=None, hostname=HOSTNAME):
    return (
        f"mc://localhost:{node.ports.client}/"
        f"?ca-bundle={bundle or node.chain_path}&tls-hostname={hostname}"
    )


def good_token():
    return token_credentials(TOKEN_SECRET, "alice")


def test_payment_over_tls_with_a_token(guarded, purse):
    output = purse.take()
    guarded.propose(purse.payment(output), uri=tls_uri(guarded), credentials=good_token())
    guarded.wait_final(output)


def test_bundle_in_a_directory(guarded):
    uri = tls_uri(guarded, bundle=guarded.chain_path.parent)
    info = guarded.ask(lambda c: c.fetch_block_info(), uri=uri, credentials=good_token())
    assert info.network_block_version == 4


def fails_to_connect(node, uri):
    """Whether no channel opens; False if one does, as while a new certificate is being read."""
    try:
        node.ask(
            lambda client: client.fetch_block_info(),
            uri=uri,
            credentials=good_token(),
            timeout_s=5.0,
        )
    except CallFailed as error:
        return error.code is grpc.StatusCode.UNAVAILABLE
    return False


def test_certificate_of_another_name(guarded):
    assert fails_to_connect(guarded, tls_uri(guarded, hostname="node2.example.test"))


def test_certificate_of_another_issuer(guarded, tmp_path):
    other, _ = write_certificate(tmp_path, HOSTNAME)
    assert fails_to_connect(guarded, tls_uri(guarded, bundle=other))


def test_certificate_that_the_system_does_not_know(guarded):
    uri = f"mc://localhost:{guarded.ports.client}/?tls-hostname={HOSTNAME}"
    assert fails_to_connect(guarded, uri)


def test_plain_client_on_a_tls_listener(guarded):
    assert fails_to_connect(guarded, guarded.client_uri)


BAD_TOKENS = {
    "none": (lambda: None, "Unauthenticated"),
    "expired": (
        token_credentials(TOKEN_SECRET, "alice", lambda: time.time() - TOKEN_LIFETIME_S - 5),
        "Expired user authorization token",
    ),
    "from the future": (
        token_credentials(TOKEN_SECRET, "alice", lambda: time.time() + TOKEN_LIFETIME_S + 5),
        "Expired user authorization token",
    ),
    "of another secret": (
        token_credentials(bytes(32), "alice"),
        "Invalid user authorization token",
    ),
    "of another user": (
        lambda: BasicCredentials("bob", good_token()().password),
        "Invalid user authorization token",
    ),
    "a password": (
        lambda: BasicCredentials("alice", "hunter2"),
        "Invalid user authorization token",
    ),
}


@pytest.mark.parametrize("name", BAD_TOKENS)
def test_bad_token(guarded, purse, name):
    credentials, text = BAD_TOKENS[name]
    for question in (
        lambda client: client.propose_tx(purse.payment()),
        lambda client: client.fetch_block_info(),
    ):
        with pytest.raises(CallRefused) as caught:
            guarded.ask(question, uri=tls_uri(guarded), credentials=credentials)
        assert (caught.value.code.name, caught.value.details) == ("UNAUTHENTICATED", text)


def test_token_that_is_nearly_expired(guarded):
    credentials = token_credentials(
        TOKEN_SECRET, "alice", lambda: time.time() - TOKEN_LIFETIME_S + 60
    )
    guarded.ask(lambda c: c.fetch_block_info(), uri=tls_uri(guarded), credentials=credentials)


def test_peer_listener_asks_for_no_token(guarded):
    assert status_of(guarded.ports.peer, GET_LAST_BLOCK_INFO.path, b"") == ("OK", "")
    headers = [("authorization", "Bearer token")]
    assert status_of(guarded.ports.peer, GET_LAST_BLOCK_INFO.path, b"", metadata=headers) == (
        "UNAUTHENTICATED",
        "Authorization header error: Unsupported authorization method",
    )
    request = AuthMessage(data=b"").SerializeToString()
    assert status_of(guarded.ports.peer, AUTH.path, request)[0] == "PERMISSION_DENIED"


def test_renewed_certificate_after_sighup(guarded, tmp_path):
    """Runs last here: afterwards the node has another certificate."""
    old_bundle = tmp_path / "old.pem"
    old_bundle.write_bytes(guarded.chain_path.read_bytes())
    write_certificate(guarded.chain_path.parent, HOSTNAME)
    assert fails_to_connect(guarded, tls_uri(guarded))  # the old one is still shown
    os.kill(guarded.daemon.pid, signal.SIGHUP)
    wait_until(lambda: fails_to_connect(guarded, tls_uri(guarded, bundle=old_bundle)), "reload")
    guarded.ask(lambda c: c.fetch_block_info(), uri=tls_uri(guarded), credentials=good_token())
