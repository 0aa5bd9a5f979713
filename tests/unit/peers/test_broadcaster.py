"""Lanes to peers: order, replacement, expiry, retries; time and sleep are the test's."""

import asyncio
import contextlib

import pytest
import structlog

from mcnode.connection.retry import Fixed
from mcnode.errors import BugError, InvalidError, UnavailableError
from mcnode.peers import broadcaster
from mcnode.peers.broadcaster import (
    ITEM_LIFETIME_S,
    STATEMENTS_UNDER_WAY_MAX,
    TX_BYTES_PER_CALL_MAX,
    TXS_PER_CALL_MAX,
    Broadcaster,
)

pytestmark = pytest.mark.asyncio

A, B = b"A" * 32, b"B" * 32
AAD = b"aad"


class Peer:
    """Takes things, one after another, when it may; raises `errors` first."""

    def __init__(self, name: str, world: "World") -> None:
        self.responder_id = name
        self.world = world
        self.errors: list[Exception] = []
        self.attempts: list[object] = []
        self.taken: list[object] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def send_consensus_msg(self, payload: bytes) -> None:
        await self._take(payload)

    async def propose_txs(self, encrypted_txs, aad: bytes) -> None:
        await self._take((tuple(encrypted_txs), aad))

    async def _take(self, item: object) -> None:
        self.attempts.append(item)
        await self.world.changed()
        await self.may_answer.wait()
        if self.errors:
            raise self.errors.pop(0)
        self.taken.append(item)
        await self.world.changed()


class World:
    """Two peers, a clock that stands still, and sleeps that move it."""

    def __init__(self, retries: int = 2) -> None:
        self.now = 100.0
        self.slept: list[float] = []
        self.on_sleep = lambda: None
        self.condition = asyncio.Condition()
        self.peers = [Peer("p:1", self), Peer("q:1", self)]
        self.broadcaster = Broadcaster(
            self.peers,
            clock=lambda: self.now,
            retry=Fixed(1.0, retries),
            sleep=self.sleep,
        )

    async def sleep(self, delay_s: float) -> None:
        self.slept.append(delay_s)
        self.now += delay_s
        self.on_sleep()
        await asyncio.sleep(0)

    async def changed(self) -> None:
        async with self.condition:
            self.condition.notify_all()

    async def until(self, is_there) -> None:
        async with asyncio.timeout(20), self.condition:
            await self.condition.wait_for(is_there)

    def say(self, payload: bytes, author: bytes = A, slot: int = 1, **arguments) -> None:
        self.broadcaster.send_statement(payload, author=author, slot_index=slot, **arguments)

    def push(self, number: int, payload: bytes = b"tx", aad: bytes = AAD, exclude=()) -> None:
        self.broadcaster.send_tx(number.to_bytes(32), payload, aad, exclude=exclude)


@contextlib.asynccontextmanager
async def running(world: World):
    task = asyncio.create_task(world.broadcaster.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


async def settle() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


# -- statements ------------------------------------------------------------------------------------


async def test_statements_go_to_all_or_to_some() -> None:
    world = World()
    assert world.broadcaster.peer_names == ("p:1", "q:1")
    world.say(b"1")
    world.say(b"2", author=B, recipients=["q:1", "stranger:1"])
    async with running(world):
        await world.until(lambda: world.peers[1].taken == [b"1", b"2"])
        await world.until(lambda: world.peers[0].taken == [b"1"])


async def test_what_waits_is_replaced_by_what_is_newer() -> None:
    world = World()
    world.say(b"old")
    world.say(b"another slot", slot=2)
    world.say(b"another author", author=B)
    world.say(b"new")
    async with running(world):
        expected = [b"another slot", b"another author", b"new"]
        await world.until(lambda: world.peers[0].taken == expected)


async def test_a_peer_that_fails_is_tried_three_times_and_the_others_do_not_wait() -> None:
    world = World()
    bad, good = world.peers
    bad.errors = [UnavailableError("away")] * 3
    with structlog.testing.capture_logs() as logs:
        async with running(world):
            world.say(b"1")
            await world.until(lambda: good.taken == [b"1"])
            await world.until(lambda: len(bad.attempts) == 3)
            await settle()
            assert bad.taken == []
            bad.errors = [InvalidError("refused")]
            world.say(b"2")
            await world.until(lambda: bad.taken == [b"2"])
            assert len(bad.attempts) == 5
            assert good.taken == [b"1", b"2"]
    assert world.slept == [1.0] * 3
    assert [entry["error"] for entry in logs] == ["away"] * 3 + ["refused"]


@pytest.mark.parametrize("under_way_max", [1, 2])
async def test_no_second_attempt_when_there_is_something_newer(monkeypatch, under_way_max) -> None:
    """Be it under way beside the older one, or waiting for its end."""
    monkeypatch.setattr(broadcaster, "STATEMENTS_UNDER_WAY_MAX", under_way_max)
    world = World()
    bad, _ = world.peers
    bad.errors = [UnavailableError("away")]
    bad.may_answer.clear()
    async with running(world):
        world.say(b"old")
        await world.until(lambda: bad.attempts == [b"old"])
        world.say(b"new")
        await settle()
        assert len(bad.attempts) == under_way_max
        bad.may_answer.set()
        await world.until(lambda: bad.taken == [b"new"])
        await settle()
    assert bad.attempts == [b"old", b"new"]
    assert world.slept == []


async def test_so_many_statements_are_under_way_to_a_peer() -> None:
    world = World()
    slow, quick = world.peers
    slow.may_answer.clear()
    count = STATEMENTS_UNDER_WAY_MAX + 3
    payloads = [b"%d" % slot for slot in range(count)]
    async with running(world):
        for slot, payload in enumerate(payloads):
            world.say(payload, slot=slot)
        await world.until(lambda: quick.taken == payloads)
        assert slow.attempts == payloads[:STATEMENTS_UNDER_WAY_MAX]
        slow.may_answer.set()
        await world.until(lambda: sorted(slow.taken) == sorted(payloads))


async def test_what_waited_too_long_is_dropped(monkeypatch) -> None:
    monkeypatch.setattr(broadcaster, "STATEMENTS_UNDER_WAY_MAX", 1)
    world = World()
    peer, _ = world.peers
    peer.may_answer.clear()
    async with running(world):
        world.say(b"first")
        await world.until(lambda: peer.attempts == [b"first"])
        world.say(b"second", slot=2)
        world.now += ITEM_LIFETIME_S
        world.say(b"third", slot=3)
        peer.may_answer.set()
        await world.until(lambda: peer.taken == [b"first", b"third"])


async def test_retries_end_with_the_items_life() -> None:
    world = World(retries=1000)
    peer, _ = world.peers
    peer.errors = [UnavailableError("away")] * 1000
    async with running(world):
        world.say(b"1")
        await world.until(lambda: len(peer.attempts) >= ITEM_LIFETIME_S)
        await settle()
    assert len(peer.attempts) == ITEM_LIFETIME_S


async def test_the_oldest_go_when_too_much_waits(monkeypatch) -> None:
    monkeypatch.setattr(broadcaster, "STATEMENTS_WAITING_MAX", 3)
    monkeypatch.setattr(broadcaster, "LANE_BYTES_MAX", 100)
    world = World()
    for slot in range(5):
        world.say(b"%d" % slot, slot=slot)
    async with running(world):
        await world.until(lambda: world.peers[0].taken == [b"2", b"3", b"4"])
    world = World()
    for slot, size in enumerate((50, 40, 30)):
        world.say(bytes([slot]) * size, slot=slot)
    world.say(bytes(101), slot=9, recipients=["q:1"])
    async with running(world):
        expected = [b"\1" * 40, b"\2" * 30]
        await world.until(lambda: world.peers[0].taken == expected)
        await settle()
        assert world.peers[1].taken == []


async def test_a_bug_ends_the_broadcaster() -> None:
    world = World()
    world.peers[0].errors = [BugError("ours")]
    world.say(b"1")
    async with running(world) as task:
        await asyncio.wait([task], timeout=20)
        assert isinstance(task.exception(), ExceptionGroup)


# -- transactions ----------------------------------------------------------------------------------


async def test_transactions_that_wait_together_travel_together() -> None:
    world = World()
    for number in range(TXS_PER_CALL_MAX + 2):
        world.push(number, b"%d" % number)
    async with running(world):
        await world.until(lambda: len(world.peers[0].taken) == 2)
    [(first, aad), (second, _)] = world.peers[0].taken
    assert first == tuple(b"%d" % number for number in range(TXS_PER_CALL_MAX))
    assert second == (b"64", b"65")
    assert aad == AAD


async def test_only_those_of_one_origin_share_a_call() -> None:
    world = World()
    for number, aad in enumerate((b"x", b"x", b"y", b"x")):
        world.push(number, b"%d" % number, aad)
    async with running(world):
        await world.until(lambda: len(world.peers[0].taken) == 3)
    assert world.peers[0].taken == [((b"0", b"1"), b"x"), ((b"2",), b"y"), ((b"3",), b"x")]


async def test_a_call_has_a_size() -> None:
    world = World()
    half = bytes(TX_BYTES_PER_CALL_MAX // 2)
    for number in range(3):
        world.push(number, half)
    async with running(world):
        await world.until(lambda: len(world.peers[0].taken) == 2)
    assert [len(txs) for txs, _ in world.peers[0].taken] == [2, 1]


async def test_origin_and_relayer_are_left_out() -> None:
    world = World()
    world.push(1, exclude=["p:1", "stranger:1"])
    async with running(world):
        await world.until(lambda: len(world.peers[1].taken) == 1)
        await settle()
        assert world.peers[0].attempts == []


async def test_statements_do_not_wait_behind_transactions() -> None:
    world = World()
    peer, _ = world.peers
    slow = asyncio.Event()

    async def propose(txs, aad) -> None:
        await slow.wait()

    peer.propose_txs = propose
    async with running(world):
        world.push(1)
        await settle()
        world.say(b"statement")
        await world.until(lambda: peer.taken == [b"statement"])
