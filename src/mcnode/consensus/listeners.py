"""The node's listeners: which services each has, and how they start and stop."""

from collections.abc import Iterable, Sequence

import grpc.aio
import structlog

from mcnode.api.rpc import CallObserver, Served, handlers
from mcnode.connection.channel import SERVER_OPTIONS, listen
from mcnode.connection.tls import ServerCertificates
from mcnode.connection.uri import Uri

STOP_GRACE_S = 1.0
"""For calls under way when a listener closes."""
CONCURRENT_CALLS_MAX = 1_000
"""Per listener; beyond it a caller is told RESOURCE_EXHAUSTED at once."""

log = structlog.get_logger("mcnode.consensus.listeners")


class Listener:
    """One gRPC server on one URI."""

    def __init__(
        self, name: str, uri: Uri, served: Iterable[Served], observer: CallObserver
    ) -> None:
        """Bind the address.

        Raises:
            CannotListen: the port is taken.
            TlsConfigError: certificate or key cannot be used.
        """
        self.name = name
        self.uri = uri
        self._server = grpc.aio.server(
            options=list(SERVER_OPTIONS), maximum_concurrent_rpcs=CONCURRENT_CALLS_MAX
        )
        self._server.add_generic_rpc_handlers(handlers(served, observer))
        self._certificates: ServerCertificates | None = listen(self._server, uri)

    async def start(self) -> None:
        """Begin to serve."""
        await self._server.start()
        log.info("listening", listener=self.name, uri=str(self.uri))

    async def stop(self) -> None:
        """Stop serving; calls under way get a moment to end."""
        await self._server.stop(STOP_GRACE_S)

    def reload_certificates(self) -> None:
        """Read certificate and key again for the next handshake, if this listener has any."""
        if self._certificates is not None:
            self._certificates.request_reload()


async def stop_all(listeners: Sequence[Listener]) -> None:
    """Stop listeners in the order given."""
    for listener in listeners:
        await listener.stop()
