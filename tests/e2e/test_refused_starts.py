"""Starts that cannot be: the node says why in one line, and its exit status says of what kind.

2: wrong flags; 3: something outside is not available; 4: the configuration is not usable; 13: the
network file is not.
"""

import shutil
import socket

import lmdb
import pytest

from mcnode.codec.protobuf import encode
from mcnode.crypto.keys import Ed25519Private
from mcnode.ledger.db import LedgerDB
from mcnode.ledger.db.records import FORMAT_VERSION, DatabaseVersion
from mcnode.ledger.db.tables import TABLE_NAMES, VERSION_KEY
from support.limits import respecting_file_modes
from support.node import check_refusal

USAGE, UNAVAILABLE, CONFIGURATION, NETWORK_FILE = 2, 3, 4, 13


def peer_uri(number):
    key = Ed25519Private.from_bytes(bytes([number]) * 32).public_key().to_bytes().hex()
    return f"insecure-mcp://localhost:{number}/?consensus-msg-key={key}"


def network(*peers, threshold=1, members=()):
    return {
        "broadcast_peers": list(peers),
        "tx_source_urls": ["file:///nowhere/"],
        "quorum_set": {
            "threshold": threshold,
            "members": [{"type": "Node", "args": member} for member in members],
        },
    }


ONE = peer_uri(1)
NETWORKS = {
    "unknown member": (
        network(ONE, members=["localhost:9"]),
        "Unknown responder_id localhost:9 in quorum set",
    ),
    "duplicate peer": (
        network(ONE, ONE, members=["localhost:1"]),
        "Duplicate responder id in network configuration: localhost:1",
    ),
    "duplicate member": (
        network(ONE, members=["localhost:1", "localhost:1"]),
        "quorum set names localhost:1 twice",
    ),
    "threshold 0 over members": (
        network(ONE, threshold=0, members=["localhost:1"]),
        "quorum set has threshold 0 over 1 members",
    ),
    "threshold that two halves satisfy": (
        network(ONE, peer_uri(2), peer_uri(3), members=[f"localhost:{n}" for n in (1, 2, 3)]),
        "unsafe quorum set: asks for 2 of 4 with the node itself",
    ),
    "threshold above members": (
        network(ONE, threshold=2, members=["localhost:1"]),
        "invalid quorum set: threshold is 2, members 1",
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_network_file(make_node, name):
    content, reason = NETWORKS[name]
    node = make_node(network=content)
    check_refusal(*node.run_to_end(), NETWORK_FILE, reason)
    assert not node.ledger_path.exists()
    assert not node.sealed_key_path.exists()


def test_network_file_that_names_the_node_itself(make_node):
    node = make_node()
    node.network = network(node.peer_uri(), members=[node.peer_responder_id])
    reason = f"Known peers should not contain our peer responder id ({node.peer_responder_id})"
    check_refusal(*node.run_to_end(), NETWORK_FILE, reason)
    node.network = network(ONE, members=["localhost:1", node.peer_responder_id])
    check_refusal(*node.run_to_end(), NETWORK_FILE, "quorum set names this node itself")


@pytest.mark.parametrize(
    ("text", "reason"), [(None, "IO: "), ("[" * 100_000, "JSON: ")], ids=["missing", "nested"]
)
def test_network_file_that_cannot_be_read(make_node, tmp_path, text, reason):
    path = tmp_path / "own-network.json"
    if text is not None:
        path.write_text(text)
    node = make_node(flags={"--network": path})
    check_refusal(*node.run_to_end(), NETWORK_FILE, str(path), reason)


# -- ledger ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("has_directory", [False, True], ids=["missing", "empty"])
def test_ledger_path_without_a_ledger(make_node, has_directory):
    node = make_node(flags={"--origin-block-path": None})
    if has_directory:
        node.ledger_path.mkdir()
    check_refusal(*node.run_to_end(), CONFIGURATION, f"no ledger at {node.ledger_path}: data.mdb")


def test_ledger_without_a_block(make_node):
    node = make_node()
    LedgerDB.create(node.ledger_path).close()
    check_refusal(*node.run_to_end(), CONFIGURATION, str(node.ledger_path), "has 0 blocks, needs 1")


def test_missing_origin_block(make_node, tmp_path):
    node = make_node(flags={"--origin-block-path": tmp_path / "nowhere"})
    check_refusal(*node.run_to_end(), UNAVAILABLE, "cannot copy the origin block", "nowhere")
    assert not (node.ledger_path / "data.mdb").exists()


def test_file_that_is_no_database(make_node):
    node = make_node()
    node.ledger_path.mkdir()
    data_file = node.ledger_path / "data.mdb"
    content = b"no database at all " * 1000
    data_file.write_bytes(content)
    check_refusal(*node.run_to_end(), CONFIGURATION, str(data_file), "is not a ledger database")
    assert data_file.read_bytes() == content


def test_database_of_another_program(make_node):
    node = make_node()
    node.ledger_path.mkdir()
    with lmdb.open(str(node.ledger_path)) as env, env.begin(write=True) as txn:
        txn.put(b"somebody", b"else's")
    before = (node.ledger_path / "data.mdb").read_bytes()
    check_refusal(*node.run_to_end(), CONFIGURATION, str(node.ledger_path), "version record")
    assert (node.ledger_path / "data.mdb").read_bytes() == before


def test_ledger_of_a_newer_version(make_node, world):
    node = make_node()
    shutil.copytree(world.origin, node.ledger_path)
    newer = encode(DatabaseVersion(FORMAT_VERSION + 1, "2100.1.1"))
    with lmdb.open(str(node.ledger_path), max_dbs=len(TABLE_NAMES), map_size=1 << 40) as env:
        table = env.open_db(TABLE_NAMES["metadata"], create=False)
        with env.begin(write=True) as txn:
            txn.put(VERSION_KEY, newer, db=table)
    check_refusal(
        *node.run_to_end(),
        CONFIGURATION,
        str(node.ledger_path),
        f"{FORMAT_VERSION + 1}",
        f"{FORMAT_VERSION}",
    )


def test_ledger_that_is_read_only(make_node, world):
    launcher = respecting_file_modes()
    if launcher is None:
        pytest.skip("root cannot give up its right to write everywhere here")
    node = make_node(launcher=launcher)
    shutil.copytree(world.origin, node.ledger_path)
    node.ledger_path.chmod(0o555)
    try:
        status, output = node.run_to_end()
    finally:
        node.ledger_path.chmod(0o755)
    check_refusal(status, output, CONFIGURATION, str(node.ledger_path), "check its owner and mode")
    assert node.block_ids() == [world.ledger.block_id(0)]


# -- ports, keys, flags ---------------------------------------------------------------------------


@pytest.mark.parametrize("listener", ["client", "peer", "admin"])
def test_port_taken(make_node, listener):
    node = make_node()
    port = getattr(node.ports, listener)
    with socket.create_server(("127.0.0.1", port)):
        status, output = node.run_to_end()
    check_refusal(status, output, UNAVAILABLE, "cannot listen on", f":{port}/", "port taken?")


def test_sealed_key_of_another_enclave(make_node):
    """The operator decides whether to give the key up; the file is never overwritten."""
    node = make_node()
    content = b"sealed by somebody else" * 20
    node.sealed_key_path.write_bytes(content)
    check_refusal(*node.run_to_end(), CONFIGURATION, f"sealed key {node.sealed_key_path} is not of")
    assert node.sealed_key_path.read_bytes() == content


def test_hardware_mode_without_hardware(make_node):
    node = make_node(flags={"--enclave-mode": "gramine"})
    check_refusal(*node.run_to_end(), UNAVAILABLE, "gramine")


FLAGS = {
    "unknown flag": ({"--frobnicate": "1"}, "error: unexpected argument '--frobnicate' found"),
    "required flag missing": (
        {"--ledger-path": None},
        "error: the following required arguments were not provided:\n  --ledger-path",
    ),
    "no key": (
        {"--msg-signer-key": "!!"},
        "error: invalid value '!!' for '--msg-signer-key <MSG_SIGNER_KEY>': "
        "Could not decode private key from base64 InvalidByte(0, 33)",
    ),
}


@pytest.mark.parametrize("name", FLAGS)
def test_wrong_flags(make_node, name):
    flags, text = FLAGS[name]
    status, output = make_node(flags=flags).run_to_end()
    assert status == USAGE
    assert text in output
    assert output.rstrip().endswith("For more information, try '--help'.")
    assert "Traceback" not in output
