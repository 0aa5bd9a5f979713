"""The one task that touches the decision core, and performs what it asks for.

Events come in through a bounded queue; each turn drains it, ticks the core and performs the actions
strictly in order. What takes long and may overlap with listening (fetching transactions, catching
up) runs as a task whose outcome comes back through the same queue; forming and appending a block is
awaited in place, so that nothing is said about a block before it is on disk.

What ends the worker ends the node. A disk that is full and a trusted process that is gone are left
to whoever started the node; a bug leaves the state of the core in the log first.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from mcnode.blockchain.block_data import BlockData
from mcnode.consensus.actions import (
    Action,
    Broadcast,
    CompleteSlot,
    FetchTxs,
    Relay,
    Report,
    SyncLedger,
)
from mcnode.consensus.byzantine_ledger import ByzantineLedger, Snapshot
from mcnode.consensus.events import (
    Event,
    Proposed,
    Received,
    ReceivedCopy,
    SyncFinished,
    TxsFetched,
)
from mcnode.consensus.pending_values import PendingValuesFull
from mcnode.consensus.state_dump import has_bug, state_dump
from mcnode.errors import BugError, InvalidError, UnavailableError
from mcnode.ledger.errors import LedgerPathError, StorageUnavailable
from mcnode.peers.consensus_msg import ConsensusMsg
from mcnode.peers.consensus_value import ConsensusValue
from mcnode.scp.types import Msg, SlotIndex

EVENTS_MAX = 10_000
"""Beyond it callers wait (clients, peers) instead of filling memory."""
EVENTS_PER_TURN_MAX = 500
"""So that actions are not put off without limit while events pour in."""
HOUSEKEEPING_S = 1.0
"""The longest nap: gauges and the sync state are looked at this often on an idle node."""

log = structlog.get_logger("mcnode.consensus")


class WorkerPorts(Protocol):
    """What the worker can make happen outside."""

    async def broadcast(self, scp_msg: Msg[ConsensusValue], prev_block_id: bytes) -> None:
        """Sign a statement, remember it as our latest, queue it for every peer."""
        ...

    async def relay(self, msg: ConsensusMsg, recipients: Sequence[str]) -> None:
        """Queue a peer's statement for some peers."""
        ...

    async def fetch_txs(self, peer: str, tx_hashes: Sequence[bytes]) -> Sequence[bytes]:
        """Fetch and check transactions; returns the hashes that could not be had."""
        ...

    async def complete_slot(self, values: Sequence[ConsensusValue]) -> BlockData:
        """Form and append the block."""
        ...

    async def sync_ledger(self, blocks_max: int) -> None:
        """One catch-up attempt. Raises `McNodeError` when it brought nothing."""
        ...

    def slot_completed(
        self, block_data: BlockData, value_count: int, waited_s: Sequence[float]
    ) -> None:
        """Count and log a new block; `waited_s` are the waits of our own clients' values."""
        ...

    def report(self, report: Report) -> None:
        """Count and log what the core left out."""
        ...


class ConsensusWorker:
    """Runs a `ByzantineLedger`."""

    def __init__(
        self, core: ByzantineLedger, ports: WorkerPorts, clock: Callable[[], float]
    ) -> None:
        self._core = core
        self._ports = ports
        self._clock = clock
        self._events: asyncio.Queue[Event] = asyncio.Queue(EVENTS_MAX)

    async def post(self, event: Event) -> None:
        """Hand an event in; waits while the queue is full."""
        await self._events.put(event)

    # The next four are to be called on the loop that runs the worker.

    def snapshot(self) -> Snapshot:
        """Figures as of now."""
        return self._core.snapshot()

    def pending_count(self) -> int:
        """Values that wait for a block."""
        return self._core.pending_count()

    def is_behind(self) -> bool:
        """Whether the node is catching up."""
        return self._core.is_behind()

    def events_waiting(self) -> int:
        """Length of the queue."""
        return self._events.qsize()

    async def run(self) -> None:
        """Serve until cancelled. An error of ours ends it, and with it the node."""
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    await self._wait_for_work()
                    for action in self._core.tick(self._clock()):
                        await self._perform(action, group)
        except BaseExceptionGroup as errors:
            if has_bug(errors):
                log.critical("state of consensus at the fault", **state_dump(self._core))
            raise

    async def _wait_for_work(self) -> None:
        """Until there is an event or a deadline; then take in everything that waits."""
        await asyncio.sleep(0)  # others get their turn however much there is to do
        deadline = self._core.next_deadline()
        nap_s = HOUSEKEEPING_S
        if deadline is not None:
            nap_s = min(nap_s, deadline - self._clock())
        if self._events.empty() and nap_s > 0:
            try:
                async with asyncio.timeout(nap_s):
                    self._take_in(await self._events.get())
            except TimeoutError:
                return
        for _ in range(min(self._events.qsize(), EVENTS_PER_TURN_MAX)):
            self._take_in(self._events.get_nowait())

    def _take_in(self, event: Event) -> None:
        now = self._clock()
        match event:
            case Proposed(values, proposed_at):
                try:
                    self._core.propose(values, proposed_at)
                except PendingValuesFull as error:
                    log.warning("values refused", count=len(values), error=str(error))
            case Received(msg, received_from):
                self._core.receive(msg, received_from, now)
            case ReceivedCopy(author, slot_index, received_from):
                self._core.receive_copy(author, slot_index, received_from, now)
            case TxsFetched(peer, not_in_cache):
                self._core.txs_fetched(peer, not_in_cache)
            case SyncFinished(succeeded):
                self._core.sync_finished(succeeded=succeeded, now=now)

    async def _perform(self, action: Action, group: asyncio.TaskGroup) -> None:
        match action:
            case Broadcast(scp_msg, prev_block_id):
                await self._ports.broadcast(scp_msg, prev_block_id)
            case Relay(msg, recipients):
                await self._ports.relay(msg, recipients)
            case CompleteSlot(slot_index, values):
                await self._complete(slot_index, values)
            case FetchTxs(peer, tx_hashes):
                group.create_task(self._fetch(peer, tuple(tx_hashes)))
            case SyncLedger(blocks_max):
                group.create_task(self._sync(blocks_max))
            case Report():
                self._ports.report(action)

    async def _complete(self, slot_index: SlotIndex, values: Sequence[ConsensusValue]) -> None:
        """Make the block that was decided; that it cannot be made is nobody's fault but ours."""
        waiting_since = self._core.waiting_since(values)
        try:
            block_data = await self._ports.complete_slot(values)
        except LedgerPathError:
            raise
        except InvalidError as error:
            raise BugError(
                f"no block of slot {slot_index} from what was decided: {error}"
            ) from error
        self._core.block_appended()
        now = self._clock()
        waited_s = [now - since for since in waiting_since]
        self._ports.slot_completed(block_data, len(values), waited_s)

    async def _fetch(self, peer: str, tx_hashes: tuple[bytes, ...]) -> None:
        not_in_cache: Sequence[bytes] = tx_hashes
        try:
            not_in_cache = await self._ports.fetch_txs(peer, tx_hashes)
        except (InvalidError, UnavailableError) as error:
            log.info("transactions could not be fetched", peer=peer, error=str(error))
        await self.post(TxsFetched(peer, tuple(not_in_cache)))

    async def _sync(self, blocks_max: int) -> None:
        succeeded = False
        try:
            await self._ports.sync_ledger(blocks_max)
            succeeded = True
        except StorageUnavailable:
            raise
        except UnavailableError as error:
            log.warning("catching up brought nothing", error=str(error))
        except InvalidError as error:
            log.error("catching up failed", error=str(error))
        await self.post(SyncFinished(succeeded))
