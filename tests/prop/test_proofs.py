"""Whatever bytes come, verification answers with one of its own errors."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcnode.crypto.commitment import check_points, commit
from mcnode.crypto.range_proof import RangeClaim, RangeProofError, judge_range_proofs, prove
from mcnode.crypto.ring_errors import RingSignatureError
from mcnode.crypto.ring_signature import RingMember, RingSignature, check_ring_signature
from mcnode.crypto.rng import ChaCha12Rng

BLINDING = b"\x03" + bytes(31)
GOOD = RangeClaim(prove([5], [BLINDING], 0, ChaCha12Rng(bytes(32))), [commit(5, BLINDING, 0)], 0)
points = st.sampled_from([bytes(32), GOOD.commitments[0], b"\xff" * 32]) | st.binary(
    min_size=32, max_size=32
)
proofs = st.binary(max_size=1200) | st.integers(0, 20).flatmap(
    lambda place: st.binary(min_size=32, max_size=32).map(
        lambda part: GOOD.proof[: 32 * place] + part + GOOD.proof[32 * place + 32 :]
    )
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(proofs, st.lists(points, max_size=3)), max_size=4))
def test_strange_range_proofs_do_not_disturb_a_good_one(
    strange: list[tuple[bytes, list[bytes]]],
) -> None:
    claims = [RangeClaim(proof, commitments, 0) for proof, commitments in strange]
    *verdicts, good = judge_range_proofs([*claims, GOOD])
    assert good is None
    for claim, verdict in zip(claims, verdicts, strict=True):
        if (claim.proof, claim.commitments) != (GOOD.proof, GOOD.commitments):
            assert isinstance(verdict, RangeProofError)


@settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=40),
    st.lists(st.builds(RingMember, points, points), max_size=4),
    points,
    st.builds(RingSignature, points, st.lists(points, max_size=8).map(tuple), points),
)
def test_strange_ring_signatures_are_refused(
    message: bytes, ring: list[RingMember], output: bytes, signature: RingSignature
) -> None:
    with pytest.raises(RingSignatureError):
        check_ring_signature(message, ring, output, signature)


@settings(max_examples=100, deadline=None)
@given(st.lists(points, max_size=5))
def test_points_pass_together_when_each_passes(encoded: list[bytes]) -> None:
    def passes(some: list[bytes]) -> bool:
        try:
            check_points(some)
        except RingSignatureError:
            return False
        return True

    assert passes(encoded) == all(passes([each]) for each in encoded)
