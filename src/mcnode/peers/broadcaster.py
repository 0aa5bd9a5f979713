"""Sending to peers: one lane for statements and one for transactions per peer, each bounded.

A lane is a queue with one task. Statements that wait for a slow peer are replaced by newer ones of
the same author and slot, because the peer would keep only the highest anyway. Transactions that
wait together travel together. What has waited too long is dropped: a peer that was away for half a
minute is behind, and catches up by other means. [docs/protocol/service.md#12.5]
"""

import asyncio
import dataclasses
import functools
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Protocol

import structlog

from mcnode.connection.retry import RetryPolicy
from mcnode.errors import McNodeError

ITEM_LIFETIME_S = 30.0
"""From the moment an item is queued; retries end there too."""
STATEMENTS_WAITING_MAX = 1_000
TXS_WAITING_MAX = 5_000
"""One full block per peer."""
TXS_PER_CALL_MAX = 64
TX_BYTES_PER_CALL_MAX = 2 << 20
"""Half of what a listener takes in one message."""

log = structlog.get_logger("mcnode.peers.broadcaster")


class BroadcastPeer(Protocol):
    """What the broadcaster needs of a connection; errors are `McNodeError`."""

    @property
    def responder_id(self) -> str:
        """`host:port` of the peer."""
        ...

    async def send_consensus_msg(self, payload: bytes) -> None:
        """Deliver one signed statement."""
        ...

    async def propose_txs(self, encrypted_txs: Sequence[bytes], aad: bytes) -> None:
        """Deliver transactions, given as ciphertexts of the trusted process's cache."""
        ...


@dataclasses.dataclass(frozen=True, slots=True)
class _Waiting:
    payload: bytes
    expires_at: float
    aad: bytes = b""


class _Lane:
    """What waits for one peer, and the event that there is something."""

    def __init__(self, waiting_max: int) -> None:
        self.items: OrderedDict[object, _Waiting] = OrderedDict()
        self.filled = asyncio.Event()
        self._waiting_max = waiting_max

    def put(self, key: object, item: _Waiting) -> None:
        self.items.pop(key, None)
        self.items[key] = item
        if len(self.items) > self._waiting_max:
            self.items.popitem(last=False)
        self.filled.set()

    async def wait(self) -> None:
        await self.filled.wait()

    def take(self) -> _Waiting:
        _, item = self.items.popitem(last=False)
        if not self.items:
            self.filled.clear()
        return item

    def peek(self) -> _Waiting | None:
        return next(iter(self.items.values()), None)


class Broadcaster:
    """Sends to the peers; `run` must be running for anything to leave."""

    def __init__(
        self,
        peers: Iterable[BroadcastPeer],
        *,
        clock: Callable[[], float],
        retry: RetryPolicy,
    ) -> None:
        self._peers: Mapping[str, BroadcastPeer] = {p.responder_id: p for p in peers}
        self._clock = clock
        self._retry = retry
        self._statements = {name: _Lane(STATEMENTS_WAITING_MAX) for name in self._peers}
        self._txs = {name: _Lane(TXS_WAITING_MAX) for name in self._peers}

    @property
    def peer_names(self) -> tuple[str, ...]:
        """Responder ids of everybody we send to."""
        return tuple(self._peers)

    def send_statement(
        self,
        payload: bytes,
        *,
        author: bytes,
        slot_index: int,
        recipients: Iterable[str] | None = None,
    ) -> None:
        """Queue a signed statement for some peers, or for all."""
        item = _Waiting(payload, self._clock() + ITEM_LIFETIME_S)
        for name in self._peers if recipients is None else recipients:
            if name in self._statements:
                self._statements[name].put((author, slot_index), item)

    def send_tx(
        self, tx_hash: bytes, encrypted_tx: bytes, aad: bytes, *, exclude: Iterable[str]
    ) -> None:
        """Queue a transaction for every peer but the excluded ones."""
        item = _Waiting(encrypted_tx, self._clock() + ITEM_LIFETIME_S, aad)
        excluded = set(exclude)
        for name, lane in self._txs.items():
            if name not in excluded:
                lane.put(tx_hash, item)

    async def run(self) -> None:
        """Serve all lanes until cancelled."""
        async with asyncio.TaskGroup() as group:
            for name, peer in self._peers.items():
                group.create_task(self._serve_statements(peer, self._statements[name]))
                group.create_task(self._serve_txs(peer, self._txs[name]))

    async def _serve_statements(self, peer: BroadcastPeer, lane: _Lane) -> None:
        while True:
            await lane.wait()
            item = lane.take()
            await self._deliver(
                peer, item.expires_at, functools.partial(peer.send_consensus_msg, item.payload)
            )

    async def _serve_txs(self, peer: BroadcastPeer, lane: _Lane) -> None:
        while True:
            await lane.wait()
            batch = self._take_batch(lane)
            payloads = [item.payload for item in batch]
            await self._deliver(
                peer,
                batch[0].expires_at,
                functools.partial(peer.propose_txs, payloads, batch[0].aad),
            )

    @staticmethod
    def _take_batch(lane: _Lane) -> list[_Waiting]:
        """The oldest transaction and those behind it that may share its call."""
        batch = [lane.take()]
        size = len(batch[0].payload)
        while len(batch) < TXS_PER_CALL_MAX:
            following = lane.peek()
            if following is None or following.aad != batch[0].aad:
                break
            size += len(following.payload)
            if size > TX_BYTES_PER_CALL_MAX:
                break
            batch.append(lane.take())
        return batch

    async def _deliver(
        self, peer: BroadcastPeer, expires_at: float, send: Callable[[], Awaitable[None]]
    ) -> None:
        """Try until it works, the attempts are used up or the item has expired."""
        delays_s = self._retry.delays_s()
        while self._clock() < expires_at:
            try:
                await send()
                return
            except McNodeError as error:
                log.info("peer did not take an item", peer=peer.responder_id, error=str(error))
            delay_s = next(delays_s, None)
            if delay_s is None:
                return
            await asyncio.sleep(delay_s)
