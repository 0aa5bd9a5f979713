"""What operators have in their scripts and documents: keys made with openssl, the older command."""

import shutil
import subprocess
import sys

import pytest

from mcnode.api.gen.consensus_config_pb2 import ConsensusNodeConfig
from mcnode.api.services import GET_NODE_CONFIG
from mcnode.transaction.block_version import BlockVersion
from support.daemon import Daemon
from support.wire import call_raw

needs_openssl = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="the program openssl is not installed"
)


@pytest.fixture(scope="module")
def purse(world):
    return world.purse()


def openssl(*arguments, given=b""):
    return subprocess.run(
        ["openssl", *arguments], input=given, capture_output=True, check=True
    ).stdout


class OpensslKey:
    """A message signer key made the way the older documents say."""

    def __init__(self):
        self.pem = openssl("genpkey", "-algorithm", "ed25519")
        private = openssl("pkey", "-outform", "DER", given=self.pem)
        public = openssl("pkey", "-pubout", "-outform", "DER", given=self.pem)
        self.flag = openssl("base64", "-A", given=private).decode()
        self.public_der = public
        self.url_safe = (
            openssl("base64", "-A", given=public).decode().translate(str.maketrans("+/", "-_"))
        )
        self.hex = public[-32:].hex()


@needs_openssl
def test_openssl_keys_in_flags_and_uris(make_node, purse):
    """Two nodes; one names the other by base64 of the DER, the other one back by hex."""
    first, second = make_node("first"), make_node("second")
    keys = OpensslKey(), OpensslKey()
    texts = {first: keys[0].url_safe, second: keys[1].hex}
    for node, key, other in ((first, keys[0], second), (second, keys[1], first)):
        node.extra_flags["--msg-signer-key"] = key.flag
        node.network = {
            "broadcast_peers": [
                f"insecure-mcp://{other.peer_responder_id}/?consensus-msg-key={texts[other]}"
            ],
            "tx_source_urls": ["file:///nowhere/"],
            "quorum_set": {
                "threshold": 1,
                "members": [{"type": "Node", "args": other.peer_responder_id}],
            },
        }
        node.start()
    output = purse.take()
    first.wait_serving()
    second.wait_serving()
    first.propose(purse.payment(output))
    for node in (first, second):
        node.wait_final(output)
    for node, key in ((first, keys[0]), (second, keys[1])):
        answer = call_raw(node.ports.client, GET_NODE_CONFIG.path, b"")
        config = ConsensusNodeConfig.FromString(answer)
        assert config.scp_message_signing_key.data == key.public_der[-32:]
        with node.ledger() as ledger:
            metadata = ledger.get_block_metadata(1)
        assert metadata.node_key == key.public_der[-32:]


NETWORK_TOML = """\
broadcast_peers = []
tx_source_urls = []

[quorum_set]
threshold = 0
members = []
"""


def test_older_run_command(make_node, tmp_path, purse):
    """With attestation flags of the release before, and without a chain id or a block version."""
    network_path = tmp_path / "network.toml"
    network_path.write_text(NETWORK_TOML)
    node = make_node(
        flags={
            "--network": network_path,
            "--chain-id": None,
            "--block-version": None,
            "--ias-api-key": "0123456789abcdef0123456789abcdef",
            "--ias-spid": "FEDCBA9876543210FEDCBA9876543210",
        }
    )
    node.start_and_serve()
    log = node.daemon.log()
    warnings = [line for line in log.splitlines() if "[warning" in line]
    for text in ("--ias-api-key is obsolete", "--ias-spid is obsolete", "--chain-id is not given"):
        assert len([line for line in warnings if text in line]) == 1
    assert "SIMULATED ATTESTATION" in log
    assert "0123456789abcdef" not in log
    output = purse.take()
    tx = purse.payment(output, block_version=BlockVersion(0))
    node.propose(tx, chain_id="any")
    node.wait_final(output)
    assert node.ask(lambda client: client.fetch_block_info()).network_block_version == 0


def test_settings_in_the_environment(make_node, purse):
    """Every flag has a variable; the programs of containers are started with nothing else."""
    node = make_node()
    node.env = {
        "MC_" + flag.removeprefix("--").replace("-", "_").upper(): value
        for flag, value in node.flags().items()
    }
    node.env |= {"MC_LOG_JSON": "1", "MC_LOG": "info"}
    node.extra_flags = dict.fromkeys(node.flags())
    assert not node.flags()
    output = purse.take()
    node.start_and_serve().propose(purse.payment(output))
    node.wait_final(output)
    assert '"node is running"' in node.daemon.log()


def test_ledger_distribution_goes_on_where_it_stopped(make_node, tmp_path, purse):
    """Killed in between, it publishes the rest; its archive makes the same ledger again."""
    node = make_node().start_and_serve()
    archive, rebuilt = tmp_path / "archive", tmp_path / "rebuilt"
    flags = ["--ledger-path", node.ledger_path, "--dest", archive.as_uri()]
    program = [sys.executable, "-m", "mcnode.cli.ledger_distribution", *flags]
    for count in (1, 3):
        daemon = Daemon(program, tmp_path / "ledger-distribution.log")
        try:
            while node.block_count() < count:
                output = purse.take()
                node.propose(purse.payment(output))
                node.wait_final(output)
            daemon.wait_for_log(f"block_index={count - 1}")
        finally:
            daemon.kill()
            daemon.dispose()
    subprocess.run(
        [
            *(sys.executable, "-m", "mcnode.cli.ledger_from_archive"),
            *("--ledger-db", rebuilt, "--tx-source-url", f"{archive.as_uri()}/"),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    node.stop()
    node.extra_flags["--ledger-path"] = rebuilt
    before = node.block_ids()
    node.start_and_serve()
    assert node.block_count() == len(before) == 3
