"""`AttestedApi`: the first step of every encrypted conversation. [docs/protocol/enclave.md#4]"""

import dataclasses
from collections.abc import Awaitable, Callable, Sequence

import grpc
import structlog

from mcnode.api.gen.attest_pb2 import AuthMessage
from mcnode.api.rpc import Call, Served, StatusError, serve
from mcnode.api.services import AUTH
from mcnode.consensus.services.guards import Guards
from mcnode.consensus.services.results import client_status
from mcnode.enclave.errors import EnclaveGoneError
from mcnode.enclave.interface import Accepted
from mcnode.errors import McNodeError

log = structlog.get_logger("mcnode.consensus.attested")


@dataclasses.dataclass(frozen=True, slots=True)
class AttestedService:
    """Answers handshakes with `accept`, the client or the peer call of the trusted process.

    `name` (`client_auth`, `peer_auth`) opens the text of every refusal; why a handshake failed is
    for our log only.
    """

    guards: Guards
    accept: Callable[[bytes], Awaitable[Accepted]]
    name: str

    def served(self) -> Sequence[Served]:
        """The method, for the server."""
        return (serve(AUTH, self.auth),)

    async def auth(self, request: AuthMessage, call: Call) -> AuthMessage:
        """One handshake message in, one out."""
        self.guards.check_chain_id(call)
        self.guards.authenticate(call)
        try:
            accepted = await self.accept(request.data)
        except EnclaveGoneError as error:
            raise client_status(error) from error
        except McNodeError as error:
            log.warning("handshake refused", listener=self.name, reason=str(error))
            raise StatusError(
                grpc.StatusCode.PERMISSION_DENIED, f"{self.name}: Permission denied"
            ) from error
        return AuthMessage(data=accepted.auth_response)
