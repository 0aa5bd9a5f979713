"""The nineteen sub-databases, their names and their keys. [docs/protocol/ledger.md#4.2]

Names and key forms are part of the format: ledgers move between this program and the network's.
"""

import dataclasses
import struct
from typing import TypeAlias

import lmdb

Txn: TypeAlias = "lmdb.Transaction[bytes]"
Table: TypeAlias = "lmdb._Database"

TABLE_NAMES = {
    "metadata": b"ledger_db_metadata",
    "counts": b"ledger_db:counts",
    "blocks": b"ledger_db:blocks",
    "block_signatures": b"ledger_db:block_signatures",
    "block_metadata": b"ledger_db:block_metadata",
    "key_images": b"ledger_db:key_images",
    "key_images_by_block": b"ledger_db:key_images_by_block",
    "tx_outs_by_block": b"ledger_db:tx_outs_by_block",
    "block_number_by_tx_out_index": b"ledger_db:block_number_by_tx_out_index",
    "tx_out_counts": b"tx_out_store:counts",
    "tx_out_index_by_hash": b"tx_out_store:tx_out_index_by_hash",
    "tx_out_index_by_public_key": b"tx_out_store:tx_out_index_by_public_key",
    "tx_out_by_index": b"tx_out_store:tx_out_by_index",
    "merkle_hash_by_range": b"tx_out_store:merkle_hash_by_range",
    "active_mint_configs": b"mint_config_store:active_mint_configs_by_token_id",
    "block_by_mint_config_nonce": (
        b"mint_config_store:block_index_by_mint_config_tx_nonce_and_token_id"
    ),
    "mint_config_txs_by_block": b"mint_config_store:validated_mint_config_txs_by_block",
    "mint_txs_by_block": b"mint_tx_store:set_txs_by_block",
    "block_by_mint_nonce": b"mint_tx_store:block_index_by_mint_tx_nonce_and_token_id",
}
"""Attribute of `Tables` to name in the file."""

NUM_BLOCKS_KEY = b"num_blocks"
NUM_TX_OUTS_KEY = b"num_tx_outs"
VERSION_KEY = b"version"

_U64_BIG = struct.Struct(">Q")
_U64_LITTLE = struct.Struct("<Q")
_TWO_U64_BIG = struct.Struct(">QQ")

u64_key = _U64_BIG.pack
"""Eight bytes, big-endian: sorts as the number does."""
range_key = _TWO_U64_BIG.pack
"""(from, to) of a tree node: 16 bytes."""
key_image_value = _U64_LITTLE.pack
"""The one little-endian number of the format: the block that spent a key image."""


def parse_u64(value: bytes) -> int:
    """The number of eight big-endian bytes."""
    number: int = _U64_BIG.unpack(value)[0]
    return number


def parse_key_image_value(value: bytes) -> int:
    """The block index stored for a key image."""
    number: int = _U64_LITTLE.unpack(value)[0]
    return number


def nonce_key(nonce: bytes, token_id: int) -> bytes:
    """The key of a mint or mint configuration nonce: nonce and token id, big-endian."""
    return nonce + _U64_BIG.pack(token_id)


@dataclasses.dataclass(frozen=True, slots=True)
class Tables:
    """Handles of all sub-databases of one environment."""

    metadata: Table
    counts: Table
    blocks: Table
    block_signatures: Table
    block_metadata: Table
    key_images: Table
    key_images_by_block: Table
    tx_outs_by_block: Table
    block_number_by_tx_out_index: Table
    tx_out_counts: Table
    tx_out_index_by_hash: Table
    tx_out_index_by_public_key: Table
    tx_out_by_index: Table
    merkle_hash_by_range: Table
    active_mint_configs: Table
    block_by_mint_config_nonce: Table
    mint_config_txs_by_block: Table
    mint_txs_by_block: Table
    block_by_mint_nonce: Table
