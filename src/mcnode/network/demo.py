"""The whole story in one go, each step checked: what `make run` shows."""

import asyncio
import dataclasses
import os
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

from mcnode.blockchain.signature import check_block_signature
from mcnode.connection.errors import TxRefused
from mcnode.errors import McNodeError, UnavailableError
from mcnode.ledger.db import LedgerDB
from mcnode.network.local import LocalNetwork, create_network
from mcnode.network.processes import ProcessFailed, signals_wait
from mcnode.wallet.settings import WalletSettings
from mcnode.wallet.wallet import Wallet

TOPOLOGY = "dense5"
CRASHED_NODE = "4"
FIRST_PAYMENT = 25 * 10**12
SECOND_PAYMENT = 7 * 10**12
"""In picoMOB."""
STEP_TIMEOUT_S = 60.0
_POLL_S = 0.02
_DOUBLE_SPEND = "ContainsSpentKeyImage"

Show = Callable[[str], object]


class DemoFailed(McNodeError):
    """Something that must hold does not."""


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """One line of the table."""

    title: str
    held: bool
    seconds: float
    remark: str


@dataclasses.dataclass(slots=True)
class Verdict:
    """What came out."""

    directory: Path
    steps: list[Step] = dataclasses.field(default_factory=list)
    left_running: list[str] = dataclasses.field(default_factory=list)
    cold_start_to_first_payment_s: float | None = None
    finality_s: float | None = None

    @property
    def held(self) -> bool:
        """Whether every step held and nothing was left running."""
        return bool(self.steps) and all(s.held for s in self.steps) and not self.left_running

    def line(self) -> str:
        """The verdict in one line."""
        if self.held:
            return f"VERDICT: all {len(self.steps)} steps held"
        if self.left_running:
            return f"VERDICT: FAILED: still running: {', '.join(self.left_running)}"
        failed = next((s for s in self.steps if not s.held), None)
        if failed is None:
            return "VERDICT: FAILED"
        reason, _, _ = failed.remark.partition("\n")
        return f"VERDICT: FAILED at: {failed.title}: {reason}"

    def to_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "held": self.held,
            "verdict": self.line(),
            "cold_start_to_first_payment_s": self.cold_start_to_first_payment_s,
            "finality_on_all_nodes_s": self.finality_s,
            "steps": [dataclasses.asdict(step) for step in self.steps],
            "left_running": self.left_running,
            "directory": str(self.directory),
        }


def _quiet(_: str) -> None:
    """Nobody looks."""


def run_demo(
    directory: Path | None, *, keep: bool, show: Show | None, begin: Show | None = None
) -> Verdict:
    """Run it in `directory`, which must not hold a network, or in a temporary one.

    Everything is stopped at the end, whatever happened; the files stay if `keep` or if a step
    failed. `show` gets the table line by line, `begin` what each line will be about. When
    interrupted, nothing stays, unless `keep`.
    """
    place = directory or Path(tempfile.mkdtemp(prefix="mcnode-demo-"))
    verdict = Verdict(place)
    demo = Demo(place / "network", verdict, show or _quiet, begin or _quiet)
    try:
        asyncio.run(demo.run())
        demo.stop()
    except BaseException:
        with signals_wait():
            demo.show("\nstopping all nodes")
            demo.stop()
            if not keep and (directory is None or demo.has_files):
                _remove(place, directory)
        raise
    with signals_wait():
        demo.show("")
        demo.show(verdict.line())
        if demo.has_files and (keep or not verdict.held):
            demo.show(f"files (ledgers, logs, archives) are in {place}")
        elif demo.has_files or directory is None:
            _remove(place, directory)
    return verdict


def _remove(place: Path, directory: Path | None) -> None:
    """What the demo made: all of a temporary directory, one of the caller's keeps the rest."""
    shutil.rmtree(place if directory is None else place / "network", ignore_errors=True)


class Demo:
    """State between the steps."""

    def __init__(self, directory: Path, verdict: Verdict, show: Show, begin: Show) -> None:
        self.show = show
        self._begin = begin
        self._directory = directory
        self._verdict = verdict
        self._network: LocalNetwork | None = None
        self._wallets: dict[str, Wallet] = {}
        self._started_at = time.monotonic()

    @property
    def has_files(self) -> bool:
        """Whether the network's directory is ours."""
        return self._network is not None

    @property
    def _local(self) -> LocalNetwork:
        assert self._network is not None
        return self._network

    async def run(self) -> None:
        """All steps in order; the first that fails ends it."""
        self.show(
            "SIMULATED ATTESTATION: payments here are not private from this machine's operator"
        )
        self.show("")
        self._started_at = time.monotonic()
        steps: list[tuple[str, Callable[[], Awaitable[str]]]] = [
            ("make keys, ledger and configuration", self._make),
            ("start five nodes", self._start),
            ("make wallets, read the ledger", self._make_wallets),
            ("first private payment, final on all nodes", self._first_payment),
            ("compare the five ledgers block by block", self._compare_ledgers),
            ("verify every block signature", self._check_signatures),
            ("recipient finds the payment by scanning", self._recipient_balance),
            (f"kill -9 of node {CRASHED_NODE}", self._crash),
            ("second payment, final on the other four", self._second_payment),
            (f"node {CRASHED_NODE} restarts and catches up", self._restart),
            ("the five ledgers are equal again", self._compare_ledgers),
            ("double spend of the first payment is refused", self._double_spend),
        ]
        try:
            for title, action in steps:
                if not await self._step(title, action):
                    return
        finally:
            for wallet in self._wallets.values():
                await wallet.close()

    async def _step(self, title: str, action: Callable[[], Awaitable[str]]) -> bool:
        started = time.monotonic()
        self._begin(f"  ...              {title}")
        try:
            async with asyncio.timeout(STEP_TIMEOUT_S):
                remark = await action()
            held = True
        except TimeoutError:
            held, remark = False, f"not within {STEP_TIMEOUT_S:g} s"
        except (McNodeError, OSError) as error:
            held, remark = False, str(error)
        step = Step(title, held, time.monotonic() - started, remark)
        self._verdict.steps.append(step)
        mark = "ok    " if held else "FAILED"
        self.show(f"  {mark} {step.seconds:6.2f} s  {title:<46} {remark}")
        return held

    def stop(self) -> None:
        """End every process and note what could not be ended."""
        if self._network is not None:
            self._network.stop()
            self._verdict.left_running = self._network.running_names()

    # -- steps, each returning a remark -----------------------------------------------------------

    async def _make(self) -> str:
        self._network = create_network(self._directory, TOPOLOGY, os.urandom)
        return f"{len(self._network.plan.nodes)} nodes in {self._directory}"

    async def _start(self) -> str:
        self._local.start()
        await self._local.wait_until_serving()
        return "all serving"

    async def _make_wallets(self) -> str:
        plan = self._local.plan
        settings = WalletSettings(
            nodes=tuple(node.client_uri for node in plan.nodes),
            archives=tuple(node.archive_url for node in plan.nodes),
            chain_id=plan.chain_id,
        )
        for name, key in (("alice", 0), ("alice before paying", 0), ("bob", 1)):
            secret = (plan.keys_directory / f"account_keys_{key}.json").read_text()
            wallet = Wallet.import_(self._directory / f"{name}.db", settings, secret)
            self._wallets[name] = wallet
            await self._sync(wallet)
        return "alice and bob"

    async def _first_payment(self) -> str:
        started = time.monotonic()
        await self._pay(FIRST_PAYMENT, self._local.plan.topology.node_names)
        self._verdict.finality_s = time.monotonic() - started
        self._verdict.cold_start_to_first_payment_s = time.monotonic() - self._started_at
        return (
            f"{FIRST_PAYMENT // 10**12} MOB, "
            f"{self._verdict.cold_start_to_first_payment_s:.1f} s after the very start"
        )

    async def _compare_ledgers(self) -> str:
        ids = await asyncio.to_thread(self._block_ids)
        if len(set(ids.values())) != 1:
            heights = ", ".join(f"node {name} {len(of)} blocks" for name, of in ids.items())
            raise DemoFailed(f"ledgers differ: {heights}")
        [blocks] = set(ids.values())
        return f"{len(blocks)} blocks, the same ids"

    def _block_ids(self) -> dict[str, tuple[bytes, ...]]:
        ids = {}
        for node in self._local.plan.nodes:
            with LedgerDB.open(node.ledger_path, read_only=True) as ledger:
                count = ledger.num_blocks()
                ids[node.name] = tuple(ledger.get_block(index).id for index in range(count))
        return ids

    async def _check_signatures(self) -> str:
        count = await asyncio.to_thread(self._check_signatures_in_thread)
        return f"{count} signatures"

    def _check_signatures_in_thread(self) -> int:
        """The origin block is signed by a throw-away key, the others by each node's own enclave."""
        count = 0
        for node in self._local.plan.nodes:
            with LedgerDB.open(node.ledger_path, read_only=True) as ledger:
                for index in range(ledger.num_blocks()):
                    check_block_signature(
                        ledger.get_block_signature(index), ledger.get_block(index)
                    )
                    count += 1
        return count

    async def _recipient_balance(self) -> str:
        bob = self._wallets["bob"]
        before = bob.balance()[0].total
        await self._sync(bob)
        received = bob.balance()[0].total - before
        if received != FIRST_PAYMENT:
            raise DemoFailed(f"recipient found {received}, needs {FIRST_PAYMENT}")
        return f"{received // 10**12} MOB"

    async def _crash(self) -> str:
        await asyncio.to_thread(self._local.stop, [CRASHED_NODE], kill=True)
        if CRASHED_NODE in self._local.running_names():
            raise DemoFailed(f"node {CRASHED_NODE} still runs")
        return "gone"

    async def _second_payment(self) -> str:
        alive = [name for name in self._local.plan.topology.node_names if name != CRASHED_NODE]
        await self._pay(SECOND_PAYMENT, alive)
        return f"{SECOND_PAYMENT // 10**12} MOB"

    async def _restart(self) -> str:
        height = await self._height_of(self._local.plan.topology.node_names[0])
        self._local.start([CRASHED_NODE])
        await self._local.wait_until_serving([CRASHED_NODE])
        await self._wait_for_height([CRASHED_NODE], height)
        return f"at {height} blocks"

    async def _double_spend(self) -> str:
        stale = self._wallets["alice before paying"]
        try:
            await stale.send(self._wallets["bob"].address(), FIRST_PAYMENT)
        except TxRefused as error:
            if error.name != _DOUBLE_SPEND:
                raise DemoFailed(f"refused with {error.name}, needs {_DOUBLE_SPEND}") from error
            return error.name
        raise DemoFailed("the network took it")

    # -- helpers ----------------------------------------------------------------------------------

    async def _pay(self, value: int, names: Iterable[str]) -> None:
        """Pay from alice to bob, until all these nodes have the block and the wallet sees it."""
        names = list(names)
        height = await self._height_of(names[0])
        alice = self._wallets["alice"]
        await self._sync(alice)
        payment = await alice.send(self._wallets["bob"].address(), value)
        await self._wait_for_height(names, height + 1)
        await alice.wait_final(payment, STEP_TIMEOUT_S)

    async def _height_of(self, name: str) -> int:
        statuses = {status.name: status for status in await self._local.status()}
        height = statuses[name].block_height
        if height is None:
            raise ProcessFailed(f"node {name} does not answer")
        return height

    async def _wait_for_height(self, names: Iterable[str], height: int) -> None:
        waiting = set(names)
        while waiting:
            for status in await self._local.status():
                if status.block_height is not None and status.block_height >= height:
                    waiting.discard(status.name)
            if waiting:
                await asyncio.sleep(_POLL_S)

    @staticmethod
    async def _sync(wallet: Wallet) -> None:
        """Read new blocks. Archives of nodes that have just started may still be empty."""
        while True:
            try:
                if await wallet.sync():
                    return
            except UnavailableError:
                pass
            await asyncio.sleep(_POLL_S)
