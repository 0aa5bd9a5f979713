"""A node's admin API for browsers and metric collectors. [docs/protocol/service.md#13]

A plain HTTP/1.1 server that turns five paths into calls of `admin.AdminAPI`. It is meant for the
machine's own network: it has no access control, as the network's gateway has none.

A call that fails is answered 200 with the error as text, because that is what existing monitors of
the network's gateway expect.
"""

import asyncio
import contextlib
import dataclasses
import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs

import grpc.aio
import structlog
from google.protobuf.empty_pb2 import Empty

from mcnode.api.gen.admin_pb2 import GetInfoResponse, SetRustLogRequest
from mcnode.api.rpc import call
from mcnode.api.services import GET_INFO, GET_PROMETHEUS_METRICS, SET_RUST_LOG
from mcnode.consensus.admin_page import PICTURE_PATH, json_or_text, page, picture_or_reason
from mcnode.errors import InvalidError

HEAD_BYTES_MAX: Final = 16 * 1024
BODY_BYTES_MAX: Final = 64 * 1024
CONNECTIONS_MAX: Final = 64
"""A handful of collectors and people use this; more connections wait."""
REQUEST_TIMEOUT_S: Final = 10.0
CALL_TIMEOUT_S: Final = 10.0

_TEXT: Final = "text/plain; charset=utf-8"
_HTML: Final = "text/html; charset=utf-8"
_JSON: Final = "application/json"
_SVG: Final = "image/svg+xml"

_log = structlog.get_logger("mcnode.consensus.admin_http")


class BadRequest(InvalidError):
    """What came is not an HTTP request of ours."""


@dataclasses.dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request, read whole."""

    method: str
    path: str
    """Without a query."""
    body: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class HttpResponse:
    """A response; the connection is closed after it."""

    body: str
    content_type: str = _TEXT
    status: HTTPStatus = HTTPStatus.OK
    location: str | None = None

    def to_bytes(self) -> bytes:
        """What goes over the wire."""
        body = self.body.encode()
        head = [
            f"HTTP/1.1 {self.status.value} {self.status.phrase}",
            f"content-type: {self.content_type}",
            f"content-length: {len(body)}",
            "connection: close",
            "x-content-type-options: nosniff",
        ]
        if self.location is not None:
            head.append(f"location: {self.location}")
        return "\r\n".join([*head, "", ""]).encode() + body


async def read_request(reader: asyncio.StreamReader) -> HttpRequest:
    """Read one request.

    Raises:
        BadRequest: malformed or too long.
        asyncio.IncompleteReadError: the other side stopped.
    """
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError as error:
        raise BadRequest(f"request head is above {HEAD_BYTES_MAX} bytes") from error
    request_line, *header_lines = head.decode("latin-1").split("\r\n")
    parts = request_line.split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise BadRequest("request line is malformed")
    length = 0
    for line in header_lines:
        name, _, value = line.partition(":")
        if name.strip().lower() == "content-length":
            length = _parse_length(value.strip())
    body = await reader.readexactly(length)
    return HttpRequest(parts[0], parts[1].partition("?")[0], body)


def _parse_length(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise BadRequest("content-length is malformed")
    if int(text) > BODY_BYTES_MAX:
        raise BadRequest(f"body has {int(text)} bytes, limit {BODY_BYTES_MAX}")
    return int(text)


class AdminGateway:
    """Answers requests by calling the admin API over `channel`."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel
        self._slots = asyncio.Semaphore(CONNECTIONS_MAX)
        self._routes: dict[tuple[str, str], Callable[[HttpRequest], Awaitable[HttpResponse]]] = {
            ("GET", "/"): self._index,
            ("GET", "/info"): self._info,
            ("GET", PICTURE_PATH): self._picture,
            ("POST", "/set-rust-log"): self._set_rust_log,
            ("GET", "/metrics"): self._metrics,
        }

    async def serve_connection(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """One request and its response; the shape that `asyncio.start_server` wants."""
        async with self._slots:
            try:
                async with asyncio.timeout(REQUEST_TIMEOUT_S + CALL_TIMEOUT_S):
                    response = await self._respond(reader)
                    writer.write(response.to_bytes())
                    await writer.drain()
            except (TimeoutError, OSError, asyncio.IncompleteReadError) as error:
                _log.debug("connection ended early", error=str(error))
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()

    async def _respond(self, reader: asyncio.StreamReader) -> HttpResponse:
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                request = await read_request(reader)
        except BadRequest as error:
            return HttpResponse(str(error), status=HTTPStatus.BAD_REQUEST)
        return await self.answer(request)

    async def answer(self, request: HttpRequest) -> HttpResponse:
        """The response to a request."""
        route = self._routes.get((request.method, request.path))
        if route is None:
            absent = "<!DOCTYPE html><title>404</title><h1>404: Not Found</h1>"
            return HttpResponse(absent, _HTML, HTTPStatus.NOT_FOUND)
        return await route(request)

    async def _index(self, _request: HttpRequest) -> HttpResponse:
        try:
            info = await self._fetch_info()
        except grpc.aio.AioRpcError as error:
            return HttpResponse(f"Failed getting info: {_rpc_failure(error)}")
        return HttpResponse(page(info), _HTML)

    async def _picture(self, _request: HttpRequest) -> HttpResponse:
        try:
            info = await self._fetch_info()
        except grpc.aio.AioRpcError as error:
            return HttpResponse(f"Failed getting info: {_rpc_failure(error)}")
        drawn, reason = await asyncio.to_thread(picture_or_reason, info)
        if drawn is None:
            return HttpResponse(f"no picture: {reason}", status=HTTPStatus.NOT_FOUND)
        return HttpResponse(drawn, _SVG)

    async def _info(self, _request: HttpRequest) -> HttpResponse:
        try:
            info = await self._fetch_info()
        except grpc.aio.AioRpcError as error:
            return HttpResponse(f"Failed getting info: {_rpc_failure(error)}")
        document = {
            "name": info.name,
            "id": info.id,
            "build_info": json_or_text(info.build_info_json),
            "config": json_or_text(info.config_json),
            "rust_log": info.rust_log,
        }
        return HttpResponse(json.dumps(document), _JSON)

    async def _metrics(self, _request: HttpRequest) -> HttpResponse:
        try:
            answer = await call(
                self._channel, GET_PROMETHEUS_METRICS, Empty(), timeout_s=CALL_TIMEOUT_S
            )
        except grpc.aio.AioRpcError as error:
            return HttpResponse(f"failed getting metrics: {_rpc_failure(error)}")
        return HttpResponse(answer.metrics)

    async def _set_rust_log(self, request: HttpRequest) -> HttpResponse:
        fields = parse_qs(request.body.decode(errors="replace"), max_num_fields=10)
        wanted = fields.get("rust_log", [""])[0]
        try:
            message = SetRustLogRequest(rust_log=wanted)
            await call(self._channel, SET_RUST_LOG, message, timeout_s=CALL_TIMEOUT_S)
        except grpc.aio.AioRpcError as error:
            return HttpResponse(f"failed setting rust_log: {_rpc_failure(error)}")
        return HttpResponse("", status=HTTPStatus.SEE_OTHER, location="/")

    async def _fetch_info(self) -> GetInfoResponse:
        return await call(self._channel, GET_INFO, Empty(), timeout_s=CALL_TIMEOUT_S)


def _rpc_failure(error: grpc.aio.AioRpcError) -> str:
    code = error.code()
    return f"RpcFailure: {code.value[0]}-{code.name} {error.details() or ''}".rstrip()


async def serve_gateway(channel: grpc.aio.Channel, host: str, port: int) -> asyncio.Server:
    """Listen and serve until the returned server is closed.

    Raises:
        OSError: the address cannot be bound.
    """
    gateway = AdminGateway(channel)
    return await asyncio.start_server(gateway.serve_connection, host, port, limit=HEAD_BYTES_MAX)
