"""`AdminAPI` and `BuildInfoApi`: what operators ask of a node. [docs/protocol/service.md#13]"""

import dataclasses
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

import grpc
import structlog
from google.protobuf.empty_pb2 import Empty

from mcnode.api.gen.admin_pb2 import (
    GetInfoResponse,
    GetPrometheusMetricsResponse,
    SetRustLogRequest,
)
from mcnode.api.gen.build_info_pb2 import BuildInfo
from mcnode.api.rpc import Call, Served, StatusError, serve
from mcnode.api.services import (
    GET_BUILD_INFO,
    GET_INFO,
    GET_PROMETHEUS_METRICS,
    SET_RUST_LOG,
    TEST_LOG_ERROR,
)
from mcnode.errors import McNodeError

log = structlog.get_logger("mcnode.consensus.admin")


class LogFilter(Protocol):
    """The filter of log records, changeable while the node runs."""

    def current(self) -> str:
        """The filter as text."""
        ...

    def set(self, text: str) -> None:
        """Use another filter. Raises `McNodeError` for one that is not understood."""
        ...


@dataclasses.dataclass(frozen=True, slots=True)
class BuildInfoService:
    """What this build is, on every listener."""

    build_info: BuildInfo

    def served(self) -> Sequence[Served]:
        """The method, for the server."""
        return (serve(GET_BUILD_INFO, self.get_build_info),)

    async def get_build_info(self, _request: Empty, _call: Call) -> BuildInfo:
        """The same for everybody."""
        return self.build_info


@dataclasses.dataclass(frozen=True, slots=True)
class AdminService:
    """The four calls of the admin listener."""

    name: str
    id: str
    build_info: BuildInfo
    build_info_json: str
    info: Callable[[], Awaitable[Mapping[str, Any]]]
    """Configuration, network file and status."""
    metrics_text: Callable[[], str]
    log_filter: LogFilter

    def served(self) -> Sequence[Served]:
        """The methods, for the server."""
        return (
            serve(GET_PROMETHEUS_METRICS, self.get_prometheus_metrics),
            serve(GET_INFO, self.get_info),
            serve(SET_RUST_LOG, self.set_rust_log),
            serve(TEST_LOG_ERROR, self.test_log_error),
        )

    async def get_prometheus_metrics(
        self, _request: Empty, _call: Call
    ) -> GetPrometheusMetricsResponse:
        """All metrics in the text exposition format."""
        return GetPrometheusMetricsResponse(metrics=self.metrics_text())

    async def get_info(self, _request: Empty, _call: Call) -> GetInfoResponse:
        """Who this node is, what it was told, how it is."""
        try:
            info = await self.info()
        except McNodeError as error:
            raise StatusError(grpc.StatusCode.INTERNAL, str(error)) from error
        return GetInfoResponse(
            name=self.name,
            id=self.id,
            build_info_json=self.build_info_json,
            build_info=self.build_info,
            config_json=json.dumps(info, sort_keys=True, separators=(",", ":")),
            rust_log=self.log_filter.current(),
        )

    async def set_rust_log(self, request: SetRustLogRequest, _call: Call) -> Empty:
        """Another log filter from now on."""
        try:
            self.log_filter.set(request.rust_log)
        except McNodeError as error:
            raise StatusError(grpc.StatusCode.INVALID_ARGUMENT, str(error)) from error
        return Empty()

    async def test_log_error(self, _request: Empty, _call: Call) -> Empty:
        """One record at error level, to see where it ends up."""
        log.error("test log error, asked for by an operator")
        return Empty()
