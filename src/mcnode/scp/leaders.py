"""Who leads a nomination round: the same answer on every node, from hashes alone.

For each round every node draws, for itself and each node of its quorum set, a *neighbour* number
and a *priority*. Those whose neighbour number lies below their weight are neighbours; the
neighbour with the highest priority that does not lead yet becomes a leader.
[docs/protocol/scp.md#6.1]
"""

import hashlib
from collections.abc import Iterable, Mapping, Set

from mcnode.scp.quorum_set import QuorumSet
from mcnode.scp.types import NodeID, SlotIndex

_NEIGHBOUR, _PRIORITY = b"\x01", b"\x02"
_WEIGHT_ONE = 2**256 - 1


def _draw(slot_index: SlotIndex, salt: bytes, round_number: int, node: NodeID) -> int:
    """SHA3-256 of slot (u64), salt, round (u32) and key, all big-endian, as a 256-bit number."""
    message = slot_index.to_bytes(8) + salt + round_number.to_bytes(4) + node.public_key
    return int.from_bytes(hashlib.sha3_256(message).digest())


def neighbour_number(slot_index: SlotIndex, round_number: int, node: NodeID) -> int:
    """The number compared with the node's weight; 256 bits."""
    return _draw(slot_index, _NEIGHBOUR, round_number, node)


def priority(slot_index: SlotIndex, round_number: int, node: NodeID) -> int:
    """The number by which neighbours are ranked; 256 bits."""
    return _draw(slot_index, _PRIORITY, round_number, node)


def weights(local_id: NodeID, quorum_set: QuorumSet[NodeID]) -> dict[NodeID, int]:
    """Each candidate's weight as a fraction of 2**256 - 1; the local node always has all of
    it."""
    found = {node: quorum_set.weight(node) for node in quorum_set.iter_nodes()}
    found[local_id] = (1, 1)
    return {node: _WEIGHT_ONE * num // den for node, (num, den) in found.items()}


def neighbours(
    slot_index: SlotIndex, round_number: int, node_weights: Mapping[NodeID, int]
) -> list[NodeID]:
    """Those of the candidates that count in this round."""
    return [
        node
        for node, weight in node_weights.items()
        if neighbour_number(slot_index, round_number, node) < weight
    ]


def next_leader(
    slot_index: SlotIndex,
    round_number: int,
    local_id: NodeID,
    node_weights: Mapping[NodeID, int],
    leaders: Set[NodeID],
) -> NodeID:
    """The leader that this round adds; the local node when no neighbour is left."""
    free: Iterable[NodeID] = (
        node for node in neighbours(slot_index, round_number, node_weights) if node not in leaders
    )
    return max(free, key=lambda node: priority(slot_index, round_number, node), default=local_id)
