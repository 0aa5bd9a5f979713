"""Small chains whose outputs are cheap to make."""

import dataclasses
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mcnode.account.account_key import AccountKey
from mcnode.blockchain.block import Block, make_child_block, make_origin_block
from mcnode.blockchain.block_data import BlockData
from mcnode.blockchain.contents import BlockContents
from mcnode.blockchain.metadata import BlockMetadata
from mcnode.crypto.keys import RistrettoPrivate
from mcnode.crypto.rng import Hc128Rng
from mcnode.ledger.db import LedgerDB
from mcnode.ledger.sample import make_sample_metadata, make_sample_output
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.messages import Amount, TxOut


class Chain:
    """Makes valid blocks, one after another."""

    def __init__(self) -> None:
        rng = Hc128Rng(bytes(32))
        recipient = AccountKey.random(rng).default_subaddress()
        self._rng = rng
        self._template = make_sample_output(rng, BlockVersion(2), Amount(1, 0), recipient)
        self._numbers = itertools.count(1)
        self.head: Block | None = None

    def fresh(self) -> bytes:
        """32 bytes never given before, a valid point."""
        scalar = next(self._numbers).to_bytes(32, "little")
        return RistrettoPrivate(scalar).public_key().to_bytes()

    def output(self) -> TxOut:
        """An output never given before."""
        return dataclasses.replace(self._template, public_key=self.fresh())

    def metadata(self, block: Block) -> BlockMetadata:
        """Signed metadata about `block`."""
        return make_sample_metadata(self._rng, block.id)

    def next(self, outputs: int = 1, *, version: int | None = None) -> BlockData:
        """The next block: the origin first, then blocks with a key image."""
        made = tuple(self.output() for _ in range(outputs))
        if self.head is None:
            block, contents = make_origin_block(made)
        else:
            contents = BlockContents((self.fresh(),), made, (), ())
            version = self.head.version if version is None else version
            block = make_child_block(self.head, version, contents)
        self.head = block
        metadata = self.metadata(block) if block.version >= 3 else None
        return BlockData(block, contents, None, metadata)

    def blocks(self, count: int, outputs: int = 1) -> list[BlockData]:
        """The next `count` blocks."""
        return [self.next(outputs) for _ in range(count)]


@pytest.fixture
def chain() -> Chain:
    """A chain without blocks so far."""
    return Chain()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[LedgerDB]:
    """An empty ledger."""
    with LedgerDB.create(tmp_path / "ledger", durable=False) as made:
        yield made


MakeLedger = Callable[[str, list[BlockData]], Path]


@pytest.fixture
def make_ledger(tmp_path: Path) -> MakeLedger:
    """Writes blocks to a ledger of a name; its directory, closed."""

    def make(name: str, blocks: list[BlockData]) -> Path:
        with LedgerDB.create(tmp_path / name, durable=False) as made:
            made.append_blocks(blocks)
        return tmp_path / name

    return make
