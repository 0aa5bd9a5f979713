"""Calls to a real node, made again to a node of ours in the same situation.

The node runs in this process: three blocks, chain id and tokens of the recorded network, one peer
that is never there. Answers are compared message by message, except for what cannot be equal: keys,
evidence, paths, build facts.
"""

import asyncio
import contextlib
import json
import os
import re
import socket
import tempfile
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, Final

import grpc
import grpc.aio
import structlog
from google.protobuf.message import Message as ProtobufMessage

from mcnode.api.gen.admin_pb2 import GetInfoResponse, GetPrometheusMetricsResponse
from mcnode.api.gen.attest_pb2 import AuthMessage
from mcnode.api.gen.build_info_pb2 import BuildInfo
from mcnode.api.gen.consensus_config_pb2 import ConsensusNodeConfig
from mcnode.api.gen.health_pb2 import HealthCheckRequest, HealthCheckResponse
from mcnode.api.rpc import call
from mcnode.api.services import HEALTH_CHECK, METHODS
from mcnode.attest.key_exchange import HANDSHAKE_MESSAGE_BYTES_MAX
from mcnode.blockchain.archive_conversion import parse_archive_block
from mcnode.conformance.vectors import (
    MismatchError,
    Report,
    VectorFile,
    expect,
    expect_equal,
    read_unpacked,
    runs,
)
from mcnode.connection.channel import open_channel
from mcnode.consensus.build_info import collect_build_facts
from mcnode.consensus.config.node import NodeConfig, read_node_config
from mcnode.consensus.logging_setup import parse_filter
from mcnode.consensus.metrics import NodeMetrics
from mcnode.consensus.node import ConsensusNode
from mcnode.crypto.der import private_key_to_der
from mcnode.crypto.keys import Ed25519Private
from mcnode.enclave.in_process import InProcessEnclave
from mcnode.enclave.interface import EnclaveMode
from mcnode.enclave.trusted.constants import MeasuredConstants
from mcnode.enclave.trusted.enclave import TrustedEnclave
from mcnode.enclave.trusted.simulated import SimulatedMeasurement, SimulatedMode
from mcnode.ledger.db import LedgerDB

Case = dict[str, Any]
Channels = Mapping[str, grpc.aio.Channel]

_BLOCKS: Final = 3
_START_TIMEOUT_S: Final = 30.0
_CALL_TIMEOUT_S: Final = 30.0
_RESPONSES: Final = {method.path: method.response for method in METHODS}
_SIZED: Final = re.compile(r"(\d+) bytes")


class _RecordedFilter:
    """The log filter of a node that logs nowhere."""

    def __init__(self) -> None:
        self._text = "info"

    def current(self) -> str:
        return self._text

    def set(self, text: str) -> None:
        parse_filter(text)
        self._text = text


@runs("service", r"genuine-tools/raw_calls[^/]*\.jsonl")
def run_raw_calls(file: VectorFile, report: Report) -> None:
    """Each recorded call, in order, and its answer."""
    with structlog.testing.capture_logs():  # the node's own log is not part of the outcome
        asyncio.run(_run_calls(file, report))


async def _run_calls(file: VectorFile, report: Report) -> None:
    async with _running_node(file) as channels:
        for case in file.json_lines():
            differs = _known_difference(case)
            if differs is not None:
                report.notes.append(f"{case['name']}: {differs}")
            with report.case(case["name"]):
                await _check_call(case, channels, differs is not None)


def _known_difference(case: Case) -> str | None:
    """Why an answer is another one on purpose."""
    if case["method"].endswith("/Auth") and case["status"] == "OK":
        sized = _SIZED.fullmatch(case["request_hex"])
        if sized and int(sized[1]) > HANDSHAKE_MESSAGE_BYTES_MAX:
            return f"handshake messages have at most {HANDSHAKE_MESSAGE_BYTES_MAX} bytes here"
        if case["request_hex"].endswith("00" * 32):
            return "a key of low order is refused here"
    return None


async def _check_call(case: Case, channels: Channels, differs: bool) -> None:
    request = _request_bytes(case["request_hex"])
    headers = tuple((key, value) for key, value in case["headers"])
    raw = channels[case["listener"]].unary_unary(
        case["method"], request_serializer=None, response_deserializer=None
    )
    status, message, response = "OK", "", b""
    try:
        response = await raw(request, metadata=headers, timeout=_CALL_TIMEOUT_S)
    except grpc.aio.AioRpcError as error:
        status, message = error.code().name, error.details() or ""
    if differs:
        expect_equal("status", status, "PERMISSION_DENIED")
        return
    expect_equal("status", status, case["status"])
    if status != "OK":
        # Newer releases of the gRPC library say on which side a message was too long.
        expect_equal("message", message.removeprefix("SERVER: "), case["message"])
        return
    _compare_responses(_RESPONSES[case["method"]], response, case)


def _request_bytes(text: str) -> bytes:
    """Hex, or the size of a request whose one field is filled up."""
    sized = _SIZED.fullmatch(text)
    if sized is None:
        return bytes.fromhex(text)
    size = int(sized[1])
    filled = AuthMessage(data=bytes([9]) * size).SerializeToString()
    return AuthMessage(data=bytes([9]) * (2 * size - len(filled))).SerializeToString()


def _compare_responses(cls: type[ProtobufMessage], found: bytes, case: Case) -> None:
    compare = _COMPARISONS.get(cls, _compare_equal)
    if "response_hex" in case and not _SIZED.fullmatch(case["response_hex"]):
        compare(cls.FromString(found), cls.FromString(bytes.fromhex(case["response_hex"])))
    elif "response" in case:
        expected = cls()
        _fill(expected, case["response"])
        compare(cls.FromString(found), expected)


def _fill(message: ProtobufMessage, values: Mapping[str, Any]) -> None:
    """Set text fields; the recordings that have no bytes have nothing else to compare."""
    for name, value in values.items():
        if isinstance(value, str):
            setattr(message, name, value)


def _compare_equal(found: Any, expected: Any) -> None:
    expect_equal("response", found, expected)


def _compare_handshakes(found: AuthMessage, expected: AuthMessage) -> None:
    """Keys are fresh and evidence differs: only that there is an answer of such a kind."""
    expect(len(found.data) > 1000, f"answer has {len(found.data)} bytes, cannot hold evidence")


def _compare_build_info(found: BuildInfo, expected: BuildInfo) -> None:
    expect_equal("mode", found.sgx_mode, expected.sgx_mode)
    for field in BuildInfo.DESCRIPTOR.fields:
        given = bool(getattr(found, field.name)), bool(getattr(expected, field.name))
        expect_equal(f"{field.name} is given", *given)


def _compare_node_config(found: ConsensusNodeConfig, expected: ConsensusNodeConfig) -> None:
    for message in (found, expected):
        message.ClearField("block_signing_key")
    expect_equal("response", found, expected)


def _compare_info(found: GetInfoResponse, expected: GetInfoResponse) -> None:
    expect_equal("name", found.name, expected.name)
    expect_equal("id", found.id, expected.id)
    keys = [list(json.loads(each.build_info_json)) for each in (found, expected)]
    expect_equal("build info keys", *keys)
    ours, theirs = json.loads(found.config_json), json.loads(expected.config_json)
    for part, values in theirs.items():
        missing = set(values) - set(ours[part])
        expect(not missing, f"{part} lacks {sorted(missing)}")
    for name in ("peer_responder_id", "client_responder_id", "message_pubkey", "public_key"):
        expect_equal(name, ours["config"][name], theirs["config"][name])
    for name in ("block_height", "latest_block_hash", "latest_block_timestamp", "sync_status"):
        expect_equal(name, ours["status"][name], theirs["status"][name])


_OWN_FAMILIES: Final = re.compile(
    r"# TYPE (consensus_service\w*|consensus_scp\w*|pending\w*) (\w+)"
)


def _compare_metrics(
    found: GetPrometheusMetricsResponse, expected: GetPrometheusMetricsResponse
) -> None:
    """Every family of the service is there with its type; values depend on what went before."""
    ours = set(_OWN_FAMILIES.findall(found.metrics))
    missing = set(_OWN_FAMILIES.findall(expected.metrics)) - ours
    expect(not missing, f"families {sorted(missing)} are missing")


_COMPARISONS: Final[dict[type[ProtobufMessage], Callable[[Any, Any], None]]] = {
    AuthMessage: _compare_handshakes,
    BuildInfo: _compare_build_info,
    ConsensusNodeConfig: _compare_node_config,
    GetInfoResponse: _compare_info,
    GetPrometheusMetricsResponse: _compare_metrics,
}


# ---- the node -----------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def _running_node(file: VectorFile) -> AsyncIterator[Channels]:
    """A node like the recorded one, and a channel to each of its listeners."""
    with tempfile.TemporaryDirectory() as folder:
        config = _node_config(file, Path(folder))
        enclave = InProcessEnclave(_trusted_enclave(file))
        facts = collect_build_facts(EnclaveMode.SIM, {})
        node = ConsensusNode(config, enclave, facts, _RecordedFilter(), NodeMetrics())
        running = asyncio.create_task(node.run())
        channels = {
            "client": open_channel(config.client_listen_uri),
            "peer": open_channel(config.peer_listen_uri),
        }
        if config.admin_listen_uri is not None:
            channels["admin"] = open_channel(config.admin_listen_uri)
        try:
            await _wait_until_serving(channels["client"], running)
            yield channels
        finally:
            for channel in channels.values():
                await channel.close(None)
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
            await enclave.close()


def _trusted_enclave(file: VectorFile) -> TrustedEnclave:
    facts = _network_facts(file)
    measurement = SimulatedMeasurement(
        bytes.fromhex(facts["mr_enclave_hex"]), bytes.fromhex(facts["mr_signer_hex"])
    )
    mode = SimulatedMode(measurement, os.urandom, lambda: int(time.time()))
    return TrustedEnclave(mode, MeasuredConstants(), os.urandom)


def _network_facts(file: VectorFile) -> Case:
    facts: Case = json.loads(read_unpacked(file.sibling("network/network.json")))
    return facts


def _node_config(file: VectorFile, folder: Path) -> NodeConfig:
    facts = _network_facts(file)
    node = facts["nodes"]["a"]
    for name in ("network_node_a.json", "tokens.signed.json"):
        (folder / name).write_bytes(read_unpacked(file.sibling(f"network/{name}")))
    _write_ledger(file, folder / "ledger")
    key = Ed25519Private(bytes.fromhex(node["msg_signer_seed_hex"]))
    flags = {
        "--chain-id": facts["chain_id"],
        "--peer-responder-id": node["peer_responder_id"],
        "--client-responder-id": node["client_responder_id"],
        "--msg-signer-key": b64encode(private_key_to_der(key)).decode(),
        "--network": folder / "network_node_a.json",
        "--tokens": folder / "tokens.signed.json",
        "--ledger-path": folder / "ledger",
        "--sealed-block-signing-key": folder / "sealed",
        "--block-version": facts["block_version"],
        "--client-listen-uri": f"insecure-mc://127.0.0.1:{_free_port()}/",
        "--peer-listen-uri": f"insecure-mcp://127.0.0.1:{_free_port()}/",
        "--admin-listen-uri": f"insecure-mca://127.0.0.1:{_free_port()}/",
    }
    return read_node_config([f"{name}={value}" for name, value in flags.items()], {})


def _write_ledger(file: VectorFile, path: Path) -> None:
    with LedgerDB.create(path, durable=False) as ledger:
        for index in range(_BLOCKS):
            data = read_unpacked(file.sibling(f"network/block_{index}_node_a.pb"))
            ledger.append_block_data(parse_archive_block(data))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _wait_until_serving(channel: grpc.aio.Channel, running: asyncio.Task[None]) -> None:
    """Ask for its health until it serves, or until it has ended."""
    deadline = asyncio.get_running_loop().time() + _START_TIMEOUT_S
    while asyncio.get_running_loop().time() < deadline:
        if running.done():
            await running
            raise MismatchError("node ended at once")
        with contextlib.suppress(grpc.aio.AioRpcError):
            answer = await call(channel, HEALTH_CHECK, HealthCheckRequest(), timeout_s=5)
            if answer.status == HealthCheckResponse.SERVING:
                return
        await asyncio.sleep(0.05)
    raise MismatchError(f"node does not serve after {_START_TIMEOUT_S} s")
