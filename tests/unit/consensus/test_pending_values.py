"""Pending values: distinct, valid, ordered, bounded."""

import pytest

from mcnode.consensus.pending_values import PENDING_VALUES_MAX, PendingValues, PendingValuesFull


def test_only_new_and_valid_values_enter_in_order() -> None:
    pending = PendingValues[int](lambda value: value != 13)
    assert pending.push(3, 1.5)
    assert pending.push(1, None)
    assert not pending.push(3, 2.0)
    assert not pending.push(13, 2.0)
    assert list(pending) == [3, 1]
    assert pending.oldest(1) == [3]
    assert pending.proposed_at(3) == 1.5
    assert pending.proposed_at(1) is None
    assert 13 not in pending


def test_values_leave_when_decided_or_no_longer_valid() -> None:
    limit = [10]
    pending = PendingValues[int](lambda value: value < limit[0])
    for value in range(5):
        pending.push(value, None)
    pending.remove([0, 99])
    limit[0] = 3
    assert pending.retain_valid() == [3, 4]
    assert list(pending) == [1, 2]


def test_the_list_is_bounded() -> None:
    pending = PendingValues[int](lambda _: True)
    for value in range(PENDING_VALUES_MAX):
        pending.push(value, None)
    with pytest.raises(PendingValuesFull, match=f"limit {PENDING_VALUES_MAX}"):
        pending.push(PENDING_VALUES_MAX, None)
    assert len(pending) == PENDING_VALUES_MAX
