"""Asking silent peers what they said last. [docs/protocol/service.md#12.7]

A peer that has said nothing for a while may have nothing to say, or its statements do not reach us.
At start every peer counts as silent: what they said last tells a node that was away how far the
network has gone, without waiting for the next block.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Protocol

import structlog

from mcnode.errors import InvalidError, UnavailableError
from mcnode.peers.errors import PeerAttestationFailed

SILENCE_S = 30.0
"""A peer that was not heard from for longer is asked."""
ASK_AGAIN_S = 10.0
"""A silent peer is asked no more often than that."""
FIRST_CONTACT_S = 1.0
"""A peer that never answered yet, as when all nodes start together, is asked again after this, then
twice this, and so on up to `ASK_AGAIN_S`."""
LOOK_AROUND_S = 1.0

log = structlog.get_logger("mcnode.peers.keepalive")


class AskedPeer(Protocol):
    """What keepalive needs of a connection."""

    @property
    def responder_id(self) -> str:
        """`host:port` of the peer."""
        ...

    async def fetch_latest_msg(self) -> bytes:
        """Its highest statement, empty if none."""
        ...


class PeerKeepalive:
    """Knows when each peer was last heard from, and asks the silent ones."""

    def __init__(
        self,
        peers: Iterable[AskedPeer],
        *,
        take: Callable[[bytes, str], Awaitable[None]],
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._peers: Mapping[str, AskedPeer] = {p.responder_id: p for p in peers}
        self._take = take
        self._clock = clock
        self._sleep = sleep
        self._heard_at: dict[str, float] = {}
        self._asked_at: dict[str, float] = {}
        self._unanswered: dict[str, int] = {}

    def heard_from(self, responder_id: str) -> None:
        """A statement came from this peer."""
        if responder_id in self._peers:
            self._heard_at[responder_id] = self._clock()
            self._unanswered.pop(responder_id, None)

    def silent_peers(self) -> list[str]:
        """Those to be asked now."""
        now = self._clock()
        return [
            name
            for name in self._peers
            if _is_past(self._heard_at.get(name), SILENCE_S, now)
            and _is_past(self._asked_at.get(name), self._patience_s(name), now)
        ]

    def _patience_s(self, name: str) -> float:
        if name in self._heard_at:
            return ASK_AGAIN_S
        return min(ASK_AGAIN_S, FIRST_CONTACT_S * 2.0 ** (self._unanswered.get(name, 1) - 1))

    async def run(self) -> None:
        """Ask until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                for name in self.silent_peers():
                    self._asked_at[name] = self._clock()
                    self._unanswered[name] = self._unanswered.get(name, 0) + 1
                    group.create_task(self.ask(name))
                await self._sleep(LOOK_AROUND_S)

    async def ask(self, responder_id: str) -> None:
        """Ask one peer; a failure is logged and left to the next time."""
        try:
            payload = await self._peers[responder_id].fetch_latest_msg()
            self.heard_from(responder_id)
            if payload:
                await self._take(payload, responder_id)
        except PeerAttestationFailed as error:
            log.warning("no attested session with peer", peer=responder_id, error=str(error))
        except UnavailableError as error:
            log.info("failed checking with silent node", peer=responder_id, error=str(error))
        except InvalidError as error:
            log.error("silent node's statement dropped", peer=responder_id, error=str(error))


def _is_past(moment: float | None, distance_s: float, now: float) -> bool:
    return moment is None or now - moment > distance_s
