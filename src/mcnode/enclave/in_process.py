"""The trusted half in this very process: for tests and simulations, never for a real node."""

import asyncio
from typing import Any, TypeVar

from mcnode.codec import protobuf
from mcnode.enclave.boundary import CALLS, Call
from mcnode.enclave.client import CallingEnclave
from mcnode.enclave.errors import EnclaveGoneError
from mcnode.enclave.interface import EnclaveMode
from mcnode.enclave.trusted.dispatcher import Dispatcher
from mcnode.enclave.trusted.enclave import TrustedEnclave
from mcnode.enclave.trusted.workers import WorkerPool

T = TypeVar("T")


class InProcessEnclave(CallingEnclave):
    """Runs calls on worker threads, through the same messages as between processes."""

    def __init__(self, enclave: TrustedEnclave, workers: int | None = None) -> None:
        self._enclave = enclave
        self._dispatcher = Dispatcher(enclave, WorkerPool(workers))
        self._closed = False

    @property
    def mode(self) -> EnclaveMode:
        """What the trusted half runs as."""
        return self._enclave.mode

    async def close(self) -> None:
        """End the worker threads."""
        self._closed = True
        await asyncio.to_thread(self._dispatcher.close)

    async def _call(self, call: Call, request: Any, response: type[T]) -> T:
        if self._closed:
            raise EnclaveGoneError("trusted half was closed")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()

        def settle(value: Any, error: BaseException | None) -> None:
            if answer.done():
                return
            if error is None:
                answer.set_result(value)
            else:
                answer.set_exception(error)

        def report(value: Any, error: BaseException | None) -> None:
            loop.call_soon_threadsafe(settle, value, error)

        arguments = protobuf.decode(CALLS[call].request, protobuf.encode(request))
        self._dispatcher.submit(call, arguments, report)
        result: T = protobuf.decode(response, protobuf.encode(await answer))
        return result
