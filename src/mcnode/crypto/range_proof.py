"""Aggregated range proofs: several committed values are all below 2^64, shown in one Bulletproof.

The values of one proof share a token. Their number is padded to a power of two by repeating the
last, by prover and verifier alike; 64 is the most. [docs/protocol/crypto.md#15]
"""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

from mcnode import _native
from mcnode.crypto.commitment import POINT_BYTES
from mcnode.crypto.known_points import KnownPoints
from mcnode.crypto.rng import WIDE_BYTES, RandomBytes
from mcnode.errors import BugError, InvalidError

VALUES_MAX = 64
"""Generators exist for so many values in one proof."""

_DRAWS_PER_VALUE = 132
"""Two blindings, two masks for each of 64 bits, two blindings of the polynomial."""


class RangeProofError(InvalidError):
    """A range proof is refused, or cannot be made. The network wraps the name: `ProofError(...)`,
    except for a proof that cannot even be parsed.
    """


class FormatError(RangeProofError):
    """The bytes cannot be cut into a proof: wrong length, or a scalar that is not canonical."""

    def __init__(self, length: int) -> None:
        super().__init__(f"range proof cannot be parsed, it has {length} bytes")


class VerificationError(RangeProofError):
    """The proof does not show that the commitments hide values below 2^64."""

    def __init__(self, commitments_count: int) -> None:
        super().__init__(f"range proof does not hold for its {commitments_count} commitments")


class InvalidGeneratorsLength(RangeProofError):
    """More values than there are generators for."""

    def __init__(self, count: int) -> None:
        super().__init__(f"range proof over {count} values, limit {VALUES_MAX}")


class NoValues(RangeProofError):
    """A proof over nothing. The network's own software panics here; callers check before."""

    def __init__(self) -> None:
        super().__init__("range proof over 0 values, needs at least 1")


class RangeClaim(NamedTuple):
    """A proof and what it is said to prove."""

    proof: bytes
    commitments: Sequence[bytes]
    """Before padding, 32 bytes each."""
    token_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class RangeProofSetting:
    """Another setting than that of transactions, as in older proofs."""

    label: bytes
    """Of the transcript."""
    bits: int
    """Of a value: 8, 16, 32 or 64."""
    value_base: bytes
    blinding_base: bytes


def prove(
    values: Sequence[int],
    blindings: Sequence[bytes],
    token_id: int,
    random_bytes: RandomBytes,
) -> bytes:
    """A proof that `commit(value, blinding, token_id)` hides a value of 64 bits, for each pair.

    672 bytes for one value, 64 more for each doubling. Draws 64 bytes for each scalar in a fixed
    order, so the same bytes give the same proof.

    Raises:
        NoValues: there are none.
        InvalidGeneratorsLength: there are more than 64.
    """
    if not values:
        raise NoValues
    if len(values) > VALUES_MAX:
        raise InvalidGeneratorsLength(len(values))
    if len(values) != len(blindings):
        raise BugError(f"{len(values)} values with {len(blindings)} blindings")
    padding = _padded_count(len(values)) - len(values)
    all_values = [*values, *[values[-1]] * padding]
    all_blindings = b"".join([*blindings, *[blindings[-1]] * padding])
    randomness = random_bytes(_DRAWS_PER_VALUE * WIDE_BYTES * len(all_values))
    return _native.range_proof_prove(all_values, all_blindings, token_id, randomness)


def check_range_proof(proof: bytes, commitments: Sequence[bytes], token_id: int) -> None:
    """Check one proof.

    Raises:
        NoValues: there are no commitments.
        FormatError: the proof cannot be parsed.
        InvalidGeneratorsLength: there are more than 64 commitments.
        VerificationError: it does not hold, or holds something that is no point.
    """
    check_range_proofs([RangeClaim(proof, commitments, token_id)])


def check_range_proof_in(
    setting: RangeProofSetting, proof: bytes, commitments: Sequence[bytes]
) -> None:
    """Check one proof that was not made for transactions.

    Raises:
        NoValues, FormatError, InvalidGeneratorsLength, VerificationError: as `check_range_proof`.
    """
    claim = RangeClaim(proof, commitments, 0)
    error = _obvious_fault(claim)
    if error is None:
        code = _native.range_proof_verify_in(
            setting.label,
            setting.bits,
            setting.value_base,
            setting.blinding_base,
            proof,
            b"".join(commitments),
        )
        error = _error_of(code, claim)
    if error is not None:
        raise error


def check_range_proofs(claims: Sequence[RangeClaim]) -> None:
    """Check several proofs in one product, much cheaper than one by one.

    Raises:
        RangeProofError: what is wrong with the first claim that is wrong.
    """
    for error in judge_range_proofs(claims):
        if error is not None:
            raise error


def judge_range_proofs(
    claims: Sequence[RangeClaim], known: KnownPoints | None = None
) -> list[RangeProofError | None]:
    """The verdict on each claim: None, or why it is refused. One bad proof spoils no other.

    The proofs are weighted with numbers that are hashed from all claims together, so nobody can
    choose bad proofs that cancel out. Commitments are looked up in `known` and left there.
    """
    verdicts: list[RangeProofError | None] = [_obvious_fault(claim) for claim in claims]
    open_places = [place for place, verdict in enumerate(verdicts) if verdict is None]
    codes = _native.range_proofs_verify(
        [
            (claim.proof, b"".join(claim.commitments), claim.token_id)
            for claim in (claims[place] for place in open_places)
        ],
        known,
    )
    for place, code in zip(open_places, codes, strict=True):
        verdicts[place] = _error_of(code, claims[place])
    return verdicts


def _obvious_fault(claim: RangeClaim) -> RangeProofError | None:
    if not claim.commitments:
        return NoValues()
    if any(len(commitment) != POINT_BYTES for commitment in claim.commitments):
        return VerificationError(len(claim.commitments))
    return None


def _error_of(code: int, claim: RangeClaim) -> RangeProofError | None:
    match code:
        case 0:
            return None
        case 1:
            return FormatError(len(claim.proof))
        case 2:
            return VerificationError(len(claim.commitments))
        case 3:
            return InvalidGeneratorsLength(len(claim.commitments))
        case _:
            raise BugError(f"native range proof gave verdict {code}")


def _padded_count(count: int) -> int:
    return 1 << (count - 1).bit_length()
