"""A simulated node: the real decision code, with a shell of virtual time around it.

Real: the decision core with everything in it (agreement, message queue, pending values, sync state,
relay, fetching), the transaction cache, the judge of values, the network state, the planning of
catch-up, the lanes of the broadcaster. Stand-ins: the ledger (in memory, outlives a crash),
transactions without proofs, envelopes without signatures, and this shell, which does in callbacks
what `ConsensusWorker`, `NodeShell` and `PeerKeepalive` do in tasks.
"""

import functools
import math
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from mcnode.blockchain.block import Block
from mcnode.blockchain.block_data import BlockData
from mcnode.consensus.actions import (
    Action,
    Broadcast,
    CompleteSlot,
    FetchTxs,
    Relay,
    SyncLedger,
)
from mcnode.consensus.byzantine_ledger import ByzantineLedger
from mcnode.consensus.mint_tx_manager import MintTxManager
from mcnode.consensus.pending_values import PendingValuesFull
from mcnode.consensus.shell import LatestStatement
from mcnode.consensus.tx_cache import TxCache, TxCacheFull
from mcnode.consensus.values import ValueJudge
from mcnode.consensus.worker import HOUSEKEEPING_S
from mcnode.ledger.sync.network_state import NetworkState
from mcnode.peers.consensus_msg import ConsensusMsg
from mcnode.peers.consensus_value import ConsensusValue
from mcnode.peers.keepalive import ASK_AGAIN_S, LOOK_AROUND_S, SILENCE_S
from mcnode.peers.relay import RelayPlanner
from mcnode.scp import Msg, Node, NodeID, QuorumSet
from mcnode.simulation.catch_up import CatchUp
from mcnode.simulation.ledger import SimLedger, StandInTx
from mcnode.simulation.outbox import Outbox
from mcnode.simulation.trace import GOOD_SIGNATURE, short_hash
from mcnode.transaction.block_version import BlockVersion

if TYPE_CHECKING:
    from mcnode.simulation.world import World

TICK_DELAY_US = 500
"""From an event to the tick that handles it: what comes together is handled together."""
BLOCK_US = 3_000
"""Forming a block and writing it to disk."""
TX_CHECK_US = 4_000
"""The trusted process looks at a transaction."""
SEEN_MAX = 10_000
"""Statements whose copies are recognised, as in the node."""
FETCH_TIMEOUT_US = 14_000_000
"""All attempts of a fetch from a peer that cannot be reached."""


class Host:
    """One instance of a node. `instance` is its position in the world, `position` its node's."""

    is_honest = True

    def __init__(
        self,
        world: "World",
        instance: int,
        position: int,
        *,
        quorum_set: QuorumSet[NodeID],
        ledger: SimLedger,
        clock_rate: float = 1.0,
    ) -> None:
        self.world = world
        self.instance = instance
        self.position = position
        self.node_id = world.network.node_ids[position]
        self.quorum_set = quorum_set
        self.ledger = ledger
        self.is_up = False
        self.paused_until_us = 0
        self._clock_rate = clock_rate
        self._clock_offset = 1000.0 + 10.0 * instance
        self.life = 0
        """How often it has started or stopped."""
        peers = world.network.peers[position]
        self.peers = {world.network.node_ids[n].responder_id: n for n in peers}
        self._pushed_to = {
            world.network.node_ids[n].responder_id: n for n, pushes in peers.items() if pushes
        }

    # -- life -------------------------------------------------------------------------------------

    def boot(self) -> None:
        """Start with what is on disk and nothing else."""
        self.life += 1
        self.is_up = True
        self.cache = TxCache(self.ledger)
        judge = ValueJudge(self.cache, MintTxManager(self.ledger, BlockVersion(4), {}))
        self.network = NetworkState(self.quorum_set)
        self.node = Node[ConsensusValue](
            self.node_id,
            self.quorum_set,
            judge.check,
            judge.combine,
            slot_index=self.ledger.num_blocks(),
            timing=self.world.timing,
        )
        self.core = ByzantineLedger(
            node=self.node,
            ledger=self.ledger,
            values=judge,
            network=self.network,
            relay=RelayPlanner[ConsensusMsg](self._pushed_to),
        )
        self.latest = LatestStatement()
        self.latest_msg: ConsensusMsg | None = None
        self._seen: OrderedDict[bytes, None] = OrderedDict()
        self._outboxes = {name: self._outbox(name) for name in self._pushed_to}
        self._heard_at: dict[str, float] = {}
        self._asked_at: dict[str, float] = {}
        self._tick_waits = False
        self._is_completing = False
        self._wake_at: int | None = None
        self._note(f"up at {self.ledger.num_blocks()}")
        self._look_around()
        self.poke()

    def crash(self) -> None:
        """Lose everything but the disk."""
        self.life += 1
        self.is_up = False
        self._note("down")

    def local_s(self) -> float:
        """What its own clock says."""
        return self._clock_offset + self.world.timeline.now_us * 1e-6 * self._clock_rate

    def _world_us(self, local_s: float) -> int:
        return math.ceil((local_s - self._clock_offset) / self._clock_rate * 1e6)

    def _note(self, text: str) -> None:
        self.world.trace.add(f"{self.world.timeline.now_us} {self.instance} {text}")

    def alive(self, event: Callable[[], None]) -> Callable[[], None]:
        """`event`, for this life only, and put off while the node is paused."""
        life = self.life

        def run() -> None:
            if self.life != life or not self.is_up:
                return
            if self.paused_until_us > self.world.timeline.now_us:
                self.world.timeline.at(self.paused_until_us, run)
            else:
                event()

        return run

    # -- ticks ------------------------------------------------------------------------------------

    def poke(self) -> None:
        """Something came in: tick soon."""
        if not self._tick_waits and not self._is_completing:
            self._tick_waits = True
            self.world.timeline.after(TICK_DELAY_US, self.alive(self._tick))

    def _tick(self) -> None:
        self._tick_waits = False
        if not self._is_completing:
            self._perform(iter(self.core.tick(self.local_s())))

    def _perform(self, actions: Iterator[Action]) -> None:
        for action in actions:
            match action:
                case Broadcast(scp_msg, prev_block_id):
                    self.broadcast(scp_msg, prev_block_id)
                case Relay(msg, recipients):
                    self._enqueue(msg, recipients)
                case CompleteSlot(_, values):
                    self._is_completing = True
                    finish = functools.partial(self._complete, values, actions)
                    self.world.timeline.after(BLOCK_US, self.alive(finish))
                    return
                case FetchTxs(peer, tx_hashes):
                    self._fetch(peer, tx_hashes)
                case SyncLedger(blocks_max):
                    CatchUp(self, blocks_max).start()
                case _:
                    pass
        self._set_wake()

    def _complete(self, values: Sequence[ConsensusValue], rest: Iterator[Action]) -> None:
        waiting_since = self.core.waiting_since(values)
        data = self.world.mill.form(self.ledger.head(), values)
        self.append(data, values)
        self.core.block_appended()
        now = self.local_s()
        self.world.slot_completed(self, [now - since for since in waiting_since])
        self._is_completing = False
        self._perform(rest)

    def append(self, data: BlockData, values: Sequence[ConsensusValue] | None = None) -> None:
        """Put a block on disk; the world looks at it first."""
        self.world.before_append(self, data, values)
        self.ledger.append(data)
        self._note(f"block {data.block.index} {data.block.id[:6].hex()}")

    def _set_wake(self) -> None:
        """Come back at the deadline; look at the sync state now and then while others are ahead."""
        if self._is_completing:
            return
        deadline = self.core.next_deadline()
        now = self.local_s()
        if deadline is not None and deadline <= now:
            self.poke()
            return
        if self.network.is_behind(self.ledger.num_blocks() - 1):
            deadline = min(now + HOUSEKEEPING_S, deadline or math.inf)
        if deadline is None:
            self._wake_at = None
            return
        at_us = max(self._world_us(deadline), self.world.timeline.now_us + 1)
        if at_us != self._wake_at:
            self._wake_at = at_us
            self.world.timeline.at(at_us, self.alive(functools.partial(self._wake, at_us)))

    def _wake(self, at_us: int) -> None:
        if at_us == self._wake_at:
            self._wake_at = None
            self._tick()

    # -- statements -------------------------------------------------------------------------------

    def broadcast(self, scp_msg: Msg[ConsensusValue], prev_block_id: bytes) -> None:
        """Say something of one's own to all peers."""
        msg = self.world.sealer.seal(scp_msg, prev_block_id)
        self.world.check_statement(self, msg)
        self._say(msg)

    def _say(self, msg: ConsensusMsg) -> None:
        self.latest.offer(msg)
        if self.latest.payload == msg.payload:
            self.latest_msg = msg
        self._remember(msg.payload)
        self._note(
            f"says {msg.scp_msg.slot_index} {type(msg.scp_msg.topic).__name__} "
            f"{short_hash(msg.payload)}"
        )
        self._enqueue(msg, self._pushed_to)

    def _enqueue(self, msg: ConsensusMsg, recipients: Iterable[str]) -> None:
        for name in recipients:
            self._outboxes[name].put(msg)

    def _outbox(self, name: str) -> Outbox:
        return Outbox(
            self.world.timeline,
            transmit=functools.partial(self.transmit, name),
            local_s=self.local_s,
            alive=self.alive,
        )

    def transmit(self, name: str, msg: ConsensusMsg) -> int | None:
        """Put a statement on the wire to a peer; how long it took, None when it cannot be sent."""
        return self.world.carry_statement(self, self.peers[name], msg)

    def take_statement(self, msg: ConsensusMsg, received_from: str) -> None:
        """A neighbour hands a statement over."""
        self.heard_from(received_from)
        scp_msg = msg.scp_msg
        if msg.payload in self._seen:
            self.core.receive_copy(
                scp_msg.sender_id.public_key, scp_msg.slot_index, received_from, self.local_s()
            )
        elif msg.signature != GOOD_SIGNATURE:
            return
        else:
            self._remember(msg.payload)
            self.core.receive(msg, received_from, self.local_s())
        self.poke()

    def _remember(self, payload: bytes) -> None:
        self._seen[payload] = None
        if len(self._seen) > SEEN_MAX:
            self._seen.popitem(last=False)

    # -- transactions -----------------------------------------------------------------------------

    def submit(self, tx: StandInTx) -> None:
        """A client brings a transaction; it goes to every peer."""
        if not self.is_up or self.core.is_behind():
            return
        self.world.timeline.after(TX_CHECK_US, self.alive(lambda: self._submit_checked(tx)))

    def _submit_checked(self, tx: StandInTx) -> None:
        if tx.tx_hash in self.cache or not self.keep_tx(tx):
            return
        self.push_tx(tx)
        self._propose(tx, self.local_s())

    def push_tx(self, tx: StandInTx) -> None:
        """Send a transaction to every peer."""
        for position in self.peers.values():
            self.world.carry(self, position, lambda host: host.take_tx(tx))

    def take_tx(self, tx: StandInTx) -> None:
        """A peer brings a transaction."""
        if tx.tx_hash not in self.cache:
            check = functools.partial(self._take_checked, tx)
            self.world.timeline.after(TX_CHECK_US, self.alive(check))

    def _take_checked(self, tx: StandInTx) -> None:
        if self.keep_tx(tx):
            self._propose(tx, None)

    def keep_tx(self, tx: StandInTx, *, is_named: bool = False) -> bool:
        """What the trusted process and the cache say to a transaction."""
        if not tx.is_well_formed:
            return False
        try:
            self.cache.keep(tx.tx_hash, tx.well_formed, is_named=is_named)
        except TxCacheFull:
            return False
        return True

    def _propose(self, tx: StandInTx, proposed_at: float | None) -> None:
        try:
            self.core.propose([tx.value], proposed_at)
        except PendingValuesFull:
            return
        self.poke()

    def _fetch(self, peer: str, tx_hashes: Sequence[bytes]) -> None:
        position = self.peers.get(peer)
        finish = self.alive(functools.partial(self._fetched, peer, tx_hashes, ()))
        if position is None:
            self.world.timeline.after(0, finish)
            return

        def answer(host: "Host") -> None:
            wanted = [tx_hash for tx_hash in tx_hashes if tx_hash in host.cache]
            found = wanted if len(wanted) == len(tx_hashes) else []
            txs = [self.world.txs[tx_hash] for tx_hash in found]
            arrive = functools.partial(self._fetched, peer, tx_hashes, txs)
            delay_us = self.world.wires.latency_us(host.position, self.position)
            self.world.timeline.after(delay_us, self.alive(arrive))

        if not self.world.ask(self, position, answer):
            self.world.timeline.after(FETCH_TIMEOUT_US, finish)

    def _fetched(self, peer: str, tx_hashes: Sequence[bytes], txs: Sequence[StandInTx]) -> None:
        for tx in txs:
            self.keep_tx(tx, is_named=True)
        self.core.txs_fetched(peer, self.cache.missing(tx_hashes))
        self.poke()

    # -- keepalive --------------------------------------------------------------------------------

    def heard_from(self, name: str) -> None:
        """A peer has shown a sign of life."""
        if name in self.peers:
            self._heard_at[name] = self.local_s()

    def _look_around(self) -> None:
        """Ask silent peers for their latest statement, and see when to look again."""
        now = self.local_s()
        next_at = now + SILENCE_S
        for name, position in self.peers.items():
            due = max(
                self._heard_at.get(name, -math.inf) + SILENCE_S,
                self._asked_at.get(name, -math.inf) + ASK_AGAIN_S,
            )
            if due < now:
                self._asked_at[name] = now
                self._ask(name, position)
                due = now + ASK_AGAIN_S
            next_at = min(next_at, due)
        delay_s = max(LOOK_AROUND_S, next_at - now)
        self.world.timeline.after(int(delay_s * 1e6) + 1, self.alive(self._look_around))

    def _ask(self, name: str, position: int) -> None:
        def answer(host: "Host") -> None:
            msg = host.latest_msg
            arrive = self.alive(functools.partial(self._answered, name, msg))
            delay_us = self.world.wires.latency_us(host.position, self.position)
            self.world.timeline.after(delay_us, arrive)

        self.world.ask(self, position, answer)

    def _answered(self, name: str, msg: ConsensusMsg | None) -> None:
        self.heard_from(name)
        if msg is not None:
            self.take_statement(msg, name)

    def longest_lane(self) -> int:
        """Statements that wait for one peer."""
        return max(map(len, self._outboxes.values()), default=0)

    # -- what others ask --------------------------------------------------------------------------

    def headers(self, first_index: int, count: int) -> list[Block]:
        """Headers for a peer that catches up."""
        return [data.block for data in self.ledger.blocks[first_index : first_index + count]]
