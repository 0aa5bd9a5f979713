"""The node of the agreement protocol with its invariants looked at after every event.

For debug runs (`--check-invariants true`): it copies the whole state of a slot each time. The same
invariants hold in the simulator and in the exhaustive search. What breaks one is a bug of ours and
ends the node; the state goes to the log. [docs/protocol/scp.md#7.8]
"""

from collections.abc import Iterable, Sequence

from mcnode.errors import BugError
from mcnode.peers.consensus_value import ConsensusValue
from mcnode.scp import (
    Action,
    Externalize,
    Msg,
    Send,
    SlotIndex,
    Tick,
)
from mcnode.scp.contradiction import contradiction
from mcnode.scp.errors import InvalidMsgError
from mcnode.scp.invariants import check_invariants
from mcnode.scp.msg_rules import check_msg
from mcnode.slots.agreement_node import AgreementNode, SurroundedNode

Actions = Sequence[Action[ConsensusValue]]


class CheckedNode(SurroundedNode[AgreementNode]):
    """See `Node`; every call may raise `BugError`."""

    def __init__(self, node: AgreementNode) -> None:
        super().__init__(node)
        self._said: dict[SlotIndex, Msg[ConsensusValue]] = {}
        self._decided: dict[SlotIndex, tuple[ConsensusValue, ...]] = {}

    def propose(self, values: Iterable[ConsensusValue], now: Tick) -> Actions:
        """See `Node`."""
        return self._checked(self._node.slot_index, self._node.propose(values, now))

    def handle(self, msgs: Iterable[Msg[ConsensusValue]], now: Tick) -> Actions:
        """See `Node`."""
        return self._checked(self._node.slot_index, self._node.handle(msgs, now))

    def handle_timers(self, now: Tick) -> Actions:
        """See `Node`."""
        return self._checked(self._node.slot_index, self._node.handle_timers(now))

    def _checked(self, slot_index: SlotIndex, actions: Actions) -> Actions:
        for near in (slot_index - 1, slot_index, slot_index + 1):
            state = self._node.slot_state(near)
            if state is not None:
                check_invariants(state)
        for action in actions:
            match action:
                case Send(msg):
                    self._check_said(msg)
                case Externalize(decided_slot, values):
                    self._check_decided(decided_slot, tuple(values))
        for old in [slot for slot in self._said if slot + 1 < slot_index]:
            del self._said[old]
        for old in [slot for slot in self._decided if slot + 1 < slot_index]:
            del self._decided[old]
        return actions

    def _check_said(self, msg: Msg[ConsensusValue]) -> None:
        """What we say is well formed and takes nothing back."""
        try:
            check_msg(msg)
        except InvalidMsgError as error:
            raise BugError(f"slot {msg.slot_index}: we say {msg.topic}: {error}") from error
        before = self._said.get(msg.slot_index)
        reason = None if before is None else contradiction(before.topic, msg.topic)
        if before is not None and reason is not None:
            raise BugError(
                f"slot {msg.slot_index}: this node {reason}: {before.topic}, then {msg.topic}"
            )
        self._said[msg.slot_index] = msg

    def _check_decided(self, slot_index: SlotIndex, values: tuple[ConsensusValue, ...]) -> None:
        if self._decided.setdefault(slot_index, values) != values:
            raise BugError(f"slot {slot_index} is decided twice, with different values")
