"""A whole node in this process, alone in its network: from start to stop, and when things break."""

import asyncio
import base64
import contextlib
import json
import socket
import threading

import grpc.aio
import pytest
import structlog
from google.protobuf.empty_pb2 import Empty

from mcnode.api.gen.health_pb2 import HealthCheckRequest, HealthCheckResponse
from mcnode.api.rpc import call
from mcnode.api.services import GET_LAST_BLOCK_INFO, GET_NODE_CONFIG, HEALTH_CHECK
from mcnode.blockchain.block import make_origin_block
from mcnode.cli.consensus_service import EXIT_BUG, EXIT_UNAVAILABLE, _first, _report
from mcnode.conformance.enclave_fixture import connect_client, in_process
from mcnode.connection.channel import CannotListen, open_channel
from mcnode.consensus.build_info import collect_build_facts
from mcnode.consensus.config.node import read_node_config
from mcnode.consensus.metrics import NodeMetrics
from mcnode.consensus.node import ConsensusNode
from mcnode.crypto.der import private_key_to_der
from mcnode.crypto.keys import Ed25519Private
from mcnode.enclave.interface import EnclaveMode
from mcnode.errors import BugError
from mcnode.ledger.db import LedgerDB, blocks
from mcnode.ledger.errors import DiskFull, InvalidBlockIndex
from mcnode.peers.consensus_value import tx_hash_value
from support.ports import free_port, is_free

pytestmark = pytest.mark.asyncio

SIGNER = Ed25519Private(b"\1" * 32)


class Filter:
    def current(self) -> str:
        return "info"

    def set(self, text: str) -> None:
        raise NotImplementedError


def port_of(flags, name: str) -> int:
    return int(flags[name].rsplit(":", 1)[1].rstrip("/"))


@pytest.fixture
def flags(tmp_path, payments):
    """The command line of a node that needs nobody."""
    with LedgerDB.create(tmp_path / "origin", durable=False) as ledger:
        block, contents = make_origin_block([owned.tx_out for owned in payments.fixture.owned])
        ledger.append_block(block, contents)
        ledger.flush()
    network = tmp_path / "network.json"
    network.write_text(
        json.dumps(
            {
                "quorum_set": {"threshold": 0, "members": []},
                "broadcast_peers": [],
                "tx_source_urls": [],
            }
        )
    )
    return {
        "--chain-id": "local",
        "--peer-responder-id": "node1.test:8443",
        "--client-responder-id": "node1.test:443",
        "--msg-signer-key": base64.b64encode(private_key_to_der(SIGNER)).decode(),
        "--network": network,
        "--ledger-path": tmp_path / "ledger",
        "--origin-block-path": tmp_path / "origin",
        "--sealed-block-signing-key": tmp_path / "sealed",
        "--block-version": 4,
        "--client-listen-uri": f"insecure-mc://127.0.0.1:{free_port()}/",
        "--peer-listen-uri": f"insecure-mcp://127.0.0.1:{free_port()}/",
        "--admin-listen-uri": f"insecure-mca://127.0.0.1:{free_port()}/",
    }


class Running:
    """A node that runs, and how to reach it."""

    def __init__(self, node: ConsensusNode, enclave, payments, channel) -> None:
        self.node, self.enclave, self.payments, self.channel = node, enclave, payments, channel
        self.task = asyncio.create_task(node.run())

    async def until_serving(self) -> None:
        async with asyncio.timeout(20):
            while not self.task.done():
                with contextlib.suppress(grpc.aio.AioRpcError):
                    health = await self.ask(HEALTH_CHECK, HealthCheckRequest())
                    if health.status == HealthCheckResponse.SERVING:
                        return
        await self.task

    async def ask(self, method, request):
        return await call(self.channel, method, request, timeout_s=20.0)

    async def pay(self, number: int) -> bytes:
        """Bring a payment as a client's request does; its hash."""
        client = await connect_client(self.enclave, "node1.test:443")
        context = await self.enclave.client_tx_propose(
            client.message(self.payments.tx_bytes[number])
        )
        tx_hash = await self.node._txs.insert(context)
        await self.node._proposals.from_client(tx_hash_value(tx_hash))
        return tx_hash

    async def until_blocks(self, count: int) -> None:
        async with asyncio.timeout(20):
            while (await self.ask(GET_LAST_BLOCK_INFO, Empty())).index + 1 < count:
                pass

    async def failure(self) -> BaseException:
        await asyncio.wait([self.task], timeout=20)
        return _first(BaseExceptionGroup("all", [self.task.exception()]))


@contextlib.asynccontextmanager
async def running(flags, payments, **more):
    words = [f"{name}={value}" for name, value in {**flags, **more}.items()]
    config = read_node_config(words, {})
    async with in_process(5) as enclave:
        facts = collect_build_facts(EnclaveMode.SIM, {})
        node = ConsensusNode(config, enclave, facts, Filter(), NodeMetrics())
        channel = open_channel(config.client_listen_uri)
        made = Running(node, enclave, payments, channel)
        try:
            yield made
        finally:
            await channel.close(None)
            made.task.cancel()
            await asyncio.wait([made.task])


async def test_a_node_alone_makes_blocks_and_stops_without_a_trace(
    flags, payments, tmp_path
) -> None:
    async with running(flags, payments) as made:
        await made.until_serving()
        config = await made.ask(GET_NODE_CONFIG, Empty())
        assert config.peer_responder_id == "node1.test:8443"
        assert config.scp_message_signing_key.data == SIGNER.public_key().to_bytes()
        assert config.block_signing_key.data == await made.enclave.get_signer()
        await made.pay(0)
        await made.until_blocks(2)
        await made.pay(1)
        await made.until_blocks(3)
        info = await made.node._info()
        assert info["status"]["block_height"] == 3
        assert info["status"]["sync_status"] == "synced"
        assert info["status"]["blocks_behind"] == 0
        assert int(info["status"]["latest_block_timestamp"]) > 0
        assert "SIMULATED" in info["status"]["warning"]
        assert 'op="tx_externalized_count"} 2' in made.node.metrics_text()
        made.node.reload_certificates()
        made.task.cancel()
        await asyncio.wait([made.task])
        assert made.task.cancelled()
        assert not made.node.is_serving()
    with LedgerDB.open(tmp_path / "ledger") as ledger:
        assert ledger.num_blocks() == 3
    for name in ("--client-listen-uri", "--peer-listen-uri", "--admin-listen-uri"):
        assert is_free(port_of(flags, name))


async def test_the_debug_dump_of_a_node_shows_its_last_slot(flags, payments, tmp_path) -> None:
    async with running(flags, payments, **{"--scp-debug-dump": tmp_path / "dump"}) as made:
        await made.until_serving()
        await made.pay(0)
        await made.until_blocks(2)
    states = sorted(path.name for path in (tmp_path / "dump" / "slot-states").iterdir())
    assert states == ["00000001.json"]
    assert len(list((tmp_path / "dump" / "cur-slot").iterdir())) == 3  # settings, values, outcome


async def test_certificates_may_be_reloaded_before_anything_listens(flags, payments) -> None:
    async with running(flags, payments) as made:
        made.node.reload_certificates()


async def test_a_full_disk_stops_the_node_with_one_line(
    flags, payments, tmp_path, monkeypatch, capsys
) -> None:
    def full(*_):
        raise DiskFull("disk full at ledger: free some space and start again")

    async with running(flags, payments) as made:
        await made.until_serving()
        monkeypatch.setattr(LedgerDB, "append_block_data", full)
        await made.pay(0)
        error = await made.failure()
        assert isinstance(error, DiskFull)
        capsys.readouterr()
        assert _report(error) == EXIT_UNAVAILABLE
        assert capsys.readouterr().err == f"error: {error}\n"
        assert not made.node.is_serving()
    monkeypatch.undo()
    with LedgerDB.open(tmp_path / "ledger") as ledger:
        assert ledger.num_blocks() == 1


async def test_a_bug_leaves_the_state_of_consensus_in_the_log(
    flags, payments, monkeypatch, capsys
) -> None:
    def broken(*_):
        raise InvalidBlockIndex(1, 2)

    with structlog.testing.capture_logs() as logs:
        async with running(flags, payments) as made:
            await made.until_serving()
            monkeypatch.setattr(LedgerDB, "append_block_data", broken)
            await made.pay(0)
            error = await made.failure()
    assert isinstance(error, BugError)
    assert _report(error) == EXIT_BUG
    assert "Traceback" in capsys.readouterr().err
    [dump] = [entry for entry in logs if entry["log_level"] == "critical"]
    assert dump["slot_index"] == 1
    assert '"phase":"Externalize"' in dump["slot_states"][0]


async def test_stopped_in_the_middle_of_a_block_the_ledger_is_whole(
    flags, payments, tmp_path, monkeypatch
) -> None:
    in_transaction, may_go_on = threading.Event(), threading.Event()
    write_block = blocks.write_block

    def slow_write(*arguments):
        write_block(*arguments)
        in_transaction.set()
        assert may_go_on.wait(20)

    async with running(flags, payments) as made:
        await made.until_serving()
        monkeypatch.setattr(blocks, "write_block", slow_write)
        await made.pay(0)
        assert await asyncio.to_thread(in_transaction.wait, 20)
        made.task.cancel()
        await asyncio.sleep(0)
        may_go_on.set()
        await asyncio.wait([made.task], timeout=20)
        assert made.task.cancelled()
    with LedgerDB.open(tmp_path / "ledger") as ledger:
        assert ledger.num_blocks() == 2


async def test_a_taken_port_stops_the_node_and_frees_the_rest(flags, payments, tmp_path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        uri = f"insecure-mc://127.0.0.1:{taken.getsockname()[1]}/"
        async with running(flags, payments, **{"--client-listen-uri": uri}) as made:
            error = await made.failure()
    assert isinstance(error, CannotListen)
    assert is_free(port_of(flags, "--admin-listen-uri"))  # its listener was there already
    LedgerDB.open(tmp_path / "ledger").close()
