"""A local network on paper: every file, flag and port before anything is started.

The plan is kept in the work directory as `network.json`, so that later commands find it again.
"""

import base64
import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mcnode.crypto.der import (
    ed25519_private_from_der,
    private_key_to_der,
    public_key_to_der,
)
from mcnode.crypto.keys import Ed25519Private
from mcnode.errors import InvalidError
from mcnode.network.ports import NodePorts
from mcnode.network.topology import NodePlan, Topology, topology

PLAN_FILE = "network.json"
HOST = "localhost"
DEFAULT_CHAIN_ID = "local"


class NoNetwork(InvalidError):
    """There is no network in the work directory."""


class UnknownNode(InvalidError):
    """The network has no node of that name."""


@dataclasses.dataclass(frozen=True, slots=True)
class LocalNode:
    """One node of a local network."""

    plan: NodePlan
    ports: NodePorts
    signer: Ed25519Private
    directory: Path

    @property
    def name(self) -> str:
        """Its name in the topology."""
        return self.plan.name

    @property
    def peer_responder_id(self) -> str:
        """What peers call it."""
        return f"{HOST}:{self.ports.peer}"

    @property
    def client_responder_id(self) -> str:
        """What wallets call it."""
        return f"{HOST}:{self.ports.client}"

    @property
    def client_uri(self) -> str:
        """Where wallets connect to."""
        return f"insecure-mc://{self.client_responder_id}/"

    @property
    def admin_uri(self) -> str:
        """Where operators connect to."""
        return f"insecure-mca://{HOST}:{self.ports.admin}/"

    @property
    def archive_directory(self) -> Path:
        """Where its blocks are published."""
        return self.directory / "archive"

    @property
    def archive_url(self) -> str:
        """The same as a URL."""
        return f"{self.archive_directory.as_uri()}/"

    @property
    def ledger_path(self) -> Path:
        """Its ledger."""
        return self.directory / "ledger"

    def peer_uri(self, *, pushes: bool) -> str:
        """How another node's network file names this one."""
        key = base64.urlsafe_b64encode(public_key_to_der(self.signer.public_key())).decode()
        return (
            f"insecure-mcp://{self.peer_responder_id}/?consensus-msg-key={key}"
            f"&broadcast-consensus-msgs={int(pushes)}"
        )


@dataclasses.dataclass(frozen=True, slots=True)
class NetworkPlan:
    """A whole local network. Everything lies below `directory`."""

    directory: Path
    topology: Topology
    nodes: tuple[LocalNode, ...]
    chain_id: str
    block_version: int

    @property
    def keys_directory(self) -> Path:
        """Key files of the funded accounts."""
        return self.directory / "keys"

    @property
    def origin_directory(self) -> Path:
        """The ledger that every node starts from."""
        return self.directory / "origin"

    @property
    def tokens_path(self) -> Path:
        """The signed tokens file, the same for every node."""
        return self.directory / "tokens.json"

    def node(self, name: str) -> LocalNode:
        """The node of that name. Raises `UnknownNode`."""
        for node in self.nodes:
            if node.name == name:
                return node
        names = ", ".join(node.name for node in self.nodes)
        raise UnknownNode(f"no node {name}; this network has {names}")

    def network_file(self, node: LocalNode) -> dict[str, Any]:
        """The content of a node's network file."""
        others = {other.name: other for other in self.nodes if other is not node}
        peers = node.plan.peers
        return {
            "broadcast_peers": [others[n].peer_uri(pushes=pushes) for n, pushes in peers.items()],
            "known_peers": [
                other.peer_uri(pushes=False) for name, other in others.items() if name not in peers
            ],
            "tx_source_urls": [others[name].archive_url for name in peers],
            "quorum_set": {
                "threshold": node.plan.threshold,
                "members": [
                    {"type": "Node", "args": others[name].peer_responder_id}
                    for name in node.plan.members
                ],
            },
        }

    def save(self) -> None:
        """Write the plan into the work directory, readable by its owner only."""
        document = {
            "topology": self.topology.name,
            "chain_id": self.chain_id,
            "block_version": self.block_version,
            "nodes": [
                {
                    "name": node.name,
                    "ports": dataclasses.asdict(node.ports),
                    "signer": base64.b64encode(private_key_to_der(node.signer)).decode(),
                }
                for node in self.nodes
            ],
        }
        path = self.directory / PLAN_FILE
        path.touch(mode=0o600)
        path.write_text(json.dumps(document, indent=2) + "\n")


def make_plan(
    directory: Path,
    shape: Topology,
    ports: Sequence[NodePorts],
    signers: Sequence[Ed25519Private],
    *,
    chain_id: str = DEFAULT_CHAIN_ID,
    block_version: int,
) -> NetworkPlan:
    """A new plan; one set of ports and one signer key per node."""
    directory = directory.resolve()
    nodes = tuple(
        LocalNode(plan, node_ports, signer, directory / f"node-{plan.name}")
        for plan, node_ports, signer in zip(shape.nodes, ports, signers, strict=True)
    )
    return NetworkPlan(directory, shape, nodes, chain_id, block_version)


def load_plan(directory: Path) -> NetworkPlan:
    """The plan of an existing network.

    Raises:
        NoNetwork: there is none, or its file is damaged.
    """
    path = directory / PLAN_FILE
    try:
        document = json.loads(path.read_text())
        return make_plan(
            directory,
            topology(document["topology"]),
            [NodePorts(**node["ports"]) for node in document["nodes"]],
            [
                ed25519_private_from_der(base64.b64decode(node["signer"]))
                for node in document["nodes"]
            ],
            chain_id=document["chain_id"],
            block_version=document["block_version"],
        )
    except FileNotFoundError:
        raise NoNetwork(f"no network in {directory}; make one with `mcnode network up`") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NoNetwork(f"{path} is damaged: {error}; remove {directory} to start anew") from error
