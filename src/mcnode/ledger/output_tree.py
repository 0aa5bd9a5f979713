"""The tree over all outputs, as it grows: only its root is kept. [docs/protocol/ledger.md#4.4]"""

from mcnode.ledger.db.merkle import root_range, tree_depth
from mcnode.transaction.membership_proof import NIL_HASH, node_hash
from mcnode.transaction.messages import Range, TxOutMembershipElement


class OutputTree:
    """Takes leaves one by one and knows the root at any time, in memory that does not grow.

    Kept is one hash for each bit that is set in the number of leaves: that of the complete subtree
    of so many leaves, counted from the left.
    """

    def __init__(self) -> None:
        self.num_leaves = 0
        self._complete: list[bytes | None] = []

    def append(self, leaf: bytes) -> None:
        """Add a leaf's 32-byte hash; as in adding one to a binary number, equal heights join."""
        node, level = leaf, 0
        while level < len(self._complete):
            left = self._complete[level]
            if left is None:
                break
            node = node_hash(left, node)
            self._complete[level] = None
            level += 1
        if level == len(self._complete):
            self._complete.append(None)
        self._complete[level] = node
        self.num_leaves += 1

    def root_element(self) -> TxOutMembershipElement | None:
        """The root, None while there are no leaves."""
        if not self.num_leaves:
            return None
        depth = tree_depth(self.num_leaves)
        unfinished: bytes | None = None
        for level in range(depth):
            left = self._complete[level]
            if left is not None:
                unfinished = node_hash(left, NIL_HASH if unfinished is None else unfinished)
            elif unfinished is not None:
                unfinished = node_hash(unfinished, NIL_HASH)
        root = unfinished if unfinished is not None else self._complete[depth]
        assert root is not None
        return TxOutMembershipElement(Range(*root_range(self.num_leaves)), root)
