"""Snapshots of a slot: all of its state, and the few figures that go into gauges."""

import dataclasses
from typing import Generic

from mcnode.scp.ballot import Phase
from mcnode.scp.timers import Tick
from mcnode.scp.types import Ballot, Msg, NodeID, SlotIndex, V


@dataclasses.dataclass(frozen=True, slots=True)
class SlotMetrics:
    """How far a slot is. [docs/protocol/scp.md#8]"""

    phase: Phase
    voted_count: int
    accepted_count: int
    confirmed_count: int
    nomination_round: int
    ballot_counter: int


@dataclasses.dataclass(frozen=True, slots=True)
class SlotState(Generic[V]):
    """All that a slot holds; value sets ascend. [docs/protocol/scp.md#6]"""

    slot_index: SlotIndex
    node_id: NodeID
    msgs: tuple[Msg[V], ...] = ()
    proposed: tuple[V, ...] = ()
    voted: tuple[V, ...] = ()
    accepted: tuple[V, ...] = ()
    confirmed: tuple[V, ...] = ()
    ballot: Ballot[V] = Ballot(0, ())  # noqa: RUF009 - a tuple
    prepared: Ballot[V] | None = None
    prepared_prime: Ballot[V] | None = None
    high: Ballot[V] | None = None
    commit: Ballot[V] | None = None
    phase: Phase = Phase.NOMINATE_PREPARE
    last_sent: Msg[V] | None = None
    leaders: tuple[NodeID, ...] = ()
    nomination_round: int = 1
    valid_values: tuple[V, ...] = ()
    nomination_deadline: Tick | None = None
    ballot_deadline: Tick | None = None
