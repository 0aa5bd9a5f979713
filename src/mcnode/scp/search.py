"""Quorums and blocking sets, exactly, in polynomial time.

Nodes are numbered as they are met and a set of nodes is one integer, bit n for node n; the local
node is bit 0. A quorum set is compiled once to (threshold, mask of its plain members, inner
sets), so that "is it satisfied by these nodes" is one `and` and one population count per level.

**Quorum.** Given the peers whose statements support something, the greatest quorum among them and
the local node is a fixed point: drop every peer whose own quorum set the rest (with the local
node) does not satisfy, until none drops; what is left is a quorum if it satisfies the local set.
Dropping never depends on order, so the answer is exact: a quorum is found whenever one exists, in
at most as many rounds as there are peers. A depth-first search for one quorum takes exponential
time just when one peer is missing, and may miss quorums when what they agree on narrows along the
path; here each candidate statement is tested by itself. Answers are remembered per set of
supporters until some peer's quorum set changes; supporters that do not even satisfy the local set,
and supporters among whom a known quorum is, need no search. [docs/protocol/scp.md#3]

The local node supports whatever it asks about, and counts in the quorum sets of its peers. It
never counts in its own blocking sets: it blocks nothing it already knows.
"""

import dataclasses
from collections.abc import Sequence

from mcnode.scp.errors import InvalidMsgError
from mcnode.scp.quorum_set import QuorumSet
from mcnode.scp.types import NodeID

LOCAL = 1
"""Bit of the local node."""

KNOWN_NODES_MAX = 4096
"""Nodes that the local set reaches through the sets of its members, and theirs. A member that
lies can name thousands; the whole network is a few dozen."""

_COMPILED_MAX = 1024
"""Compiled sets remembered. Each peer needs one; a peer may change its set with every message."""

_MEMO_MAX = 4096
"""Remembered answers; honest traffic in one slot asks about a few dozen sets of supporters."""

_QUORUMS_MAX = 4
"""Quorums remembered, to be found among later supporters. Those of the last few questions are
asked about again, with one supporter more."""


@dataclasses.dataclass(frozen=True, slots=True)
class CompiledQuorumSet:
    """A quorum set over node bits. A node listed again counts again, as an inner set of one."""

    threshold: int
    blocking_threshold: int
    direct: int
    inner: "tuple[CompiledQuorumSet, ...]"

    def is_satisfied_by(self, nodes: int) -> bool:
        """Whether `nodes` contain a slice of this set."""
        count = (self.direct & nodes).bit_count()
        for inner in self.inner:
            count += inner.is_satisfied_by(nodes)
        return count >= self.threshold

    def is_blocked_by(self, nodes: int) -> bool:
        """Whether every slice of this set meets `nodes`."""
        count = (self.direct & nodes).bit_count()
        for inner in self.inner:
            count += inner.is_blocked_by(nodes)
        return count >= self.blocking_threshold


class QuorumSearch:
    """The quorum sets that one slot knows of, seen from the local node."""

    def __init__(self, local_id: NodeID, quorum_set: QuorumSet[NodeID]) -> None:
        self._bits: dict[NodeID, int] = {local_id: LOCAL}
        self._nodes = [local_id]
        self._compiled: dict[QuorumSet[NodeID], CompiledQuorumSet] = {}
        self._peer_sets: dict[int, CompiledQuorumSet] = {}
        self._memo: dict[int, int] = {}
        self._quorums: list[int] = []
        self.local_set = self.compile(quorum_set)

    def bit_of(self, node: NodeID) -> int | None:
        """The node's bit, or None for a node that no quorum set reached from here names."""
        return self._bits.get(node)

    def named_nodes(self) -> Sequence[NodeID]:
        """Every node that has a bit, in the order in which they were met."""
        return self._nodes

    def _bit(self, node: NodeID) -> int:
        bit = self._bits.get(node)
        if bit is None:
            bit = self._bits[node] = 1 << len(self._nodes)
            self._nodes.append(node)
        return bit

    def nodes(self, mask: int) -> frozenset[NodeID]:
        """The nodes behind the bits of `mask`."""
        return frozenset(node for number, node in enumerate(self._nodes) if mask >> number & 1)

    def compile(self, quorum_set: QuorumSet[NodeID]) -> CompiledQuorumSet:
        """The compiled form; one per distinct content. Absent members count but support nothing.

        Raises:
            InvalidMsgError: its new nodes would exceed `KNOWN_NODES_MAX`.
        """
        known = self._compiled.get(quorum_set)
        if known is not None:
            return known
        new_nodes = sum(1 for node in quorum_set.nodes() if node not in self._bits)
        if len(self._nodes) + new_nodes > KNOWN_NODES_MAX:
            raise InvalidMsgError(
                f"quorum set adds {new_nodes} nodes to {len(self._nodes)}, limit {KNOWN_NODES_MAX}"
            )
        direct = 0
        inner: list[CompiledQuorumSet] = []
        for member in quorum_set.members:
            if isinstance(member, QuorumSet):
                inner.append(self.compile(member))
            elif member is not None:
                bit = self._bit(member)
                if direct & bit:
                    inner.append(CompiledQuorumSet(1, 1, bit, ()))
                direct |= bit
        blocking_threshold = len(quorum_set.members) - quorum_set.threshold + 1
        compiled = CompiledQuorumSet(quorum_set.threshold, blocking_threshold, direct, tuple(inner))
        if len(self._compiled) >= _COMPILED_MAX:
            self._compiled.clear()
        self._compiled[quorum_set] = compiled
        return compiled

    def set_peer(self, bit: int, quorum_set: QuorumSet[NodeID]) -> None:
        """Note the quorum set that a peer's newest message carries. Raises as `compile`."""
        compiled = self.compile(quorum_set)
        known = self._peer_sets.get(bit)
        if known is not compiled:
            self._peer_sets[bit] = compiled
            self._memo.clear()
            if known is not None:  # a first set cannot undo a quorum
                self._quorums.clear()

    def quorum(self, supporters: int) -> int:
        """The greatest quorum of the local node and `supporters`, or 0 when there is none.

        A supporter counts only once its quorum set is known.
        """
        found = self._memo.get(supporters)
        if found is None:
            if len(self._memo) >= _MEMO_MAX:
                self._memo.clear()
            found = self._memo[supporters] = self._greatest_quorum(supporters)
        return found

    def _greatest_quorum(self, supporters: int) -> int:
        if not self.local_set.is_satisfied_by(supporters | LOCAL):
            return 0
        peers = [(bit, peer) for bit, peer in self._peer_sets.items() if bit & supporters]
        nodes = LOCAL
        for bit, _ in peers:
            nodes |= bit
        while True:
            kept = [entry for entry in peers if entry[1].is_satisfied_by(nodes)]
            if len(kept) == len(peers):
                return nodes if self.local_set.is_satisfied_by(nodes) else 0
            nodes = LOCAL
            for bit, _ in kept:
                nodes |= bit
            peers = kept

    def is_quorum(self, supporters: int) -> bool:
        """Whether the local node and some of `supporters` form a quorum."""
        for quorum in self._quorums:
            if quorum & supporters == quorum:
                return True
        found = self._memo.get(supporters)
        if found is None:
            found = self.quorum(supporters)
            if found:
                self._quorums.insert(0, found & ~LOCAL)
                del self._quorums[_QUORUMS_MAX:]
        return found != 0

    def is_blocking(self, nodes: int) -> bool:
        """Whether `nodes` block the local quorum set."""
        return self.local_set.is_blocked_by(nodes)
