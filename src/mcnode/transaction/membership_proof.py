"""Merkle proofs that an output is in the ledger. [docs/protocol/transaction.md#5]

The tree stands over the global indices of outputs; leaves are padded to a power of two, and any
range of indices wholly beyond the last output hashes to one fixed value. A proof holds its leaf,
then the sibling of what has been combined so far, bottom up.
"""

import hashlib
import hmac

from mcnode.transaction.constants import U64_MAX
from mcnode.transaction.errors import TransactionError
from mcnode.transaction.hashing import tx_out_hash
from mcnode.transaction.messages import (
    Range,
    TxOut,
    TxOutMembershipElement,
    TxOutMembershipProof,
)


def _blake2b_256(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=32).digest()


NIL_HASH = _blake2b_256(b"mc_tx_out_merkle_nil")
"""The hash of every range of indices beyond the last output."""


class MembershipProofError(TransactionError):
    """A proof does not show what it claims."""


class RangeError(MembershipProofError):
    """An element's range ends before it begins."""

    def __init__(self, range_: Range) -> None:
        super().__init__(
            f"range ends before it begins: from {range_.from_}, to {range_.to}", "RangeError"
        )


class MissingLeafHash(MembershipProofError):
    """The first element is not the leaf at the proof's index."""

    def __init__(self, index: int) -> None:
        super().__init__(f"proof does not begin with the leaf of index {index}", index)


class UnexpectedMembershipElement(MembershipProofError):
    """An element does not continue the ones before it."""

    def __init__(self, position: int) -> None:
        super().__init__(f"element does not fit the ones before it: element {position}", position)


class IncorrectLeafHash(MembershipProofError):
    """The first element is the hash of another output."""

    def __init__(self, index: int) -> None:
        super().__init__(f"leaf hash is of another output than that of index {index}", index)


class HighestIndexMismatch(MembershipProofError):
    """The highest index is below the index, or beyond the proven tree."""

    def __init__(self, highest_index: int, limit: int) -> None:
        super().__init__(f"highest index does not fit: {highest_index}, other end {limit}")


class RootNotCoveringZero(MembershipProofError):
    """The proven tree does not begin at index 0."""

    def __init__(self, from_: int) -> None:
        super().__init__(f"root begins at index {from_}, must begin at 0")


class NumericLimitsExceeded(MembershipProofError):
    """The tree would have more than 2**63 leaves."""

    def __init__(self, index: int) -> None:
        super().__init__(f"index too high for a tree: {index}, limit {2**63 - 1}")


class RootHashMismatch(MembershipProofError):
    """The proof is sound in itself but leads to another root."""

    def __init__(self, found: bytes, expected: bytes) -> None:
        super().__init__(f"root hash is {found.hex()}, expected {expected.hex()}")


def leaf_hash(tx_out: TxOut) -> bytes:
    """The 32-byte hash of the leaf that holds an output."""
    return leaf_hash_of(tx_out_hash(tx_out))


def leaf_hash_of(hash_of_tx_out: bytes) -> bytes:
    """The 32-byte hash of the leaf of an output, from the output's own hash."""
    return _blake2b_256(b"mc_tx_out_merkle_leaf" + hash_of_tx_out)


def node_hash(left: bytes, right: bytes) -> bytes:
    """The 32-byte hash of an inner node from those of its children."""
    return _blake2b_256(b"mc_tx_out_merkle_node" + left + right)


def range_length(range_: Range) -> int:
    """How many indices a range spans; a reversed one counts as if turned round."""
    return abs(range_.to - range_.from_) + 1


def range_order(range_: Range) -> tuple[int, int, int]:
    """The key by which ranges are ordered: length first, then begin, then end."""
    return (range_length(range_), range_.from_, range_.to)


def make_range(from_: int, to: int) -> Range:
    """A range that is not reversed.

    Raises:
        RangeError: `to` is below `from_`.
    """
    range_ = Range(from_, to)
    if from_ > to:
        raise RangeError(range_)
    return range_


def compute_implied_root(proof: TxOutMembershipProof) -> TxOutMembershipElement:
    """Combine the elements of a proof into the root they imply.

    Raises:
        RangeError: an element's range is reversed.
        MissingLeafHash: the first element is not the leaf at the proof's index.
        UnexpectedMembershipElement: an element is not next to those before it.
    """
    elements = tuple(proof.elements)
    for element in elements:
        if element.range.from_ > element.range.to:
            raise RangeError(element.range)
    _check_begins_with_leaf(proof)
    from_ = to = proof.index
    combined = elements[0].hash
    for position, element in enumerate(elements[1:], 1):
        follows = (to + 1) & U64_MAX == element.range.from_
        precedes = (element.range.to + 1) & U64_MAX == from_
        if follows == precedes:
            raise UnexpectedMembershipElement(position)
        if follows:
            combined, to = node_hash(combined, element.hash), element.range.to
        else:
            combined, from_ = node_hash(element.hash, combined), element.range.from_
    return TxOutMembershipElement(Range(from_, to), combined)


def check_membership_proof(tx_out: TxOut, proof: TxOutMembershipProof, root_hash: bytes) -> None:
    """Check that a proof shows `tx_out` below the root with the given 32-byte hash.

    Raises:
        MembershipProofError: one class per rule; `RootHashMismatch` when nothing but the root's
            hash is wrong.
    """
    if proof.index > proof.highest_index:
        raise HighestIndexMismatch(proof.highest_index, proof.index)
    _check_begins_with_leaf(proof)
    if not hmac.compare_digest(proof.elements[0].hash, leaf_hash(tx_out)):
        raise IncorrectLeafHash(proof.index)
    root = compute_implied_root(proof)
    check_implied_root(proof, root, root_hash)


def check_implied_root(
    proof: TxOutMembershipProof, root: TxOutMembershipElement, root_hash: bytes
) -> None:
    """Check the root that a proof implies against the proof's claim and the expected hash.

    Raises:
        RootNotCoveringZero: the root's range does not begin at 0.
        HighestIndexMismatch: the highest index lies beyond the root's range.
        RootHashMismatch: the hashes differ.
    """
    if root.range.from_ != 0:
        raise RootNotCoveringZero(root.range.from_)
    if proof.highest_index > root.range.to:
        raise HighestIndexMismatch(proof.highest_index, root.range.to)
    if not hmac.compare_digest(root.hash, root_hash):
        raise RootHashMismatch(root.hash, root_hash)


def derive_proof_at_index(proof: TxOutMembershipProof) -> TxOutMembershipProof:
    """The proof as it was when its output was the last of the ledger.

    Raises:
        NumericLimitsExceeded: no tree of 64-bit indices is that large.
        UnexpectedMembershipElement: an element spans both sides of the index.
    """
    index = proof.index
    limit = range_order(Range(0, _padded_leaf_count(index) - 1))
    kept = []
    for position, element in enumerate(proof.elements):
        if range_order(element.range) > limit:
            continue
        if element.range.from_ > index:
            kept.append(TxOutMembershipElement(element.range, NIL_HASH))
        elif element.range.from_ == element.range.to or element.range.to <= index:
            kept.append(element)
        else:
            raise UnexpectedMembershipElement(position)
    return TxOutMembershipProof(index, index, tuple(kept))


def _check_begins_with_leaf(proof: TxOutMembershipProof) -> None:
    if not proof.elements or proof.elements[0].range != Range(proof.index, proof.index):
        raise MissingLeafHash(proof.index)


def _padded_leaf_count(last_index: int) -> int:
    """The smallest power of two that is at least the number of leaves.

    The leaf count wraps to zero after index 2**64 - 1, as 64-bit arithmetic does; the tree then has
    one leaf, and no proof of a higher index can stand below it.
    """
    leaf_count = (last_index + 1) & U64_MAX
    if leaf_count > 2**63:
        raise NumericLimitsExceeded(last_index)
    return 1 << max(leaf_count - 1, 0).bit_length()
