"""What operators and clients are told about a node."""

import base64
import json

import pytest

from mcnode.consensus.byzantine_ledger import Snapshot
from mcnode.consensus.config.node import read_node_config
from mcnode.consensus.config.signer_identity import SingleSigner
from mcnode.consensus.config.tokens_file import TokenConfig, TokensConfig
from mcnode.consensus.status import node_info, public_node_config
from mcnode.crypto.der import private_key_to_der
from mcnode.crypto.keys import Ed25519Private
from mcnode.crypto.multisig import MultiSig, SignerSet
from mcnode.ledger.db import LedgerDB
from mcnode.ledger.db.records import ActiveMintConfig, ActiveMintConfigs
from mcnode.scp import Phase, SlotMetrics
from mcnode.transaction.messages import MintConfig, MintConfigTx, MintConfigTxPrefix

SIGNER, GOVERNOR, ROOT = (Ed25519Private(bytes([n]) * 32) for n in (1, 2, 3))
KEY = GOVERNOR.public_key().to_bytes()
SLOT = SlotMetrics(Phase.NOMINATE_PREPARE, 0, 0, 0, 1, 0)


@pytest.fixture
def make_config(tmp_path):
    """A node's configuration, with files."""
    network = {
        "quorum_set": {"threshold": 1, "members": [{"type": "Node", "args": "n2.test:1"}]},
        "broadcast_peers": [f"insecure-mcp://n2.test:1/?consensus-msg-key={KEY.hex()}"],
        "known_peers": ["insecure-mcp://n3.test:1/", "insecure-mcp://n4.test:1/"],
        "tx_source_urls": ["file:///archive"],
    }
    (tmp_path / "network.json").write_text(json.dumps(network))

    def make(**more):
        flags = {
            "chain-id": "local",
            "peer-responder-id": "n1.test:8443",
            "client-responder-id": "n1.test:443",
            "msg-signer-key": base64.b64encode(private_key_to_der(SIGNER)).decode(),
            "network": tmp_path / "network.json",
            "ledger-path": tmp_path / "ledger",
            "sealed-block-signing-key": tmp_path / "sealed",
            "block-version": 4,
        } | {name.replace("_", "-"): value for name, value in more.items()}
        return read_node_config([f"--{name}={value}" for name, value in flags.items()], {})

    return make


def snapshot(*, highest: int = 0, is_behind: bool = False) -> Snapshot:
    return Snapshot(1, 0, 0, 0, highest, is_behind, SLOT)


def test_status_of_a_node_that_is_level(make_config, funded_ledger, payments) -> None:
    info = node_info(make_config(), funded_ledger, snapshot(), None)
    assert info["status"] == {
        "block_height": 1,
        "blocks_behind": 0,
        "broadcast_peer_count": 1,
        "known_peer_count": 2,
        "latest_block_hash": payments.parent.id.hex(),
        "latest_block_timestamp": "",  # the origin block has no signature
        "sync_status": "synced",
        "version": "7.0.0",
        "attestation": "sim",
        "warning": info["status"]["warning"],
        "stuck_slot": None,
    }
    assert "SIMULATED" in info["status"]["warning"]
    assert info["config"]["peer_responder_id"] == "n1.test:8443"
    assert info["network"]["tx_source_urls"] == ["file:///archive"]


def test_status_of_a_node_that_catches_up(make_config, funded_ledger) -> None:
    info = node_info(make_config(), funded_ledger, snapshot(highest=9, is_behind=True), None)
    assert info["status"]["blocks_behind"] == 8
    assert info["status"]["sync_status"] == "catchup"


def test_inside_an_enclave_there_is_nothing_to_warn_of(make_config, funded_ledger) -> None:
    config = make_config(enclave_mode="gramine")
    status = node_info(config, funded_ledger, snapshot(), None)["status"]
    assert status["attestation"] == "gramine"
    assert "warning" not in status


def test_a_ledger_without_blocks_has_no_height(make_config, tmp_path) -> None:
    with LedgerDB.create(tmp_path / "empty", durable=False) as ledger:
        status = node_info(make_config(), ledger, snapshot(), None)["status"]
    assert status["block_height"] is status["blocks_behind"] is status["latest_block_hash"] is None
    assert status["latest_block_timestamp"] == ""


def test_everybody_may_know_how_a_node_is_configured(make_config, funded_ledger) -> None:
    made = public_node_config(
        make_config(), funded_ledger, minting_trust_root=b"r" * 32, block_signing_key=b"s" * 32
    )
    assert made.minting_trust_root.data == b"r" * 32
    assert made.block_signing_key.data == b"s" * 32
    assert made.scp_message_signing_key.data == SIGNER.public_key().to_bytes()
    assert (made.peer_responder_id, made.client_responder_id) == ("n1.test:8443", "n1.test:443")
    assert made.block_version == 4
    [(token_id, token)] = made.token_config_map.items()
    assert (token_id, token.token_id, token.minimum_fee) == (0, 0, 400_000_000)
    assert not token.HasField("governors")
    assert not made.HasField("governors_signature")


def test_governors_and_minters_are_shown(make_config, funded_ledger, tmp_path, monkeypatch) -> None:
    tokens = TokensConfig(
        tokens=(
            TokenConfig(0, 400_000_000),
            TokenConfig(1, 1024, governors=SingleSigner(GOVERNOR.public_key())),
        )
    ).signed_by(ROOT)
    (tmp_path / "tokens.json").write_text(tokens.to_json_text())
    mint_config = MintConfig(1, SignerSet((KEY,), (), 1), 500)
    config_tx = MintConfigTx(
        MintConfigTxPrefix(1, (mint_config,), bytes(64), 50, 1000), MultiSig((bytes(64),))
    )
    active = ActiveMintConfigs((ActiveMintConfig(mint_config, 120),), config_tx)
    monkeypatch.setattr(LedgerDB, "get_active_mint_configs_map", lambda _: {1: active})

    config = make_config(tokens=tmp_path / "tokens.json")
    made = public_node_config(
        config, funded_ledger, minting_trust_root=bytes(32), block_signing_key=bytes(32)
    )
    assert len(made.governors_signature.data) == 64
    token = made.token_config_map[1]
    assert [signer.data for signer in token.governors.individual_signers] == [KEY]
    [shown] = token.active_mint_configs.configs
    assert (shown.total_minted, shown.mint_config.mint_limit) == (120, 500)
    assert token.active_mint_configs.mint_config_tx.prefix.total_mint_limit == 1000
    assert not made.token_config_map[0].HasField("active_mint_configs")
