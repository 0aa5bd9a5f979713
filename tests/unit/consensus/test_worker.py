"""The worker: events in, actions performed in order, faults end it."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Sequence

import pytest
import structlog

from mcnode.consensus.actions import Report
from mcnode.consensus.events import Proposed, Received, ReceivedCopy, SyncFinished, TxsFetched
from mcnode.consensus.missing_txs import FETCH_GRACE_S
from mcnode.consensus.pending_values import PENDING_VALUES_MAX
from mcnode.consensus.state_dump import has_bug, state_dump
from mcnode.consensus.sync_state import GRACE_PERIOD_FAR_S
from mcnode.consensus.worker import EVENTS_MAX, ConsensusWorker
from mcnode.enclave.errors import EnclaveGoneError
from mcnode.errors import BugError, InvalidError, UnavailableError
from mcnode.ledger.errors import DiskFull, InvalidBlockIndex, LedgerExists, ReadOnlyLedger
from mcnode.ledger.sync.errors import NoSafeBlocks

pytestmark = pytest.mark.asyncio


class Ports:
    """Does what the worker wants, in the world's ledger, and writes it down."""

    def __init__(self, world) -> None:
        self.world = world
        self.calls: list[tuple] = []
        self.changed = asyncio.Condition()
        self.may_complete = asyncio.Event()
        self.may_complete.set()
        self.error: Exception | None = None
        self.fetched: Callable[[], Sequence[bytes]] = list

    async def note(self, *call: object) -> None:
        self.calls.append(call)
        async with self.changed:
            self.changed.notify_all()

    async def until(self, is_there: Callable[[], bool]) -> None:
        async with asyncio.timeout(20), self.changed:
            await self.changed.wait_for(is_there)

    def names(self) -> list[str]:
        return [call[0] for call in self.calls]

    async def broadcast(self, scp_msg, prev_block_id) -> None:
        await self.note("broadcast", scp_msg, prev_block_id)

    async def relay(self, msg, recipients) -> None:
        await self.note("relay", msg, tuple(recipients))

    async def fetch_txs(self, peer, tx_hashes):
        await self.note("fetch", peer, tuple(tx_hashes))
        return self.fetched()

    async def complete_slot(self, values):
        await self.note("complete", tuple(values))
        await self.may_complete.wait()
        if self.error is not None:
            raise self.error
        self.world.ledger.append(values)
        return "block data"

    async def sync_ledger(self, blocks_max) -> None:
        await self.note("sync", blocks_max)
        if self.error is not None:
            raise self.error
        while self.world.ledger.num_blocks() < 6:
            self.world.ledger.append([])

    def slot_completed(self, block_data, value_count, waited_s) -> None:
        self.calls.append(("completed", block_data, value_count, list(waited_s)))

    def report(self, report) -> None:
        self.calls.append(("report", report))


@contextlib.asynccontextmanager
async def running(world):
    """A worker on the world's core and clock, and its ports."""
    ports = Ports(world)
    worker = ConsensusWorker(world.core, ports, lambda: world.now)
    task = asyncio.create_task(worker.run())
    try:
        yield worker, ports, task
    finally:
        task.cancel()
        await asyncio.wait([task])


def received(msg) -> Received:
    return Received(msg, msg.scp_msg.sender_id.responder_id)


async def settle() -> None:
    """Let the worker do all that it can do now. Nothing here leaves the loop, so turns suffice."""
    for _ in range(50):
        await asyncio.sleep(0)


async def failure(task) -> BaseException:
    """What ended the worker, out of its groups."""
    await asyncio.wait([task], timeout=20)
    error: BaseException = task.exception()
    while isinstance(error, BaseExceptionGroup):
        [error] = error.exceptions
    return error


# -- order -----------------------------------------------------------------------------------------


async def test_a_block_is_on_disk_before_it_is_spoken_of(make_world) -> None:
    world = make_world(threshold=0, peers=())
    async with running(world) as (worker, ports, _):
        ports.may_complete.clear()
        await worker.post(Proposed((world.value(1),), 990.0))
        await ports.until(lambda: "complete" in ports.names())
        await worker.post(Proposed((world.value(2),), None))
        await settle()
        assert ports.names() == ["complete"]

        world.values.invalid.add(world.value(1))
        ports.may_complete.set()
        await ports.until(lambda: ports.names().count("broadcast") == 2)
        assert ports.names() == ["complete", "completed", "broadcast"] * 2
        assert ports.calls[1] == ("completed", "block data", 1, [10.0])
        assert ports.calls[4] == ("completed", "block data", 1, [])


async def test_statements_are_passed_on_and_what_is_left_out_is_reported(world) -> None:
    async with running(world) as (worker, ports, _):
        await worker.post(received(world.nominate(2, 1)))
        await ports.until(lambda: "relay" in ports.names())
        await worker.post(
            received(world.msg(3, world.nominate(3, 1).scp_msg.topic, prev=bytes(32)))
        )
        await worker.post(received(world.nominate(4, 1)))
        await ports.until(lambda: ports.names().count("relay") == 2)
        [(_, report)] = [call for call in ports.calls if call[0] == "report"]
        assert isinstance(report, Report)
        assert report.is_other_chain


async def test_figures_are_those_of_the_core(world) -> None:
    async with running(world) as (worker, _, _):
        assert worker.events_waiting() == 0
        assert worker.pending_count() == 0
        assert not worker.is_behind()
        assert worker.snapshot() == world.core.snapshot()


# -- tasks whose outcome comes back ----------------------------------------------------------------


async def test_fetched_transactions_let_a_statement_go_on(world) -> None:
    world.values.absent.add(world.value(9))
    async with running(world) as (worker, ports, _):
        await worker.post(received(world.nominate(2, 9)))
        await settle()
        world.now += FETCH_GRACE_S
        ports.fetched = lambda: world.values.absent.clear() or []
        await worker.post(ReceivedCopy(bytes(32), 3, "node3.test:8443"))
        await ports.until(lambda: "fetch" in ports.names())
        await ports.until(lambda: "relay" in ports.names())
        assert ports.calls[0] == ("fetch", "node2.test:8443", (world.value(9).content,))


@pytest.mark.parametrize("error", [UnavailableError("away"), InvalidError("nonsense")])
async def test_a_failed_fetch_counts_as_all_missing(world, error) -> None:
    world.values.absent.add(world.value(9))
    msg = world.nominate(4, 9)

    def fail():
        raise error

    async with running(world) as (worker, ports, _):
        ports.fetched = fail
        await worker.post(Received(msg, "node2.test:8443"))
        await settle()
        world.now += FETCH_GRACE_S
        await worker.post(TxsFetched("nobody:1", ()))
        await ports.until(lambda: ports.names() == ["fetch"])
        await worker.post(ReceivedCopy(msg.scp_msg.sender_id.public_key, 3, "node3.test:8443"))
        await ports.until(lambda: ports.names() == ["fetch", "fetch"])
        assert ports.calls[1][1] == "node3.test:8443"


async def go_behind(world, worker, ports) -> None:
    for author in (2, 3):
        await worker.post(received(world.externalize(author, 1, slot=5)))
    await worker.post(SyncFinished(False))
    await settle()
    world.now += GRACE_PERIOD_FAR_S + 0.1
    await worker.post(TxsFetched("nobody:1", ()))
    await ports.until(lambda: "sync" in ports.names())


async def test_catching_up_brings_the_node_level(world) -> None:
    async with running(world) as (worker, ports, _):
        await go_behind(world, worker, ports)
        await settle()
        assert world.core.snapshot().slot_index == 6
        assert not worker.is_behind()


@pytest.mark.parametrize("error", [NoSafeBlocks("nobody agrees"), InvalidBlockIndex(4, 3)])
async def test_a_failed_catch_up_is_tried_again(world, error) -> None:
    async with running(world) as (worker, ports, task):
        ports.error = error
        await go_behind(world, worker, ports)
        await settle()
        world.now += 5.0
        await worker.post(TxsFetched("nobody:1", ()))
        await ports.until(lambda: ports.names() == ["sync", "sync"])
        assert not task.done()


# -- faults ----------------------------------------------------------------------------------------


async def test_values_beyond_the_limit_do_not_end_the_worker(world) -> None:
    async with running(world) as (worker, _, task):
        world.core.propose(map(world.value, range(PENDING_VALUES_MAX)), None)
        with structlog.testing.capture_logs() as logs:
            await worker.post(Proposed((world.value(PENDING_VALUES_MAX),), None))
            await settle()
        assert not task.done()
        assert [entry["event"] for entry in logs] == ["values refused"]


@pytest.mark.parametrize(
    "error", [DiskFull("disk full"), EnclaveGoneError("gone"), ReadOnlyLedger("read-only now")]
)
async def test_what_an_operator_must_mend_ends_the_worker_as_it_is(make_world, error) -> None:
    world = make_world(threshold=0, peers=())
    with structlog.testing.capture_logs() as logs:
        async with running(world) as (worker, ports, task):
            ports.error = error
            await worker.post(Proposed((world.value(1),), None))
            assert await failure(task) is error
            assert ports.names() == ["complete"]  # and nothing is said
    assert logs == []


async def test_a_block_that_cannot_be_made_is_a_bug_and_leaves_the_state_in_the_log(
    make_world,
) -> None:
    world = make_world(threshold=0, peers=())
    with structlog.testing.capture_logs() as logs:
        async with running(world) as (worker, ports, task):
            ports.error = InvalidBlockIndex(4, 3)
            await worker.post(Proposed((world.value(1),), None))
            error = await failure(task)
    assert isinstance(error, BugError)
    assert "slot 3" in str(error)
    assert "block index is 4, next is 3" in str(error)
    [entry] = logs
    assert entry["log_level"] == "critical"
    assert entry["slot_index"] == 3
    assert entry["pending_values"] == 1
    states = [json.loads(text) for text in entry["slot_states"]]
    assert [state["slot_index"] for state in states] == [3, 4]
    assert states[0]["phase"] == "Externalize"


async def test_a_bug_in_a_fetch_ends_the_worker(world) -> None:
    def fail():
        raise KeyError("oops")

    world.values.absent.add(world.value(9))
    async with running(world) as (worker, ports, task):
        ports.fetched = fail
        await worker.post(received(world.nominate(2, 9)))
        await settle()
        world.now += FETCH_GRACE_S
        await worker.post(TxsFetched("nobody:1", ()))
        with structlog.testing.capture_logs() as logs:
            assert isinstance(await failure(task), KeyError)
        assert [entry["log_level"] for entry in logs] == ["critical"]


async def test_a_full_disk_while_catching_up_ends_the_worker(world) -> None:
    async with running(world) as (worker, ports, task):
        ports.error = DiskFull("disk full")
        await go_behind(world, worker, ports)
        assert isinstance(await failure(task), DiskFull)


async def test_a_cancelled_worker_ends_at_once_also_within_a_block(make_world) -> None:
    world = make_world(threshold=0, peers=())
    async with running(world) as (worker, ports, task):
        ports.may_complete.clear()
        await worker.post(Proposed((world.value(1),), None))
        await ports.until(lambda: ports.names() == ["complete"])
        task.cancel()
        await asyncio.wait([task], timeout=20)
        assert task.cancelled()
        assert ports.names() == ["complete"]


async def test_callers_wait_when_the_queue_is_full(world) -> None:
    worker = ConsensusWorker(world.core, Ports(world), lambda: world.now)
    for _ in range(EVENTS_MAX):
        await worker.post(TxsFetched("nobody:1", ()))
    waiting = asyncio.create_task(worker.post(TxsFetched("nobody:1", ())))
    await asyncio.sleep(0)
    assert not waiting.done()
    assert worker.events_waiting() == EVENTS_MAX
    running_task = asyncio.create_task(worker.run())
    await asyncio.wait_for(waiting, 20)
    running_task.cancel()
    await asyncio.wait([running_task])


# -- what counts as a bug --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (BugError("x"), True),
        (KeyError("x"), True),
        (LedgerExists("x"), False),
        (DiskFull("x"), False),
        (asyncio.CancelledError(), False),
        (BaseExceptionGroup("g", [DiskFull("x"), BaseExceptionGroup("h", [KeyError()])]), True),
        (ExceptionGroup("g", [DiskFull("x"), LedgerExists("y")]), False),
    ],
)
async def test_bugs_are_told_from_the_rest(error, expected) -> None:
    assert has_bug(error) is expected


async def test_a_state_that_cannot_be_told_does_not_hide_the_fault(world) -> None:
    del world.core._node
    assert state_dump(world.core) == {
        "no_state": "AttributeError: 'ByzantineLedger' object has no attribute '_node'"
    }
