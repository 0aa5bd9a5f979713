"""A local network of real processes: made, started, looked at, stopped.

Each node is two programs, `consensus-service` (which starts its own trusted process) and
`ledger-distribution`. They run on their own once started; whoever holds the work directory can look
at them or end them.
"""

import asyncio
import base64
import dataclasses
import sys
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path

import grpc.aio
from google.protobuf.empty_pb2 import Empty

from mcnode.api.gen.health_pb2 import HealthCheckRequest, HealthCheckResponse
from mcnode.api.rpc import call
from mcnode.api.services import (
    GET_LAST_BLOCK_INFO,
    GET_NODE_CONFIG,
    HEALTH_CHECK,
    Method,
    Request,
    Response,
)
from mcnode.connection.channel import open_channel
from mcnode.connection.uri import CLIENT, parse_uri
from mcnode.crypto.der import private_key_to_der
from mcnode.crypto.keys import Ed25519Private
from mcnode.crypto.rng import RandomBytes
from mcnode.network import processes
from mcnode.network.bootstrap import Funding, write_network
from mcnode.network.plan import DEFAULT_CHAIN_ID, LocalNode, NetworkPlan, load_plan, make_plan
from mcnode.network.ports import ReservedPorts, reserve_ports
from mcnode.network.processes import ProcessFailed, Program
from mcnode.network.topology import topology

DEFAULT_BLOCK_VERSION = 4
READY_TIMEOUT_S = 60.0
_POLL_S = 0.05
_CALL_TIMEOUT_S = 2.0
_LOG_LINES_SHOWN = 5

Progress = Callable[[str], None]
"""Told in a few words what is being done."""


def _quiet(_: str) -> None:
    """No progress wanted."""


@dataclasses.dataclass(frozen=True, slots=True)
class NodeStatus:
    """What is known of a node from outside."""

    name: str
    client_uri: str
    admin_uri: str
    archive_url: str
    is_running: bool
    is_serving: bool
    block_height: int | None


def create_network(
    directory: Path,
    topology_name: str,
    random_bytes: RandomBytes,
    *,
    funding: Funding = Funding(),  # noqa: B008 - frozen
    chain_id: str = DEFAULT_CHAIN_ID,
    block_version: int = DEFAULT_BLOCK_VERSION,
) -> "LocalNetwork":
    """Write a new network's files; nothing is started.

    Raises:
        UnknownTopology: there is no such topology.
        NoFreePorts: the machine has no ports left.
        DirectoryInUse: the directory has files.
        CannotWrite: the directory cannot be written.
    """
    shape = topology(topology_name)
    reserved = reserve_ports(len(shape.nodes))
    try:
        plan = make_plan(
            directory,
            shape,
            reserved.ports,
            [Ed25519Private.from_bytes(random_bytes(32)) for _ in shape.nodes],
            chain_id=chain_id,
            block_version=block_version,
        )
        write_network(plan, funding)
    except BaseException:
        reserved.release()
        raise
    return LocalNetwork(plan, reserved)


def open_network(directory: Path) -> "LocalNetwork":
    """The network in a work directory. Raises `NoNetwork`."""
    return LocalNetwork(load_plan(directory))


class LocalNetwork:
    """A network that has files; its processes may or may not run.

    `reserved` are its ports if they have just been chosen: they are held until all nodes listen.
    """

    def __init__(self, plan: NetworkPlan, reserved: ReservedPorts | None = None) -> None:
        self.plan = plan
        self._reserved = reserved

    def start(self, names: Iterable[str] | None = None) -> None:
        """Start nodes, by default all; returns at once, see `wait_until_serving`."""
        for node in self._nodes(names):
            for program in (self.service_program(node), self.distribution_program(node)):
                if processes.running_pid(program.record_path) is None:
                    processes.start(program)

    def stop(self, names: Iterable[str] | None = None, *, kill: bool = False) -> None:
        """Stop nodes, by default all, so that nothing of them runs; `kill` is SIGKILL at once.

        Ctrl-C waits until they are stopped: an impatient second one must leave nothing behind.
        """
        with processes.signals_wait():
            self._stop(names, kill=kill)

    def _stop(self, names: Iterable[str] | None, *, kill: bool) -> None:
        records = [
            program.record_path
            for node in self._nodes(names)
            for program in (self.service_program(node), self.distribution_program(node))
        ]
        if not kill:
            for record in records:
                processes.ask_to_stop(record)
        deadline = time.monotonic() + processes.STOP_TIMEOUT_S
        for record in records:
            remaining = max(0.0, deadline - time.monotonic())
            processes.stop(record, kill=kill, timeout_s=remaining)
        if names is None:
            self._release_ports()

    def _release_ports(self) -> None:
        if self._reserved is not None:
            self._reserved.release()

    def running_names(self) -> list[str]:
        """Nodes whose service runs."""
        return [
            node.name
            for node in self.plan.nodes
            if processes.running_pid(self.service_program(node).record_path) is not None
        ]

    async def wait_until_serving(
        self,
        names: Iterable[str] | None = None,
        *,
        timeout_s: float = READY_TIMEOUT_S,
        progress: Progress = _quiet,
    ) -> None:
        """Until the nodes, by default all, take transactions.

        Raises:
            ProcessFailed: one has ended, or is not there in time; with the end of its log.
        """
        deadline = time.monotonic() + timeout_s
        waiting = {node.name: node for node in self._nodes(names)}
        while waiting:
            for name, node in list(waiting.items()):
                if await _is_serving(node):
                    progress(f"node {name} serves on {node.client_uri}")
                    del waiting[name]
                else:
                    self._check_running(node)
            if waiting and time.monotonic() > deadline:
                node = next(iter(waiting.values()))
                raise ProcessFailed(
                    f"node {node.name} does not serve after {timeout_s:g} s{self._log_end(node)}"
                )
            if waiting:
                await asyncio.sleep(_POLL_S)
        if names is None:
            self._release_ports()

    async def status(self) -> list[NodeStatus]:
        """What every node is doing."""
        running = set(self.running_names())
        return list(await asyncio.gather(*(_status(node, running) for node in self.plan.nodes)))

    def log_paths(self, name: str) -> Sequence[Path]:
        """The log files of a node. Raises `UnknownNode`."""
        node = self.plan.node(name)
        return [self.service_program(node).log_path, self.distribution_program(node).log_path]

    def service_program(self, node: LocalNode) -> Program:
        """How a node's service is started."""
        plan, ports = self.plan, node.ports
        flags = {
            "--chain-id": plan.chain_id,
            "--client-responder-id": node.client_responder_id,
            "--peer-responder-id": node.peer_responder_id,
            "--network": str(node.directory / "network.json"),
            "--tokens": str(plan.tokens_path),
            "--origin-block-path": str(plan.origin_directory),
            "--block-version": str(plan.block_version),
            "--ledger-path": str(node.ledger_path),
            "--sealed-block-signing-key": str(node.directory / "block-signing-key.sealed"),
            "--client-listen-uri": f"insecure-mc://127.0.0.1:{ports.client}/",
            "--peer-listen-uri": f"insecure-mcp://127.0.0.1:{ports.peer}/",
            "--admin-listen-uri": f"insecure-mca://127.0.0.1:{ports.admin}/",
        }
        signer = base64.b64encode(private_key_to_der(node.signer)).decode()
        return Program(
            "consensus-service",
            [
                *_python("mcnode.cli.consensus_service"),
                *(word for flag in flags.items() for word in flag),
            ],
            {"MC_MSG_SIGNER_KEY": signer},
            node.directory,
        )

    def distribution_program(self, node: LocalNode) -> Program:
        """How a node's distribution is started."""
        return Program(
            "ledger-distribution",
            [
                *_python("mcnode.cli.ledger_distribution"),
                "--ledger-path",
                str(node.ledger_path),
                "--dest",
                node.archive_directory.as_uri(),
            ],
            {},
            node.directory,
        )

    def _nodes(self, names: Iterable[str] | None) -> list[LocalNode]:
        return list(self.plan.nodes) if names is None else [self.plan.node(n) for n in names]

    def _check_running(self, node: LocalNode) -> None:
        if processes.running_pid(self.service_program(node).record_path) is None:
            raise ProcessFailed(f"node {node.name} has ended{self._log_end(node)}")

    def _log_end(self, node: LocalNode) -> str:
        path = self.service_program(node).log_path
        try:
            lines = path.read_text(errors="replace").splitlines()[-_LOG_LINES_SHOWN:]
        except OSError:
            lines = []
        return "".join(f"\n  {line}" for line in lines) + f"\n  (whole log: {path})"


def _python(module: str) -> list[str]:
    """The interpreter that runs us, so that a network needs nothing on the search path."""
    return [sys.executable, "-m", module]


async def _is_serving(node: LocalNode) -> bool:
    """Whether this very node takes transactions: one of another network may have its port."""
    response = await _ask(node, HEALTH_CHECK, HealthCheckRequest())
    if response is None or response.status != HealthCheckResponse.SERVING:
        return False
    config = await _ask(node, GET_NODE_CONFIG, Empty())
    own_key = node.signer.public_key().to_bytes()
    return config is not None and config.scp_message_signing_key.data == own_key


async def _status(node: LocalNode, running: Collection[str]) -> NodeStatus:
    info = await _ask(node, GET_LAST_BLOCK_INFO, Empty()) if node.name in running else None
    return NodeStatus(
        name=node.name,
        client_uri=node.client_uri,
        admin_uri=node.admin_uri,
        archive_url=node.archive_url,
        is_running=node.name in running,
        is_serving=info is not None and await _is_serving(node),
        block_height=None if info is None else info.index + 1,
    )


async def _ask(
    node: LocalNode, method: Method[Request, Response], request: Request
) -> Response | None:
    """The answer of a node's client listener, None if there is none."""
    channel = open_channel(parse_uri(node.client_uri, CLIENT))
    try:
        return await call(channel, method, request, timeout_s=_CALL_TIMEOUT_S)
    except grpc.aio.AioRpcError:
        return None
    finally:
        await channel.close(None)
