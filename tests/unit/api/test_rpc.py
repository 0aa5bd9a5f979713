import contextlib
from collections.abc import AsyncIterator

import grpc
import grpc.aio
import pytest
from google.protobuf.empty_pb2 import Empty

from mcnode.api.gen.consensus_common_pb2 import BlocksRequest, BlocksResponse
from mcnode.api.gen.health_pb2 import PingRequest, PingResponse
from mcnode.api.rpc import (
    UNDECODABLE_REQUEST,
    UNOBSERVED,
    Call,
    CallObserver,
    StatusError,
    call,
    handlers,
    serve,
)
from mcnode.api.services import GET_BLOCKS, GET_LATEST_MSG, HEALTH_PING

pytestmark = pytest.mark.asyncio


class Recorder:
    def __init__(self) -> None:
        self.events: list[tuple[str, str, object]] = []

    def call_started(self, path: str, request_bytes: int) -> object:
        self.events.append(("started", path, request_bytes))
        return len(self.events)

    def call_ended(self, path: str, started: object, code: grpc.StatusCode) -> None:
        self.events.append(("ended", path, (started, code)))


async def ping(request: PingRequest, _call: Call) -> PingResponse:
    return PingResponse(data=request.data)


async def refuse(_request: BlocksRequest, _call: Call) -> BlocksResponse:
    raise StatusError(grpc.StatusCode.FAILED_PRECONDITION, "not today")


@contextlib.asynccontextmanager
async def served(observer: CallObserver = UNOBSERVED) -> AsyncIterator[grpc.aio.Channel]:
    server = grpc.aio.server()
    port = server.add_insecure_port("127.0.0.1:0")
    server.add_generic_rpc_handlers(
        handlers([serve(HEALTH_PING, ping), serve(GET_BLOCKS, refuse)], observer)
    )
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield channel
    finally:
        await server.stop(None)


async def test_round_trip_and_what_the_observer_sees() -> None:
    recorder = Recorder()
    async with served(recorder) as channel:
        answer = await call(channel, HEALTH_PING, PingRequest(data=b"abc"), timeout_s=10)
    assert answer.data == b"abc"
    assert recorder.events == [
        ("started", HEALTH_PING.path, 5),
        ("ended", HEALTH_PING.path, (1, grpc.StatusCode.OK)),
    ]


async def test_refusal_reaches_the_caller_and_the_observer() -> None:
    recorder = Recorder()
    async with served(recorder) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(channel, GET_BLOCKS, BlocksRequest(), timeout_s=10)
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert caught.value.details() == "not today"
    assert recorder.events[-1] == (
        "ended",
        GET_BLOCKS.path,
        (1, grpc.StatusCode.FAILED_PRECONDITION),
    )


async def test_unknown_method_is_unimplemented_with_empty_text() -> None:
    async with served() as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(channel, GET_LATEST_MSG, Empty(), timeout_s=10)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert caught.value.details() == ""


async def test_garbage_gets_the_networks_own_text() -> None:
    async with served() as channel:
        raw = channel.unary_unary(HEALTH_PING.path)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await raw(b"\x0a\xff", timeout=10)
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert caught.value.details() == UNDECODABLE_REQUEST
