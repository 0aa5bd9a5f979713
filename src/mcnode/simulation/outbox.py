"""What a simulated node sends to one peer: the broadcaster's lane, with callbacks for its tasks."""

import dataclasses
import functools
from collections.abc import Callable, Hashable, Iterator

from mcnode.connection.retry import PEER_BROADCAST
from mcnode.peers.broadcaster import (
    ITEM_LIFETIME_S,
    STATEMENTS_UNDER_WAY_MAX,
    STATEMENTS_WAITING_MAX,
    Lane,
    Waiting,
)
from mcnode.peers.consensus_msg import ConsensusMsg
from mcnode.simulation.net import Event, Timeline


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Parcel(Waiting):
    """A statement in a lane."""

    msg: ConsensusMsg


class Outbox:
    """Calls to one peer, so many at a time as the broadcaster makes."""

    def __init__(
        self,
        timeline: Timeline,
        *,
        transmit: Callable[[ConsensusMsg], int | None],
        local_s: Callable[[], float],
        alive: Callable[[Event], Event],
    ) -> None:
        """`transmit` gives the microseconds that a call takes, None when the peer is not reached;
        `local_s` is the sender's clock; `alive` makes an event one of the sender's present life."""
        self._timeline = timeline
        self._transmit = transmit
        self._local_s = local_s
        self._alive = alive
        self._lane = Lane(STATEMENTS_WAITING_MAX)
        self._ends_us: list[int] = []  # of calls under way that are answered
        self._failed_count = 0  # of those that are tried again
        self._is_waiting = False

    def __len__(self) -> int:
        """Statements that wait."""
        return len(self._lane)

    def put(self, msg: ConsensusMsg) -> None:
        """Send a statement as soon as there is room for a call."""
        key = (msg.scp_msg.sender_id.public_key, msg.scp_msg.slot_index)
        self._lane.put(key, Parcel(msg.payload, self._local_s() + ITEM_LIFETIME_S, msg=msg))
        self._serve()

    def _serve(self) -> None:
        now_us = self._timeline.now_us
        self._ends_us = [end_us for end_us in self._ends_us if end_us > now_us]
        while len(self._lane) and self._has_room():
            key, parcel = self._lane.begin()
            assert isinstance(parcel, Parcel)
            self._attempt(key, parcel, PEER_BROADCAST.delays_s())
        if len(self._lane) and self._ends_us and not self._is_waiting:
            self._is_waiting = True
            self._timeline.after(min(self._ends_us) - now_us, self._alive(self._serve_again))

    def _has_room(self) -> bool:
        return len(self._ends_us) + self._failed_count < STATEMENTS_UNDER_WAY_MAX

    def _serve_again(self) -> None:
        self._is_waiting = False
        self._serve()

    def _attempt(self, key: Hashable, parcel: Parcel, delays_s: Iterator[float]) -> None:
        if self._local_s() < parcel.expires_at:
            took_us = self._transmit(parcel.msg)
            if took_us is not None:
                self._ends_us.append(self._timeline.now_us + took_us)
                self._lane.end(key, parcel)
                return
            delay_s = next(delays_s, None)
            if delay_s is not None and not self._lane.is_outdated(key, parcel):
                self._failed_count += 1
                again = functools.partial(self._attempt_again, key, parcel, delays_s)
                self._timeline.after(int(delay_s * 1e6), self._alive(again))
                return
        self._lane.end(key, parcel)

    def _attempt_again(self, key: Hashable, parcel: Parcel, delays_s: Iterator[float]) -> None:
        self._failed_count -= 1
        self._attempt(key, parcel, delays_s)
        self._serve()
