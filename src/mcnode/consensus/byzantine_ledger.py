"""The decision core of a node: what to propose, what to listen to, when a block is decided.

It stands between the agreement protocol, which knows nothing of ledgers, and the shell, which does
all input and output. Inputs (`propose`, `receive`, `receive_copy`, `txs_fetched`, `block_appended`,
`sync_finished`) only put things where `tick` finds them; `tick` does the work and returns actions.
Nothing here reads a clock, a socket or a file: the time is an argument, the ledger and the
transaction cache are views that answer from memory or from an embedded database.

A statement's way through a tick:

    receive ─> feeds the network state ("who has externalized what")
            ─> slot filter:   slot 0 and slots before the previous one are dropped,
                              later slots wait (bounded), the rest goes on
            ─> history filter: it must build on our block before that slot
            ─> transactions:  what it votes for must be in our cache, or it waits for a fetch
                              from a neighbour that handed it over, until its slot has passed
            ─> relay, then the agreement protocol, all statements of a tick in one batch

A tick in order: sync state; when behind, nothing but catching up; nominate pending values;
statements; timers; a decided slot becomes `CompleteSlot`. Several statements of ours about one slot
in one tick become one `Broadcast`, since a peer keeps only the highest.
[docs/protocol/service.md#11]
"""

import dataclasses
from collections.abc import Iterable, Sequence

from mcnode.consensus.actions import (
    Action,
    Broadcast,
    CompleteSlot,
    FetchTxs,
    Relay,
    Report,
    SyncLedger,
)
from mcnode.consensus.message_queue import MessageQueue, QueuedMsg
from mcnode.consensus.missing_txs import Ask, MissingTxs
from mcnode.consensus.pending_values import PendingValues
from mcnode.consensus.repeats import Repeats
from mcnode.consensus.sync_state import (
    InSync,
    IsBehind,
    SyncState,
    after_attempt,
    next_state,
)
from mcnode.consensus.views import LedgerView, NetworkView, ValueView
from mcnode.errors import BugError
from mcnode.peers.consensus_msg import ConsensusMsg
from mcnode.peers.consensus_value import ConsensusValue
from mcnode.peers.relay import RelayPlanner
from mcnode.scp import (
    CombineFailed,
    Externalize,
    Msg,
    NodeID,
    Refuse,
    Send,
    SetTimer,
    SlotIndex,
    SlotMetrics,
    SlotState,
    Tick,
)
from mcnode.scp.actions import Action as ScpAction
from mcnode.scp.types import Externalize as ExternalizeTopic
from mcnode.slots.agreement_node import AgreementNode

PENDING_VALUES_TO_NOMINATE_MAX = 100
"""Values proposed per slot; the network's own bound."""
SYNC_BLOCKS_MAX = 100
"""Blocks per catch-up attempt."""


def to_tick(now: float) -> Tick:
    """The agreement protocol's clock: whole milliseconds of ours, which counts seconds."""
    return int(now * 1000)


def after_tick(tick: Tick) -> float:
    """A moment of our clock at which a deadline of the agreement protocol has just passed.

    It lies in the middle of the next millisecond, so that no rounding makes `to_tick` give `tick`.
    """
    return (tick + 1.5) / 1000


@dataclasses.dataclass(slots=True)
class Snapshot:
    """Figures for gauges and for `/info`."""

    slot_index: SlotIndex
    pending_values: int
    queued_messages: int
    refused_messages: int
    """Statements that were left out, and combinations that failed."""
    highest_peer_block: int
    is_behind: bool
    slot: SlotMetrics
    """How far the slot's agreement is."""


class ByzantineLedger:
    """See the module's text. Touched by exactly one task."""

    def __init__(
        self,
        *,
        node: AgreementNode,
        ledger: LedgerView,
        values: ValueView,
        network: NetworkView,
        relay: RelayPlanner[ConsensusMsg],
    ) -> None:
        self._node = node
        self._ledger = ledger
        self._values = values
        self._network = network
        self._relay = relay
        self._pending = PendingValues[ConsensusValue](values.is_valid)
        self._queue = MessageQueue()
        self._missing_txs = MissingTxs()
        self._repeats = Repeats(relay.peers)
        self._repeats.enter_slot(ledger.num_blocks())
        self._sync_state: SyncState = InSync()
        self._is_syncing = False
        self._is_completing = False
        self._need_nominate = False
        self._has_work = True
        self._slot_index = ledger.num_blocks()
        self._outgoing: dict[SlotIndex, Msg[ConsensusValue]] = {}
        self._refusals = 0
        self._look_again_at: float | None = None
        """When statements that wait for transactions want to be looked at."""
        self._highest_peer_block: int | None = None
        """Looked up when needed; None after a statement may have changed it."""

    # -- inputs -----------------------------------------------------------------------------------

    def propose(self, values: Iterable[ConsensusValue], proposed_at: float | None) -> None:
        """Queue values for a block; `proposed_at` is set for those of our own clients.

        Raises:
            PendingValuesFull: too many are waiting.
        """
        for value in values:
            if self._pending.push(value, proposed_at):
                self._need_nominate = True
                self._has_work = True

    def receive(self, msg: ConsensusMsg, received_from: str, now: float) -> None:
        """Take a statement whose signature holds, handed to us by the neighbour `received_from`."""
        scp_msg = msg.scp_msg
        if scp_msg.slot_index == 0:
            return
        self._has_work = True
        self._relay.heard(received_from, scp_msg.sender_id.public_key, now)
        decided = scp_msg.slot_index - (0 if isinstance(scp_msg.topic, ExternalizeTopic) else 1)
        self._network.push(scp_msg.sender_id, decided)
        self._highest_peer_block = None
        if scp_msg.slot_index + 1 >= self._slot_index:
            self._queue.push(QueuedMsg.create(msg, received_from))

    def receive_copy(
        self, author: bytes, slot_index: SlotIndex, received_from: str, now: float
    ) -> None:
        """Another neighbour handed over a statement that `receive` has had already."""
        self._relay.heard(received_from, author, now)
        self._repeats.repeated(slot_index, author, received_from, now)
        if self._queue.add_source(slot_index, author, received_from):
            self._has_work = True

    def txs_fetched(self, peer: str, not_in_cache: Iterable[bytes]) -> None:
        """A fetch from `peer` ended; it does not have `not_in_cache`."""
        self._has_work = True
        self._missing_txs.fetched(peer, not_in_cache)

    def block_appended(self) -> None:
        """The block asked for by `CompleteSlot` is in the ledger.

        Raises:
            BugError: the ledger has not grown by exactly one block.
        """
        expected = self._slot_index + 1
        if self._ledger.num_blocks() != expected:
            raise BugError(
                f"ledger has {self._ledger.num_blocks()} blocks after a slot, needs {expected}"
            )
        self._is_completing = False
        self._sync_state = InSync()
        self._enter_slot(expected)

    def sync_finished(self, *, succeeded: bool, now: float) -> None:
        """A catch-up attempt ended."""
        self._has_work = True
        self._is_syncing = False
        if isinstance(self._sync_state, IsBehind):
            self._sync_state = after_attempt(self._sync_state, succeeded=succeeded, now=now)

    # -- work -------------------------------------------------------------------------------------

    def tick(self, now: float) -> list[Action]:
        """Do everything that can be done now."""
        if self._is_completing or self._is_syncing:
            return []
        self._has_work = False
        actions: list[Action] = []
        if self._step_sync_state(now, actions):
            return actions
        if self._need_nominate:
            self._need_nominate = False
            oldest = self._pending.oldest(PENDING_VALUES_TO_NOMINATE_MAX)
            self._follow(self._node.propose(oldest, to_tick(now)), actions)
        if not self._is_completing:
            self._process_messages(now, actions)
        if not self._is_completing:
            self._follow(self._node.handle_timers(to_tick(now)), actions)
        self._flush(now, actions)
        actions.extend(Relay(late.message, late.recipients) for late in self._relay.due_relays(now))
        actions.extend(self._repeats.due(now))
        return actions

    def next_deadline(self) -> float | None:
        """When `tick` has to be called even if nothing comes in; in the past when there is work."""
        if self._is_syncing or self._is_completing:
            return None
        if isinstance(self._sync_state, IsBehind):
            return self._sync_state.attempt_at
        if self._has_work:
            return 0.0
        tick = self._node.next_deadline
        timer = None if tick is None else after_tick(tick)
        others = (self._relay.next_due(), self._repeats.next_due(), self._look_again_at)
        candidates = [timer, *others]
        return min((at for at in candidates if at is not None), default=None)

    # -- what it holds ----------------------------------------------------------------------------

    def is_behind(self) -> bool:
        """Whether clients must be refused because we are catching up."""
        return isinstance(self._sync_state, IsBehind)

    def pending_count(self) -> int:
        """Values that wait for a block."""
        return len(self._pending)

    def snapshot(self) -> Snapshot:
        """Figures as of now."""
        return Snapshot(
            slot_index=self._slot_index,
            pending_values=len(self._pending),
            queued_messages=len(self._queue),
            refused_messages=self._refusals,
            highest_peer_block=self._highest_block_of_peers(),
            is_behind=self.is_behind(),
            slot=self._node.metrics(),
        )

    def slot_states(self) -> list[SlotState[ConsensusValue]]:
        """All that agreement holds. It is a slot ahead of us while a block is being formed."""
        near = range(self._slot_index - 1, self._slot_index + 2)
        return [state for slot in near if (state := self._node.slot_state(slot)) is not None]

    def current_slot(self) -> SlotState[ConsensusValue] | None:
        """The slot being agreed on; None while catching up."""
        return None if self.is_behind() else self._node.slot_state(self._slot_index)

    def held_back(self) -> list[NodeID]:
        """Whose statements about the current slot wait, for transactions that we do not have."""
        return self._queue.authors(self._slot_index)

    def waiting_since(self, values: Sequence[ConsensusValue]) -> list[float]:
        """When our own clients proposed those of `values` that they did propose."""
        stamps = (self._pending.proposed_at(value) for value in values)
        return [stamp for stamp in stamps if stamp is not None]

    # -- parts of a tick --------------------------------------------------------------------------

    def _highest_block_of_peers(self) -> int:
        """The highest block that a blocking quorum of peers has decided; 0 while none is known."""
        if self._highest_peer_block is None:
            self._highest_peer_block = self._network.highest_block_index() or 0
        return self._highest_peer_block

    def _step_sync_state(self, now: float, actions: list[Action]) -> bool:
        """Step the sync state; True when this tick does nothing else."""
        local_index = self._ledger.num_blocks() - 1
        blocks_behind = max(0, self._highest_block_of_peers() - local_index)
        was_behind = self.is_behind()
        self._sync_state = next_state(self._sync_state, blocks_behind, now)
        if isinstance(self._sync_state, IsBehind):
            if now >= self._sync_state.attempt_at:
                self._is_syncing = True
                actions.append(SyncLedger(SYNC_BLOCKS_MAX))
            return True
        if was_behind:
            self._node.reset_slot_index(local_index + 1)
            self._enter_slot(local_index + 1)
        return False

    def _process_messages(self, now: float, actions: list[Action]) -> None:
        ready: list[Msg[ConsensusValue]] = []
        self._look_again_at = None
        for queued in self._queue.take_up_to(self._slot_index):
            if not self._builds_on_our_ledger(queued.msg, actions):
                continue
            missing = self._values.missing(queued.tx_hashes)
            if missing:
                self._wait_for_txs(queued, missing, now, actions)
                continue
            self._pass_on(queued, now, actions)
            ready.append(queued.msg.scp_msg)
        if ready:
            self._follow(self._node.handle(ready, to_tick(now)), actions)

    def _builds_on_our_ledger(self, msg: ConsensusMsg, actions: list[Action]) -> bool:
        slot_index = msg.scp_msg.slot_index
        if slot_index + 1 < self._slot_index:
            return False
        ours = self._ledger.block_id(slot_index - 1)
        if ours == msg.prev_block_id:
            return True
        reason = (
            f"builds on block {msg.prev_block_id.hex()}, "
            f"ours is {'none' if ours is None else ours.hex()}"
        )
        author = msg.scp_msg.sender_id.responder_id
        self._report(Report(slot_index, author, reason, is_other_chain=True), actions)
        return False

    def _wait_for_txs(
        self, queued: QueuedMsg, missing: Sequence[bytes], now: float, actions: list[Action]
    ) -> None:
        """Let a statement wait for transactions, and have them fetched if they do not come."""
        since = queued.waiting_since if queued.waiting_since is not None else now
        self._queue.push(dataclasses.replace(queued, waiting_since=since))
        match self._missing_txs.plan(queued.sources, missing, since, now):
            case Ask(peer):
                actions.append(FetchTxs(peer, tuple(missing)))
            case again:
                if again.at is not None:
                    self._look_again_at = min(again.at, self._look_again_at or again.at)

    def _pass_on(self, queued: QueuedMsg, now: float, actions: list[Action]) -> None:
        sender = queued.msg.scp_msg.sender_id
        recipients = self._relay.plan(
            queued.msg,
            author=sender.public_key,
            author_responder_id=sender.responder_id,
            slot_index=queued.msg.scp_msg.slot_index,
            received_from=queued.received_from,
            now=now,
        )
        if recipients:
            actions.append(Relay(queued.msg, recipients))
        self._repeats.heard(queued, now)

    def _follow(
        self, scp_actions: Sequence[ScpAction[ConsensusValue]], actions: list[Action]
    ) -> None:
        """Take up what the agreement protocol wants done; its timer is read by `next_deadline`."""
        for scp_action in scp_actions:
            match scp_action:
                case Externalize(slot_index, values):
                    self._is_completing = True
                    actions.append(CompleteSlot(slot_index, values))
                case Send(scp_msg):
                    self._outgoing[scp_msg.slot_index] = scp_msg
                case Refuse(scp_msg, reason):
                    author = scp_msg.sender_id.responder_id
                    self._report(Report(scp_msg.slot_index, author, reason), actions)
                case CombineFailed(slot_index, reason):
                    self._report(Report(slot_index, None, reason), actions)
                case SetTimer():
                    pass

    def _report(self, report: Report, actions: list[Action]) -> None:
        self._refusals += 1
        actions.append(report)

    def _flush(self, now: float, actions: list[Action]) -> None:
        """Turn the newest statement of this tick about each slot into an action."""
        for slot_index, scp_msg in sorted(self._outgoing.items()):
            prev_block_id = self._ledger.block_id(slot_index - 1) if slot_index else None
            if prev_block_id is not None:
                said = Broadcast(scp_msg, prev_block_id)
                self._repeats.said(said, now)
                actions.append(said)
        self._outgoing.clear()

    def _enter_slot(self, slot_index: SlotIndex) -> None:
        self._relay.slot_closed(self._slot_index - 1)
        self._slot_index = slot_index
        self._has_work = True
        self._missing_txs.enter_slot(slot_index)
        self._repeats.enter_slot(slot_index)
        self._values.block_completed(slot_index)
        self._pending.retain_valid()
        self._need_nominate = len(self._pending) > 0
