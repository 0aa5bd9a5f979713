"""A local network of five: cold start, finality, memory. Real processes, one run for all."""

import asyncio
import dataclasses
import functools
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from bench.harness import Benchmark
from mcnode.ledger.db import LedgerDB
from mcnode.network.bootstrap import Funding
from mcnode.network.local import LocalNetwork, create_network
from mcnode.wallet.settings import WalletSettings
from mcnode.wallet.wallet import Wallet

PAYMENTS = 50
PAYMENT = 10**12
POLL_S = 0.002
DEADLINE_S = 60.0


@dataclasses.dataclass(frozen=True, slots=True)
class Run:
    cold_start_s: float
    finality_s: tuple[float, ...]
    node_mb_idle: float
    enclave_mb_idle: float
    node_mb_loaded: float
    enclave_mb_loaded: float
    cpu_ms_per_block: float


def benchmarks() -> Iterable[Benchmark]:
    def of(name: str, unit: str, bar: str, figure: str) -> Benchmark:
        return Benchmark(name, unit, bar, figure=lambda: _figures()[figure])

    yield of("cold start of five to first final payment", "s", "< 5 s", "cold")
    yield of(f"finality of {PAYMENTS} payments on all five, p50", "ms", "< 500, then 180 ms", "p50")
    yield of(f"finality of {PAYMENTS} payments on all five, p99", "ms", "< 1000 ms", "p99")
    yield of("CPU per one-payment block over all processes", "ms", "370 ms", "cpu")
    yield of("memory of a node, idle", "MB", "both processes < 180 MB", "node idle")
    yield of("memory of its trusted process, idle", "MB", "(same)", "enclave idle")
    yield of("memory of a node after the payments", "MB", "both processes < 180 MB", "node")
    yield of("memory of its trusted process after the payments", "MB", "(same)", "enclave")


@functools.cache
def _run() -> Run:
    directory = Path(tempfile.mkdtemp(prefix="mcnode-bench-"))
    network: LocalNetwork | None = None
    try:
        started = time.monotonic()
        network = create_network(
            directory / "network", "dense5", os.urandom, funding=Funding(2, PAYMENTS + 10)
        )
        network.start()
        return asyncio.run(_pay(network, directory, started))
    finally:
        if network is not None:
            network.stop()
        shutil.rmtree(directory)


def _figures() -> dict[str, float]:
    run = _run()
    ordered = sorted(run.finality_s)
    return {
        "cold": run.cold_start_s,
        "p50": statistics.median(ordered) * 1e3,
        "p99": ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] * 1e3,
        "cpu": run.cpu_ms_per_block,
        "node idle": run.node_mb_idle,
        "enclave idle": run.enclave_mb_idle,
        "node": run.node_mb_loaded,
        "enclave": run.enclave_mb_loaded,
    }


async def _pay(network: LocalNetwork, directory: Path, started: float) -> Run:
    plan = network.plan
    await network.wait_until_serving()
    settings = WalletSettings(
        nodes=tuple(node.client_uri for node in plan.nodes),
        archives=tuple(node.archive_url for node in plan.nodes),
        chain_id=plan.chain_id,
    )
    key = (plan.keys_directory / "account_keys_0.json").read_text()
    ledgers = [LedgerDB.open(node.ledger_path, read_only=True) for node in plan.nodes]
    wallet = Wallet.import_(directory / "alice.db", settings, key)
    try:
        idle = _memory_mb(), _cpu_s()
        await wallet.sync()
        finality = [await _one_payment(wallet, ledgers)]
        cold_start_s = time.monotonic() - started
        cpu_before = _cpu_s()
        for _ in range(PAYMENTS - 1):
            finality.append(await _one_payment(wallet, ledgers))
        cpu_s = _cpu_s() - cpu_before
        loaded = _memory_mb()
    finally:
        await wallet.close()
        for ledger in ledgers:
            ledger.close()
    return Run(
        cold_start_s,
        tuple(finality[1:]),
        *idle[0],
        *loaded,
        cpu_s * 1e3 / (PAYMENTS - 1),
    )


async def _one_payment(wallet: Wallet, ledgers: list[LedgerDB]) -> float:
    """Seconds from handing in a payment until the last of the ledgers has it."""
    built = await wallet.prepare(wallet.address(), PAYMENT)
    height = ledgers[0].num_blocks()
    begin = time.monotonic()
    await wallet.submit(built)
    while any(ledger.num_blocks() <= height for ledger in ledgers):
        if time.monotonic() - begin > DEADLINE_S:
            raise TimeoutError(f"payment not final after {DEADLINE_S} s")
        await asyncio.sleep(POLL_S)
    return time.monotonic() - begin


def _processes(program: str) -> list[Path]:
    found = []
    for place in Path("/proc").iterdir():
        if place.name.isdecimal():
            try:
                command = (place / "cmdline").read_bytes()
            except OSError:
                continue
            if f"mcnode.cli.{program}".encode() in command:
                found.append(place)
    return found


def _memory_mb() -> tuple[float, float]:
    """Median resident memory of the nodes and of their trusted processes."""
    node, enclave = (
        statistics.median(
            int(line.split()[1]) / 1024
            for place in _processes(program)
            for line in (place / "status").read_text().splitlines()
            if line.startswith("VmRSS")
        )
        for program in ("consensus_service", "consensus_enclave")
    )
    return node, enclave


def _cpu_s() -> float:
    """CPU of every process of the network so far."""
    ticks = 0
    for program in ("consensus_service", "consensus_enclave", "ledger_distribution"):
        for place in _processes(program):
            fields = (place / "stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")
