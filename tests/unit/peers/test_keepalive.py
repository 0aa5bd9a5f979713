"""Silent peers are asked, not too often, and what they say is taken like any statement."""

import asyncio
import itertools

import pytest
import structlog

from mcnode.errors import InvalidError, UnavailableError
from mcnode.peers.errors import PeerAttestationFailed
from mcnode.peers.keepalive import ASK_AGAIN_S, LOOK_AROUND_S, SILENCE_S, PeerKeepalive

pytestmark = pytest.mark.asyncio


class World:
    """Two peers, a clock, and what was asked and taken."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.asked: list[str] = []
        self.asked_at: dict[str, list[float]] = {}
        self.taken: list[tuple[bytes, str]] = []
        self.answers: dict[str, bytes | Exception] = {"p:1": b"statement", "q:1": b""}
        self.refusal: Exception | None = None
        self.turns = 0
        self.keepalive = PeerKeepalive(
            [Peer(name, self) for name in self.answers],
            take=self.take,
            clock=lambda: self.now,
            sleep=self.sleep,
        )

    async def take(self, payload: bytes, source: str) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.taken.append((payload, source))

    async def sleep(self, delay_s: float) -> None:
        """Move the clock, as often as `turns` says."""
        assert delay_s == LOOK_AROUND_S
        for _ in range(20):
            await asyncio.sleep(0)
        if self.turns == 0:
            raise asyncio.CancelledError
        self.turns -= 1
        self.now += delay_s

    async def run(self, seconds: int) -> None:
        self.turns = seconds
        with pytest.raises(asyncio.CancelledError):
            await self.keepalive.run()


class Peer:
    def __init__(self, name: str, world: World) -> None:
        self.responder_id = name
        self.world = world

    async def fetch_latest_msg(self) -> bytes:
        self.world.asked.append(self.responder_id)
        self.world.asked_at.setdefault(self.responder_id, []).append(self.world.now)
        answer = self.world.answers[self.responder_id]
        if isinstance(answer, Exception):
            raise answer
        return answer


async def test_at_start_everybody_is_asked_at_once() -> None:
    world = World()
    await world.run(0)
    assert world.asked == ["p:1", "q:1"]
    assert world.taken == [(b"statement", "p:1")]  # an empty answer is none


async def test_an_answer_counts_as_heard_also_an_empty_one() -> None:
    world = World()
    await world.run(int(SILENCE_S))
    assert world.asked == ["p:1", "q:1"]
    await world.run(2)
    assert world.asked == ["p:1", "q:1"] * 2


async def test_who_speaks_is_not_asked() -> None:
    world = World()
    world.keepalive.heard_from("p:1")
    world.keepalive.heard_from("stranger:1")
    assert world.keepalive.silent_peers() == ["q:1"]
    world.now += SILENCE_S
    assert world.keepalive.silent_peers() == ["q:1"]
    world.now += 0.1
    assert world.keepalive.silent_peers() == ["p:1", "q:1"]


async def test_who_has_never_answered_is_asked_ever_more_rarely() -> None:
    world = World()
    world.answers["p:1"] = UnavailableError("away")
    world.keepalive.heard_from("q:1")
    with structlog.testing.capture_logs() as logs:
        await world.run(60)
    gaps = [later - earlier for earlier, later in itertools.pairwise(world.asked_at["p:1"])]
    assert gaps == [2, 3, 5, 9, 11, 11, 11]  # at the next look after 1, 2, 4, 8, 10 s
    assert {entry["error"] for entry in logs} == {"away"}


async def test_who_has_gone_away_is_asked_every_ten_seconds() -> None:
    world = World()
    await world.run(0)
    world.answers["p:1"] = UnavailableError("away")
    await world.run(int(SILENCE_S + 3 * ASK_AGAIN_S))
    gaps = [later - earlier for earlier, later in itertools.pairwise(world.asked_at["p:1"])]
    assert gaps == [SILENCE_S + 1, ASK_AGAIN_S + 1, ASK_AGAIN_S + 1]


async def test_no_session_is_more_than_no_answer() -> None:
    world = World()
    world.answers["p:1"] = PeerAttestationFailed("p:1", "another configuration")
    with structlog.testing.capture_logs() as logs:
        await world.run(0)
    assert [entry["log_level"] for entry in logs] == ["warning"]


async def test_a_statement_that_does_not_verify_is_dropped_and_logged() -> None:
    world = World()
    world.refusal = InvalidError("not signed by its author")
    with structlog.testing.capture_logs() as logs:
        await world.run(0)
    assert [(entry["log_level"], entry["peer"]) for entry in logs] == [("error", "p:1")]
