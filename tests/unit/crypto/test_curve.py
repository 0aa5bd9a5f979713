"""Native group operations against integers and group laws."""

import hashlib
import random

import pytest

from mcnode import _native

ORDER = 2**252 + 27742317777372353535851937790883648493
BASE = _native.base_multiply((1).to_bytes(32, "little"))
IDENTITY = bytes(32)


def scalar(value: int) -> bytes:
    return (value % ORDER).to_bytes(32, "little")


def integers(count: int = 24) -> list[int]:
    source = random.Random(20)
    edges = [0, 1, 2, ORDER - 1, ORDER - 2, 2**64 - 1]
    return edges + [source.randrange(ORDER) for _ in range(count)]


def test_scalars_agree_with_integers() -> None:
    values = integers()
    for left, right in zip(values, reversed(values), strict=True):
        a, b = scalar(left), scalar(right)
        assert _native.scalar_add(a, b) == scalar(left + right)
        assert _native.scalar_subtract(a, b) == scalar(left - right)
        assert _native.scalar_multiply(a, b) == scalar(left * right)


@pytest.mark.parametrize("value", [0, ORDER - 1, ORDER, ORDER + 2, 2**255, 2**256 - 1])
def test_reduction_and_canonical_form(value: int) -> None:
    encoded = value.to_bytes(32, "little")
    assert _native.scalar_reduce(encoded) == scalar(value)
    assert _native.scalar_is_canonical(encoded) is (value < ORDER)


def test_wide_reduction_takes_all_64_bytes() -> None:
    for value in (0, ORDER, 2**512 - 1, 2**300 + 7):
        assert _native.scalar_from_wide(value.to_bytes(64, "little")) == scalar(value)


def test_base_point_and_identity_are_the_known_encodings() -> None:
    assert BASE.hex() == "e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76"
    assert _native.base_multiply(bytes(32)) == IDENTITY
    assert _native.point_is_valid(IDENTITY)


def test_points_form_a_group_of_the_scalars() -> None:
    for left, right in zip(integers(4), integers(4)[1:], strict=False):
        p, q = _native.base_multiply(scalar(left)), _native.base_multiply(scalar(right))
        assert _native.point_add(p, q) == _native.base_multiply(scalar(left + right))
        assert _native.point_subtract(p, q) == _native.base_multiply(scalar(left - right))
        assert _native.point_multiply(scalar(right), p) == _native.base_multiply(
            scalar(left * right)
        )


def test_hashes_are_blake2b_of_tag_and_data() -> None:
    digest = hashlib.blake2b(b"tag" + b"data").digest()
    assert _native.hash_to_scalar(b"tag", b"data") == _native.scalar_from_wide(digest)
    assert _native.hash_to_point(b"tag", b"data") == _native.point_from_uniform(digest)


def test_one_way_map_ignores_the_top_bit_of_each_half() -> None:
    low = bytes(range(64))
    high = low[:31] + bytes([low[31] | 0x80]) + low[32:63] + bytes([low[63] | 0x80])
    assert _native.point_from_uniform(low) == _native.point_from_uniform(high)


@pytest.mark.parametrize("name", ["scalar_is_canonical", "scalar_reduce", "base_multiply"])
@pytest.mark.parametrize("length", [0, 31, 33])
def test_wrong_lengths_are_value_errors(name: str, length: int) -> None:
    with pytest.raises(ValueError, match=f"expected exactly 32 bytes, got {length}"):
        getattr(_native, name)(bytes(length))


def test_bad_values_are_value_errors() -> None:
    with pytest.raises(ValueError, match="group order"):
        _native.base_multiply(ORDER.to_bytes(32, "little"))
    with pytest.raises(ValueError, match="ristretto point"):
        _native.point_multiply(scalar(1), b"\x01" + bytes(31))


def test_batched_subaddresses_equal_single_ones() -> None:
    view, spend = scalar(77), _native.base_multiply(scalar(99))
    indices = [0, 1, 2**64 - 1, 2**64 - 2, 5]
    batch = _native.subaddress_spend_publics(view, spend, indices)
    for index, found in zip(indices, batch, strict=True):
        tweak = _native.subaddress_tweak(view, index)
        assert found == _native.point_add(_native.base_multiply(tweak), spend)
    assert _native.subaddress_spend_publics(view, spend, []) == []
