"""The ledger on disk: blocks in, questions answered. [docs/protocol/ledger.md#4]

A block is checked and written in one LMDB transaction: after a crash at any instant the ledger
holds it whole or not at all, and a durable append has reached the disk before it returns.
"""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from mcnode.blockchain.block import Block
from mcnode.blockchain.block_data import BlockData
from mcnode.blockchain.contents import BlockContents
from mcnode.blockchain.metadata import BlockMetadata
from mcnode.blockchain.signature import BlockSignature
from mcnode.codec.errors import DecodeError
from mcnode.ledger.db import blocks, mints, tx_outs
from mcnode.ledger.db.append_checks import check_append
from mcnode.ledger.db.environment import Environment, OpenMode, open_environment
from mcnode.ledger.db.format import check_format, create_format, existing_tables, is_empty
from mcnode.ledger.db.metrics import LedgerMetrics
from mcnode.ledger.db.records import ActiveMintConfig, ActiveMintConfigs
from mcnode.ledger.db.tables import (
    TABLE_NAMES,
    Tables,
    Txn,
    parse_key_image_value,
    parse_u64,
    u64_key,
)
from mcnode.ledger.errors import Deserialization, LedgerError, LedgerExists, NotFound
from mcnode.transaction.messages import (
    MintConfigTx,
    MintTx,
    TxOut,
    TxOutMembershipElement,
    TxOutMembershipProof,
)

T = TypeVar("T")
_opening = threading.Lock()


class LedgerDB:
    """One handle on a ledger. Handles of one process on one path share the environment.

    Reads may come from any thread; each sees a snapshot. Use `open` or `create`.
    """

    def __init__(
        self, environment: Environment, tables: Tables, metrics: LedgerMetrics | None = None
    ) -> None:
        self._environment = environment
        self._tables = tables
        self._metrics = metrics
        self._closed = False

    @classmethod
    def create(cls, path: Path, *, durable: bool = True) -> Self:
        """Make an empty ledger in `path` (directories are made too) and open it.

        An empty ledger there is opened as it is.

        Raises:
            LedgerExists: the one there has blocks.
        """
        ledger = cls.open_or_create(path, durable=durable)
        num_blocks = ledger.num_blocks()
        if num_blocks:
            ledger.close()
            raise LedgerExists(
                f"ledger at {path} has {num_blocks} blocks already: name another directory or "
                "remove it first"
            )
        return ledger

    @classmethod
    def open_or_create(cls, path: Path, *, durable: bool = True) -> Self:
        """Open the ledger in `path`, or make an empty one; any number may do so at once.

        Raises:
            NotALedger, VersionIncompatible, ReadOnlyLedger: as `open`.
        """
        path.mkdir(parents=True, exist_ok=True)
        mode = OpenMode(durable=durable)
        return cls._opened(path, mode, None, create=True)

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        read_only: bool = False,
        durable: bool = True,
        metrics: LedgerMetrics | None = None,
    ) -> Self:
        """Open the ledger in `path`.

        Raises:
            LedgerPathMissing, NotALedger: nothing, or something else, is there.
            VersionIncompatible: it is of another format version.
            ReadOnlyLedger: it cannot be written, and `read_only` is false.
        """
        mode = OpenMode(read_only=read_only, durable=durable)
        return cls._opened(path, mode, metrics, create=False)

    @classmethod
    def _opened(
        cls, path: Path, mode: OpenMode, metrics: LedgerMetrics | None, *, create: bool
    ) -> Self:
        # one at a time, so that no thread sees a ledger that another is still making
        with _opening:
            environment = open_environment(path, mode, tables_max=len(TABLE_NAMES), create=create)
            try:
                if create and is_empty(environment):
                    tables = create_format(environment)
                else:
                    check_format(environment)
                    tables = existing_tables(environment)
                ledger = cls(environment, tables, metrics)
                ledger._update_gauges()
            except BaseException:
                environment.close()
                raise
            return ledger

    @property
    def path(self) -> Path:
        """The directory of the ledger."""
        return self._environment.path

    def close(self) -> None:
        """Close this handle; the file is closed with the last one."""
        if not self._closed:
            self._closed = True
            self._environment.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # Appending

    def append_block(
        self,
        block: Block,
        contents: BlockContents,
        signature: BlockSignature | None = None,
        metadata: BlockMetadata | None = None,
    ) -> None:
        """Check and append one block; see `append_blocks`."""
        self.append_blocks([BlockData(block, contents, signature, metadata)])

    def append_block_data(self, data: BlockData) -> None:
        """Check and append one block; see `append_blocks`."""
        self.append_blocks([data])

    def append_blocks(self, blocks_data: Sequence[BlockData]) -> None:
        """Check and append blocks in one transaction: all of them, or none.

        Raises:
            LedgerError: one class per rule; the ledger is as before.
            DiskFull: no room; the ledger is as before.
        """
        if not blocks_data:
            return
        started = time.perf_counter()
        first = blocks_data[0].block.index

        def body(txn: Txn) -> None:
            parent = blocks.get_latest_block(txn, self._tables)
            for data in blocks_data:
                check_append(txn, self._tables, parent, data)
                blocks.write_block(txn, self._tables, data)
                parent = data.block

        self._environment.write(body, f"append of block {first}")
        if self._metrics is not None:
            outputs = sum(len(data.contents.outputs) for data in blocks_data)
            elapsed_s = time.perf_counter() - started
            self._metrics.count_append(self.path, len(blocks_data), outputs, elapsed_s)
            self._update_gauges()

    def append_longest_prefix(self, blocks_data: Sequence[BlockData]) -> None:
        """Append blocks in one transaction; where one is refused, those before it all the same.

        Raises:
            LedgerError: of the first block that is refused.
            DiskFull: no room; the ledger is as before.
        """
        try:
            self.append_blocks(blocks_data)
        except LedgerError:
            for data in blocks_data:
                self.append_block_data(data)

    def flush(self) -> None:
        """Bring earlier appends to the disk; needed only when opened without `durable`."""
        self._environment.flush()

    # Blocks

    def num_blocks(self) -> int:
        """How many blocks there are."""
        return self._read(blocks.get_num_blocks)

    def get_block(self, index: int) -> Block:
        """The header at `index`. Raises `NotFound`."""
        return self._read(blocks.get_block, index)

    def get_latest_block(self) -> Block:
        """The last header. Raises `NotFound` when the ledger is empty."""
        latest = self._read(blocks.get_latest_block)
        if latest is None:
            raise NotFound("the ledger has 0 blocks")
        return latest

    def get_block_contents(self, index: int) -> BlockContents:
        """The contents at `index`. Raises `NotFound`."""
        return self._read(blocks.get_block_contents, index)

    def get_block_signature(self, index: int) -> BlockSignature:
        """The signature at `index`. Raises `NotFound`, also when the block has none."""
        return self._read(blocks.get_block_signature, index)

    def get_block_metadata(self, index: int) -> BlockMetadata:
        """The metadata at `index`. Raises `NotFound`, also when the block has none."""
        return self._read(blocks.get_block_metadata, index)

    def get_block_data(self, index: int) -> BlockData:
        """The whole block at `index`. Raises `NotFound`."""
        return self._read(blocks.get_block_data, index)

    def get_blocks(self, first: int, count: int) -> list[Block]:
        """Headers from `first` on, at most `count`, fewer at the end. Never raises NotFound."""
        return self._read(blocks.get_blocks, first, count)

    def block_id(self, index: int) -> bytes | None:
        """The 32-byte id of the block at `index`, or None when there is none."""
        try:
            return self.get_block(index).id
        except NotFound:
            return None

    # Key images

    def check_key_image(self, key_image: bytes) -> int | None:
        """The index of the block that spent a 32-byte key image, or None."""
        with self._environment.reading() as txn:
            value = txn.get(key_image, db=self._tables.key_images)
        return None if value is None else parse_key_image_value(value)

    def contains_key_image(self, key_image: bytes) -> bool:
        """Whether a 32-byte key image is spent."""
        return self.check_key_image(key_image) is not None

    def find_spent_key_images(self, key_images: Iterable[bytes]) -> dict[bytes, int]:
        """Those of the key images that are spent, with the index of the block."""
        with (
            self._environment.reading() as txn,
            txn.cursor(self._tables.key_images) as cursor,
        ):
            found = cursor.getmulti(list(key_images))
        return {key: parse_key_image_value(value) for key, value in found}

    def get_key_images_by_block(self, index: int) -> tuple[bytes, ...]:
        """The key images of block `index`. Raises `NotFound`."""
        return self._read(blocks.get_key_images, index)

    # Outputs

    def num_txos(self) -> int:
        """How many outputs there are."""
        return self._read(tx_outs.get_num_tx_outs)

    def get_tx_out_by_index(self, index: int) -> TxOut:
        """The output at `index`. Raises `NotFound`."""
        return self._read(tx_outs.get_tx_out, index)

    def get_tx_outs(self, first: int, count: int) -> tuple[TxOut, ...]:
        """`count` outputs from index `first` on. Raises `NotFound` if one is missing."""
        return self._read(tx_outs.get_tx_out_range, first, count)

    def get_tx_out_index_by_hash(self, tx_out_hash: bytes) -> int:
        """The index of the output with a 32-byte hash. Raises `NotFound`."""
        table = self._tables.tx_out_index_by_hash
        with self._environment.reading() as txn:
            return tx_outs.get_index(txn, table, tx_out_hash, "hash")

    def get_tx_out_index_by_public_key(self, public_key: bytes) -> int:
        """The index of the output with a 32-byte public key. Raises `NotFound`."""
        table = self._tables.tx_out_index_by_public_key
        with self._environment.reading() as txn:
            return tx_outs.get_index(txn, table, public_key, "public key")

    def contains_tx_out_public_key(self, public_key: bytes) -> bool:
        """Whether an output has this 32-byte public key."""
        with self._environment.reading() as txn:
            table = self._tables.tx_out_index_by_public_key
            return txn.get(public_key, db=table) is not None

    def find_tx_out_public_keys(self, public_keys: Iterable[bytes]) -> set[bytes]:
        """Those of the public keys that are in the ledger."""
        table = self._tables.tx_out_index_by_public_key
        with self._environment.reading() as txn, txn.cursor(table) as cursor:
            return {key for key, _ in cursor.getmulti(list(public_keys))}

    def get_block_index_by_tx_out_index(self, index: int) -> int:
        """The block that holds output `index`. Raises `NotFound`."""
        with self._environment.reading() as txn:
            value = txn.get(u64_key(index), db=self._tables.block_number_by_tx_out_index)
        if value is None:
            raise NotFound(f"no output has index {index}")
        return parse_u64(value)

    def get_tx_out_proof_of_memberships(self, indices: Sequence[int]) -> list[TxOutMembershipProof]:
        """A membership proof for each of `indices`, all against one root.

        Raises:
            TxOutIndexOutOfBounds: an index is not below the number of outputs.
        """
        return self._read(tx_outs.get_membership_proofs, indices)

    def get_root_tx_out_membership_element(self) -> TxOutMembershipElement:
        """The root of the output tree. Raises `NoOutputs` when there is none."""
        return self._read(tx_outs.get_root_element)

    # Minting

    def get_active_mint_configs(self, token_id: int) -> ActiveMintConfigs | None:
        """A token's mint configurations in force, or None."""
        return self._read(mints.get_active_mint_configs, token_id)

    def get_active_mint_configs_map(self) -> dict[int, ActiveMintConfigs]:
        """Every token's mint configurations in force, by ascending token id."""
        return self._read(mints.get_all_active_mint_configs)

    def get_active_mint_config_for_mint_tx(self, mint_tx: MintTx) -> ActiveMintConfig:
        """The configuration that admits `mint_tx`.

        Raises:
            NotFound, MintLimitExceeded, InvalidMintConfig: none does.
        """
        return self._read(mints.find_mint_config, mint_tx)[1]

    def check_mint_tx_nonce(self, mint_tx: MintTx) -> int | None:
        """The block that used the nonce and token of `mint_tx`, or None."""
        prefix = mint_tx.prefix
        with self._environment.reading() as txn:
            return mints.find_block_of_nonce(
                txn, self._tables.block_by_mint_nonce, prefix.nonce, prefix.token_id
            )

    def check_mint_config_tx_nonce(self, mint_config_tx: MintConfigTx) -> int | None:
        """The block that used the nonce and token of `mint_config_tx`, or None."""
        prefix = mint_config_tx.prefix
        with self._environment.reading() as txn:
            return mints.find_block_of_nonce(
                txn, self._tables.block_by_mint_config_nonce, prefix.nonce, prefix.token_id
            )

    # Size

    def data_file_bytes(self) -> int:
        """Size of the data file."""
        return self._environment.data_file_bytes()

    def _read(self, question: Callable[..., T], *arguments: object) -> T:
        try:
            with self._environment.reading() as txn:
                return question(txn, self._tables, *arguments)
        except DecodeError as error:
            raise Deserialization(f"a record of {self.path} does not decode: {error}") from error

    def _update_gauges(self) -> None:
        if self._metrics is not None:
            self._metrics.set_sizes(
                self.path, self.num_blocks(), self.num_txos(), self.data_file_bytes()
            )
