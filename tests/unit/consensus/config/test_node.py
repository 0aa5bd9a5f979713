import base64
from pathlib import Path

import pytest

from mcnode.connection.auth_token import AnonymousAuthenticator, TokenAuthenticator
from mcnode.consensus.config.arguments import TextRequested, UsageError
from mcnode.consensus.config.errors import NetworkLoadError, TokensLoadError
from mcnode.consensus.config.node import NodeConfig, config_json, read_node_config
from mcnode.crypto.der import private_key_to_der
from mcnode.crypto.keys import Ed25519Private
from mcnode.enclave.interface import EnclaveMode
from mcnode.transaction.block_version import BlockVersion

KEY = Ed25519Private(bytes([0x41]) * 32)
KEY_TEXT = base64.b64encode(private_key_to_der(KEY)).decode()
REQUIRED = [
    *("--peer-responder-id", "localhost:3300"),
    *("--client-responder-id", "localhost:3200"),
    *("--msg-signer-key", KEY_TEXT),
    *("--network", "network.json"),
    *("--ledger-path", "/ledger"),
    *("--sealed-block-signing-key", "/sealed"),
]


def read(*args: str, **environment: str) -> NodeConfig:
    return read_node_config([*REQUIRED, *args], environment)


def test_defaults() -> None:
    config = read("--chain-id", "local")
    assert config.chain_id == "local"
    assert config.warnings == ()
    assert str(config.peer_listen_uri) == "insecure-mcp://0.0.0.0:8080/"
    assert str(config.client_listen_uri) == "insecure-mc://0.0.0.0:3223/"
    assert config.admin_listen_uri is None
    assert config.block_version == BlockVersion(0)
    assert config.client_auth_token_max_lifetime_s == 86400
    assert config.client_tracking_capacity == 10000
    assert config.enclave_mode is EnclaveMode.SIM
    assert config.node_id.responder_id == "localhost:3300"
    assert config.node_id.public_key == KEY.public_key().to_bytes()
    assert isinstance(config.client_authenticator(), AnonymousAuthenticator)


def test_older_run_command_starts_with_one_warning_each() -> None:
    config = read("--ias-api-key", "0" * 64, MC_IAS_SPID="1" * 64)
    assert len(config.warnings) == 3
    assert config.chain_id is None
    for word, line in zip(
        ["--ias-api-key", "--ias-spid", "--chain-id"], config.warnings, strict=True
    ):
        assert word in line


def test_the_old_fee_flag_says_what_to_do() -> None:
    with pytest.raises(UsageError, match=r"put \{\"tokens\".*--tokens"):
        read("--minimum-fee", "400000000")


def test_every_flag_has_an_environment_twin() -> None:
    environment = {
        "MC_CHAIN_ID": "main",
        "MC_PEER_RESPONDER_ID": "a:1",
        "MC_CLIENT_RESPONDER_ID": "a:2",
        "MC_MSG_SIGNER_KEY": KEY_TEXT,
        "MC_NETWORK": "/config/network.json",
        "MC_PEER_LISTEN_URI": "insecure-mcp://0.0.0.0:8443/",
        "MC_CLIENT_LISTEN_URI": "insecure-mc://0.0.0.0:3223/",
        "MC_ADMIN_LISTEN_URI": "insecure-mca://127.0.0.1:8001/",
        "MC_LEDGER_PATH": "/ledger",
        "MC_ORIGIN_BLOCK_PATH": "/origin",
        "MC_SCP_DEBUG_DUMP": "/dump",
        "MC_SEALED_BLOCK_SIGNING_KEY": "/sealed/key",
        "MC_CLIENT_AUTH_TOKEN_SECRET": "11" * 32,
        "MC_CLIENT_AUTH_TOKEN_MAX_LIFETIME": "60",
        "MC_TOKENS": "/config/tokens.json",
        "MC_BLOCK_VERSION": "4",
        "MC_CLIENT_TRACKING_CAPACITY": "5",
        "MC_ENCLAVE_MODE": "gramine",
        "MC_SIM_MR_ENCLAVE": "22" * 32,
        "MC_SIM_MR_SIGNER": "33" * 32,
        "MC_SIM_PRODUCT_ID": "1",
        "MC_SIM_SECURITY_VERSION": "9",
    }
    config = read_node_config([], environment)
    assert config.network_path == Path("/config/network.json")
    assert config.tokens_path == Path("/config/tokens.json")
    assert config.block_version == BlockVersion(4)
    assert config.enclave_mode is EnclaveMode.GRAMINE
    assert config.client_authenticator() == TokenAuthenticator(bytes([0x11]) * 32, 60)
    assert config.simulated_measurement.mr_enclave == bytes([0x22]) * 32
    assert config.simulated_measurement.security_version == 9
    shown = config_json(config)
    assert shown["client_auth_token_enabled"] is True
    assert shown["admin_listen_uri"] == "insecure-mca://127.0.0.1:8001/"
    assert list(shown) == sorted(shown)
    assert "11" * 32 not in repr(config)


def test_sigstruct_and_single_values_exclude_one_another() -> None:
    assert read("--sim-css", "/a.css").simulated_measurement.css_path == Path("/a.css")
    with pytest.raises(UsageError, match="--sim-product-id"):
        read("--sim-css", "/a.css", "--sim-product-id", "1")


def test_enclave_mode_is_one_of_two() -> None:
    with pytest.raises(UsageError, match="'--enclave-mode <ENCLAVE_MODE>': possible values are"):
        read("--enclave-mode", "hw")


def test_version_names_the_release_it_speaks() -> None:
    with pytest.raises(TextRequested, match=r"consensus_service 7\.0\.0 commit: abc"):
        read_node_config(["--version"], {}, git_commit="abc")


def test_files_are_read_when_asked(tmp_path: Path) -> None:
    config = read("--tokens", str(tmp_path / "tokens.json"))
    with pytest.raises(TokensLoadError, match="failed loading tokens configuration from") as bad:
        config.load_tokens()
    assert bad.value.exit_code == 101
    (tmp_path / "tokens.json").write_text(
        '{"tokens": [{"token_id": 0}, {"token_id": 1, "minimum_fee": 1}]}'
    )
    assert len(config.load_tokens().tokens) == 2
    with pytest.raises(TokensLoadError, match=r"Fee map: Token `1` .* \(too small\) `1`"):
        config.load_blockchain_config()
    with pytest.raises(NetworkLoadError, match="Failed loading network configuration from") as bad_:
        config.load_network()
    assert bad_.value.exit_code == 13


def test_default_tokens() -> None:
    config = read().load_blockchain_config()
    assert dict(config.fee_map) == {0: 400_000_000}
    assert not config.governors_map
    assert config.governors_signature is None
