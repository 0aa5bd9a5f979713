"""The tree, against one built from nothing each time."""

import random

import pytest

from mcnode import _native
from mcnode.ledger.db.merkle import changed_nodes, root_range, tree_depth
from mcnode.transaction.membership_proof import NIL_HASH, node_hash


def leaf(number: int) -> bytes:
    return number.to_bytes(32, "big")


def whole_tree(num_leaves: int) -> dict[tuple[int, int], bytes]:
    """Every node that has a leaf below it."""
    nodes = {(index, index): leaf(index) for index in range(num_leaves)}
    width = 1
    while width < num_leaves:
        for start in range(0, num_leaves, 2 * width):
            middle, end = start + width, start + 2 * width - 1
            left = nodes[(start, middle - 1)]
            nodes[(start, end)] = node_hash(left, nodes.get((middle, end), NIL_HASH))
        width *= 2
    return nodes


def sibling_path(index: int, num_leaves: int) -> list[tuple[int, int]]:
    """The ranges of a proof: the leaf, then the other half of each range that contains it."""
    path, start, width = [(index, index)], index, 1
    while width < num_leaves:
        parent = start - start % (2 * width)
        sibling = parent if parent != start else parent + width
        path.append((sibling, sibling + width - 1))
        start, width = parent, 2 * width
    return path


@pytest.mark.parametrize("seed", range(8))
def test_appending_in_any_pieces_gives_the_whole_tree(seed):
    draw = random.Random(seed)
    nodes: dict[tuple[int, int], bytes] = {}
    size = 0
    while size < 70:
        count = draw.choice([1, 1, 2, 3, 7, 16])
        read: list[tuple[int, int]] = []

        def read_node(start: int, end: int, read=read, nodes=nodes) -> bytes:
            read.append((start, end))
            return nodes[(start, end)]

        leaves = [leaf(size + offset) for offset in range(count)]
        changed = list(changed_nodes(size, leaves, read_node))
        size += count
        assert len({(start, end) for start, end, _ in changed}) == len(changed), "written twice"
        assert len(read) <= tree_depth(size), "more than one read per level"
        nodes |= {(start, end): hash_ for start, end, hash_ in changed}
        assert nodes == whole_tree(size), f"seed {seed}, {size} leaves"


def test_root_ranges():
    assert [root_range(n)[1] for n in (1, 2, 3, 4, 5, 8, 9)] == [0, 1, 3, 3, 7, 7, 15]


@pytest.mark.parametrize("num_leaves", [1, 2, 3, 5, 8, 21, 64, 65])
def test_proof_rows_hold_the_sibling_path(num_leaves):
    nodes = whole_tree(num_leaves)
    indices = [*range(num_leaves), 0]
    keys = _native.merkle_proof_keys(indices, num_leaves)
    assert keys == sorted(set(keys))

    def stored(key: bytes) -> bytes:
        return nodes[(int.from_bytes(key[:8], "big"), int.from_bytes(key[8:], "big"))]

    held = [(key, stored(key)) for key in keys]
    for index, rows in zip(
        indices, _native.merkle_proof_rows(indices, num_leaves, held, NIL_HASH), strict=True
    ):
        expected = b"".join(
            start.to_bytes(8, "little")
            + end.to_bytes(8, "little")
            + nodes.get((start, end), NIL_HASH)
            for start, end in sibling_path(index, num_leaves)
        )
        assert rows == expected


def test_rows_refuse_a_missing_node():
    with pytest.raises(ValueError, match="tree node 0 to 0 is not stored"):
        _native.merkle_proof_rows([0], 1, [], NIL_HASH)
    with pytest.raises(ValueError, match="32"):
        _native.merkle_proof_rows([0], 1, [], b"")
