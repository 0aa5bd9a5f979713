"""What happens to a checked value: to peers and worker. [docs/protocol/service.md#10]"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping

from mcnode.connection.uri import Uri
from mcnode.consensus.events import Event, Proposed
from mcnode.consensus.tx_manager import TxManager
from mcnode.peers.broadcaster import Broadcaster
from mcnode.peers.consensus_value import ConsensusValue, tx_hash_value
from mcnode.peers.tx_propose_aad import TxProposeAAD
from mcnode.scp import NodeID

PUSHED_TXS_MAX = 10_000
"""Transactions remembered as pushed, so that nobody can make us repeat ourselves."""


class Proposals:
    """Our own clients' transactions go to every peer; a peer's only where the peer's URI says so.

    Mint transactions are never pushed: they travel whole inside statements.
    """

    def __init__(
        self,
        *,
        local_id: NodeID,
        peers: Mapping[str, Uri],
        txs: TxManager,
        broadcaster: Broadcaster,
        post: Callable[[Event], Awaitable[None]],
        clock: Callable[[], float],
    ) -> None:
        """`peers` are the broadcast peers by responder id; `post` hands events to the worker."""
        self._local_id = local_id
        self._peers = peers
        self._txs = txs
        self._broadcaster = broadcaster
        self._post = post
        self._clock = clock
        self._pushed: OrderedDict[bytes, None] = OrderedDict()

    async def from_client(self, value: ConsensusValue) -> None:
        """A value of a client of ours."""
        if isinstance(value.content, bytes):
            self._push(value.content, self._local_id, exclude=())
        await self._post(Proposed((value,), self._clock()))

    async def from_peer(self, tx_hash: bytes, aad: TxProposeAAD | None) -> None:
        """A transaction that a peer brought; without an origin it counts as our own."""
        if aad is None:
            await self.from_client(tx_hash_value(tx_hash))
            return
        origin = self._peers.get(aad.origin_node.responder_id)
        if origin is not None and origin.relays_incoming_txs:
            exclude = (aad.origin_node.responder_id, aad.relayed_by)
            self._push(tx_hash, aad.origin_node, exclude=exclude)
        await self._post(Proposed((tx_hash_value(tx_hash),), None))

    def _push(self, tx_hash: bytes, origin: NodeID, *, exclude: tuple[str, ...]) -> None:
        """Push a transaction once, however often it is proposed, if it is still in the cache."""
        if tx_hash in self._pushed or tx_hash not in self._txs:
            return
        self._pushed[tx_hash] = None
        if len(self._pushed) > PUSHED_TXS_MAX:
            self._pushed.popitem(last=False)
        [tx] = self._txs.well_formed([tx_hash])
        aad = TxProposeAAD(origin, self._local_id.responder_id).to_bytes()
        self._broadcaster.send_tx(
            tx_hash, tx.well_formed_encrypted_tx, aad, exclude=[self._address(n) for n in exclude]
        )

    def _address(self, responder_id: str) -> str:
        """What the broadcaster calls a peer: its host and port, whatever name its URI gives it."""
        uri = self._peers.get(responder_id)
        return responder_id if uri is None else uri.host_and_port_responder_id
