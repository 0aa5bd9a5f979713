"""The node of the agreement protocol as the application sees it, and what stands around one."""

from collections.abc import Iterable, Sequence
from typing import Generic, Protocol, TypeVar

from mcnode.peers.consensus_value import ConsensusValue
from mcnode.scp import Action, Msg, NodeID, QuorumSet, SlotIndex, SlotMetrics, SlotState, Tick


class AgreementNode(Protocol):
    """The agreement protocol: `mcnode.scp.Node`, or that with others around it."""

    def propose(
        self, values: Iterable[ConsensusValue], now: Tick
    ) -> Sequence[Action[ConsensusValue]]:
        """Offer values for the current slot."""
        ...

    def handle(
        self, msgs: Iterable[Msg[ConsensusValue]], now: Tick
    ) -> Sequence[Action[ConsensusValue]]:
        """Take in statements."""
        ...

    def handle_timers(self, now: Tick) -> Sequence[Action[ConsensusValue]]:
        """Do what is due."""
        ...

    def reset_slot_index(self, slot_index: SlotIndex) -> Sequence[Action[ConsensusValue]]:
        """Leap to a later slot."""
        ...

    @property
    def local_id(self) -> NodeID:
        """Who we are."""
        ...

    @property
    def quorum_set(self) -> QuorumSet[NodeID]:
        """Whom we trust."""
        ...

    @property
    def slot_index(self) -> SlotIndex:
        """The slot being agreed on."""
        ...

    @property
    def next_deadline(self) -> Tick | None:
        """When `handle_timers` has something to do: at any tick after this one."""
        ...

    def metrics(self) -> SlotMetrics:
        """Figures of the current slot."""
        ...

    def slot_state(self, slot_index: SlotIndex) -> SlotState[ConsensusValue] | None:
        """All that a slot holds."""
        ...


InnerNode = TypeVar("InnerNode", bound=AgreementNode)


class SurroundedNode(Generic[InnerNode]):
    """Passes everything on to a node; who looks at what goes through overrides that call."""

    def __init__(self, node: InnerNode) -> None:
        self._node = node

    def propose(
        self, values: Iterable[ConsensusValue], now: Tick
    ) -> Sequence[Action[ConsensusValue]]:
        """See `Node`."""
        return self._node.propose(values, now)

    def handle(
        self, msgs: Iterable[Msg[ConsensusValue]], now: Tick
    ) -> Sequence[Action[ConsensusValue]]:
        """See `Node`."""
        return self._node.handle(msgs, now)

    def handle_timers(self, now: Tick) -> Sequence[Action[ConsensusValue]]:
        """See `Node`."""
        return self._node.handle_timers(now)

    def reset_slot_index(self, slot_index: SlotIndex) -> Sequence[Action[ConsensusValue]]:
        """See `Node`."""
        return self._node.reset_slot_index(slot_index)

    @property
    def local_id(self) -> NodeID:
        """See `Node`."""
        return self._node.local_id

    @property
    def quorum_set(self) -> QuorumSet[NodeID]:
        """See `Node`."""
        return self._node.quorum_set

    @property
    def slot_index(self) -> SlotIndex:
        """See `Node`."""
        return self._node.slot_index

    @property
    def next_deadline(self) -> Tick | None:
        """See `Node`."""
        return self._node.next_deadline

    def metrics(self) -> SlotMetrics:
        """See `Node`."""
        return self._node.metrics()

    def slot_state(self, slot_index: SlotIndex) -> SlotState[ConsensusValue] | None:
        """See `Node`."""
        return self._node.slot_state(slot_index)
