"""`grpc.health.v1.Health`, as the network's nodes serve it. [docs/protocol/service.md#8.1]"""

import dataclasses
from collections.abc import Callable, Sequence

import grpc

from mcnode.api.gen.health_pb2 import (
    HealthCheckRequest,
    HealthCheckResponse,
    PingRequest,
    PingResponse,
)
from mcnode.api.rpc import Call, Served, StatusError, serve
from mcnode.api.services import HEALTH_CHECK, HEALTH_PING, HEALTH_WATCH


@dataclasses.dataclass(frozen=True, slots=True)
class HealthService:
    """`is_serving` decides; the name of the service asked about is not looked at."""

    is_serving: Callable[[], bool]

    def served(self) -> Sequence[Served]:
        """The methods, for the server."""
        return (
            serve(HEALTH_CHECK, self.check),
            serve(HEALTH_WATCH, self.watch),
            serve(HEALTH_PING, self.ping),
        )

    async def check(self, _request: HealthCheckRequest, _call: Call) -> HealthCheckResponse:
        """SERVING or NOT_SERVING."""
        serving = self.is_serving()
        status = HealthCheckResponse.SERVING if serving else HealthCheckResponse.NOT_SERVING
        return HealthCheckResponse(status=status)

    async def watch(self, _request: HealthCheckRequest, _call: Call) -> HealthCheckResponse:
        """Not offered."""
        raise StatusError(grpc.StatusCode.UNIMPLEMENTED, "Unimplemented")

    async def ping(self, request: PingRequest, _call: Call) -> PingResponse:
        """The same bytes back."""
        return PingResponse(data=request.data)
