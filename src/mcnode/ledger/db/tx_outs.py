"""Outputs: the sequence of all of them, its indexes and its tree. [docs/protocol/ledger.md#4.4]

Plain functions over one transaction, so that a block is written, and a request served, in one.
"""

from collections.abc import Iterator, Sequence

from mcnode import _native
from mcnode.codec.protobuf import decode, encode, unpack_rows
from mcnode.ledger.db.merkle import changed_nodes, root_range
from mcnode.ledger.db.tables import (
    NUM_TX_OUTS_KEY,
    Table,
    Tables,
    Txn,
    parse_u64,
    range_key,
    u64_key,
)
from mcnode.ledger.errors import LmdbError, NoOutputs, NotFound, TxOutIndexOutOfBounds
from mcnode.transaction.hashing import tx_out_hash
from mcnode.transaction.membership_proof import NIL_HASH, leaf_hash_of
from mcnode.transaction.messages import (
    Range,
    TxOut,
    TxOutMembershipElement,
    TxOutMembershipProof,
)

_ELEMENT_PATHS = ("range.from_", "range.to", "hash")
"""The columns of a packed membership element."""


def get_num_tx_outs(txn: Txn, tables: Tables) -> int:
    """How many outputs there are."""
    value = txn.get(NUM_TX_OUTS_KEY, db=tables.tx_out_counts)
    if value is None:
        raise NotFound("the number of outputs is not recorded: the ledger is damaged")
    return parse_u64(value)


def push_tx_outs(txn: Txn, tables: Tables, outputs: Sequence[TxOut]) -> int:
    """Append outputs to the sequence, its indexes and its tree; the index of the first.

    Raises:
        LmdbError: two of them share a hash or a public key.
    """
    first = get_num_tx_outs(txn, tables)
    if not outputs:
        return first
    hashes = [tx_out_hash(output) for output in outputs]
    keys = [u64_key(first + offset) for offset in range(len(outputs))]
    _put_new(txn, tables.tx_out_index_by_hash, zip(hashes, keys, strict=True))
    public_keys = (output.public_key for output in outputs)
    _put_new(txn, tables.tx_out_index_by_public_key, zip(public_keys, keys, strict=True))
    encoded = (encode(output) for output in outputs)
    with txn.cursor(tables.tx_out_by_index) as cursor:
        cursor.putmulti(zip(keys, encoded, strict=True), append=True)
    push_leaves(txn, tables, first, [leaf_hash_of(hash_) for hash_ in hashes])
    return first


def _put_new(txn: Txn, table: Table, items: Iterator[tuple[bytes, bytes]]) -> None:
    with txn.cursor(table) as cursor:
        consumed, added = cursor.putmulti(items, overwrite=False)
    if added != consumed:
        raise LmdbError("KeyExist", "two outputs of the block share a hash or a public key")


def push_leaves(txn: Txn, tables: Tables, first: int, leaves: list[bytes]) -> None:
    """Append 32-byte leaves to the tree, whose size so far is `first`, and count them."""
    txn.put(NUM_TX_OUTS_KEY, u64_key(first + len(leaves)), db=tables.tx_out_counts)
    nodes = [
        (range_key(start, end), hash_)
        for start, end, hash_ in changed_nodes(
            first, leaves, lambda start, end: get_node(txn, tables, start, end)
        )
    ]
    with txn.cursor(tables.merkle_hash_by_range) as cursor:
        cursor.putmulti(nodes)


def get_node(txn: Txn, tables: Tables, start: int, end: int) -> bytes:
    """The 32-byte hash stored for a node of the tree."""
    hash_ = txn.get(range_key(start, end), db=tables.merkle_hash_by_range)
    if hash_ is None:
        raise NotFound(f"tree node {start} to {end} is not stored")
    return hash_


def get_root_element(txn: Txn, tables: Tables) -> TxOutMembershipElement:
    """The root of the tree as it is now.

    Raises:
        NoOutputs: the tree is empty.
    """
    num_tx_outs = get_num_tx_outs(txn, tables)
    if num_tx_outs == 0:
        raise NoOutputs("the ledger has 0 outputs, a root needs 1")
    start, end = root_range(num_tx_outs)
    return TxOutMembershipElement(Range(start, end), get_node(txn, tables, start, end))


def get_membership_proofs(
    txn: Txn, tables: Tables, indices: Sequence[int]
) -> list[TxOutMembershipProof]:
    """A proof for each of `indices`, all against the same root.

    Raises:
        TxOutIndexOutOfBounds: an index is not below the number of outputs.
    """
    num_tx_outs = get_num_tx_outs(txn, tables)
    for index in indices:
        if index >= num_tx_outs:
            raise TxOutIndexOutOfBounds(index, num_tx_outs)
    keys = _native.merkle_proof_keys(indices, num_tx_outs)
    with txn.cursor(tables.merkle_hash_by_range) as cursor:
        nodes = cursor.getmulti(keys)
    if len(nodes) != len(keys):
        raise NotFound(f"{len(keys)} tree nodes are needed, {len(nodes)} are stored")
    rows = _native.merkle_proof_rows(indices, num_tx_outs, nodes, NIL_HASH)
    return [
        TxOutMembershipProof(
            index, num_tx_outs - 1, unpack_rows(TxOutMembershipElement, row, *_ELEMENT_PATHS)
        )
        for index, row in zip(indices, rows, strict=True)
    ]


def get_tx_out(txn: Txn, tables: Tables, index: int) -> TxOut:
    """The output at `index`.

    Raises:
        NotFound: there is none.
    """
    value = txn.get(u64_key(index), db=tables.tx_out_by_index)
    if value is None:
        raise NotFound(f"no output has index {index}")
    return decode(TxOut, value)


def get_tx_out_range(txn: Txn, tables: Tables, first: int, count: int) -> tuple[TxOut, ...]:
    """`count` outputs from index `first` on.

    Raises:
        NotFound: one of them is missing.
    """
    keys = [u64_key(first + offset) for offset in range(count)]
    with txn.cursor(tables.tx_out_by_index) as cursor:
        found = cursor.getmulti(keys)
    if len(found) != count:
        raise NotFound(f"outputs {first} to {first + count - 1}: {len(found)} of {count} found")
    return tuple(decode(TxOut, value) for _, value in found)


def get_index(txn: Txn, table: Table, key: bytes, what: str) -> int:
    """The output index that `table` holds for a 32-byte hash or public key.

    Raises:
        NotFound: none.
    """
    value = txn.get(key, db=table)
    if value is None:
        raise NotFound(f"no output has {what} {key.hex()}")
    return parse_u64(value)
