"""Peers that are not what the network file says, and statements that nobody signed.

Two good nodes agree with each other and know two more addresses. Whoever turns up there: it is
named in the log of whom it concerns, counts for nothing, and the good nodes make blocks as before.
"""

import dataclasses
import json
import os
import shutil
import sys

import pytest

from mcnode.api.gen.admin_pb2 import GetInfoResponse
from mcnode.api.gen.consensus_peer_pb2 import ConsensusMsg as WireConsensusMsg
from mcnode.api.gen.consensus_peer_pb2 import (
    ConsensusMsgResponse,
    ConsensusMsgResult,
    GetLatestMsgResponse,
)
from mcnode.api.services import GET_INFO, GET_LATEST_MSG, SEND_CONSENSUS_MSG
from mcnode.crypto.keys import Ed25519Private
from mcnode.enclave.trusted.simulated import DEFAULT_MR_ENCLAVE
from mcnode.peers.consensus_msg import ConsensusMsg
from mcnode.peers.consensus_value import tx_hash_value
from mcnode.peers.evidence import read_evidence
from mcnode.scp import Ballot
from mcnode.scp.types import Externalize
from support.daemon import Daemon
from support.forgery import flip_bit
from support.node import Node
from support.ports import free_port
from support.wire import call_raw, status_of

OTHER_MR_ENCLAVE = bytes(range(32))


def network_of(peers, needed, archive):
    """The network file of a node that is connected to `peers` and needs all of `needed`."""
    return {
        "broadcast_peers": [node.peer_uri() for node in peers],
        "tx_source_urls": [archive.as_uri()],
        "quorum_set": {
            "threshold": len(needed),
            "members": [{"type": "Node", "args": node.peer_responder_id} for node in needed],
        },
    }


@pytest.fixture(scope="module")
def strangers(tmp_path_factory, world):
    """Configured, not started: addresses and keys that the good nodes know."""
    nodes = [Node(tmp_path_factory.mktemp("stranger"), world.origin) for _ in range(2)]
    yield nodes
    for node in nodes:
        node.dispose()


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return tmp_path_factory.mktemp("archive")


@pytest.fixture(scope="module")
def pair(make_module_node, strangers, archive):
    """Two nodes that need each other, and push to the strangers."""
    first, second = make_module_node("first"), make_module_node("second")
    first.network = network_of([second, *strangers], [second], archive)
    second.network = network_of([first, *strangers], [first], archive)
    first.start()
    second.start()
    yield first.wait_serving(), second.wait_serving()


@pytest.fixture(scope="module", autouse=True)
def distribution(pair, archive):
    """Publishes the first node's blocks, so that strangers can catch up."""
    first = pair[0]
    program = [sys.executable, "-m", "mcnode.cli.ledger_distribution"]
    flags = ["--ledger-path", first.ledger_path, "--dest", archive.as_uri()]
    daemon = Daemon([*program, *flags], first.directory / "ledger-distribution.log")
    yield daemon
    daemon.dispose()


@pytest.fixture
def stranger(pair, strangers, archive):
    """One of the strangers, configured to follow the pair; to be changed and started."""
    node = strangers[0]
    node.network = network_of(pair, pair, archive)
    node.extra_flags = {}
    signer = node.signer
    yield node
    node.dispose()
    node.daemon, node.signer = None, signer
    node.sealed_key_path.unlink()
    shutil.rmtree(node.ledger_path)


@pytest.fixture(scope="module")
def purse(world):
    return world.purse()


@pytest.fixture(autouse=True)
def pair_goes_on(pair, purse):
    pids = [node.daemon.pid for node in pair]
    yield
    pay(pair, purse)
    assert [node.daemon.pid for node in pair] == pids
    assert pair[0].block_ids() == pair[1].block_ids()


def pay(pair, purse):
    output = purse.take()
    pair[0].propose(purse.payment(output))
    for node in pair:
        node.wait_final(output)


def test_evidence_of_another_measurement(pair, stranger, purse, world):
    """Neither side gets a session; each log shows the measurement that was refused."""
    stranger.extra_flags["--sim-mr-enclave"] = OTHER_MR_ENCLAVE.hex()
    stranger.start_and_serve()
    pay(pair, purse)
    for node in pair:
        node.daemon.wait_for_log(f"MRENCLAVE {OTHER_MR_ENCLAVE.hex()}")
        stranger.daemon.wait_for_log("PERMISSION_DENIED peer_auth: Permission denied")
    stranger.daemon.wait_for_log(f"MRENCLAVE {DEFAULT_MR_ENCLAVE.hex()}")
    assert stranger.block_ids() == [world.ledger.block_id(0)]
    assert stranger.daemon.is_running


def test_peer_that_goes_by_another_responder_id(pair, stranger, purse):
    """It can hear the others, but they cannot talk to it: the name is part of the handshake."""
    stranger.extra_flags["--peer-responder-id"] = f"localhost:{free_port()}"
    stranger.start_and_serve()
    stranger.wait_for_blocks(pair[0].block_count())
    pay(pair, purse)
    address = f"localhost:{stranger.ports.peer}"
    pair[0].daemon.wait_for_log(f"Attestation failure: {address}")
    stranger.propose(purse.payment(purse.take()))  # so that it has something to say
    stranger.daemon.wait_for_log("peer does not take our statements")


def test_peer_with_another_message_key(pair, stranger, strangers, archive, purse):
    """Its statements come in, and count for nothing; a node that needs them makes no block."""
    needy = strangers[1]
    needy.network = network_of([*pair, stranger], [stranger], archive)
    stranger.signer = Ed25519Private.from_bytes(os.urandom(32))
    stranger.start()
    needy.start()
    stranger.wait_serving()
    needy.wait_serving()
    stranger.wait_for_blocks(pair[0].block_count())
    pay(pair, purse)
    stranger.wait_for_blocks(pair[0].block_count())
    for node in (*pair, needy):
        node.daemon.wait_for_log("node signs with another key")
        node.daemon.wait_for_log(stranger.signer.public_key().to_bytes().hex())
    assert needy.block_count() == 1
    assert needy.daemon.is_running


def latest_statement(node):
    response = GetLatestMsgResponse.FromString(call_raw(node.ports.peer, GET_LATEST_MSG.path, b""))
    return ConsensusMsg.from_bytes(response.payload)


def send(node, sender, payload):
    request = WireConsensusMsg(from_responder_id=sender, payload=payload).SerializeToString()
    return status_of(node.ports.peer, SEND_CONSENSUS_MSG.path, request)


def test_statement_that_its_author_has_not_signed(pair, purse):
    first, second = pair
    pay(pair, purse)
    genuine = latest_statement(second)
    stranger = Ed25519Private.from_bytes(os.urandom(32))
    forged = ConsensusMsg.sign(genuine.scp_msg, genuine.prev_block_id, stranger)
    assert send(first, second.peer_responder_id, forged.payload) == (
        "INVALID_ARGUMENT",
        "send_consensus_msg: InvalidConsensusMsgSignature",
    )
    other_chain = ConsensusMsg.sign(genuine.scp_msg, bytes(32), stranger)
    assert send(first, second.peer_responder_id, other_chain.payload)[0] == "INVALID_ARGUMENT"


def test_genuine_statement_with_something_behind_it(pair, purse):
    first, second = pair
    pay(pair, purse)
    payload = latest_statement(second).payload
    for damaged in (payload + b"\x00", payload[:-1], flip_bit(payload)):
        assert send(first, second.peer_responder_id, damaged) == (
            "INVALID_ARGUMENT",
            "send_consensus_msg: consensus_msg",
        )
    assert send(first, second.peer_responder_id, payload) == ("OK", "")  # a copy does no harm


def test_statement_from_a_sender_that_is_no_peer(pair, purse):
    first, second = pair
    pay(pair, purse)
    request = WireConsensusMsg(
        from_responder_id="localhost:1", payload=latest_statement(second).payload
    )
    response = call_raw(first.ports.peer, SEND_CONSENSUS_MSG.path, request.SerializeToString())
    assert ConsensusMsgResponse.FromString(response).result == ConsensusMsgResult.UnknownPeer


def test_statement_that_contradicts_another_is_kept_as_evidence(pair, purse):
    """The false outcome changes nothing; it is counted, logged, and proves itself to anybody."""
    first, second = pair
    pay(pair, purse)
    genuine = latest_statement(second)
    topic = Externalize(Ballot(1, (tx_hash_value(os.urandom(32)),)), 1)
    msg = dataclasses.replace(genuine.scp_msg, topic=topic)
    false = ConsensusMsg.sign(msg, genuine.prev_block_id, second.signer)
    assert send(first, second.peer_responder_id, false.payload) == ("OK", "")
    first.daemon.wait_for_log("node contradicts itself")
    [path] = (first.ledger_path / "equivocations").iterdir()
    evidence = read_evidence(path.read_text())
    assert evidence.author == msg.sender_id
    assert evidence.slot_index == msg.slot_index
    info = GetInfoResponse.FromString(call_raw(first.ports.admin, GET_INFO.path, b""))
    assert json.loads(info.config_json)["equivocations"] == {
        "count": 1,
        "nodes": {second.peer_responder_id: 1},
    }
