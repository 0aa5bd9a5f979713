import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import grpc
import grpc.aio
import pytest
from google.protobuf.empty_pb2 import Empty

from mcnode.api.gen.admin_pb2 import (
    GetInfoResponse,
    GetPrometheusMetricsResponse,
    SetRustLogRequest,
)
from mcnode.api.rpc import Call, StatusError, handlers, serve
from mcnode.api.services import GET_INFO, GET_PROMETHEUS_METRICS, SET_RUST_LOG
from mcnode.consensus.admin_http import BODY_BYTES_MAX, HEAD_BYTES_MAX, serve_gateway

pytestmark = pytest.mark.asyncio


class Node:
    def __init__(self) -> None:
        self.rust_log = "info"
        self.config = '{"status":{"block_height":3}}'

    async def info(self, _request: Empty, _call: Call) -> GetInfoResponse:
        return GetInfoResponse(
            name="<Node>",
            id="a:1",
            build_info_json='{ "K": "v" }',
            config_json=self.config,
            rust_log=self.rust_log,
        )

    async def metrics(self, _request: Empty, _call: Call) -> GetPrometheusMetricsResponse:
        return GetPrometheusMetricsResponse(metrics="x 1\n")

    async def set_log(self, request: SetRustLogRequest, _call: Call) -> Empty:
        if request.rust_log == "loud":
            raise StatusError(grpc.StatusCode.INVALID_ARGUMENT, "level 'loud'")
        self.rust_log = request.rust_log
        return Empty()


@contextlib.asynccontextmanager
async def running(*, with_node: bool = True) -> AsyncIterator[tuple[Node, int]]:
    node, server = Node(), grpc.aio.server()
    server.add_generic_rpc_handlers(
        handlers(
            [
                serve(GET_INFO, node.info),
                serve(GET_PROMETHEUS_METRICS, node.metrics),
                serve(SET_RUST_LOG, node.set_log),
            ]
        )
    )
    port = server.add_insecure_port("127.0.0.1:0") if with_node else 1
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        gateway = await serve_gateway(channel, "127.0.0.1", 0)
        async with gateway:
            yield node, gateway.sockets[0].getsockname()[1]
    await server.stop(None)


async def ask(port: int, request: bytes) -> tuple[int, dict[str, str], str]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    head, _, body = answer.decode().partition("\r\n\r\n")
    status, *lines = head.split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    assert int(headers["content-length"]) == len(body.encode())
    return int(status.split(" ")[1]), headers, body


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


def post(path: str, body: bytes) -> bytes:
    return f"POST {path} HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def test_info_metrics_and_page() -> None:
    async with running() as (_, port):
        status, headers, body = await ask(port, get("/info?x=1"))
        assert (status, headers["content-type"]) == (200, "application/json")
        assert json.loads(body) == {
            "name": "<Node>",
            "id": "a:1",
            "build_info": {"K": "v"},
            "config": {"status": {"block_height": 3}},
            "rust_log": "info",
        }
        status, headers, body = await ask(port, get("/metrics"))
        assert (status, headers["content-type"], body) == (
            200,
            "text/plain; charset=utf-8",
            "x 1\n",
        )
        status, headers, body = await ask(port, get("/"))
        assert status == 200
        assert headers["content-type"].startswith("text/html")
        assert "&lt;Node&gt;" in body
        assert "<Node>" not in body


def told(**changes: object) -> str:
    """GetInfo of the first of three nodes that need each other."""
    ids = ["a:1", "<b>:1", "c:1"]
    sets = [
        {
            "threshold": 2,
            "members": [{"type": "Node", "args": each} for each in ids if each != own],
        }
        for own in ids
    ]
    quorum = {
        "lint": [],
        "announced": [
            {"responder_id": own, "quorum_set": quorum_set}
            for own, quorum_set in zip(ids, sets, strict=True)
        ],
        "analysis": {
            "verdict": "intersecting",
            "nodes_heard": 3,
            "nodes_named": 3,
            "disjoint_quorums": [],
            "smallest_blocking_set": 1,
            "smallest_splitting_set": None,
        },
    }
    network = {"quorum_set": sets[0], "broadcast_peers": [], "known_peers": None}
    config = {"peer_responder_id": "a:1"}
    return json.dumps({"config": config, "network": network, "quorum": quorum} | changes)


async def test_the_page_shows_quorums_and_a_stuck_slot() -> None:
    async with running() as (node, port):
        stuck = {
            "slot_index": 7,
            "seconds_without_progress": 61,
            "waiting_for": ["accept nomination of v1 lacks 1 of <b>:1"],
        }
        node.config = told(status={"block_height": 7, "stuck_slot": stuck})
        _, _, body = await ask(port, get("/"))
        assert "slot 7 without progress for 61 s\naccept nomination of v1 lacks 1 of &lt;b" in body
        assert (
            "every two quorums share a node\n3 of 3 nodes were heard\nnodes that must stop" in body
        )
        assert '<img src="/quorum.svg"' in body
        assert "<b>" not in body
        status, headers, body = await ask(port, get("/quorum.svg"))
        assert (status, headers["content-type"]) == (200, "image/svg+xml")
        assert "&lt;b&gt;:1" in body
        assert "Every two quorums share a node" in body


async def test_the_page_shows_a_split_and_what_is_not_known() -> None:
    async with running() as (node, port):
        analysis = {"verdict": "split", "disjoint_quorums": [["a:1"], ["c:1"]]}
        lint = [{"severity": "error", "message": "bad", "remedy": "Mend it"}]
        node.config = told(quorum={"analysis": analysis, "lint": lint})
        _, _, body = await ask(port, get("/"))
        for line in ("THE NETWORK CAN SPLIT", "a quorum by itself: c:1", "error: bad. Mend it"):
            assert line in body
        node.config = told(quorum={"analysis": None, "lint": None})
        _, _, body = await ask(port, get("/"))
        assert "not known until everybody has announced a quorum set" in body


@pytest.mark.parametrize(
    "config",
    [
        "{}",
        "no JSON",
        '{"quorum": 1}',
        '{"quorum": {"lint": [1], "analysis": {"disjoint_quorums": [2]}}}',
        '{"quorum": 1, "status": {"stuck_slot": 3}}',
        '{"quorum": {"lint": 1, "analysis": {"disjoint_quorums": 2}}, "status": 4}',
    ],
)
async def test_without_quorum_sets_there_is_no_picture(config: str) -> None:
    async with running() as (node, port):
        node.config = config
        status, _, _ = await ask(port, get("/"))
        assert status == 200
        status, _, body = await ask(port, get("/quorum.svg"))
        assert (status, body.startswith("no picture: ")) == (404, True)


async def test_log_filter() -> None:
    async with running() as (node, port):
        status, headers, _ = await ask(port, post("/set-rust-log", b"rust_log=warn%2Cx%3Ddebug"))
        assert (status, headers["location"]) == (303, "/")
        assert node.rust_log == "warn,x=debug"
        status, _, body = await ask(port, post("/set-rust-log", b"rust_log=loud"))
        assert status == 200
        assert body == "failed setting rust_log: RpcFailure: 3-INVALID_ARGUMENT level 'loud'"


async def test_an_absent_node_is_reported_in_the_body() -> None:
    async with running(with_node=False) as (_, port):
        for path, start in [
            ("/info", "Failed getting info: RpcFailure: 14-UNAVAILABLE"),
            ("/", "Failed getting info: RpcFailure: 14-UNAVAILABLE"),
            ("/quorum.svg", "Failed getting info: RpcFailure: 14-UNAVAILABLE"),
            ("/metrics", "failed getting metrics: RpcFailure: 14-UNAVAILABLE"),
        ]:
            status, headers, body = await ask(port, get(path))
            assert status == 200
            assert headers["content-type"] == "text/plain; charset=utf-8"
            assert body.startswith(start)


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (get("/nothing"), 404),
        (post("/info", b""), 404),
        (b"DELETE / HTTP/1.1\r\n\r\n", 404),
        (b"hello\r\n\r\n", 400),
        (b"GET / HTTP/2\r\n\r\n", 400),
        (b"POST /set-rust-log HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
        (
            f"POST /set-rust-log HTTP/1.1\r\nContent-Length: {BODY_BYTES_MAX + 1}\r\n\r\n".encode(),
            400,
        ),
        (b"GET / HTTP/1.1\r\nX: " + b"y" * HEAD_BYTES_MAX + b"\r\n\r\n", 400),
    ],
)
async def test_other_requests(request_bytes: bytes, status: int) -> None:
    async with running() as (_, port):
        assert (await ask(port, request_bytes))[0] == status


async def test_a_caller_that_stops_halfway_harms_nobody() -> None:
    async with running() as (_, port):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /set-rust-log HTTP/1.1\r\nContent-Length: 50\r\n\r\nrust")
        writer.close()
        await writer.wait_closed()
        assert (await ask(port, get("/metrics")))[0] == 200
