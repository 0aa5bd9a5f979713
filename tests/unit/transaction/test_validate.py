"""Whole validation: the verdict at every version, and each single thing that can be wrong."""

import dataclasses

import pytest

from mcnode.transaction.errors import TransactionError, network_name
from mcnode.transaction.messages import InputRules, Range, TxIn
from mcnode.transaction.validation import (
    CHECKS,
    check_membership_proofs,
    membership_proof_highest_indices,
    validate,
)
from mcnode.transaction.validation.errors import TransactionValidationError

replace = dataclasses.replace
CURRENT = 10
MINIMUM = 400_000_000


def verdict(tx, roots, version=4, *, current=CURRENT, minimum=MINIMUM):
    try:
        validate(tx, current, version, roots, minimum)
    except TransactionValidationError as error:
        return network_name(error)
    return "ok"


CROSS = {
    0: ["ok", "MissingMemo", "S(RingSignature(InvalidSignature))", "S(M)", "S(M)"],
    1: ["MemosNotAllowed", "ok", "S(RingSignature(InvalidSignature))", "S(M)", "S(M)"],
    2: ["S(RingSignature(InvalidSignature))"] * 2 + ["ok", "S(M)", "S(M)"],
    3: ["S(P)", "S(P)", "S(P)", "ok", "ok"],
    4: ["S(P)", "S(P)", "S(P)", "ok", "ok"],
}
SHORT = {
    "S(": "InvalidTransactionSignature(",
    "(M)": "(MissingPseudoOutputTokenIds)",
    "(P)": "(PseudoOutputTokenIdsNotAllowed)",
}


@pytest.mark.parametrize("built_at", range(5))
def test_verdict_at_every_version(payments, built_at):
    tx, roots = payments[built_at]
    expected = CROSS[built_at]
    for short, long in SHORT.items():
        expected = [text.replace(short, long) for text in expected]
    assert [verdict(tx, roots, version) for version in range(5)] == expected


def test_unknown_block_version(payments):
    assert verdict(*payments[4], 5) == 'Ledger("Invalid block version: 5")'


def with_prefix(tx, **changes):
    return replace(tx, prefix=replace(tx.prefix, **changes))


def with_input(tx, position=0, **changes):
    inputs = list(tx.prefix.inputs)
    inputs[position] = replace(inputs[position], **changes)
    return with_prefix(tx, inputs=tuple(inputs))


def with_output(tx, position=0, **changes):
    outputs = list(tx.prefix.outputs)
    outputs[position] = replace(outputs[position], **changes)
    return with_prefix(tx, outputs=tuple(outputs))


def with_signature(tx, **changes):
    return replace(tx, signature=replace(tx.signature, **changes))


def with_proof(tx, position=0, **changes):
    proofs = list(tx.prefix.inputs[0].proofs)
    proofs[position] = replace(proofs[position], **changes)
    return with_input(tx, proofs=tuple(proofs))


def ring(tx):
    return tx.prefix.inputs[0].ring


def swapped(items):
    items = list(items)
    items[0], items[1] = items[1], items[0]
    return tuple(items)


def first_element(proof, **changes):
    return (replace(proof.elements[0], **changes), *proof.elements[1:])


S = "InvalidTransactionSignature"
MUTATIONS = {
    "no inputs": (lambda t: with_prefix(t, inputs=()), "NoInputs"),
    "17 inputs": (lambda t: with_prefix(t, inputs=t.prefix.inputs * 17), "TooManyInputs"),
    "no outputs": (lambda t: with_prefix(t, outputs=()), "NoOutputs"),
    "17 outputs": (
        lambda t: with_prefix(t, outputs=t.prefix.outputs[:1] * 17),
        "TooManyOutputs",
    ),
    "ring of 10": (lambda t: with_input(t, ring=ring(t)[1:]), "InsufficientRingSize"),
    "ring of 12": (lambda t: with_input(t, ring=(*ring(t), ring(t)[0])), "ExcessiveRingSize"),
    "empty ring": (lambda t: with_input(t, ring=()), "InsufficientRingSize"),
    "same input twice": (
        lambda t: with_prefix(t, inputs=t.prefix.inputs * 2),
        "DuplicateRingElements",
    ),
    "member twice": (
        lambda t: with_input(t, ring=(ring(t)[0], *ring(t)[:10])),
        "DuplicateRingElements",
    ),
    "members swapped": (lambda t: with_input(t, ring=swapped(ring(t))), "UnsortedRingElements"),
    "member with its neighbour's key": (
        lambda t: with_input(
            t,
            ring=(ring(t)[0], replace(ring(t)[1], public_key=ring(t)[0].public_key), *ring(t)[2:]),
        ),
        "UnsortedRingElements",
    ),
    "proof missing": (
        lambda t: with_input(t, proofs=tuple(t.prefix.inputs[0].proofs)[1:]),
        "MissingTxOutMembershipProof",
    ),
    "proof too many": (
        lambda t: with_input(t, proofs=(*t.prefix.inputs[0].proofs, t.prefix.inputs[0].proofs[0])),
        "MissingTxOutMembershipProof",
    ),
    "proofs swapped": (
        lambda t: with_input(t, proofs=swapped(t.prefix.inputs[0].proofs)),
        "MembershipProofValidationError",
    ),
    "proof with reversed range": (
        lambda t: with_proof(
            t, elements=first_element(t.prefix.inputs[0].proofs[0], range=Range(7, 3))
        ),
        "MembershipProofValidationError",
    ),
    "proof without siblings": (
        lambda t: with_proof(t, elements=t.prefix.inputs[0].proofs[0].elements[:1]),
        "MembershipProofValidationError",
    ),
    "sibling changed": (
        lambda t: with_proof(
            t,
            elements=(
                *t.prefix.inputs[0].proofs[0].elements[:-1],
                replace(t.prefix.inputs[0].proofs[0].elements[-1], hash=bytes(32)),
            ),
        ),
        "InvalidTxOutMembershipProof",
    ),
    "member changed": (
        lambda t: with_input(t, ring=(replace(ring(t)[0], target_key=bytes(32)), *ring(t)[1:])),
        "MembershipProofValidationError",
    ),
    "output without amount": (
        lambda t: with_output(t, masked_amount=None),
        "UnknownMaskedAmountVersion",
    ),
    "fee changed": (lambda t: with_prefix(t, fee=MINIMUM + 1), f"{S}(ValueNotConserved)"),
    "fee token changed": (
        lambda t: with_prefix(t, fee_token_id=1),
        f"{S}(MissingRangeProofs(2, 1))",
    ),
    "tombstone changed": (
        lambda t: with_prefix(t, tombstone_block=50),
        f"{S}(RingSignature(InvalidSignature))",
    ),
    "rules added to the only input": (
        lambda t: with_input(t, input_rules=InputRules()),
        f"{S}(AllRingsPresigned)",
    ),
    "no ring signature": (
        lambda t: with_signature(t, ring_signatures=()),
        f"{S}(LengthMismatch(1, 0))",
    ),
    "no pseudo-output": (
        lambda t: with_signature(t, pseudo_output_commitments=()),
        f"{S}(LengthMismatch(1, 0))",
    ),
    "pseudo-output no point": (
        lambda t: with_signature(t, pseudo_output_commitments=(b"\xff" * 32,)),
        f"{S}(RingSignature(InvalidCurvePoint))",
    ),
    "no output token id": (
        lambda t: with_signature(t, output_token_ids=()),
        f"{S}(MissingOutputTokenIds)",
    ),
    "no pseudo-output token id": (
        lambda t: with_signature(t, pseudo_output_token_ids=()),
        f"{S}(MissingPseudoOutputTokenIds)",
    ),
    "single range proof": (
        lambda t: with_signature(t, range_proof_bytes=b"\0"),
        f"{S}(UnexpectedRangeProof)",
    ),
    "no range proof": (
        lambda t: with_signature(t, range_proofs=()),
        f"{S}(MissingRangeProofs(1, 0))",
    ),
    "range proof cut": (
        lambda t: with_signature(t, range_proofs=(t.signature.range_proofs[0][:-1],)),
        f"{S}(RangeProofDeserialization)",
    ),
    "range proof of other values": (
        lambda t: with_signature(
            t,
            range_proofs=(
                t.signature.range_proofs[0][32:64] * 4 + t.signature.range_proofs[0][128:],
            ),
        ),
        f'{S}(RangeProof("ProofError: `VerificationError`"))',
    ),
    "unused token": (
        lambda t: with_signature(
            with_prefix(t, fee_token_id=77), range_proofs=t.signature.range_proofs * 2
        ),
        f"{S}(NoCommitmentsForTokenId(TokenId(77)))",
    ),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_each_fault_gets_its_error(payments, name):
    mutate, expected = MUTATIONS[name]
    tx, roots = payments[4]
    assert verdict(mutate(tx), roots) == expected


def test_fee_map_digest_is_no_matter_of_validation(payments):
    tx, roots = payments[4]
    assert verdict(replace(tx, fee_map_digest=b"anything"), roots) == "ok"


def test_fee_below_the_minimum(payments):
    tx, roots = payments[4]
    assert verdict(tx, roots, minimum=tx.prefix.fee) == "ok"
    assert verdict(tx, roots, minimum=tx.prefix.fee + 1) == "TxFeeError"


@pytest.mark.parametrize(
    ("current", "expected"),
    [(99, "ok"), (100, "TombstoneBlockExceeded"), (2**64 - 1, "TombstoneBlockExceeded")],
)
def test_tombstone(payments, current, expected):
    tx, roots = payments[4]
    assert verdict(tx, roots, current=current) == expected


def test_root_proofs_of_the_wrong_kind(payments, fixture):
    tx, roots = payments[4]
    assert verdict(tx, roots[1:]) == "InvalidLedgerContext"
    assert verdict(tx, [*roots, roots[0]]) == "InvalidLedgerContext"
    assert verdict(tx, [fixture.tree.proof(3)] * 11) == "InvalidTxOutMembershipProof"
    no_leaf = replace(roots[0], elements=tuple(roots[0].elements)[1:])
    assert verdict(tx, [no_leaf] * 11) == "InvalidLedgerContext"
    reversed_ = replace(roots[0], elements=first_element(roots[0], range=Range(7, 3)))
    assert verdict(tx, [*roots[:10], reversed_]) == "MembershipProofValidationError"
    other_leaf = replace(roots[0], elements=first_element(roots[0], hash=b"\x01" * 32))
    assert verdict(tx, [other_leaf] * 11) == "InvalidTxOutMembershipProof"


def test_the_stage_that_needs_the_ledger_stands_apart(payments):
    tx, roots = payments[4]
    check_membership_proofs(tx.prefix.inputs, roots)
    assert membership_proof_highest_indices(tx) == tuple(r.index for r in roots)
    assert [check.name for check in CHECKS if check.knows == "root_proofs"] == ["membership proofs"]


def test_checks_are_named_once_and_need_only_earlier_ones():
    names = [check.name for check in CHECKS]
    assert len(set(names)) == len(names)
    for place, check in enumerate(CHECKS):
        assert set(check.needs) <= set(names[:place])


def test_duplicate_key_image(fixtures):
    fixture = fixtures[4]
    builder = fixture.builder()
    for indices in (range(11), range(11, 22)):
        builder.add_input(fixture.credentials(indices[0], list(indices)))
    total = 2 * fixture.owned[0].amount.value - MINIMUM
    builder.add_output(
        type(fixture.owned[0].amount)(total, 0), fixture.recipient.default_subaddress()
    )
    tx = builder.build()
    first = tx.signature.ring_signatures[0]
    broken = with_signature(tx, ring_signatures=(first, first))
    assert verdict(broken, fixture.root_proofs(tx)) == f"{S}(DuplicateKeyImage)"
    flipped = with_prefix(tx, inputs=tx.prefix.inputs[::-1])
    assert verdict(flipped, fixture.root_proofs(tx)) == "UnsortedInputs"


def test_inputs_without_ring_are_no_crash(payments):
    tx, roots = payments[4]
    assert verdict(with_prefix(tx, inputs=(TxIn(),)), roots) == "InsufficientRingSize"


def test_errors_say_value_and_limit(payments):
    tx, roots = payments[4]
    with pytest.raises(TransactionError, match=r"ring of input 0 has 10 members, needs 11"):
        validate(with_input(tx, ring=ring(tx)[1:]), CURRENT, 4, roots, MINIMUM)
    with pytest.raises(TransactionError, match=r"fee is 400000000, needs at least 400000001"):
        validate(tx, CURRENT, 4, roots, MINIMUM + 1)
