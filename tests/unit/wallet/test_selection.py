"""Which outputs are spent, and which others hide them."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcnode.transaction.constants import MAX_INPUTS, RING_SIZE
from mcnode.wallet.errors import (
    InsufficientFunds,
    InsufficientFundsFragmentedUtxos,
    InsufficientTxOuts,
)
from mcnode.wallet.records import OwnedOutput
from mcnode.wallet.rings import choose_rings
from mcnode.wallet.selection import select_inputs

values_of_outputs = st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 20), max_size=60)


def outputs_of(values):
    return [
        OwnedOutput(bytes(32), index, 0, 0, value, 0, bytes(32), bytes(66))
        for index, value in enumerate(values)
    ]


def total(outputs):
    return sum(output.value for output in outputs)


@given(values_of_outputs, st.integers(1, 2**64) | st.integers(1, 200))
def test_enough_few_and_never_wasteful(values, needed):
    try:
        chosen = select_inputs(outputs_of(values), needed, 0)
    except InsufficientFunds:
        assert sum(values) < needed
        return
    except InsufficientFundsFragmentedUtxos:
        assert sum(values) >= needed > sum(sorted(values)[-MAX_INPUTS:])
        return
    assert 1 <= len(chosen) <= MAX_INPUTS
    assert len({output.tx_out_index for output in chosen}) == len(chosen)
    assert total(chosen) >= needed
    assert all(output.value for output in chosen)
    largest = max(output.value for output in chosen)
    assert total(chosen) - largest < needed, "without the largest one it is not enough"


@pytest.mark.parametrize(
    ("values", "needed", "chosen"),
    [
        ([5, 1, 3], 4, [1, 3]),
        ([5, 1, 3], 5, [1, 3, 5]),
        ([5, 1, 3], 1, [1]),
        ([0, 0, 2], 2, [2]),
        ([*[1] * 20, 100], 50, [*[1] * 15, 100]),
        ([1] * 20, 16, [1] * 16),
    ],
)
def test_small_ones_first(values, needed, chosen):
    assert [output.value for output in select_inputs(outputs_of(values), needed, 0)] == chosen


def test_what_the_refusals_say():
    with pytest.raises(InsufficientFunds, match="token 7: needs 10, spendable 9"):
        select_inputs(outputs_of([4, 5]), 10, 7)
    with pytest.raises(InsufficientFundsFragmentedUtxos, match="needs 17, the 16 largest"):
        select_inputs(outputs_of([1] * 20), 17, 0)


@given(st.integers(1, 5), st.integers(0, 40), st.integers(0, 2**32))
def test_rings_have_eleven_distinct_members_each(ring_count, spare, seed):
    chance = random.Random(seed)
    size = ring_count * RING_SIZE + spare
    real = chance.sample(range(size), ring_count)
    rings = choose_rings(real, size, chance.randrange)
    flat = [index for ring in rings for index in ring]
    assert [len(ring) for ring in rings] == [RING_SIZE] * ring_count
    assert len(set(flat)) == len(flat)
    assert all(0 <= index < size for index in flat)
    assert all(index in ring for index, ring in zip(real, rings, strict=True))


def test_rings_need_outputs():
    with pytest.raises(InsufficientTxOuts, match="21 outputs, rings need 22"):
        choose_rings([0, 1], 21, random.randrange)


def test_mixins_are_drawn_uniformly():
    chance = random.Random(5)
    size, rounds = 44, 4000
    counts = [0] * size
    for _ in range(rounds):
        for index in choose_rings([3], size, chance.randrange)[0]:
            counts[index] += 1
    assert counts.pop(3) == rounds
    expected = rounds * (RING_SIZE - 1) / (size - 1)
    assert all(0.85 * expected < count < 1.15 * expected for count in counts), counts
