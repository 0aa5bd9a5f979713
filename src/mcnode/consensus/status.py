"""What operators see of a running node: `/info`, `GetNodeConfig`. [docs/protocol/service.md#13]"""

from typing import Any

from mcnode.api.convert import to_generated
from mcnode.api.gen import consensus_config_pb2, external_pb2
from mcnode.api.gen.consensus_config_pb2 import ConsensusNodeConfig, TokenConfig
from mcnode.blockchain.block import Block
from mcnode.consensus.byzantine_ledger import Snapshot
from mcnode.consensus.config.network_file import NetworkConfig
from mcnode.consensus.config.node import PROTOCOL_RELEASE, NodeConfig, config_json
from mcnode.consensus.stuck_slot import StuckSlot
from mcnode.enclave.interface import EnclaveMode
from mcnode.ledger.db import LedgerDB
from mcnode.ledger.errors import LedgerError, NotFound

SIMULATED_WARNING = (
    "SIMULATED ATTESTATION: no privacy from this machine's operator, for tests and development only"
)


def node_info(
    config: NodeConfig, ledger: LedgerDB, snapshot: Snapshot, stuck: StuckSlot | None
) -> dict[str, Any]:
    """The JSON of `/info`; files are read as they are now."""
    network = config.load_network()
    return {
        "config": config_json(config),
        "network": network.to_json(),
        "status": _status(config, network, ledger, snapshot)
        | {"stuck_slot": None if stuck is None else stuck.to_json()},
    }


def _status(
    config: NodeConfig, network: NetworkConfig, ledger: LedgerDB, snapshot: Snapshot
) -> dict[str, Any]:
    latest = _latest_block(ledger)
    height = None if latest is None else latest.index + 1
    status: dict[str, Any] = {
        "block_height": height,
        "blocks_behind": None if height is None else max(0, snapshot.highest_peer_block - height),
        "broadcast_peer_count": len(network.broadcast_peers),
        "known_peer_count": len(network.known_peers or ()),
        "latest_block_hash": None if latest is None else latest.id.hex(),
        "latest_block_timestamp": _latest_timestamp(ledger, latest),
        "sync_status": "catchup" if snapshot.is_behind else "synced",
        "version": PROTOCOL_RELEASE,
        "attestation": config.enclave_mode.value,
    }
    if config.enclave_mode is EnclaveMode.SIM:
        status["warning"] = SIMULATED_WARNING
    return status


def _latest_block(ledger: LedgerDB) -> Block | None:
    try:
        return ledger.get_latest_block()
    except LedgerError:
        return None


def _latest_timestamp(ledger: LedgerDB, latest: Block | None) -> str:
    if latest is None:
        return ""
    try:
        return str(ledger.get_block_signature(latest.index).signed_at)
    except NotFound:
        return ""


def public_node_config(
    config: NodeConfig,
    ledger: LedgerDB,
    *,
    minting_trust_root: bytes,
    block_signing_key: bytes,
) -> ConsensusNodeConfig:
    """What `GetNodeConfig` tells anybody; the tokens file counts as it is now."""
    blockchain = config.load_blockchain_config()
    active = ledger.get_active_mint_configs_map()
    tokens = {}
    for token_id, minimum_fee in blockchain.fee_map.items():
        token = TokenConfig(token_id=token_id, minimum_fee=minimum_fee)
        governors = blockchain.governors_map.get(token_id)
        if governors is not None:
            token.governors.CopyFrom(to_generated(governors, external_pb2.Ed25519SignerSet))
        if token_id in active:
            token.active_mint_configs.CopyFrom(
                to_generated(active[token_id], consensus_config_pb2.ActiveMintConfigs)
            )
        tokens[token_id] = token
    result = ConsensusNodeConfig(
        minting_trust_root=external_pb2.Ed25519Public(data=minting_trust_root),
        token_config_map=tokens,
        peer_responder_id=config.peer_responder_id,
        client_responder_id=config.client_responder_id,
        block_signing_key=external_pb2.Ed25519Public(data=block_signing_key),
        block_version=config.block_version.value,
        scp_message_signing_key=external_pb2.Ed25519Public(data=config.node_id.public_key),
    )
    if blockchain.governors_signature is not None:
        result.governors_signature.data = blockchain.governors_signature
    return result
