"""Who has decided which block, and what follows for us. [docs/protocol/ledger.md#5.1]

A set of nodes can be trusted about a block when it contains a slice of our quorum set and also
meets every slice of it: then honest nodes of ours have decided that block, and can decide no other.
"""

from collections.abc import Collection

from mcnode.scp.quorum_set import QuorumSet
from mcnode.scp.types import NodeID


class NetworkState:
    """The highest block that each node of our quorum set is known to have decided.

    A statement counts for the member whose key has signed it, whatever name it bears: otherwise
    anybody could make us believe that the network is far ahead. Nodes outside the quorum set never
    matter and are not kept, so the size of this is bounded by our own configuration.
    """

    def __init__(self, quorum_set: QuorumSet[NodeID]) -> None:
        self._quorum_set = quorum_set
        self._names = {node.public_key: node.responder_id for node in quorum_set.iter_nodes()}
        self._highest: dict[str, int] = {}

    def push(self, sender: NodeID, externalized_index: int) -> None:
        """Note that `sender` has decided the block `externalized_index`; lower than known is old.

        For a statement that does not externalize its slot this is the block before the slot.
        """
        name = self._names.get(sender.public_key)
        if name is not None:
            self._highest[name] = max(externalized_index, self._highest.get(name, 0))

    def is_blocking_and_quorum(self, responder_ids: Collection[str]) -> bool:
        """Whether these nodes can be trusted when they agree."""
        names = frozenset(responder_ids)
        return _contains_slice(self._quorum_set, names) and _meets_slices(self._quorum_set, names)

    def is_behind(self, local_index: int) -> bool:
        """Whether the network has decided a block above `local_index`, our newest."""
        ahead = [name for name, index in self._highest.items() if index > local_index]
        return bool(ahead) and self.is_blocking_and_quorum(ahead)

    def highest_block_index(self) -> int | None:
        """The highest block that nodes we can trust together have decided, or None."""
        for candidate in sorted(set(self._highest.values()), reverse=True):
            names = [name for name, index in self._highest.items() if index >= candidate]
            if self.is_blocking_and_quorum(names):
                return candidate
        return None

    def heights(self) -> dict[str, int]:
        """The highest decided block of each node heard of, by responder id."""
        return dict(self._highest)


def _contains_slice(quorum_set: QuorumSet[NodeID], names: frozenset[str]) -> bool:
    """Whether `names` satisfy the quorum set at every level."""
    satisfied = sum(
        _contains_slice(member, names)
        if isinstance(member, QuorumSet)
        else member is not None and member.responder_id in names
        for member in quorum_set.members
    )
    return satisfied >= quorum_set.threshold


def _meets_slices(quorum_set: QuorumSet[NodeID], names: frozenset[str]) -> bool:
    """Whether without `names` the quorum set can no longer be satisfied.

    Sets of threshold 0 are always satisfied, so nothing ever meets their slices.
    """
    lost = sum(
        _meets_slices(member, names)
        if isinstance(member, QuorumSet)
        else member is not None and member.responder_id in names
        for member in quorum_set.members
    )
    return lost > len(quorum_set.members) - quorum_set.threshold
