"""Blocks: writing one, reading parts of one. [docs/protocol/ledger.md#4.3]"""

from mcnode.blockchain.block import Block
from mcnode.blockchain.block_data import BlockData
from mcnode.blockchain.contents import BlockContents
from mcnode.blockchain.metadata import BlockMetadata
from mcnode.blockchain.signature import BlockSignature
from mcnode.codec.protobuf import decode, encode
from mcnode.ledger.db import mints, tx_outs
from mcnode.ledger.db.records import (
    KeyImageList,
    MintTxList,
    TxOutsByBlock,
    ValidatedMintConfigTxList,
)
from mcnode.ledger.db.tables import (
    NUM_BLOCKS_KEY,
    Table,
    Tables,
    Txn,
    key_image_value,
    parse_u64,
    u64_key,
)
from mcnode.ledger.errors import NotFound


def write_block(txn: Txn, tables: Tables, data: BlockData) -> None:
    """Write a checked block: key images, outputs, minting, then the block itself.

    Raises:
        LedgerError: parts of the block contradict one another or the minting state.
    """
    index = data.block.index
    contents = data.contents
    _write_key_images(txn, tables, index, contents.key_images)
    _write_tx_outs(txn, tables, index, contents)
    # mint transactions first: they may only use configurations of earlier blocks
    mints.write_mint_txs(txn, tables, index, contents.mint_txs)
    mints.write_mint_config_txs(txn, tables, index, contents.validated_mint_config_txs)
    _write_header(txn, tables, data)


def _write_key_images(txn: Txn, tables: Tables, index: int, key_images: tuple[bytes, ...]) -> None:
    value = key_image_value(index)
    for key_image in key_images:
        txn.put(key_image, value, db=tables.key_images)
    listed = encode(KeyImageList(tuple(key_images)))
    txn.put(u64_key(index), listed, db=tables.key_images_by_block)


def _write_tx_outs(txn: Txn, tables: Tables, index: int, contents: BlockContents) -> None:
    count = len(contents.outputs)
    first = tx_outs.push_tx_outs(txn, tables, contents.outputs)
    block_key = u64_key(index)
    txn.put(block_key, encode(TxOutsByBlock(first, count)), db=tables.tx_outs_by_block)
    with txn.cursor(tables.block_number_by_tx_out_index) as cursor:
        cursor.putmulti((u64_key(first + offset), block_key) for offset in range(count))


def _write_header(txn: Txn, tables: Tables, data: BlockData) -> None:
    index = data.block.index
    key = u64_key(index)
    txn.put(NUM_BLOCKS_KEY, u64_key(index + 1), db=tables.counts)
    txn.put(key, encode(data.block), db=tables.blocks)
    if data.signature is not None:
        txn.put(key, encode(data.signature), db=tables.block_signatures)
    if data.metadata is not None:
        txn.put(key, encode(data.metadata), db=tables.block_metadata)


def get_num_blocks(txn: Txn, tables: Tables) -> int:
    """How many blocks there are."""
    value = txn.get(NUM_BLOCKS_KEY, db=tables.counts)
    if value is None:
        raise NotFound("the number of blocks is not recorded: the ledger is damaged")
    return parse_u64(value)


def get_latest_block(txn: Txn, tables: Tables) -> Block | None:
    """The last header, or None."""
    num_blocks = get_num_blocks(txn, tables)
    return get_block(txn, tables, num_blocks - 1) if num_blocks else None


def get_block(txn: Txn, tables: Tables, index: int) -> Block:
    """The header at `index`."""
    return decode(Block, _get(txn, tables.blocks, index, "header"))


def get_blocks(txn: Txn, tables: Tables, first: int, count: int) -> list[Block]:
    """Headers from `first` on, at most `count`."""
    end = min(first + count, get_num_blocks(txn, tables))
    return [get_block(txn, tables, index) for index in range(first, end)]


def get_key_images(txn: Txn, tables: Tables, index: int) -> tuple[bytes, ...]:
    """The key images of block `index`."""
    value = _get(txn, tables.key_images_by_block, index, "key images")
    return decode(KeyImageList, value).key_images


def get_block_contents(txn: Txn, tables: Tables, index: int) -> BlockContents:
    """The contents of block `index`, put together from their tables."""
    place = decode(TxOutsByBlock, _get(txn, tables.tx_outs_by_block, index, "outputs"))
    outputs = tx_outs.get_tx_out_range(txn, tables, place.first_tx_out_index, place.num_tx_outs)
    configs = _get(txn, tables.mint_config_txs_by_block, index, "mint configurations")
    mint_txs = _get(txn, tables.mint_txs_by_block, index, "mint transactions")
    return BlockContents(
        key_images=get_key_images(txn, tables, index),
        outputs=outputs,
        validated_mint_config_txs=decode(ValidatedMintConfigTxList, configs).list,
        mint_txs=decode(MintTxList, mint_txs).list,
    )


def get_block_signature(txn: Txn, tables: Tables, index: int) -> BlockSignature:
    """The signature of block `index`."""
    return decode(BlockSignature, _get(txn, tables.block_signatures, index, "signature"))


def get_block_metadata(txn: Txn, tables: Tables, index: int) -> BlockMetadata:
    """The metadata of block `index`."""
    return decode(BlockMetadata, _get(txn, tables.block_metadata, index, "metadata"))


def get_block_data(txn: Txn, tables: Tables, index: int) -> BlockData:
    """Block `index` whole; signature and metadata None where it has none."""
    key = u64_key(index)
    signature = txn.get(key, db=tables.block_signatures)
    metadata = txn.get(key, db=tables.block_metadata)
    return BlockData(
        block=get_block(txn, tables, index),
        contents=get_block_contents(txn, tables, index),
        signature=None if signature is None else decode(BlockSignature, signature),
        metadata=None if metadata is None else decode(BlockMetadata, metadata),
    )


def _get(txn: Txn, table: Table, index: int, what: str) -> bytes:
    value = txn.get(u64_key(index), db=table)
    if value is None:
        raise NotFound(f"no {what} of block {index}")
    return value
