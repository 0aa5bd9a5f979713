"""Range proofs: what they show, how they are padded, verdicts one by one and in batches."""

import pytest

from mcnode import _native
from mcnode.crypto.commitment import commit
from mcnode.crypto.range_proof import (
    FormatError,
    InvalidGeneratorsLength,
    NoValues,
    RangeClaim,
    RangeProofSetting,
    VerificationError,
    check_range_proof,
    check_range_proof_in,
    check_range_proofs,
    judge_range_proofs,
    prove,
)
from mcnode.crypto.rng import ChaCha12Rng, random_scalar
from mcnode.errors import BugError

U64_MAX = 2**64 - 1


def make(values: list[int], token_id: int = 0) -> RangeClaim:
    rng = ChaCha12Rng(bytes([len(values)]) * 32)
    blindings = [random_scalar(rng) for _ in values]
    commitments = [
        commit(value, blinding, token_id) for value, blinding in zip(values, blindings, strict=True)
    ]
    return RangeClaim(prove(values, blindings, token_id, rng), commitments, token_id)


@pytest.mark.parametrize(
    ("values", "length"),
    [
        ([0], 672),
        ([U64_MAX], 672),
        ([1, 2], 736),
        ([1, U64_MAX, 0], 800),
        ([5] * 4, 800),
        ([0, 1, 2, 3, 4], 864),
    ],
)
def test_proofs_hold_and_have_the_known_length(values: list[int], length: int) -> None:
    claim = make(values, token_id=len(values))
    check_range_proof(*claim)
    assert len(claim.proof) == length


def test_padding_repeats_the_last_commitment() -> None:
    claim = make([1, 2, 3])
    check_range_proof(claim.proof, [*claim.commitments, claim.commitments[-1]], 0)
    with pytest.raises(VerificationError):
        check_range_proof(claim.proof, [*claim.commitments, claim.commitments[0]], 0)


def test_commitments_token_and_order_are_bound() -> None:
    claim = make([1, 2])
    other = commit(1, bytes(32), 0)
    for commitments, token_id in (
        ([claim.commitments[0], other], 0),
        (list(reversed(claim.commitments)), 0),
        (claim.commitments[:1], 0),
        (claim.commitments, 1),
        ([claim.commitments[0], b"\xff" * 32], 0),
        ([claim.commitments[0], claim.commitments[1] + b"\x00"], 0),
    ):
        with pytest.raises(VerificationError):
            check_range_proof(claim.proof, commitments, token_id)


def test_a_value_beyond_64_bits_cannot_be_shown() -> None:
    """The commitment to -1 is that to 0 less that to 1; a proof for 0 does not carry over."""
    blinding = random_scalar(ChaCha12Rng(bytes(32)))
    proof = prove([0], [blinding], 0, ChaCha12Rng(bytes(32)))
    below_zero = _native.point_subtract(commit(0, blinding, 0), commit(1, bytes(32), 0))
    with pytest.raises(VerificationError):
        check_range_proof(proof, [below_zero], 0)


@pytest.mark.parametrize("change", [0, 1, 31, 32, 64, 223, 671, 673, 704, 736, 32 * 73])
def test_other_lengths(change: int) -> None:
    claim = make([1])
    resized = (claim.proof + bytes(32 * 73))[:change]
    error = VerificationError if change == 736 else FormatError
    with pytest.raises(error):
        check_range_proof(resized, claim.commitments, 0)


def test_counts_beyond_the_limits() -> None:
    claim = make([1])
    rng = ChaCha12Rng(bytes(32))
    with pytest.raises(NoValues):
        prove([], [], 0, rng)
    with pytest.raises(NoValues):
        check_range_proof(claim.proof, [], 0)
    with pytest.raises(InvalidGeneratorsLength, match="65 values, limit 64"):
        prove([1] * 65, [bytes(32)] * 65, 0, rng)
    with pytest.raises(InvalidGeneratorsLength):
        check_range_proof(claim.proof, list(claim.commitments) * 65, 0)
    with pytest.raises(BugError):
        prove([1, 2], [bytes(32)], 0, rng)
    for value in (-1, 2**64):
        with pytest.raises(OverflowError):
            prove([value], [bytes(32)], 0, rng)


def test_the_same_random_bytes_give_the_same_proof() -> None:
    drawn: list[int] = []

    def draw(count: int) -> bytes:
        drawn.append(count)
        return b"\x07" * count

    first = prove([1, 2, 3], [bytes(32)] * 3, 0, draw)
    assert prove([1, 2, 3], [bytes(32)] * 3, 0, draw) == first
    assert drawn == [4 * 8448] * 2


def test_each_claim_of_a_batch_gets_its_own_verdict() -> None:
    claims = [make([1]), make([2, 3], 7), make([4, 5, 6]), make([7]), make([8] * 8, 7)]
    assert judge_range_proofs(claims) == [None] * 5
    claims[1] = claims[1]._replace(token_id=0)
    claims[2] = claims[2]._replace(proof=claims[2].proof[:-1])
    claims[3] = claims[3]._replace(commitments=[])
    claims.append(claims[0]._replace(commitments=list(claims[0].commitments) * 65))
    found = [type(error) for error in judge_range_proofs(claims)]
    expected = [type(None), VerificationError, FormatError, NoValues, type(None)]
    assert found == [*expected, InvalidGeneratorsLength]
    with pytest.raises(VerificationError):
        check_range_proofs(claims)
    check_range_proofs([])


def test_another_setting() -> None:
    """Our own proofs verify in the setting that transactions imply, and in no other."""
    claim = make([1, 2])
    base = _native.base_multiply(b"\x01" + bytes(31))
    ours = RangeProofSetting(b"mc_bulletproof_transcript", 64, _native.value_generator(0), base)
    check_range_proof_in(ours, claim.proof, claim.commitments)
    for setting in (
        RangeProofSetting(b"other", 64, ours.value_base, base),
        RangeProofSetting(ours.label, 32, ours.value_base, base),
        RangeProofSetting(ours.label, 64, base, ours.value_base),
    ):
        with pytest.raises(VerificationError):
            check_range_proof_in(setting, claim.proof, claim.commitments)
    with pytest.raises(NoValues):
        check_range_proof_in(ours, claim.proof, [])


def test_native_proving_refuses_arguments_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="power of two"):
        _native.range_proof_prove([1, 2, 3], bytes(96), 0, bytes(3 * 8448))
    with pytest.raises(ValueError, match="do not fit"):
        _native.range_proof_prove([1], bytes(64), 0, bytes(8448))
    with pytest.raises(ValueError, match="do not fit"):
        _native.range_proof_prove([1], bytes(32), 0, bytes(8448 - 64))
    with pytest.raises(ValueError, match="no commitments"):
        _native.range_proofs_verify([(b"", b"", 0)])
    with pytest.raises(ValueError, match="value base is no point"):
        _native.range_proof_verify_in(b"", 64, b"\xff" * 32, bytes(32), b"", bytes(32))
    with pytest.raises(ValueError, match="bits not a power of two"):
        _native.range_proof_verify_in(b"", 65, bytes(32), bytes(32), b"", bytes(32))
