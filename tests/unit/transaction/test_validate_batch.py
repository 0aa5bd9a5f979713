"""Transactions judged together get what each would get alone."""

import dataclasses
import sys

from mcnode.crypto import range_proof
from mcnode.crypto.known_points import KnownPoints
from mcnode.transaction.errors import network_name
from mcnode.transaction.ring_ct import verification
from mcnode.transaction.validation import Candidate, validate_batch

FEE = 400_000_000
SIGNATURE = "InvalidTransactionSignature"


def shown(verdicts):
    return ["ok" if verdict is None else network_name(verdict) for verdict in verdicts]


def candidate(payment, version, **changes):
    tx, roots = payment
    if changes:
        tx = dataclasses.replace(tx, signature=dataclasses.replace(tx.signature, **changes))
    return Candidate(tx, 1, version, roots, FEE)


def flipped(proof, place):
    broken = bytearray(proof)
    broken[place] ^= 1
    return bytes(broken)


def test_one_bad_proof_is_named_alone(payments):
    good = [candidate(payments[version], version) for version in range(5)]
    assert shown(validate_batch(good)) == ["ok"] * 5
    (proof,) = payments[4][0].signature.range_proofs
    for place in range(6):
        bad = candidate(payments[4], 4, range_proofs=(flipped(proof, 0),))
        batch = [*good[:place], bad, *good[place:]]
        expected = ["ok"] * 6
        expected[place] = f'{SIGNATURE}(RangeProof("ProofError: `VerificationError`"))'
        assert shown(validate_batch(batch)) == expected


def test_errors_of_all_stages_side_by_side(payments):
    (proof,) = payments[4][0].signature.range_proofs
    image = payments[3][0].signature.ring_signatures[0]
    other_image = (dataclasses.replace(image, key_image=bytes(32)),)
    batch = [
        candidate(payments[4], 5),
        candidate(payments[4], 4, range_proofs=(proof[1:],)),
        candidate(payments[4], 4, range_proofs=(proof, proof)),
        candidate(payments[3], 3, ring_signatures=other_image),
        candidate(payments[3], 2),
        candidate(payments[3], 4),
        dataclasses.replace(candidate(payments[1], 1), current_block_index=100),
        dataclasses.replace(candidate(payments[1], 1), root_proofs=[]),
    ]
    assert shown(validate_batch(batch)) == [
        'Ledger("Invalid block version: 5")',
        f"{SIGNATURE}(RangeProofDeserialization)",
        f"{SIGNATURE}(MissingRangeProofs(1, 2))",
        f"{SIGNATURE}(RingSignature(InvalidSignature))",
        f"{SIGNATURE}(PseudoOutputTokenIdsNotAllowed)",
        "ok",
        "TombstoneBlockExceeded",
        "InvalidLedgerContext",
    ]
    assert validate_batch([]) == []


def test_signatures_that_are_known_to_be_good_are_not_checked_again(payments):
    (proof,) = payments[4][0].signature.range_proofs
    bad = candidate(payments[4], 4, range_proofs=(flipped(proof, 0),))
    known = dataclasses.replace(bad, signature_is_checked=True)
    verdicts = shown(validate_batch([known, bad]))
    assert verdicts == ["ok", f'{SIGNATURE}(RangeProof("ProofError: `VerificationError`"))']


def test_range_proofs_are_judged_once_for_all(payments, monkeypatch):
    calls = []

    def counting(claims, known):
        calls.append(len(claims))
        return range_proof.judge_range_proofs(claims, known)

    modules = (verification, sys.modules["mcnode.transaction.validation.validate"])
    for module in modules:
        monkeypatch.setattr(module, "judge_range_proofs", counting)
    validate_batch([candidate(payments[version], version) for version in range(5)])
    assert calls == [5]


def test_points_are_kept_for_one_batch_and_up_to_a_limit(payments, monkeypatch):
    validate_module = sys.modules["mcnode.transaction.validation.validate"]
    made = []

    def limited():
        made.append(KnownPoints(limit))
        return made[-1]

    monkeypatch.setattr(validate_module, "known_points", limited)
    (proof,) = payments[4][0].signature.range_proofs
    bad = candidate(payments[4], 4, range_proofs=(flipped(proof, 0),))
    batch = [*(candidate(payments[version], version) for version in range(5)), bad]
    expected = ["ok"] * 5 + [f'{SIGNATURE}(RangeProof("ProofError: `VerificationError`"))']
    sizes = {}
    for limit in (0, 7, 1000):
        assert shown(validate_batch(batch)) == expected
        assert shown(validate_batch(batch)) == expected
        sizes[limit] = [len(known) for known in made]
        made.clear()
    # Five rings of 11 members: 22 points each, 11 hashed; three commitments of each transaction,
    # the last shares everything with the one before it.
    assert sizes == {0: [0, 0], 7: [14, 14], 1000: [5 * 36, 5 * 36]}
