"""Merkle proofs that an output is in the ledger. [docs/protocol/transaction.md#5]

The tree stands over the global indices of outputs; leaves are padded to a power of two, and any
range of indices wholly beyond the last output hashes to one fixed value. A proof holds its leaf,
then the sibling of what has been combined so far, bottom up.
"""

import hashlib
import hmac
import struct
from collections.abc import Sequence

from mcnode import _native
from mcnode.codec.protobuf import packed_rows
from mcnode.errors import BugError
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


_ROW = struct.Struct("<QQ32s")
"""An element in packed form: begin and end of its range, then its hash."""


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


def range_length(from_: int, to: int) -> int:
    """How many indices a range spans; a reversed one counts as if turned round."""
    return abs(to - from_) + 1


def range_order(from_: int, to: int) -> tuple[int, int, int]:
    """The key by which ranges are ordered: length first, then begin, then end."""
    return (range_length(from_, to), from_, to)


def make_range(from_: int, to: int) -> Range:
    """A range that is not reversed.

    Raises:
        RangeError: `to` is below `from_`.
    """
    range_ = Range(from_, to)
    if from_ > to:
        raise RangeError(range_)
    return range_


class ImpliedRoot:
    """What the elements of a proof combine to; or, when asked, why they do not."""

    __slots__ = ("_folded", "_rows", "index")

    def __init__(self, index: int, rows: bytes, folded: tuple[int, int, int, int, bytes]) -> None:
        self.index = index
        self._rows = rows
        self._folded = folded

    def check_begins_with_leaf(self) -> bytes:
        """The hash of the first element.

        Raises:
            MissingLeafHash: it is not the leaf at the proof's index.
        """
        if not self._rows:
            raise MissingLeafHash(self.index)
        from_, to, leaf = _ROW.unpack_from(self._rows)
        if from_ != self.index or to != self.index:
            raise MissingLeafHash(self.index)
        return bytes(leaf)

    def root(self) -> TxOutMembershipElement:
        """Range and hash of the root.

        Raises:
            RangeError: an element's range is reversed.
            MissingLeafHash: the first element is not the leaf at the proof's index.
            UnexpectedMembershipElement: an element is not next to those before it.
        """
        fault, position, from_, to, hash_ = self._folded
        if fault == _REVERSED:
            from_, to, _ = _ROW.unpack_from(self._rows, position * _ROW.size)
            raise RangeError(Range(from_, to))
        self.check_begins_with_leaf()
        if fault == _NOT_ADJACENT:
            raise UnexpectedMembershipElement(position)
        if fault != _SOUND:
            raise BugError(f"native membership fold gave fault {fault}")
        return TxOutMembershipElement(Range(from_, to), hash_)


_SOUND, _REVERSED, _NOT_ADJACENT = 0, 1, 2


def pack_elements(proof: TxOutMembershipProof) -> bytes:
    """The elements as rows of 48 bytes: begin, end, hash."""
    return packed_rows(proof.elements, "range.from_", "range.to", "hash")


def fold_packed(proofs: Sequence[tuple[int, bytes]]) -> list[ImpliedRoot]:
    """The implied roots of many proofs, given as index and packed elements, in one native call."""
    folded = _native.membership_fold([rows for _, rows in proofs])
    return [
        ImpliedRoot(index, rows, result)
        for (index, rows), result in zip(proofs, folded, strict=True)
    ]


def compute_implied_root(proof: TxOutMembershipProof) -> TxOutMembershipElement:
    """Combine the elements of a proof into the root they imply; raises as `ImpliedRoot.root`."""
    return fold_packed([(proof.index, pack_elements(proof))])[0].root()


def check_membership_proof(tx_out: TxOut, proof: TxOutMembershipProof, root_hash: bytes) -> None:
    """Check that a proof shows `tx_out` below the root with the given 32-byte hash.

    Raises:
        MembershipProofError: one class per rule; `RootHashMismatch` when nothing but the root's
            hash is wrong.
    """
    implied = fold_packed([(proof.index, pack_elements(proof))])[0]
    check_folded_proof(tx_out, proof, implied, root_hash)


def check_folded_proof(
    tx_out: TxOut, proof: TxOutMembershipProof, implied: ImpliedRoot, root_hash: bytes
) -> None:
    """As `check_membership_proof`, for a proof whose elements have been combined already."""
    if proof.index > proof.highest_index:
        raise HighestIndexMismatch(proof.highest_index, proof.index)
    if not hmac.compare_digest(implied.check_begins_with_leaf(), leaf_hash(tx_out)):
        raise IncorrectLeafHash(proof.index)
    root = implied.root()
    if root.range.from_ != 0:
        raise RootNotCoveringZero(root.range.from_)
    if proof.highest_index > root.range.to:
        raise HighestIndexMismatch(proof.highest_index, root.range.to)
    if not hmac.compare_digest(root.hash, root_hash):
        raise RootHashMismatch(root.hash, root_hash)


def derive_proof_at_index(proof: TxOutMembershipProof) -> TxOutMembershipProof:
    """The proof as it was when its output was the last of the ledger; raises as `derive_packed`."""
    index = proof.index
    rows = derive_packed(index, pack_elements(proof))
    elements = tuple(
        TxOutMembershipElement(Range(from_, to), hash_)
        for from_, to, hash_ in _ROW.iter_unpack(rows)
    )
    return TxOutMembershipProof(index, index, elements)


def derive_packed(index: int, rows: bytes) -> bytes:
    """Packed elements of the proof of `index` as they were when `index` was the last.

    What lies beyond the tree of then falls away, what lay beyond its last leaf was nothing.

    Raises:
        NumericLimitsExceeded: no tree of 64-bit indices is that large.
        UnexpectedMembershipElement: an element spans both sides of the index.
    """
    limit = range_order(0, _padded_leaf_count(index) - 1)
    kept = []
    for position, (from_, to, hash_) in enumerate(_ROW.iter_unpack(rows)):
        if range_order(from_, to) > limit:
            continue
        if from_ > index:
            kept.append(_ROW.pack(from_, to, NIL_HASH))
        elif from_ == to or to <= index:
            kept.append(_ROW.pack(from_, to, hash_))
        else:
            raise UnexpectedMembershipElement(position)
    return b"".join(kept)


def first_reversed_range(rows: bytes) -> Range | None:
    """The first element of a packed proof whose range ends before it begins."""
    return next((Range(from_, to) for from_, to, _ in _ROW.iter_unpack(rows) if from_ > to), None)


def _padded_leaf_count(last_index: int) -> int:
    """The smallest power of two that is at least the number of leaves.

    The leaf count wraps to zero after index 2**64 - 1, as 64-bit arithmetic does; the tree then has
    one leaf, and no proof of a higher index can stand below it.
    """
    leaf_count = (last_index + 1) & U64_MAX
    if leaf_count > 2**63:
        raise NumericLimitsExceeded(last_index)
    return 1 << max(leaf_count - 1, 0).bit_length()
