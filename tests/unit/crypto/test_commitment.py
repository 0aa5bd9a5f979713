"""Pedersen commitments: bases, binding to the token, the balance of a transaction."""

import pytest

from mcnode import _native
from mcnode.crypto.commitment import check_balance, check_points, commit, value_generator
from mcnode.crypto.ring_errors import InvalidCurvePoint, ValueNotConserved
from mcnode.crypto.rng import ChaCha12Rng, random_scalar

RNG = ChaCha12Rng(b"\x21" * 32)
NO_POINT = b"\xff" * 32
ZERO = bytes(32)
BASE = _native.base_multiply(b"\x01" + bytes(31))


def scalar(number: int) -> bytes:
    return number.to_bytes(32, "little")


def sum_of(*scalars: bytes) -> bytes:
    total = ZERO
    for each in scalars:
        total = _native.scalar_add(total, each)
    return total


def test_value_base_is_the_hash_of_the_masked_base_point() -> None:
    for token_id in (0, 1, 8192, 2**64 - 1):
        mask = token_id.to_bytes(8, "little") + bytes(24)
        masked = bytes(a ^ b for a, b in zip(BASE, mask, strict=True))
        expected = _native.hash_to_point(b"mc_onetime_key_hash_to_point", masked)
        assert value_generator(token_id) == expected


def test_value_bases_are_right_when_more_than_are_remembered() -> None:
    first = [value_generator(token_id) for token_id in range(200)]
    assert [value_generator(token_id) for token_id in range(200)] == first
    assert len(set(first)) == 200


@pytest.mark.parametrize("value", [0, 1, 2**63, 2**64 - 1])
def test_commitment_is_the_sum_of_its_parts(value: int) -> None:
    blinding = random_scalar(RNG)
    expected = _native.point_add(
        _native.point_multiply(scalar(value), value_generator(7)), _native.base_multiply(blinding)
    )
    assert commit(value, blinding, 7) == expected


def test_commitment_to_nothing_is_the_identity() -> None:
    assert commit(0, ZERO, 3) == ZERO


@pytest.mark.parametrize("value", [-1, 2**64])
def test_values_beyond_64_bits_are_refused(value: int) -> None:
    with pytest.raises(OverflowError):
        commit(value, ZERO, 0)


def test_points_are_checked_in_order() -> None:
    good = commit(1, random_scalar(RNG), 0)
    check_points([])
    check_points([good, ZERO])
    with pytest.raises(InvalidCurvePoint, match="ff" * 32):
        check_points([good, NO_POINT, b"\x01" + bytes(31)])
    with pytest.raises(InvalidCurvePoint, match="pseudo-output"):
        check_points([good[:31]], "pseudo-output")


def test_balance_over_two_tokens_and_a_fee() -> None:
    blindings = [random_scalar(RNG) for _ in range(3)]
    inputs = [commit(100, sum_of(*blindings[:2]), 0), commit(50, blindings[2], 9)]
    outputs = [
        commit(70, blindings[0], 0),
        commit(20, blindings[1], 0),
        commit(50, blindings[2], 9),
    ]
    check_balance(inputs, outputs, 10, 0)
    for fee, token_id in ((9, 0), (11, 0), (10, 9), (0, 0)):
        with pytest.raises(ValueNotConserved):
            check_balance(inputs, outputs, fee, token_id)
    with pytest.raises(ValueNotConserved):
        check_balance(inputs[:1], outputs, 10, 0)


def test_balance_refuses_what_is_no_point() -> None:
    good = commit(1, random_scalar(RNG), 0)
    with pytest.raises(InvalidCurvePoint):
        check_balance([good, NO_POINT], [good], 0, 0)
    with pytest.raises(InvalidCurvePoint):
        check_balance([good], [NO_POINT], 0, 0)
    with pytest.raises(ValueError, match="number 0 is not a point"):
        _native.commitments_balance(NO_POINT, good, 0, 0)
    with pytest.raises(ValueError, match="33 bytes are not a multiple of 32"):
        _native.commitments_balance(good + b"\x00", good, 0, 0)


def test_the_last_party_has_generators_and_the_next_has_none() -> None:
    g, h = _native.range_proof_generators(63)
    assert len(g) == len(h) == 2048
    with pytest.raises(ValueError, match="party index is 64, limit 63"):
        _native.range_proof_generators(64)
