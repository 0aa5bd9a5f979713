"""The nodes that a wallet talks to: one at a time, the next one when one fails."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final, Protocol, TypeVar

import grpc

from mcnode.attest.messages import AttestationEvidence
from mcnode.blockchain.block import Block
from mcnode.connection.attested import Accepted, AttestedClient, BlockInfo, Trust
from mcnode.connection.errors import CallFailed, TxRefused, may_retry
from mcnode.connection.uri import Uri
from mcnode.errors import McNodeError, UnavailableError
from mcnode.transaction.messages import Tx
from mcnode.wallet.errors import NoNodeAvailable, SubmissionUnclear

T = TypeVar("T")

CALL_TIMEOUT_S: Final = 10.0
"""Nodes answer within milliseconds; a stopped one should not hold up a wallet for long."""
_SURELY_NOT_TAKEN: Final = frozenset({grpc.StatusCode.PERMISSION_DENIED})
"""The trusted process could not even read the payment."""


class NodeClient(Protocol):
    """What a wallet needs of a connection; `AttestedClient` has it."""

    @property
    def is_attested(self) -> bool:
        """Whether there is a session with the trusted process."""
        ...

    async def attest(self) -> AttestationEvidence:
        """Begin a session."""
        ...

    async def fetch_block_info(self) -> BlockInfo:
        """Height, fees and block version."""
        ...

    async def fetch_blocks(self, first_index: int, count: int) -> Sequence[Block]:
        """Headers."""
        ...

    async def propose_tx(self, tx: Tx) -> Accepted:
        """Hand in a payment."""
        ...

    async def close(self) -> None:
        """End the connection."""
        ...


Connect = Callable[[Uri], NodeClient]


def connect_attested(chain_id: str, trust: Trust) -> Connect:
    """Real connections."""

    def connect(uri: Uri) -> NodeClient:
        return AttestedClient(uri, chain_id=chain_id, trust=trust, timeout_s=CALL_TIMEOUT_S)

    return connect


class Nodes:
    """Connections to some nodes, made when first needed; the one that answered last goes first."""

    def __init__(self, uris: Sequence[Uri], connect: Connect) -> None:
        self._uris = tuple(uris)
        self._connect = connect
        self._clients: dict[int, NodeClient] = {}
        self._preferred = 0

    async def close(self) -> None:
        """Close the connections."""
        clients, self._clients = self._clients, {}
        await asyncio.gather(*(client.close() for client in clients.values()))

    def _in_turn(self) -> Iterator[tuple[int, NodeClient]]:
        first = self._preferred
        for step in range(len(self._uris)):
            position = (first + step) % len(self._uris)
            if position not in self._clients:
                self._clients[position] = self._connect(self._uris[position])
            yield position, self._clients[position]

    async def ask(self, question: Callable[[NodeClient], Awaitable[T]]) -> T:
        """The answer of the first node that is available.

        Raises:
            NoNodeAvailable: none is.
            InvalidError: a node refuses; no other one is asked.
        """
        errors: list[McNodeError] = []
        for position, client in self._in_turn():
            try:
                answer = await question(client)
            except UnavailableError as error:
                errors.append(error)
            else:
                self._preferred = position
                return answer
        raise NoNodeAvailable(errors)

    async def submit(self, tx: Tx) -> Accepted:
        """Hand a payment to the first node that takes it.

        When a connection fails while a node has the payment, the next node gets it too: consensus
        takes a payment only once. But then a refusal says nothing any more.

        Raises:
            NoNodeAvailable: no node got to see it.
            SubmissionUnclear: a node may have taken it.
            TxRefused, EvidenceRefused, CallRefused: a node refuses, and none may have taken it.
        """
        errors: list[McNodeError] = []
        is_unclear = False
        for position, client in self._in_turn():
            try:
                accepted = await _submit_to(client, tx)
            except (TxRefused, UnavailableError) as error:
                if isinstance(error, TxRefused) and not may_retry(error) and not is_unclear:
                    raise
                is_unclear = is_unclear or _may_be_taken(error)
                errors.append(error)
            except McNodeError as error:
                if not is_unclear:
                    raise
                errors.append(error)
            else:
                self._preferred = position
                return accepted
        raise SubmissionUnclear(errors) if is_unclear else NoNodeAvailable(errors)


class _NotReached(UnavailableError):
    """The handshake did not work: the node has not seen the payment."""


async def _submit_to(client: NodeClient, tx: Tx) -> Accepted:
    """A session may have ended unnoticed, when the node was restarted: then once more."""
    had_session = client.is_attested
    try:
        return await _propose(client, tx)
    except CallFailed as error:
        if not had_session or error.code not in _SURELY_NOT_TAKEN:
            raise
    return await _propose(client, tx)


async def _propose(client: NodeClient, tx: Tx) -> Accepted:
    if not client.is_attested:
        try:
            await client.attest()
        except UnavailableError as error:
            raise _NotReached(str(error)) from error
    return await client.propose_tx(tx)


def _may_be_taken(error: McNodeError) -> bool:
    return isinstance(error, CallFailed) and error.code not in _SURELY_NOT_TAKEN
