"""What happened to one slot of one node."""

import dataclasses
from typing import Final, TypeAlias

from mcnode.errors import InvalidError
from mcnode.peers.consensus_value import ConsensusValue
from mcnode.scp import Msg, NodeID, QuorumSet, SlotIndex, Tick, Timing

FORMAT_VERSION: Final = 1


class SlotRecordError(InvalidError):
    """A record of a slot cannot be read."""


@dataclasses.dataclass(frozen=True, slots=True)
class SlotStart:
    """Whose slot it is, and what it was begun with."""

    version: int
    node_id: NodeID
    quorum_set: QuorumSet[NodeID]
    slot_index: SlotIndex
    timing: Timing
    tick: Tick
    """Of the first event, on the node's own clock."""
    unix_ms: int
    """The time of day at that tick; 0 where it is not known."""


@dataclasses.dataclass(frozen=True, slots=True)
class Proposed:
    """The node was given values to propose."""

    values: tuple[ConsensusValue, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Heard:
    """Statements of peers came in, in one batch."""

    msgs: tuple[Msg[ConsensusValue], ...]


@dataclasses.dataclass(frozen=True, slots=True)
class TimersFired:
    """A deadline of the slot had passed."""


@dataclasses.dataclass(frozen=True, slots=True)
class Abandoned:
    """The node left the slot: it got the block by catching up."""


@dataclasses.dataclass(frozen=True, slots=True)
class Remark:
    """A free remark, as dumps have them."""

    text: str


Input: TypeAlias = Proposed | Heard | TimersFired | Abandoned | Remark


@dataclasses.dataclass(frozen=True, slots=True)
class Refusal:
    """The application called a value invalid."""

    value: ConsensusValue
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class Combination:
    """The list that the application made of confirmed values; or None, and why it could not."""

    values: tuple[ConsensusValue, ...] | None
    reason: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Judgement:
    """What the application answered during an event. A value that is not refused is valid."""

    refused: tuple[Refusal, ...] = ()
    combined: tuple[Combination, ...] = ()
    """In the order in which the slot asked."""


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What the node did because of an event."""

    sent: Msg[ConsensusValue] | None = None
    externalized: tuple[ConsensusValue, ...] | None = None
    """The slot's outcome, at the event that brought it."""
    refused: tuple[str, ...] = ()
    """Why statements were not taken in, or values not combined."""


@dataclasses.dataclass(frozen=True, slots=True)
class SlotEvent:
    """One input, and all that it led to."""

    tick: Tick
    input: Input
    judgement: Judgement = Judgement()
    outcome: Outcome = Outcome()


@dataclasses.dataclass(frozen=True, slots=True)
class SlotRecord:
    """A slot from its first event on."""

    start: SlotStart
    events: tuple[SlotEvent, ...]
    breaks_off: str | None = None
    """Why later events are not here, if they are not."""
    is_dump: bool = False
    """From a debug dump, which does not tell what the application answered."""
    silent_timers_after_ms: int | None = None
    """Of a dump, which leaves out timers that made the node say nothing: they are taken to have
    fired once an entry is later than their deadline by this. None: none fired."""

    @property
    def externalized(self) -> tuple[ConsensusValue, ...] | None:
        """The outcome, if the record has it."""
        found = (event.outcome.externalized for event in self.events)
        return next((values for values in found if values is not None), None)

    @property
    def is_abandoned(self) -> bool:
        """Whether the node left the slot without an outcome."""
        return any(isinstance(event.input, Abandoned) for event in self.events)

    @property
    def duration_ms(self) -> int | None:
        """From the first event to the outcome; None without one."""
        for event in self.events:
            if event.outcome.externalized is not None:
                return event.tick - self.start.tick
        return None
