import dataclasses
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcnode.conformance.tx_fixture import TxOutTree
from mcnode.transaction.errors import network_name
from mcnode.transaction.hashing import tx_out_hash
from mcnode.transaction.membership_proof import (
    NIL_HASH,
    HighestIndexMismatch,
    IncorrectLeafHash,
    MembershipProofError,
    MissingLeafHash,
    NumericLimitsExceeded,
    RangeError,
    RootHashMismatch,
    RootNotCoveringZero,
    UnexpectedMembershipElement,
    check_membership_proof,
    compute_implied_root,
    derive_proof_at_index,
    leaf_hash,
    make_range,
    node_hash,
)
from mcnode.transaction.messages import Range, TxOut, TxOutMembershipElement, TxOutMembershipProof

U64 = 2**64


def fold_slowly(proof):
    """The rule as the page on transactions words it, one element at a time."""
    for element in proof.elements:
        if element.range.from_ > element.range.to:
            return "RangeError(RangeError)"
    first = proof.elements[0].range if proof.elements else None
    if first is None or (first.from_, first.to) != (proof.index, proof.index):
        return f"MissingLeafHash({proof.index})"
    from_ = to = proof.index
    hash_ = proof.elements[0].hash
    for position, element in enumerate(proof.elements[1:], 1):
        left = (to + 1) % U64 == element.range.from_
        right = (element.range.to + 1) % U64 == from_
        if left == right:
            return f"UnexpectedMembershipElement({position})"
        pair = hash_ + element.hash if left else element.hash + hash_
        hash_ = hashlib.blake2b(b"mc_tx_out_merkle_node" + pair, digest_size=32).digest()
        from_, to = min(from_, element.range.from_), max(to, element.range.to)
    return (from_, to, hash_)


def fold(proof):
    try:
        root = compute_implied_root(proof)
    except MembershipProofError as error:
        return network_name(error)
    return (root.range.from_, root.range.to, root.hash)


bounds = st.one_of(st.integers(0, 9), st.sampled_from([U64 - 2, U64 - 1]))
elements = st.builds(
    TxOutMembershipElement,
    st.builds(Range, bounds, bounds),
    st.binary(min_size=32, max_size=32),
)


@given(st.integers(0, 4), st.lists(elements, max_size=4), st.booleans())
def test_fast_fold_equals_slow_one(index, rest, has_leaf):
    leaf = TxOutMembershipElement(Range(index, index), bytes(32))
    proof = TxOutMembershipProof(index, 9, tuple([leaf, *rest] if has_leaf else rest))
    assert fold(proof) == fold_slowly(proof)


@given(st.integers(1, 40), st.data())
def test_proofs_of_a_tree_hold_and_step_back_in_time(count, data):
    outputs = [TxOut(public_key=bytes([number]) * 32) for number in range(count)]
    tree = TxOutTree([leaf_hash(tx_out) for tx_out in outputs])
    index = data.draw(st.integers(0, count - 1))
    proof = tree.proof(index)
    assert fold(proof) == fold_slowly(proof)
    check_membership_proof(outputs[index], proof, tree.root_hash())
    derived = derive_proof_at_index(proof)
    assert derived == tree.proof(index, index + 1)
    check_membership_proof(outputs[index], derived, tree.root_hash(index + 1))


@pytest.fixture(scope="module")
def eight():
    outputs = [TxOut(public_key=bytes([number]) * 32) for number in range(8)]
    return outputs, TxOutTree([leaf_hash(tx_out) for tx_out in outputs])


def changed(proof, position, **changes):
    elements = list(proof.elements)
    elements[position] = dataclasses.replace(elements[position], **changes)
    return dataclasses.replace(proof, elements=tuple(elements))


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda p: dataclasses.replace(p, index=8), HighestIndexMismatch),
        (lambda p: dataclasses.replace(p, highest_index=2), HighestIndexMismatch),
        (lambda p: dataclasses.replace(p, highest_index=8), HighestIndexMismatch),
        (lambda p: dataclasses.replace(p, index=6), MissingLeafHash),
        (lambda p: dataclasses.replace(p, elements=p.elements[1:]), MissingLeafHash),
        (lambda p: dataclasses.replace(p, elements=()), MissingLeafHash),
        (lambda p: changed(p, 0, hash=bytes(32)), IncorrectLeafHash),
        (lambda p: changed(p, 3, range=Range(6, 7)), UnexpectedMembershipElement),
        (lambda p: changed(p, 3, range=Range(3, 0)), RangeError),
        (lambda p: dataclasses.replace(p, elements=p.elements[:3]), RootNotCoveringZero),
        (lambda p: changed(p, 2, hash=bytes(32)), RootHashMismatch),
    ],
)
def test_broken_proofs(eight, change, error):
    outputs, tree = eight
    with pytest.raises(error):
        check_membership_proof(outputs[5], change(tree.proof(5)), tree.root_hash())


def test_proof_of_another_output(eight):
    outputs, tree = eight
    with pytest.raises(IncorrectLeafHash, match="5"):
        check_membership_proof(outputs[4], tree.proof(5), tree.root_hash())


def test_roots_by_hand():
    leaves = [bytes([number]) * 32 for number in range(3)]
    tree = TxOutTree(leaves)
    assert tree.root_hash(1) == leaves[0]
    assert tree.root_hash(2) == node_hash(leaves[0], leaves[1])
    assert tree.root_hash(3) == node_hash(
        node_hash(leaves[0], leaves[1]), node_hash(leaves[2], NIL_HASH)
    )


def test_leaf_hash_is_over_the_output_hash():
    tx_out = TxOut()
    expected = hashlib.blake2b(b"mc_tx_out_merkle_leaf" + tx_out_hash(tx_out), digest_size=32)
    assert leaf_hash(tx_out) == expected.digest()


def test_derivation_refuses_what_spans_the_index():
    spanning = TxOutMembershipElement(Range(0, 3), bytes(32))
    with pytest.raises(UnexpectedMembershipElement, match="element 0"):
        derive_proof_at_index(TxOutMembershipProof(2, 9, (spanning,)))


def test_derivation_at_the_end_of_the_index_space():
    with pytest.raises(NumericLimitsExceeded):
        derive_proof_at_index(TxOutMembershipProof(2**63, 2**63))
    last = TxOutMembershipElement(Range(U64 - 1, U64 - 1), bytes(32))
    assert derive_proof_at_index(TxOutMembershipProof(U64 - 1, U64 - 1, (last,))).elements == ()


def test_reversed_ranges_cannot_be_made():
    assert make_range(2, 2) == Range(2, 2)
    with pytest.raises(RangeError, match="from 999, to 2"):
        make_range(999, 2)
