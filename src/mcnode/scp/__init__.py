"""The Stellar Consensus Protocol as this network speaks it: a pure state machine.

Events go in with the tick at which they happened, actions come out; no clock, socket or random
source inside. Everything an application needs::

    from mcnode.scp import Externalize, Node, Send, SetTimer

    node = Node(local_id, quorum_set, validate, combine, slot_index=ledger.block_count())

    actions = node.propose(values, now)      # values of our own
    actions = node.handle(msgs, now)         # a batch of verified messages of peers
    actions = node.handle_timers(now)        # after node.next_deadline
    actions = node.reset_slot_index(n)       # the ledger grew by catch-up

    for action in actions:                   # in this order
        match action:
            case Externalize(slot_index, values): ...   # form and store the block, first
            case Send(msg): ...                         # sign and broadcast
            case SetTimer(deadline): ...                # or poll handle_timers
            case Refuse(msg, reason): ...               # count, log
            case CombineFailed(slot_index, reason): ... # log

`node.slot_index`, `node.externalized_values(slot)`, `node.metrics()` and `node.slot_state(slot)`
tell what it holds. `now` is whole milliseconds of any monotonic clock (`Tick`).

The rooms inside: `types` (what is said), `msg_rules` (what may be said), `quorum_set` and
`search` (quorums and blocking sets), `values` (values as bits), `statements` (what messages imply
and add up to), `leaders` and `nomination`, `ballot`, `slot`, `node`; `timers`, `actions`,
`state`; `wire` (CBOR and digest), `debug` (dump files). [docs/protocol/scp.md]
"""

from mcnode.scp.actions import Action, CombineFailed, Externalize, Refuse, Send, SetTimer
from mcnode.scp.ballot import Phase
from mcnode.scp.errors import InvalidMsgError, InvalidQuorumSetError
from mcnode.scp.node import Node
from mcnode.scp.quorum_set import QuorumSet, check_quorum_set
from mcnode.scp.state import SlotMetrics, SlotState
from mcnode.scp.timers import Tick, Timing
from mcnode.scp.types import INFINITY, Ballot, Msg, NodeID, SlotIndex, Topic, compare_topics

__all__ = [
    "INFINITY",
    "Action",
    "Ballot",
    "CombineFailed",
    "Externalize",
    "InvalidMsgError",
    "InvalidQuorumSetError",
    "Msg",
    "Node",
    "NodeID",
    "Phase",
    "QuorumSet",
    "Refuse",
    "Send",
    "SetTimer",
    "SlotIndex",
    "SlotMetrics",
    "SlotState",
    "Tick",
    "Timing",
    "Topic",
    "check_quorum_set",
    "compare_topics",
]
