"""What the decision core asks the shell of the node to do.

A tick returns a list of these; the shell performs them strictly in order. `CompleteSlot` always
comes before the `Broadcast` of what follows from it: a block is on disk before anybody hears of it.
"""

import dataclasses
from collections.abc import Sequence

from mcnode.peers.consensus_msg import ConsensusMsg
from mcnode.peers.consensus_value import ConsensusValue
from mcnode.scp.types import Msg


@dataclasses.dataclass(frozen=True, slots=True)
class Broadcast:
    """Sign this statement of ours, with the id of the block it builds on, and send it to all."""

    scp_msg: Msg[ConsensusValue]
    prev_block_id: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class Relay:
    """Pass a peer's message on to these peers."""

    msg: ConsensusMsg
    recipients: Sequence[str]


@dataclasses.dataclass(frozen=True, slots=True)
class FetchTxs:
    """Ask `peer` for transactions; the answer comes back as `ByzantineLedger.txs_fetched`."""

    peer: str
    tx_hashes: Sequence[bytes]


@dataclasses.dataclass(frozen=True, slots=True)
class CompleteSlot:
    """Form the block of these values and append it durably, then call `block_appended`."""

    slot_index: int
    values: Sequence[ConsensusValue]


@dataclasses.dataclass(frozen=True, slots=True)
class SyncLedger:
    """Catch up by at most `blocks_max` blocks; the outcome comes back as `sync_finished`."""

    blocks_max: int


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """For the log: a statement of `author` (a responder id) was left out, or values do not combine.

    `is_other_chain`: the statement builds on another block than ours, so its author and we are on
    different chains, or one of us is confused.
    """

    slot_index: int
    author: str | None
    reason: str
    is_other_chain: bool = False


Action = Broadcast | Relay | FetchTxs | CompleteSlot | SyncLedger | Report
