"""The trusted process: calls over the boundary, a payment's way through it, forming a block."""

import asyncio
import os
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator
from pathlib import Path
from typing import Any

from bench.harness import Benchmark
from mcnode.attest.dcap import DcapVerifier
from mcnode.attest.evidence import Evidence
from mcnode.attest.identity import TrustedMrEnclave
from mcnode.attest.key_exchange import EvidenceVerifier, start_client
from mcnode.attest.simulation import simulation_anchor
from mcnode.conformance.enclave_fixture import CLIENT_ID, Client, PaymentLedger, start
from mcnode.enclave.spawn import EnclaveOptions, EnclaveProcess, spawn_enclave
from mcnode.enclave.trusted.simulated import DEFAULT_MR_ENCLAVE

VERIFIER = EvidenceVerifier(
    DcapVerifier(simulation_anchor(), (TrustedMrEnclave(DEFAULT_MR_ENCLAVE),), allow_debug=True),
    time_unix=int(time.time()),
)


def connect(answer: bytes, initiator: Any) -> Any:
    channel, _ = initiator.finish(answer, VERIFIER)
    return channel


async def handshake(enclave: Any) -> Client:
    """A client's whole handshake, both sides."""
    initiator = start_client(CLIENT_ID, os.urandom(32))
    accepted = await enclave.client_accept(initiator.request)
    return Client(accepted.session, connect(accepted.auth_response, initiator))


def resident_mib(pid: int) -> float:
    fields = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def benchmarks() -> Iterable[Benchmark]:
    ledger = PaymentLedger(payment_count=10)
    loop = asyncio.new_event_loop()
    spawned = loop.run_until_complete(spawn_enclave(EnclaveOptions()))
    try:
        yield from in_process_of_its_own(spawned, ledger, loop.run_until_complete)
    finally:
        loop.run_until_complete(spawned.close())
        loop.close()


def in_process_of_its_own(
    spawned: EnclaveProcess,
    ledger: PaymentLedger,
    run: Callable[[Coroutine[Any, Any, Any]], Any],
) -> Iterator[Benchmark]:
    enclave = spawned.enclave
    run(start(enclave))
    client = run(handshake(enclave))
    evidence = Evidence.from_message(run(enclave.get_attestation_evidence()))

    async def many(count: int) -> None:
        await asyncio.gather(*(enclave.get_identity() for _ in range(count)))

    yield Benchmark("enclave round trip", "us", "", lambda: run(enclave.get_identity()))
    yield Benchmark("  1,000 of them at once", "ms", "", lambda: run(many(1000)))
    yield Benchmark("client handshake, both sides", "ms", "", lambda: run(handshake(enclave)))
    yield Benchmark("  verify evidence", "ms", "", lambda: VERIFIER.dcap.check(evidence))
    message = ledger.tx_bytes[0]
    context = run(enclave.client_tx_propose(client.message(message)))
    yield Benchmark(
        "take in a 1-in-1-out transaction",
        "ms",
        "",
        lambda: run(enclave.client_tx_propose(client.message(message))),
    )
    yield Benchmark(
        "check it",
        "ms",
        "",
        lambda: run(enclave.tx_is_well_formed(context.locally_encrypted_tx, 0, ledger.proofs[0])),
    )
    txs = [run(ledger.propose(enclave, client, number)) for number in range(len(ledger.txs))]
    for count in (1, len(txs)):
        yield Benchmark(
            f"form a block of {count}",
            "ms",
            "",
            lambda count=count: run(ledger.form(enclave, txs[:count])),  # type: ignore[misc]
        )
    yield Benchmark(
        "resident memory of the trusted process",
        "MiB",
        "< 180 with the node",
        figure=lambda: resident_mib(spawned.process.pid),
    )
