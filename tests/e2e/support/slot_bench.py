"""One slot under test: its node is number 0, its peers say what the test says."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from mcnode.errors import InvalidError
from mcnode.scp import Ballot, Msg, NodeID, Phase, QuorumSet, SlotState, Timing
from mcnode.scp.invariants import check_invariants
from mcnode.scp.msg_rules import check_msg
from mcnode.scp.slot import Slot
from mcnode.scp.types import (
    Nominate,
    NominatePayload,
    Prepare,
    PreparePayload,
    Topic,
)

SLOT = 7
IDS = [NodeID(f"n{n}:0", n.to_bytes(32)) for n in range(9)]
UPSTREAM_TIMERS = Timing(restart_ballot_timer=False)


def quorum_set(threshold: int, *members: Any) -> QuorumSet[NodeID]:
    return QuorumSet(
        threshold, tuple(IDS[m] if isinstance(m, int) else quorum_set(*m) for m in members)
    )


def ballot(counter: int, values: str) -> Ballot[str]:
    return Ballot(counter, tuple(values))


def nominate(voted: str = "", accepted: str = "") -> Nominate[str]:
    return Nominate(NominatePayload(tuple(voted), tuple(accepted)))


def prepare(
    b: Ballot[str], p: Any = None, pp: Any = None, cn: int = 0, hn: int = 0
) -> Prepare[str]:
    return Prepare(PreparePayload(b, p, pp, cn, hn))


def refuse(bad: str) -> Callable[[str], None]:
    def validate(value: str) -> None:
        if value in bad:
            raise InvalidError(f"{value} is bad")

    return validate


class Bench:
    """The slot of node 0, its peers' quorum sets, and a clock."""

    def __init__(
        self,
        local: QuorumSet[NodeID],
        peers: dict[int, QuorumSet[NodeID]] | None = None,
        *,
        bad: str = "",
        combine: Callable[[Sequence[str]], Sequence[str]] = tuple,
        timing: Timing = UPSTREAM_TIMERS,
        **state: Any,
    ) -> None:
        self.peers = peers or {}
        self.slot: Slot[str] = Slot(
            SLOT, IDS[0], local, validate=refuse(bad), combine=combine, timing=timing
        )
        self.slot.restore(dataclasses.replace(self.slot.state(), **state))
        self.now = 0

    def hear(self, number: int, topic: Topic[str]) -> Topic[str] | None:
        return self.hear_all((number, topic))

    def hear_all(self, *said: tuple[int, Topic[str]]) -> Topic[str] | None:
        return self._checked(self.slot.handle([self.msg(n, topic) for n, topic in said], self.now))

    def msg(self, number: int, topic: Topic[str]) -> Msg[str]:
        return Msg(IDS[number], SLOT, self.peers.get(number, quorum_set(1, 0)), topic)

    def propose(self, values: str) -> Topic[str] | None:
        return self._checked(self.slot.propose(values, self.now))

    def wait(self, ms: int) -> Topic[str] | None:
        self.now += ms
        return self._checked(self.slot.handle_timers(self.now))

    def _checked(self, msg: Msg[str] | None) -> Topic[str] | None:
        check_invariants(self.slot.state())
        if msg is None:
            return None
        check_msg(msg)
        assert (msg.sender_id, msg.slot_index) == (IDS[0], SLOT)
        assert msg.quorum_set is self.slot.quorum_set
        return msg.topic

    @property
    def state(self) -> SlotState[str]:
        return self.slot.state()


ONE_OF_ONE = quorum_set(1, 1)
TWO_OF_TWO = quorum_set(2, 1, 2)
DENSE = {n: quorum_set(2, *(m for m in range(3) if m != n)) for n in (1, 2)}
MESH = {n: quorum_set(2, *(m for m in range(4) if m != n)) for n in (1, 2, 3)}
TWO_OF_THREE = quorum_set(2, 1, 2, 3)


def dense(**state: Any) -> Bench:
    return Bench(TWO_OF_TWO, DENSE, **state)


def mesh(**state: Any) -> Bench:
    return Bench(TWO_OF_THREE, MESH, **state)


VOTING: dict[str, Any] = {
    "ballot": ballot(3, "x"),
    "prepared": ballot(3, "x"),
    "high": ballot(3, "x"),
    "commit": ballot(1, "x"),
    "phase": Phase.PREPARE,
}
COMMITTING: dict[str, Any] = {**VOTING, "commit": ballot(2, "x"), "phase": Phase.COMMIT}
