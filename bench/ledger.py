"""The ledger: append, proofs, catch-up from archives, on one thread."""

import dataclasses
import itertools
import random
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench.harness import Benchmark
from mcnode.account.account_key import AccountKey
from mcnode.blockchain.archive_conversion import parse_archive_block
from mcnode.blockchain.block import Block, make_child_block, make_origin_block
from mcnode.blockchain.block_data import BlockData, archive_block_bytes
from mcnode.blockchain.contents import BlockContents
from mcnode.crypto.rng import Hc128Rng
from mcnode.ledger.db import LedgerDB
from mcnode.ledger.sample import SampleLedger, make_sample_blocks, make_sample_output
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.messages import Amount

RUNS, REPEAT = 5, 20
BLOCKS_NEEDED = RUNS * REPEAT + 1
PROOFS_PER_REQUEST = 22
"""Two inputs of eleven ring members."""
TREE_OUTPUTS = 100_000
OUTPUTS_PER_TREE_BLOCK = 1000
UPSTREAM_APPEND = {1: "", 3: "742 (network, not waiting for the disk)", 10: "", 100: ""}


class Chain:
    """Endless blocks whose outputs differ only in their public keys: cheap to make."""

    def __init__(self) -> None:
        rng = Hc128Rng(bytes(32))
        recipient = AccountKey.random(rng).default_subaddress()
        self._template = make_sample_output(rng, BlockVersion(2), Amount(1, 0), recipient)
        self._numbers = itertools.count()
        self._parent: Block | None = None

    def _fresh(self) -> bytes:
        return random.Random(next(self._numbers)).randbytes(32)

    def next_block(self, outputs: int) -> BlockData:
        """The next block, with that many outputs and, after the first, one key image."""
        made = tuple(
            dataclasses.replace(self._template, public_key=self._fresh()) for _ in range(outputs)
        )
        if self._parent is None:
            block, contents = make_origin_block(made)
        else:
            contents = BlockContents((self._fresh(),), made, (), ())
            block = make_child_block(self._parent, 2, contents)
        self._parent = block
        return BlockData(block, contents, None, None)


def appends(folder: Path) -> Iterator[Benchmark]:
    for outputs, bar in UPSTREAM_APPEND.items():
        chain = Chain()
        ledger = LedgerDB.create(folder / f"durable{outputs}")
        ledger.append_block_data(chain.next_block(100))
        blocks = iter([chain.next_block(outputs) for _ in range(BLOCKS_NEEDED)])
        yield Benchmark(
            f"append a block of {outputs} outputs, on disk before it returns",
            "blocks/s",
            bar,
            lambda ledger=ledger, blocks=blocks: ledger.append_block_data(next(blocks)),
            repeat=REPEAT,
            runs=RUNS,
        )
    chain = Chain()
    bulk = LedgerDB.create(folder / "bulk", durable=False)
    bulk.append_block_data(chain.next_block(100))
    blocks = iter([chain.next_block(100) for _ in range(BLOCKS_NEEDED)])
    yield Benchmark(
        "append blocks of 100 outputs, not waiting for the disk",
        "outputs/s",
        "40000",
        lambda: bulk.append_block_data(next(blocks)),
        per_call=100,
        repeat=REPEAT,
        runs=RUNS,
    )


def proofs(folder: Path) -> Iterator[Benchmark]:
    chain = Chain()
    ledger = LedgerDB.create(folder / "tree", durable=False)
    for _ in range(TREE_OUTPUTS // OUTPUTS_PER_TREE_BLOCK):
        ledger.append_block_data(chain.next_block(OUTPUTS_PER_TREE_BLOCK))
    picks = random.Random(1)
    yield Benchmark(
        f"membership proofs, {PROOFS_PER_REQUEST} at a time among {TREE_OUTPUTS} outputs",
        "proofs/s",
        "50000",
        lambda: ledger.get_tx_out_proof_of_memberships(
            [picks.randrange(TREE_OUTPUTS) for _ in range(PROOFS_PER_REQUEST)]
        ),
        per_call=PROOFS_PER_REQUEST,
    )


def catch_up(folder: Path) -> Iterator[Benchmark]:
    rng = Hc128Rng(bytes(32))
    recipients = [AccountKey.random(rng).default_subaddress() for _ in range(3)]
    sample = SampleLedger(recipients, 1, BLOCKS_NEEDED, 0, block_version=BlockVersion(3))
    blocks = list(make_sample_blocks(sample))
    archived = [archive_block_bytes(data) for data in blocks]
    parsed = itertools.cycle(archived)
    yield Benchmark(
        "decode an archived block of 3 outputs with every check",
        "blocks/s",
        "2000 on 2 cores (network 5685)",
        lambda: parse_archive_block(next(parsed)),
    )
    ledger = LedgerDB.create(folder / "level", durable=False)
    fetched = iter(archived)
    yield Benchmark(
        "  and append it, not waiting for the disk",
        "blocks/s",
        "",
        lambda: ledger.append_block_data(parse_archive_block(next(fetched))),
        repeat=REPEAT,
        runs=RUNS,
    )


def benchmarks() -> Iterable[Benchmark]:
    with tempfile.TemporaryDirectory() as folder:
        yield from appends(Path(folder))
        yield from proofs(Path(folder))
        yield from catch_up(Path(folder))
