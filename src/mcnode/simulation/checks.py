"""What must hold, whatever happens. The first thing that does not ends the run."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mcnode.blockchain.block_data import BlockData
from mcnode.consensus.message_queue import FUTURE_SLOTS_MAX
from mcnode.errors import BugError
from mcnode.peers.consensus_msg import ConsensusMsg
from mcnode.peers.consensus_value import ConsensusValue
from mcnode.scp import Msg, Timing
from mcnode.scp.contradiction import contradiction
from mcnode.scp.errors import InvalidMsgError
from mcnode.scp.invariants import check_invariants
from mcnode.scp.msg_rules import check_msg
from mcnode.simulation.ledger import StandInTx

if TYPE_CHECKING:
    from mcnode.simulation.host import Host

LEVEL_BOUND_S = 150
"""Virtual seconds after the last fault until every honest node has every block that any of them had
by then. A silent peer is asked after 30 to 40 s, a node that lacks one block waits 10 s for it, an
attempt to catch up hangs for 30 s at a mute peer, and a failed one is repeated after a growing
delay."""
PROBE_BOUND_S = 150
"""Virtual seconds from then until a new transaction is in a block at every honest node. Ballot
timers have grown with the faults, and each lost round costs what is above."""


def slowness(timing: Timing) -> float:
    """By how much the bounds grow for a network whose timers are longer than the usual ones."""
    usual = Timing()
    return max(
        1.0,
        timing.nomination_base_ms / usual.nomination_base_ms,
        timing.ballot_base_ms / usual.ballot_base_ms,
    )


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """A check that failed. `kind` is one of agreement, validity, liveness, memory, state, crash."""

    kind: str
    at_us: int
    node: int
    text: str

    def __str__(self) -> str:
        return f"{self.kind} at {self.at_us / 1e6:.3f} s, node {self.node}: {self.text}"


class Violation(BugError):
    """A finding, on its way out of the run."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


class Checks:
    """Sees every block before it is stored, every honest statement before it leaves."""

    def __init__(self, txs: Mapping[bytes, StandInTx], *, check_slots: bool) -> None:
        self._txs = txs
        self._check_slots = check_slots
        self._agreed: dict[int, tuple[bytes, int]] = {}
        self._said: dict[tuple[int, int], Msg[ConsensusValue]] = {}
        """The last statement of each node since each of its starts."""

    def block(
        self,
        host: "Host",
        data: BlockData,
        values: Sequence[ConsensusValue] | None,
        now_us: int,
    ) -> None:
        """Agreement and ledger equality for any block; validity for one decided here."""
        index, block_id = data.block.index, data.block.id
        first = self._agreed.setdefault(index, (block_id, host.instance))
        if first[0] != block_id:
            text = (
                f"block {index} is {block_id[:6].hex()}, node {first[1]} has {first[0][:6].hex()}"
            )
            raise Violation(Finding("agreement", now_us, host.instance, text))
        if values is not None:
            self._values(host, index, values, now_us)

    def _values(
        self, host: "Host", index: int, values: Sequence[ConsensusValue], now_us: int
    ) -> None:
        spent: set[bytes] = set()
        for value in values:
            fault = self._fault(host, index, value, spent)
            if fault:
                text = f"block {index}: {value} {fault}"
                raise Violation(Finding("validity", now_us, host.instance, text))

    def _fault(
        self, host: "Host", index: int, value: ConsensusValue, spent: set[bytes]
    ) -> str | None:
        tx = self._txs.get(value.content) if isinstance(value.content, bytes) else None
        if tx is None:
            return "was never proposed"
        if not tx.is_well_formed:
            return "is not well formed"
        if index >= tx.tombstone_block:
            return f"has tombstone {tx.tombstone_block}"
        if host.ledger.has_spent(tx.key_images) or not spent.isdisjoint(tx.key_images):
            return "is a double spend"
        spent.update(tx.key_images)
        return None

    def statement(self, host: "Host", msg: ConsensusMsg, now_us: int) -> None:
        """What an honest node says is well formed, takes nothing back that it has said since its
        start, and its slot is consistent."""
        if not self._check_slots:
            return
        scp_msg = msg.scp_msg
        try:
            check_msg(scp_msg)
            state = host.node.slot_state(scp_msg.slot_index)
            if state is not None:
                check_invariants(state)
        except (InvalidMsgError, BugError) as error:
            raise Violation(Finding("state", now_us, host.instance, str(error))) from error
        key = (host.instance, host.life)
        before = self._said.get(key)
        if before is not None and before.slot_index == scp_msg.slot_index:
            reason = contradiction(before.topic, scp_msg.topic)
            if reason is not None:
                text = f"{reason}: {before.topic}, then {scp_msg.topic}"
                raise Violation(Finding("state", now_us, host.instance, text))
        self._said[key] = scp_msg

    def memory(self, host: "Host", identities: int, now_us: int) -> None:
        """What strangers can make grow stays small: an author counts once per slot."""
        snapshot = host.core.snapshot()
        state = host.node.slot_state(host.node.slot_index)
        figures = (
            ("queued statements", snapshot.queued_messages, identities * (FUTURE_SLOTS_MAX + 2)),
            ("pending values", snapshot.pending_values, len(self._txs)),
            ("cached transactions", len(host.cache), len(self._txs)),
            ("messages of a slot", 0 if state is None else len(state.msgs), identities),
            ("statements in a lane", host.longest_lane(), identities * (FUTURE_SLOTS_MAX + 2)),
        )
        for name, found, limit in figures:
            if found > limit:
                text = f"{name}: {found}, limit {limit}"
                raise Violation(Finding("memory", now_us, host.instance, text))
