"""Sending to peers: one lane for statements and one for transactions per peer, each bounded.

A lane is a queue. Statements that wait for a slow peer are replaced by newer ones of the same
author and slot, because the peer would keep only the highest anyway; nor is one tried again when a
newer one has come. Several are under way at a time, in any order: one after the other, each would
wait for a round trip, and over long links those that are passed on would hold up our own.
Transactions that wait together travel together. What has waited too long is dropped: a peer that
was away for half a minute is behind, and catches up by other means. [docs/protocol/service.md#12.5]
"""

import asyncio
import dataclasses
import functools
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from typing import Protocol

import structlog

from mcnode.connection.retry import RetryPolicy
from mcnode.errors import InvalidError, UnavailableError

ITEM_LIFETIME_S = 30.0
"""From the moment an item is queued; retries end there too."""
STATEMENTS_WAITING_MAX = 1_000
STATEMENTS_UNDER_WAY_MAX = 16
"""Calls to one peer at a time: each author of a network of usual size can have one."""
TXS_WAITING_MAX = 5_000
"""One full block per peer."""
LANE_BYTES_MAX = 32 << 20
"""Of what waits in one lane: a peer that is away must not fill our memory."""
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
class Waiting:
    """What waits for a peer: bytes, until when they are of use, and what goes beside them."""

    payload: bytes
    expires_at: float
    aad: bytes = b""


class Lane:
    """What waits for one peer, oldest first, and the event that there is something."""

    def __init__(self, waiting_max: int) -> None:
        self._items: OrderedDict[Hashable, Waiting] = OrderedDict()
        self._under_way: dict[Hashable, Waiting] = {}
        self._bytes = 0
        self._filled = asyncio.Event()
        self._waiting_max = waiting_max

    def __len__(self) -> int:
        return len(self._items)

    def put(self, key: Hashable, item: Waiting) -> None:
        """Add an item in the place of an older one of the same key; the oldest go when too many."""
        if key in self._items:
            self._pop(key)
        self._items[key] = item
        self._bytes += len(item.payload)
        while len(self._items) > self._waiting_max or self._bytes > LANE_BYTES_MAX:
            self._pop(next(iter(self._items)))
        if self._items:
            self._filled.set()

    async def wait(self) -> None:
        """Until there is something; of several that wait, one may take it before the others."""
        while not self._items:
            await self._filled.wait()

    def begin(self) -> tuple[Hashable, Waiting]:
        """As `take`, for an item that newer ones of its key outdate until its `end`."""
        key, item = self.take()
        self._under_way[key] = item
        return key, item

    def is_outdated(self, key: Hashable, item: Waiting) -> bool:
        """Whether a newer item of its key waits, or was begun after it."""
        return key in self._items or self._under_way.get(key) is not item

    def end(self, key: Hashable, item: Waiting) -> None:
        """Nothing more is tried with an item that was begun."""
        if self._under_way.get(key) is item:
            del self._under_way[key]

    def take(self) -> tuple[Hashable, Waiting]:
        """The oldest item and its key; there must be one."""
        key = next(iter(self._items))
        return key, self._pop(key)

    def peek(self) -> Waiting | None:
        """The oldest item, if any."""
        return next(iter(self._items.values()), None)

    def _pop(self, key: Hashable) -> Waiting:
        item = self._items.pop(key)
        self._bytes -= len(item.payload)
        if not self._items:
            self._filled.clear()
        return item


class Broadcaster:
    """Sends to the peers; `run` must be running for anything to leave."""

    def __init__(
        self,
        peers: Iterable[BroadcastPeer],
        *,
        clock: Callable[[], float],
        retry: RetryPolicy,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._peers: Mapping[str, BroadcastPeer] = {p.responder_id: p for p in peers}
        self._clock = clock
        self._retry = retry
        self._sleep = sleep
        self._statements = {name: Lane(STATEMENTS_WAITING_MAX) for name in self._peers}
        self._txs = {name: Lane(TXS_WAITING_MAX) for name in self._peers}

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
        item = Waiting(payload, self._clock() + ITEM_LIFETIME_S)
        for name in self._peers if recipients is None else recipients:
            if name in self._statements:
                self._statements[name].put((author, slot_index), item)

    def send_tx(
        self, tx_hash: bytes, encrypted_tx: bytes, aad: bytes, *, exclude: Iterable[str]
    ) -> None:
        """Queue a transaction for every peer but the excluded ones."""
        item = Waiting(encrypted_tx, self._clock() + ITEM_LIFETIME_S, aad)
        excluded = set(exclude)
        for name, lane in self._txs.items():
            if name not in excluded:
                lane.put(tx_hash, item)

    async def run(self) -> None:
        """Serve all lanes until cancelled."""
        async with asyncio.TaskGroup() as group:
            for name, peer in self._peers.items():
                for _ in range(STATEMENTS_UNDER_WAY_MAX):
                    group.create_task(self._serve_statements(peer, self._statements[name]))
                group.create_task(self._serve_txs(peer, self._txs[name]))

    async def _serve_statements(self, peer: BroadcastPeer, lane: Lane) -> None:
        while True:
            await lane.wait()
            key, item = lane.begin()
            send = functools.partial(peer.send_consensus_msg, item.payload)
            is_outdated = functools.partial(lane.is_outdated, key, item)
            await self._deliver(peer, item.expires_at, send, is_outdated)
            lane.end(key, item)

    async def _serve_txs(self, peer: BroadcastPeer, lane: Lane) -> None:
        while True:
            await lane.wait()
            _, oldest = lane.take()
            batch = self._take_batch(oldest, lane)
            send = functools.partial(peer.propose_txs, [item.payload for item in batch], oldest.aad)
            await self._deliver(peer, oldest.expires_at, send)

    @staticmethod
    def _take_batch(oldest: Waiting, lane: Lane) -> list[Waiting]:
        """The oldest transaction and those behind it that may share its call."""
        batch = [oldest]
        size = len(oldest.payload)
        while len(batch) < TXS_PER_CALL_MAX:
            following = lane.peek()
            if following is None or following.aad != oldest.aad:
                break
            size += len(following.payload)
            if size > TX_BYTES_PER_CALL_MAX:
                break
            batch.append(lane.take()[1])
        return batch

    async def _deliver(
        self,
        peer: BroadcastPeer,
        expires_at: float,
        send: Callable[[], Awaitable[None]],
        is_outdated: Callable[[], bool] = lambda: False,
    ) -> None:
        """Try until it works, the attempts are used up, or the item has expired or is outdated.

        An outdated item was replaced by a newer one, which waits or is under way already.
        """
        delays_s = self._retry.delays_s()
        while self._clock() < expires_at:
            try:
                await send()
                return
            except (InvalidError, UnavailableError) as error:
                log.info("peer did not take an item", peer=peer.responder_id, error=str(error))
            delay_s = next(delays_s, None)
            if delay_s is None or is_outdated():
                return
            await self._sleep(delay_s)
