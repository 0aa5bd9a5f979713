"""The Merkle tree over all outputs. [docs/protocol/ledger.md#4.4]

A node is named by the inclusive range of leaves below it: width a power of two, aligned. The tree
is full-width, the next power of two of the number of leaves; a subtree without leaves hashes to
`NIL_HASH` at every height and is never stored. When the width doubles the old root is the new left
child, so nodes left of the appended leaves never change.
"""

from collections.abc import Callable, Iterator, Sequence

from mcnode.transaction.membership_proof import NIL_HASH, node_hash

NodeReader = Callable[[int, int], bytes]
"""(from, to) to the 32-byte hash of a stored node."""


def tree_depth(num_leaves: int) -> int:
    """Levels above the leaves: the smallest d with 2**d >= num_leaves; 0 for 0 and 1 leaves."""
    return max(num_leaves - 1, 0).bit_length()


def root_range(num_leaves: int) -> tuple[int, int]:
    """The inclusive range of the root of a tree with `num_leaves` >= 1 leaves."""
    return 0, (1 << tree_depth(num_leaves)) - 1


def changed_nodes(
    first_index: int, leaves: Sequence[bytes], read_node: NodeReader
) -> Iterator[tuple[int, int, bytes]]:
    """Every node that appending `leaves` at `first_index` makes or changes: (from, to, hash).

    Each node comes once, level by level from the leaves up. At most one stored node per level is
    read: the left neighbour of the appended part.
    """
    num_leaves = first_index + len(leaves)
    dirty, first = list(leaves), first_index
    for offset, hash_ in enumerate(dirty):
        yield first + offset, first + offset, hash_
    for depth in range(1, tree_depth(num_leaves) + 1):
        dirty, first = _level_above(dirty, first, depth, read_node)
        width = 1 << depth
        for offset, hash_ in enumerate(dirty):
            start = (first + offset) * width
            yield start, start + width - 1, hash_


def _level_above(
    dirty: list[bytes], first: int, depth: int, read_node: NodeReader
) -> tuple[list[bytes], int]:
    """The changed nodes at `depth`, from those one level below, which start at node `first`."""
    if first & 1:
        half = 1 << (depth - 1)
        start = (first - 1) * half
        dirty = [read_node(start, start + half - 1), *dirty]
    if len(dirty) & 1:
        dirty.append(NIL_HASH)
    pairs = zip(dirty[::2], dirty[1::2], strict=True)
    return [node_hash(left, right) for left, right in pairs], first >> 1
