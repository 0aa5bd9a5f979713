"""What the services and the worker's own tasks tell the decision core."""

import dataclasses

from mcnode.peers.consensus_msg import ConsensusMsg
from mcnode.peers.consensus_value import ConsensusValue


@dataclasses.dataclass(frozen=True, slots=True)
class Proposed:
    """Checked values; `proposed_at` (the worker's clock) is set for those of our own clients."""

    values: tuple[ConsensusValue, ...]
    proposed_at: float | None


@dataclasses.dataclass(frozen=True, slots=True)
class Received:
    """A statement with a valid signature."""

    msg: ConsensusMsg
    received_from: str


@dataclasses.dataclass(frozen=True, slots=True)
class ReceivedCopy:
    """A statement that came before, from another neighbour."""

    author: bytes
    slot_index: int
    received_from: str


@dataclasses.dataclass(frozen=True, slots=True)
class TxsFetched:
    """A fetch ended."""

    peer: str
    not_in_cache: tuple[bytes, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class SyncFinished:
    """A catch-up attempt ended."""

    succeeded: bool


Event = Proposed | Received | ReceivedCopy | TxsFetched | SyncFinished
