"""The configuration of `consensus-service`. [docs/protocol/service.md#3]

`read_node_config(sys.argv[1:], os.environ)` gives a `NodeConfig` or raises what to print. Files are
read later, by the methods, and anew on every call: an operator who asks a running node sees the
files as they are now.
"""

import dataclasses
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from mcnode.connection.auth_token import (
    SECRET_BYTES,
    AnonymousAuthenticator,
    Authenticator,
    TokenAuthenticator,
)
from mcnode.connection.uri import ADMIN, CLIENT, PEER, Uri
from mcnode.consensus.config.arguments import (
    Arguments,
    Flag,
    Program,
    UsageError,
    parse_arguments,
)
from mcnode.consensus.config.errors import ConfigError, TokensLoadError
from mcnode.consensus.config.measurement import (
    SIMULATION_FLAGS,
    MeasurementError,
    SimulatedMeasurement,
    simulated_measurement,
)
from mcnode.consensus.config.network_file import NetworkConfig, load_network
from mcnode.consensus.config.tokens_file import TokensConfig, load_tokens
from mcnode.consensus.config.values import (
    ValueTextError,
    parse_hex,
    parse_listen_uri,
    parse_msg_signer_key,
    parse_node_block_version,
    parse_path,
    parse_responder_id,
    parse_unsigned,
    refuse,
)
from mcnode.crypto.der import public_key_to_der
from mcnode.crypto.keys import Ed25519Private
from mcnode.enclave.config import BlockchainConfig
from mcnode.enclave.interface import EnclaveMode
from mcnode.scp.types import NodeID
from mcnode.slots.ring import SLOTS_KEPT
from mcnode.transaction.block_version import BlockVersion

PROTOCOL_RELEASE: Final = "7.0.0"
"""The release of the network's programs whose flags and wire these are."""


def _parse_enclave_mode(text: str) -> EnclaveMode:
    try:
        return EnclaveMode(text)
    except ValueError:
        known = ", ".join(mode.value for mode in EnclaveMode)
        raise ValueTextError(f"possible values are {known}") from None


def _parse_true_false(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueTextError("possible values are true, false")
    return text == "true"


_MINIMUM_FEE_ADVICE: Final = (
    'fees are set in the tokens file now: put {"tokens": [{"token_id": 0, "minimum_fee": <fee>}]} '
    "into a .json file and name it with --tokens"
)

OBSOLETE_ATTESTATION_FLAGS: Final = (
    Flag("--ias-api-key", env="MC_IAS_API_KEY", obsolete=True),
    Flag("--ias-spid", env="MC_IAS_SPID", obsolete=True),
)

NODE_FLAGS: Final = (
    Flag("--chain-id", env="MC_CHAIN_ID", help="name of the network, checked on client calls"),
    Flag(
        "--peer-responder-id",
        parse_responder_id,
        "MC_PEER_RESPONDER_ID",
        required=True,
        help="host:port under which peers know this node",
    ),
    Flag(
        "--client-responder-id",
        parse_responder_id,
        "MC_CLIENT_RESPONDER_ID",
        required=True,
        help="host:port under which clients know this node",
    ),
    Flag(
        "--msg-signer-key",
        parse_msg_signer_key,
        "MC_MSG_SIGNER_KEY",
        required=True,
        help="Ed25519 key that signs consensus messages: base64 of its PKCS#8 DER",
    ),
    Flag(
        "--network",
        parse_path,
        "MC_NETWORK",
        "NETWORK_PATH",
        required=True,
        help="network file: peers, archives, quorum set",
    ),
    Flag(
        "--allow-unsafe-quorum-set",
        _parse_true_false,
        "MC_ALLOW_UNSAFE_QUORUM_SET",
        "BOOL",
        default="false",
        help="start although the quorum set is found unsafe: true or false",
    ),
    Flag(
        "--peer-listen-uri",
        parse_listen_uri(PEER),
        "MC_PEER_LISTEN_URI",
        default="insecure-mcp://0.0.0.0:8080/",
        help="where to listen for peers",
    ),
    Flag(
        "--client-listen-uri",
        parse_listen_uri(CLIENT),
        "MC_CLIENT_LISTEN_URI",
        default="insecure-mc://0.0.0.0:3223/",
        help="where to listen for clients",
    ),
    Flag(
        "--admin-listen-uri",
        parse_listen_uri(ADMIN),
        "MC_ADMIN_LISTEN_URI",
        help="where to listen for operators; nowhere if left out",
    ),
    Flag(
        "--ledger-path",
        parse_path,
        "MC_LEDGER_PATH",
        required=True,
        help="directory of the ledger",
    ),
    Flag(
        "--origin-block-path",
        parse_path,
        "MC_ORIGIN_BLOCK_PATH",
        help="directory of a ledger to start from if there is none yet",
    ),
    Flag(
        "--scp-debug-dump",
        parse_path,
        "MC_SCP_DEBUG_DUMP",
        help="directory for a record of every consensus slot",
    ),
    Flag(
        "--slots-kept",
        parse_unsigned(16),
        "MC_SLOTS_KEPT",
        default=str(SLOTS_KEPT),
        help="slots to keep for `mcnode slot`, in the ledger's directory; 0 for none",
    ),
    Flag(
        "--stuck-slot-after",
        parse_unsigned(32),
        "MC_STUCK_SLOT_AFTER",
        default="60",
        help="seconds without progress after which a slot is reported as stuck; 0 for never",
    ),
    Flag(
        "--check-invariants",
        _parse_true_false,
        "MC_CHECK_INVARIANTS",
        "BOOL",
        default="false",
        help="debug run: check the agreement's invariants after every event: true or false",
    ),
    Flag(
        "--sealed-block-signing-key",
        parse_path,
        "MC_SEALED_BLOCK_SIGNING_KEY",
        required=True,
        help="file of the sealed block signing key, made if absent",
    ),
    Flag(
        "--client-auth-token-secret",
        parse_hex(SECRET_BYTES),
        "MC_CLIENT_AUTH_TOKEN_SECRET",
        help="32 bytes hex; clients then need a token made with it",
    ),
    Flag(
        "--client-auth-token-max-lifetime",
        parse_unsigned(64),
        "MC_CLIENT_AUTH_TOKEN_MAX_LIFETIME",
        default="86400",
        help="seconds a token is good for",
    ),
    Flag("--tokens", parse_path, "MC_TOKENS", "TOKENS_PATH", help="tokens file: fees, governors"),
    Flag(
        "--block-version",
        parse_node_block_version,
        "MC_BLOCK_VERSION",
        default="0",
        help="version of the blocks to make, 0 to 4",
    ),
    Flag(
        "--client-tracking-capacity",
        parse_unsigned(64),
        "MC_CLIENT_TRACKING_CAPACITY",
        default="10000",
        help="client sessions to keep statistics of",
    ),
    Flag(
        "--enclave-mode",
        _parse_enclave_mode,
        "MC_ENCLAVE_MODE",
        default=EnclaveMode.SIM.value,
        help="how the trusted process must run: sim or gramine",
    ),
    *SIMULATION_FLAGS,
    *OBSOLETE_ATTESTATION_FLAGS,
    Flag("--minimum-fee", refuse(_MINIMUM_FEE_ADVICE), obsolete=True),
)


_CLOSING: Final = """\
Example, a node by itself (the key in MC_MSG_SIGNER_KEY, made with
`openssl genpkey -algorithm ed25519 -outform DER | base64 -w0`):
  consensus-service --network network.json --chain-id local --block-version 4 \\
      --client-responder-id localhost:3223 --peer-responder-id localhost:8080 \\
      --ledger-path ledger --origin-block-path origin \\
      --sealed-block-signing-key block-signing-key

Exit status: 0 stopped by a signal; 2 a flag; 3 a port, a file or the disk is not available;
4 the ledger or a key is not usable; 5 the trusted process ended; 13 the network file, or a
bug of ours; 101 the tokens file. `mcnode network up` runs whole networks on one machine."""


def node_program(git_commit: str = "unknown") -> Program:
    """The command line of `consensus-service`."""
    return Program(
        name="consensus-service",
        about="The MobileCoin Consensus Service.",
        version_text=f"consensus_service {PROTOCOL_RELEASE} commit: {git_commit}",
        flags=NODE_FLAGS,
        closing=_CLOSING,
    )


@dataclasses.dataclass(frozen=True, slots=True)
class NodeConfig:
    """Everything a node is told at start."""

    chain_id: str | None
    """None: calls of any chain id are served."""
    peer_responder_id: str
    client_responder_id: str
    msg_signer_key: Ed25519Private
    network_path: Path
    allow_unsafe_quorum_set: bool
    peer_listen_uri: Uri
    client_listen_uri: Uri
    admin_listen_uri: Uri | None
    ledger_path: Path
    origin_block_path: Path | None
    scp_debug_dump: Path | None
    slots_kept: int
    """Recorded slots; 0: none is recorded."""
    stuck_slot_after_s: int
    """Without progress; 0: never reported."""
    check_invariants: bool
    """Debug run: the invariants of the agreement protocol are checked after every event."""
    sealed_block_signing_key: Path
    client_auth_token_secret: bytes | None = dataclasses.field(repr=False)
    client_auth_token_max_lifetime_s: int
    tokens_path: Path | None
    block_version: BlockVersion
    client_tracking_capacity: int
    enclave_mode: EnclaveMode
    simulated_measurement: SimulatedMeasurement
    warnings: tuple[str, ...] = ()
    """One line each, to be logged at start."""

    @property
    def node_id(self) -> NodeID:
        """Who this node is to its peers."""
        return NodeID(self.peer_responder_id, self.msg_signer_key.public_key().to_bytes())

    def load_network(self) -> NetworkConfig:
        """The network file as it is now.

        Raises:
            NetworkLoadError
        """
        return load_network(self.network_path, self.peer_responder_id)

    def load_tokens(self) -> TokensConfig:
        """The tokens file as it is now.

        Raises:
            TokensLoadError
        """
        return load_tokens(self.tokens_path)

    def load_blockchain_config(self) -> BlockchainConfig:
        """What the trusted process is told: fees, governors and block version.

        Raises:
            TokensLoadError: the file, or the fees or governors in it, are not usable.
        """
        tokens = self.load_tokens()
        try:
            return BlockchainConfig(
                tokens.fee_map(),
                tokens.governors_map(),
                tokens.governors_signature,
                self.block_version,
            )
        except ConfigError as error:
            raise TokensLoadError(self.tokens_path, error) from error

    def client_authenticator(self) -> Authenticator:
        """Who decides about clients."""
        if self.client_auth_token_secret is None:
            return AnonymousAuthenticator()
        return TokenAuthenticator(
            self.client_auth_token_secret, self.client_auth_token_max_lifetime_s
        )


def read_node_config(
    args: Sequence[str], environment: Mapping[str, str], *, git_commit: str = "unknown"
) -> NodeConfig:
    """The configuration from a command line (without the program's name) and an environment.

    Raises:
        UsageError: the message goes to stderr, the exit status is 2.
        TextRequested: the message goes to stdout, the exit status is 0.
    """
    arguments = parse_arguments(node_program(git_commit), args, environment)
    try:
        measurement = simulated_measurement(arguments)
    except MeasurementError as error:
        raise UsageError(f"error: {error}") from error
    values = {name: arguments[key] for name, key in _FIELDS.items()}
    return NodeConfig(**values, simulated_measurement=measurement, warnings=_warnings(arguments))


_FIELDS: Final[Mapping[str, str]] = {
    "network_path": "network",
    "tokens_path": "tokens",
    "client_auth_token_max_lifetime_s": "client_auth_token_max_lifetime",
    "stuck_slot_after_s": "stuck_slot_after",
} | {
    field: field
    for field in (
        "chain_id",
        "peer_responder_id",
        "client_responder_id",
        "msg_signer_key",
        "allow_unsafe_quorum_set",
        "peer_listen_uri",
        "client_listen_uri",
        "admin_listen_uri",
        "ledger_path",
        "origin_block_path",
        "scp_debug_dump",
        "slots_kept",
        "check_invariants",
        "sealed_block_signing_key",
        "client_auth_token_secret",
        "block_version",
        "client_tracking_capacity",
        "enclave_mode",
    )
}


def _warnings(arguments: Arguments) -> tuple[str, ...]:
    lines = [
        f"{flag.name} is obsolete and ignored: evidence no longer comes from that service"
        for flag in OBSOLETE_ATTESTATION_FLAGS
        if flag.key in arguments.given
    ]
    if "chain_id" not in arguments.given:
        lines.append("--chain-id is not given: calls of clients of any network are served")
    if arguments["check_invariants"]:
        lines.append("--check-invariants: a debug run, slower, and ended by a broken invariant")
    return tuple(lines)


def config_json(config: NodeConfig) -> dict[str, Any]:
    """The part `config` of what `GetInfo` tells operators. [docs/protocol/service.md#13]"""
    public_key = config.msg_signer_key.public_key()
    admin, dump = config.admin_listen_uri, config.scp_debug_dump
    return {
        "admin_listen_uri": None if admin is None else admin.url,
        "client_auth_token_enabled": config.client_auth_token_secret is not None,
        "client_auth_token_max_lifetime": config.client_auth_token_max_lifetime_s,
        "client_listen_uri": config.client_listen_uri.url,
        "client_responder_id": config.client_responder_id,
        "enclave_mode": config.enclave_mode.value,
        "ledger_path": str(config.ledger_path),
        "message_pubkey": urlsafe_b64encode(public_key_to_der(public_key)).decode(),
        "network": str(config.network_path),
        "peer_listen_uri": config.peer_listen_uri.url,
        "peer_responder_id": config.peer_responder_id,
        "public_key": list(public_key.to_bytes()),
        "scp_debug_dump": None if dump is None else str(dump),
    }
