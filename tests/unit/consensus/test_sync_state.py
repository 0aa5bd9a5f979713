"""The sync state machine, every transition."""

import pytest

from mcnode.consensus.sync_state import (
    GRACE_PERIOD_FAR_S,
    GRACE_PERIOD_S,
    RETRY_DELAY_S_MAX,
    InSync,
    IsBehind,
    MaybeBehind,
    SyncState,
    after_attempt,
    next_state,
)


@pytest.mark.parametrize(
    ("state", "blocks_behind", "now", "expected"),
    [
        (InSync(), 0, 5.0, InSync()),
        (InSync(), 1, 5.0, MaybeBehind(5.0)),
        (MaybeBehind(5.0), 0, 6.0, InSync()),
        (MaybeBehind(5.0), 1, 5.0 + GRACE_PERIOD_S, MaybeBehind(5.0)),
        (MaybeBehind(5.0), 1, 5.1 + GRACE_PERIOD_S, IsBehind(5.1 + GRACE_PERIOD_S, 0)),
        (MaybeBehind(5.0), 2, 5.0 + GRACE_PERIOD_FAR_S, MaybeBehind(5.0)),
        (MaybeBehind(5.0), 2, 5.1 + GRACE_PERIOD_FAR_S, IsBehind(5.1 + GRACE_PERIOD_FAR_S, 0)),
        (IsBehind(7.0, 3), 5, 6.0, IsBehind(7.0, 3)),
        (IsBehind(7.0, 3), 0, 6.0, InSync()),
    ],
)
def test_transitions(state: SyncState, blocks_behind: int, now: float, expected: SyncState) -> None:
    assert next_state(state, blocks_behind, now) == expected


def test_attempts_back_off_to_a_limit() -> None:
    state = IsBehind(0.0, 0)
    delays = []
    for _ in range(70):
        state = after_attempt(state, succeeded=False, now=100.0)
        delays.append(state.attempt_at - 100.0)
    assert delays[:3] == [1.0, 2.0, 3.0]
    assert delays[-1] == RETRY_DELAY_S_MAX
    assert after_attempt(state, succeeded=True, now=200.0) == IsBehind(200.0, 0)
