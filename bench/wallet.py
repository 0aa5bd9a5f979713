"""What a wallet computes: building payments, recognising outputs."""

import tempfile
from collections.abc import Iterable
from pathlib import Path

from bench.harness import Benchmark
from mcnode.account.account_key import AccountKey
from mcnode.crypto.rng import Hc128Rng
from mcnode.ledger.db import LedgerDB
from mcnode.ledger.sample import make_blocks
from mcnode.transaction.block_version import LATEST_BLOCK_VERSION
from mcnode.transaction.fee_map import FeeMap
from mcnode.wallet.draft import BuildContext
from mcnode.wallet.payments import PaymentOrder
from mcnode.wallet.scanner import Scanner
from mcnode.wallet.store import WalletStore
from mcnode.wallet.terms import Terms

OUTPUT_VALUE = 10**12
OUTPUTS = 1000


def benchmarks() -> Iterable[Benchmark]:
    rng = Hc128Rng(bytes(32))
    own, other = AccountKey.random(rng), AccountKey.random(rng)
    with tempfile.TemporaryDirectory() as directory:
        ledger = LedgerDB.create(Path(directory, "ledger"), durable=False)
        for block_data in make_blocks(
            rng,
            [own.default_subaddress()],
            outputs_per_recipient=OUTPUTS,
            num_blocks=1,
            num_tokens=1,
            value=OUTPUT_VALUE,
            version=LATEST_BLOCK_VERSION,
        ):
            ledger.append_block_data(block_data)
        outputs = ledger.get_tx_outs(0, OUTPUTS)
        store = WalletStore.create(Path(directory, "wallet.db"), [])
        scanner = Scanner(own)
        store.record_blocks([scanner.scan_block(ledger, 0)])
        terms = Terms(FeeMap(), LATEST_BLOCK_VERSION, 50)
        context = BuildContext(own, ledger, store, terms, made_at=0)
        for input_count in (1, 2):
            order = PaymentOrder(other.default_subaddress(), input_count * OUTPUT_VALUE // 2 + 1)
            yield Benchmark(
                f"payment: rings, proofs, signed, {input_count} in 2 out",
                "ms",
                "<= 30 (network 30.7)" if input_count == 2 else "",
                lambda order=order: order.build(context),
                repeat=5,
                runs=7,
            )
        yield Benchmark(
            "scan: somebody else's output",
            "us",
            "<= 50 (network 74.6)",
            lambda: Scanner(other).scan(outputs, 0, 0),
            repeat=1,
            per_call=OUTPUTS,
        )
        for count in (1, 1000):
            watching = Scanner(other, range(count))
            yield Benchmark(
                f"scan: somebody else's output, {count} subaddresses watched",
                "us",
                "<= 50 (network 74.6)",
                lambda watching=watching: watching.scan(outputs, 0, 0),
                repeat=1,
                per_call=OUTPUTS,
            )
        yield Benchmark(
            "scan: an own output, opened, with key image",
            "us",
            "",
            lambda: scanner.scan(outputs, 0, 0),
            repeat=1,
            per_call=OUTPUTS,
        )
        store.close()
        ledger.close()
