"""What the state machine asks of the shell around it. Plain values, in the order to perform
them."""

import dataclasses
from typing import Generic, TypeAlias

from mcnode.scp.timers import Tick
from mcnode.scp.types import Msg, SlotIndex, V


@dataclasses.dataclass(frozen=True, slots=True)
class Externalize(Generic[V]):
    """The slot's outcome, once per slot: store it before anything later in the list is done."""

    slot_index: SlotIndex
    values: tuple[V, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Send(Generic[V]):
    """Sign this message of the local node and broadcast it."""

    msg: Msg[V]


@dataclasses.dataclass(frozen=True, slots=True)
class SetTimer:
    """Call `handle_timers` after this tick; None: no timer runs. Replaces the one before."""

    deadline: Tick | None


@dataclasses.dataclass(frozen=True, slots=True)
class Refuse(Generic[V]):
    """A message was not taken in. Nothing to do but to count and log it."""

    msg: Msg[V]
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class CombineFailed:
    """The application could not combine confirmed values; the ballot was left as it was."""

    slot_index: SlotIndex
    reason: str


Action: TypeAlias = Externalize[V] | Send[V] | SetTimer | Refuse[V] | CombineFailed
