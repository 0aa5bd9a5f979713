"""Serving and calling the methods of `mcnode.api.services` over grpc.aio.

A server gives each method a coroutine from (request, call) to response::

    server.add_generic_rpc_handlers(handlers([
        serve(GET_BLOCKS, self.get_blocks),
        serve(HEALTH_CHECK, self.check),
    ]))

A coroutine that wants to refuse raises `StatusError`; anything else that escapes is a bug of ours,
is logged by grpc and answered INTERNAL. [docs/protocol/service.md#8.3]
"""

import dataclasses
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from mcnode.api.services import Method, Request, Response
from mcnode.errors import McNodeError

if TYPE_CHECKING:
    BytesHandler = grpc.RpcMethodHandler[bytes, bytes]

Metadata = Sequence[tuple[str, str | bytes]]

UNDECODABLE_REQUEST = (
    "Failed to deserialize response message: Codec(WireError(UnexpectedEof))"  # sic: "response"
)
"""What the network's nodes answer, with INTERNAL, to a request that is no protobuf."""

REQUEST_BYTES_MAX = 4 * 1024 * 1024
"""gRPC's own default; the network's listeners do not raise it."""


class StatusError(McNodeError):
    """End the call with this status instead of a response."""

    def __init__(self, code: grpc.StatusCode, message: str = "") -> None:
        super().__init__(f"{code.name}: {message}")
        self.code = code
        self.message = message


class Call(Protocol):
    """The part of a server's call object that handlers use."""

    def invocation_metadata(self) -> Any:
        """The headers of the request, in order, as (key, value) pairs; keys are lower case."""

    def peer(self) -> str:
        """Where the request came from, for logs."""


Implementation = Callable[[Request, Call], Awaitable[Response]]


class CallObserver(Protocol):
    """Told about every call of a server, for metrics."""

    def call_started(self, path: str, request_bytes: int) -> object:
        """Return a value that is handed back at the end."""

    def call_ended(self, path: str, started: object, code: grpc.StatusCode) -> None:
        """The call ended with `code`."""


class _Unobserved:
    def call_started(self, path: str, request_bytes: int) -> object:
        return None

    def call_ended(self, path: str, started: object, code: grpc.StatusCode) -> None:
        return None


UNOBSERVED: CallObserver = _Unobserved()


@dataclasses.dataclass(frozen=True, slots=True)
class Served:
    """A method with the coroutine that serves it."""

    method: Method[Any, Any]
    implementation: Implementation[Any, Any]


def serve(
    method: Method[Request, Response], implementation: Implementation[Request, Response]
) -> Served:
    """Bind a coroutine to a method; the types are checked here, statically."""
    return Served(method, implementation)


def handlers(
    served: Iterable[Served], observer: CallObserver = UNOBSERVED
) -> "tuple[grpc.GenericRpcHandler[bytes, bytes], ...]":
    """What a grpc.aio server needs to serve these methods and refuse all others."""
    table = {one.method.path: _handler(one, observer) for one in served}
    return (_Router(table),)


class _Router(grpc.GenericRpcHandler):  # type: ignore[type-arg]
    """Finds the handler of a path; unknown ones are UNIMPLEMENTED with empty text, as there."""

    def __init__(self, table: "dict[str, BytesHandler]") -> None:
        self._table = table
        self._unknown = grpc.unary_unary_rpc_method_handler(_refuse_unknown)

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "BytesHandler":
        return self._table.get(handler_call_details.method, self._unknown)


async def _refuse_unknown(_request: bytes, context: Any) -> bytes:
    await context.abort(grpc.StatusCode.UNIMPLEMENTED, "")
    raise AssertionError("abort returned")


def _handler(served: Served, observer: CallObserver) -> "BytesHandler":
    """A handler from request bytes to response bytes: parsing is ours, so its refusal is too."""
    path = served.method.path

    async def answer(data: bytes, context: Any) -> bytes:
        started = observer.call_started(path, len(data))
        code = grpc.StatusCode.UNKNOWN
        try:
            response = await _answer(served, data, context)
            code = grpc.StatusCode.OK
            return response
        except StatusError as refusal:
            code = refusal.code
            await context.abort(refusal.code, refusal.message)
            raise AssertionError("abort returned") from refusal
        finally:
            observer.call_ended(path, started, code)

    return grpc.unary_unary_rpc_method_handler(answer)


async def _answer(served: Served, data: bytes, context: Any) -> bytes:
    try:
        request = served.method.request.FromString(data)
    except DecodeError as error:
        raise StatusError(grpc.StatusCode.INTERNAL, UNDECODABLE_REQUEST) from error
    response = await served.implementation(request, context)
    return bytes(response.SerializeToString())


def open_call(
    channel: grpc.aio.Channel,
    method: Method[Request, Response],
    request: Request,
    *,
    metadata: Metadata = (),
    timeout_s: float | None,
) -> "grpc.aio.UnaryUnaryCall[Request, Response]":
    """Start a call; await it for the response, or ask it for its metadata first.

    `timeout_s` has no default: every wait has a limit, and None must be meant.
    """
    callable_ = channel.unary_unary(
        method.path,
        request_serializer=method.request.SerializeToString,
        response_deserializer=method.response.FromString,
    )
    return callable_(request, metadata=tuple(metadata), timeout=timeout_s)


async def call(
    channel: grpc.aio.Channel,
    method: Method[Request, Response],
    request: Request,
    *,
    metadata: Metadata = (),
    timeout_s: float | None,
) -> Response:
    """Call and wait for the response.

    Raises:
        grpc.aio.AioRpcError: any status but OK, a deadline or a broken connection included.
    """
    return await open_call(channel, method, request, metadata=metadata, timeout_s=timeout_s)
