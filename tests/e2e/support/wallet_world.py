"""A network in memory: one ledger, its archive on disk, and nodes that validate for real."""

import asyncio
import contextlib
import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

from mcnode.account.account_key import AccountKey
from mcnode.account.printable import to_printable
from mcnode.api.gen.consensus_common_pb2 import ProposeTxResult
from mcnode.blockchain.block import make_child_block
from mcnode.blockchain.block_data import BlockData
from mcnode.blockchain.contents import BlockContents
from mcnode.blockchain.signature import sign_block
from mcnode.connection.attested import Accepted, BlockInfo
from mcnode.connection.errors import TxRefused
from mcnode.crypto.keys import Ed25519Private
from mcnode.crypto.rng import Hc128Rng
from mcnode.errors import McNodeError
from mcnode.ledger.archive.destination import DirectoryDestination
from mcnode.ledger.archive.distribution import Distribution
from mcnode.ledger.db import LedgerDB
from mcnode.ledger.sample import (
    draw_key_image,
    make_blocks,
    make_sample_metadata,
    make_sample_output,
)
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.errors import TransactionError, network_name
from mcnode.transaction.fee_map import FeeMap
from mcnode.transaction.messages import Amount, Tx
from mcnode.transaction.validation import membership_proof_highest_indices, validate
from mcnode.wallet.settings import WalletSettings
from mcnode.wallet.wallet import Wallet

MOB_FEE = 400_000_000
OUTPUT = 1_000_000_000_000
"""Picomob, and units of token 2."""
OUTPUTS_PER_BLOCK = 8
FIRST_BLOCKS = 2
FIRST_TOTAL = FIRST_BLOCKS * OUTPUTS_PER_BLOCK * OUTPUT


class FakeNetwork:
    """Three accounts, each with 16 outputs of 1 MOB and of token 2 in two blocks."""

    def __init__(self, root: Path, version: int = 4, seed: int = 7) -> None:
        self.version = BlockVersion(version)
        self.rng = Hc128Rng(bytes([seed]) * 32)
        self.accounts = [AccountKey.random(self.rng) for _ in range(3)]
        self.fees = {0: MOB_FEE, 2: 1024}
        self.archive = root / "archive"
        self.ledger = LedgerDB.create(root / "ledger", durable=False)
        for block_data in make_blocks(
            self.rng,
            [account.default_subaddress() for account in self.accounts],
            outputs_per_recipient=OUTPUTS_PER_BLOCK,
            num_blocks=FIRST_BLOCKS,
            num_tokens=3 if version > 1 else 1,
            value=OUTPUT,
            version=self.version,
        ):
            self.ledger.append_block_data(block_data)
        self.distribution = Distribution(self.ledger, DirectoryDestination(self.archive))
        self.publish()
        self.pool: list[Tx] = []
        self.makes_blocks = True

    @property
    def url(self) -> str:
        return f"file://{self.archive}"

    def publish(self) -> None:
        while self.distribution.publish_next():
            pass

    def check(self, tx: Tx) -> None:
        """What a node checks, in its order."""
        if tx.fee_map_digest and tx.fee_map_digest != FeeMap(self.fees).canonical_digest():
            raise TxRefused(ProposeTxResult.FeeMapDigestMismatch, "Fee Map Digest Mismatch", 0)
        height = self.ledger.num_blocks()
        roots = self.ledger.get_tx_out_proof_of_memberships(membership_proof_highest_indices(tx))
        try:
            validate(tx, height, self.version, roots, self.fees[tx.prefix.fee_token_id])
        except TransactionError as error:
            name = network_name(error).partition("(")[0]
            raise TxRefused(ProposeTxResult.Value(name), str(error), height) from error
        images = [ring.key_image for ring in tx.signature.ring_signatures]
        if self.ledger.find_spent_key_images(images):
            raise TxRefused(ProposeTxResult.ContainsSpentKeyImage, "", height)

    def take(self, tx: Tx) -> None:
        self.check(tx)
        self.pool.append(tx)
        if self.makes_blocks:
            self.make_block()

    def make_block(self, *, is_published: bool = True, decoys: int = 1) -> BlockData:
        """A block of what is in the pool, and of outputs that nobody owns."""
        images, outputs = [], []
        for tx in self.pool:
            images += [ring.key_image for ring in tx.signature.ring_signatures]
            outputs += tx.prefix.outputs
        stranger = AccountKey.random(self.rng).default_subaddress()
        for _ in range(decoys):
            outputs.append(make_sample_output(self.rng, self.version, Amount(0, 0), stranger))
        self.pool.clear()
        contents = BlockContents(
            tuple(images) or (draw_key_image(self.rng),), tuple(outputs), (), ()
        )
        return self.append(contents, is_published=is_published)

    def append(self, contents: BlockContents, *, is_published: bool = True) -> BlockData:
        """A block of these contents."""
        block = make_child_block(self.ledger.get_latest_block(), int(self.version), contents)
        signature = sign_block(block, Ed25519Private.random(self.rng), signed_at=block.index)
        data = BlockData(block, contents, signature, make_sample_metadata(self.rng, block.id))
        self.ledger.append_block_data(data)
        if is_published:
            self.publish()
        return data

    def settings(self, *names: str, **changes) -> WalletSettings:
        nodes = tuple(f"insecure-mc://{name}:1/" for name in names or ("one",))
        return dataclasses.replace(WalletSettings(nodes, (self.url,), "test"), **changes)


@dataclasses.dataclass
class FakeNode:
    """A node of the network. `faults` are raised, one per call, by the method they are for."""

    network: FakeNetwork
    name: str
    is_attested: bool = False
    faults: dict[str, list[Exception | None]] = dataclasses.field(default_factory=dict)
    before_propose: Callable[[Tx], None] = lambda _tx: None
    calls: list[str] = dataclasses.field(default_factory=list)
    closed: bool = False

    async def _enter(self, method: str) -> None:
        self.calls.append(method)
        await asyncio.sleep(0)
        faults = self.faults.get(method, [])
        fault = faults.pop(0) if faults else None
        if fault is not None:
            if isinstance(fault, McNodeError):
                self.is_attested = False
            raise fault

    async def attest(self):
        await self._enter("attest")
        self.is_attested = True

    async def fetch_block_info(self) -> BlockInfo:
        await self._enter("info")
        height = self.network.ledger.num_blocks()
        return BlockInfo(height - 1, dict(self.network.fees), int(self.network.version))

    async def fetch_blocks(self, first_index: int, count: int) -> Sequence:
        await self._enter("blocks")
        return self.network.ledger.get_blocks(first_index, count)

    async def propose_tx(self, tx: Tx) -> Accepted:
        assert self.is_attested
        self.before_propose(tx)
        await self._enter("propose")
        self.network.take(tx)
        return Accepted(self.network.ledger.num_blocks(), int(self.network.version))

    async def close(self) -> None:
        self.closed = True


class World:
    """A network, its nodes by name, and wallets that are closed at the end."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.network = FakeNetwork(root)
        self.nodes: dict[str, FakeNode] = {}
        self._stack = contextlib.AsyncExitStack()

    def node(self, name: str = "one") -> FakeNode:
        return self.nodes.setdefault(name, FakeNode(self.network, name))

    def connect(self, uri):
        return self.node(uri.host)

    async def open(self, number: int = 0, *names: str, file: str = "", **changes) -> Wallet:
        """A wallet of an account, made if it has no file yet."""
        path = self.root / (file or f"wallet{number}.db")
        if not path.exists():
            settings = self.network.settings(*names, **changes)
            made = Wallet.import_(path, settings, self.network.accounts[number])
            await made.close()
        opened = Wallet.open(path, connect=self.connect, unix_time=lambda: 1_700_000_000.0)
        return await self._stack.enter_async_context(opened)

    def address(self, number: int) -> str:
        """The main address of an account."""
        return to_printable(self.network.accounts[number].default_subaddress())

    async def close(self) -> None:
        await self._stack.aclose()
        self.network.ledger.close()
