"""Is this node level with the network? A small state machine, stepped once per tick.

    InSync ──behind──> MaybeBehind(since) ──still behind after the grace period──> IsBehind
      ^                    │                                                         │
      └───── not behind ───┴───────────── not behind ────────────────────────────────┘

"Behind" means that a set of peers which is both blocking and a quorum has externalized past our
last block. A moment of it is normal: the others finish a slot some milliseconds before us. So there
is a grace period, and the transitions InSync → IsBehind and IsBehind → MaybeBehind do not exist.

The grace period depends on how far behind we are: the slot that is being decided right now may
still be finished by listening, which is cheaper than fetching; but when the peers are two or more
blocks ahead no message that they still send can bring us level, so waiting only costs time.
[docs/protocol/service.md#11.6]
"""

import dataclasses

GRACE_PERIOD_S = 10.0
"""How long a node that misses just the last block waits for it to arrive by itself."""
GRACE_PERIOD_FAR_S = 0.5
"""The same when two or more blocks are missing: long enough for a burst of queued messages."""
FAR_BLOCKS_MIN = 2
RETRY_DELAY_S_MAX = 60.0
"""Failed attempts are repeated after 1, 2, 3, … seconds, at most this."""


@dataclasses.dataclass(frozen=True, slots=True)
class InSync:
    """Level with the network as far as we know."""


@dataclasses.dataclass(frozen=True, slots=True)
class MaybeBehind:
    """Peers are ahead since `since`; it may pass."""

    since: float


@dataclasses.dataclass(frozen=True, slots=True)
class IsBehind:
    """Blocks must be fetched; the next attempt is due at `attempt_at`."""

    attempt_at: float
    failed_attempts: int


SyncState = InSync | MaybeBehind | IsBehind


def next_state(state: SyncState, blocks_behind: int, now: float) -> SyncState:
    """One step. `blocks_behind` is 0 when no blocking quorum of peers is ahead of us."""
    if blocks_behind == 0:
        return InSync()
    match state:
        case InSync():
            return MaybeBehind(now)
        case MaybeBehind(since):
            grace_s = GRACE_PERIOD_FAR_S if blocks_behind >= FAR_BLOCKS_MIN else GRACE_PERIOD_S
            return IsBehind(now, 0) if now - since > grace_s else state
        case IsBehind():
            return state


def after_attempt(state: IsBehind, *, succeeded: bool, now: float) -> IsBehind:
    """The state after an attempt: again at once on success, with a growing delay on failure."""
    if succeeded:
        return IsBehind(now, 0)
    failed = state.failed_attempts + 1
    return IsBehind(now + min(float(failed), RETRY_DELAY_S_MAX), failed)
