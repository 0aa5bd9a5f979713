"""A slot that does not get on: noticed, explained, reported once.

Progress is to climb a rung of `mcnode.slots.diagnosis.Rung`; ballot counters that rise are the
symptom, not progress. `SlotWatch` decides from what it is shown; `StuckSlotMonitor` looks every
second, tells the log when an episode begins and ends, and keeps what `/info` and the metrics show.
[docs/slot-debugger.md]
"""

import asyncio
import dataclasses
from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol

import structlog

from mcnode.consensus.metrics import OpMetrics
from mcnode.peers.consensus_value import ConsensusValue
from mcnode.scp import NodeID, QuorumSet, SlotIndex, SlotState
from mcnode.slots.diagnosis import Diagnosis, Rung, diagnose, is_under_way, rung_of
from mcnode.slots.names import Names
from mcnode.slots.text import diagnosis_lines

LOOK_EVERY_S: Final = 1.0
VALUES_SHOWN_MAX: Final = 20
"""Lines of one report about what is waited for."""

log = structlog.get_logger("mcnode.consensus.stuck_slot")


@dataclasses.dataclass(frozen=True, slots=True)
class StuckSlot:
    """A slot without progress, and why."""

    slot_index: SlotIndex
    stuck_s: float
    diagnosis: Diagnosis[ConsensusValue]
    not_heard_from: tuple[NodeID, ...]
    held_back: tuple[NodeID, ...]
    """Whose statements wait here for transactions that we do not have."""
    waiting_for: tuple[str, ...]
    """In words."""

    def to_json(self) -> dict[str, Any]:
        """For `/info`."""
        return {
            "slot_index": self.slot_index,
            "seconds_without_progress": int(self.stuck_s),
            "reached": self.diagnosis.rung.name.lower(),
            "waiting_for": list(self.waiting_for),
            "missing_votes_of": _responder_ids(self.diagnosis.missing),
            "not_heard_from": _responder_ids(self.not_heard_from),
            "held_back_for_transactions": _responder_ids(self.held_back),
        }


def _responder_ids(nodes: Iterable[NodeID]) -> list[str]:
    return [node.responder_id for node in nodes]


class SlotWatch:
    """Tells whether the slot that it is shown again and again is stuck. Pure."""

    def __init__(self, quorum_set: QuorumSet[NodeID], stuck_after_s: float) -> None:
        self._quorum_set = quorum_set
        self._stuck_after_s = stuck_after_s
        self._seen: tuple[SlotIndex, Rung] | None = None
        self._since = 0.0

    def look(
        self,
        state: SlotState[ConsensusValue] | None,
        held_back: Iterable[NodeID],
        now: float,
    ) -> StuckSlot | None:
        """The current slot as it is at `now`; None where there is nothing to agree on."""
        held_back = tuple(held_back)
        if state is None or not (held_back or is_under_way(state, self._quorum_set)):
            self._seen = None
            return None
        seen = (state.slot_index, rung_of(state))
        if seen != self._seen:
            self._seen, self._since = seen, now
        if now - self._since < self._stuck_after_s:
            return None
        return self._explain(state, held_back, now - self._since)

    def _explain(
        self, state: SlotState[ConsensusValue], held_back: tuple[NodeID, ...], stuck_s: float
    ) -> StuckSlot:
        found = diagnose(state, self._quorum_set)
        lines = list(diagnosis_lines(found, Names(state.node_id)))
        if held_back:
            held = ", ".join(_responder_ids(held_back))
            lines.append(f"transactions that statements of {held} name are not here yet")
        return StuckSlot(
            state.slot_index,
            stuck_s,
            found,
            tuple(node for node in found.silent if node not in held_back),
            held_back,
            tuple(lines[:VALUES_SHOWN_MAX]),
        )


class AgreementView(Protocol):
    """What the monitor looks at, on the loop of the decision core."""

    def current_slot(self) -> SlotState[ConsensusValue] | None:
        """The slot being agreed on; None while catching up."""
        ...

    def held_back(self) -> list[NodeID]:
        """Whose statements wait for transactions."""
        ...


class StuckSlotMonitor:
    """See the module's text."""

    def __init__(
        self,
        watch: SlotWatch,
        view: AgreementView,
        metrics: OpMetrics,
        clock: Callable[[], float],
    ) -> None:
        self._watch = watch
        self._view = view
        self._metrics = metrics
        self._clock = clock
        self._stuck: StuckSlot | None = None

    @property
    def stuck(self) -> StuckSlot | None:
        """The episode under way."""
        return self._stuck

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    def look(self) -> None:
        """Look once."""
        before = self._stuck
        now = self._clock()
        self._stuck = self._watch.look(self._view.current_slot(), self._view.held_back(), now)
        self._metrics.gauge(
            "cur_slot_stuck_seconds", 0 if self._stuck is None else self._stuck.stuck_s
        )
        if self._stuck is not None and not _is_same_episode(before, self._stuck):
            self._metrics.count("slots_stuck_count")
            log.warning("slot is stuck", **self._stuck.to_json())
        elif before is not None and self._stuck is None:
            log.info("slot is stuck no longer", slot_index=before.slot_index)


def _is_same_episode(before: StuckSlot | None, now: StuckSlot) -> bool:
    return before is not None and before.slot_index == now.slot_index
