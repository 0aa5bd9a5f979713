"""What a call must pass before it is looked at: chain id, credentials, capacity, serving."""

import dataclasses
from collections.abc import Callable

from mcnode.api.rpc import Call, StatusError
from mcnode.connection.auth_token import Authenticator, authenticate_call
from mcnode.connection.chain_id import check_chain_id
from mcnode.consensus.services.results import client_status, not_serving, over_capacity
from mcnode.errors import McNodeError

PENDING_LIMIT = 500
"""Waiting values from which on clients are refused."""


@dataclasses.dataclass(frozen=True, slots=True)
class Guards:
    """Shared by the services of one listener; checks happen in the order of the methods."""

    chain_id: str | None
    authenticator: Authenticator
    unix_time: Callable[[], float]

    def check_chain_id(self, call: Call) -> None:
        """Raises `StatusError` FAILED_PRECONDITION for another network's header."""
        try:
            check_chain_id(call.invocation_metadata() or (), self.chain_id)
        except McNodeError as error:
            raise client_status(error) from error

    def authenticate(self, call: Call) -> str:
        """The caller's name. Raises `StatusError` UNAUTHENTICATED."""
        try:
            return authenticate_call(
                self.authenticator, call.invocation_metadata() or (), self.unix_time()
            )
        except McNodeError as error:
            raise client_status(error) from error


def refusal(*, pending_values: int, is_serving: bool) -> StatusError | None:
    """Why a proposal cannot be taken now, if so: over capacity comes before not serving."""
    if pending_values >= PENDING_LIMIT:
        return over_capacity()
    return None if is_serving else not_serving()
