"""The agreement protocol of a running node, with what is written down about it.

    decision core ─> invariants (`--check-invariants`) ─> debug dump (`--scp-debug-dump`)
                  ─> slot recorder (`--slots-kept`) ─> protocol

The recorder stands closest to the protocol, so that it sees exactly what the protocol sees. The
invariants come last, so that an event which breaks one is written down already.
"""

import dataclasses
from collections.abc import Callable

from mcnode.consensus.checked_node import CheckedNode
from mcnode.consensus.config.node import NodeConfig
from mcnode.consensus.debug_dump import DumpWriter, RecordingNode, start_dump
from mcnode.consensus.values import ValueJudge
from mcnode.peers.consensus_value import ConsensusValue
from mcnode.scp import Node, NodeID, QuorumSet, SlotIndex, Timing
from mcnode.slots.agreement_node import AgreementNode
from mcnode.slots.library import SLOTS_FOLDER
from mcnode.slots.recorder import RecordedJudge, RecordedNode
from mcnode.slots.ring import RingOwner, SlotRing


@dataclasses.dataclass(frozen=True, slots=True)
class Agreement:
    """A node of the agreement protocol, and those that write about it."""

    node: AgreementNode
    ring: SlotRing | None
    dump: DumpWriter | None

    def close(self) -> None:
        """Let what waits be written. Blocks."""
        for writer in (self.ring, self.dump):
            if writer is not None:
                writer.close()


def make_agreement(
    config: NodeConfig,
    quorum_set: QuorumSet[NodeID],
    judge: ValueJudge,
    slot_index: SlotIndex,
    unix_time: Callable[[], float],
    *,
    timing: Timing,
) -> Agreement:
    """Begin to agree at a slot."""
    recorded_judge = RecordedJudge(judge.check, judge.combine)
    bare: Node[ConsensusValue] = Node(
        config.node_id,
        quorum_set,
        recorded_judge.check,
        recorded_judge.combine,
        slot_index=slot_index,
        timing=timing,
    )
    agreement: AgreementNode = bare
    ring = None
    if config.slots_kept:
        ring = SlotRing(
            config.ledger_path / SLOTS_FOLDER,
            RingOwner(config.node_id, quorum_set, timing),
            unix_time,
            slots_kept=config.slots_kept,
        )
        ring.start()
        agreement = RecordedNode(bare, recorded_judge, ring)
    dump = None
    if config.scp_debug_dump is not None:
        dump = start_dump(config.scp_debug_dump, agreement, int(unix_time()))
        if dump is not None:
            agreement = RecordingNode(agreement, dump)
    if config.check_invariants:
        agreement = CheckedNode(agreement)
    return Agreement(agreement, ring, dump)
