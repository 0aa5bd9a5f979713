"""What must hold of a block before it is appended, in order. [docs/protocol/ledger.md#4.3]

Looked at elsewhere, not here: block and metadata signatures, the cumulative count, the root
element, governors' signatures and tombstones. Duplicates inside one block show up while writing.
"""

from mcnode.blockchain.block import ORIGIN_PARENT_ID, Block, check_block_id
from mcnode.blockchain.block_data import BlockData
from mcnode.blockchain.contents import BlockContents, contents_hash
from mcnode.blockchain.errors import InvalidBlockId
from mcnode.ledger.db.mints import find_block_of_nonce
from mcnode.ledger.db.tables import Table, Tables, Txn
from mcnode.ledger.errors import (
    BlockMetadataRequired,
    DuplicateMintConfigTx,
    DuplicateMintTx,
    DuplicateOutputPublicKey,
    InvalidBlockContents,
    InvalidBlockID,
    InvalidBlockIndex,
    InvalidBlockVersion,
    InvalidParentBlockID,
    KeyImageAlreadySpent,
    MissingMaskedAmount,
    NoKeyImages,
    NoOutputs,
    TooFewOutputs,
)
from mcnode.transaction.block_version import MAX_BLOCK_VERSION

METADATA_REQUIRED_FROM_VERSION = 3


def check_append(txn: Txn, tables: Tables, parent: Block | None, data: BlockData) -> None:
    """Check that `data` may follow `parent`; None means that the ledger is empty.

    Raises:
        LedgerError: one class per rule.
    """
    block, contents = data.block, data.contents
    if parent is None:
        _check_is_origin(block)
    else:
        _check_follows(block, parent)
    _check_counts(block, contents)
    if contents_hash(contents) != block.contents_hash:
        raise InvalidBlockContents(
            f"contents of block {block.index} do not hash to {block.contents_hash.hex()}"
        )
    _check_outputs_and_key_images(txn, tables, contents)
    try:
        check_block_id(block)
    except InvalidBlockId as error:
        raise InvalidBlockID(block.id) from error
    _check_nonces(txn, tables, contents)
    if block.version >= METADATA_REQUIRED_FROM_VERSION and data.metadata is None:
        raise BlockMetadataRequired(f"block {block.index} of version {block.version} has none")


def _check_is_origin(block: Block) -> None:
    if block.version != 0:
        raise InvalidBlockVersion(block.version, 0, 0)
    if block.index != 0:
        raise InvalidBlockIndex(block.index, 0)
    if block.parent_id != ORIGIN_PARENT_ID:
        # the network reports the block's own id here, not its parent's
        raise InvalidParentBlockID(block.id, ORIGIN_PARENT_ID)


def _check_follows(block: Block, parent: Block) -> None:
    if not parent.version <= block.version <= MAX_BLOCK_VERSION:
        raise InvalidBlockVersion(block.version, parent.version, MAX_BLOCK_VERSION)
    if block.index != parent.index + 1:
        raise InvalidBlockIndex(block.index, parent.index + 1)
    if block.parent_id != parent.id:
        raise InvalidParentBlockID(block.parent_id, parent.id)


def _check_counts(block: Block, contents: BlockContents) -> None:
    outputs, mint_txs = len(contents.outputs), len(contents.mint_txs)
    if not outputs and not contents.validated_mint_config_txs:
        raise NoOutputs(f"block {block.index} has 0 outputs and 0 mint configurations, needs 1")
    if outputs < mint_txs:
        raise TooFewOutputs(f"block {block.index} has {outputs} outputs, needs {mint_txs}")
    mints = mint_txs or contents.validated_mint_config_txs
    if block.index != 0 and not contents.key_images and not mints:
        raise NoKeyImages(f"block {block.index} has 0 key images and no minting, needs 1")


def _check_outputs_and_key_images(txn: Txn, tables: Tables, contents: BlockContents) -> None:
    for position, output in enumerate(contents.outputs):
        if output.masked_amount is None:
            raise MissingMaskedAmount(f"output {position} has no masked amount")
    spent = _known_keys(txn, tables.key_images, list(contents.key_images))
    if spent:
        raise KeyImageAlreadySpent(spent[0])
    public_keys = [output.public_key for output in contents.outputs]
    duplicate = _known_keys(txn, tables.tx_out_index_by_public_key, public_keys)
    if duplicate:
        raise DuplicateOutputPublicKey(duplicate[0])


def _known_keys(txn: Txn, table: Table, keys: list[bytes]) -> list[bytes]:
    with txn.cursor(table) as cursor:
        return [key for key, _ in cursor.getmulti(keys)]


def _check_nonces(txn: Txn, tables: Tables, contents: BlockContents) -> None:
    for mint_tx in contents.mint_txs:
        nonce, token_id = mint_tx.prefix.nonce, mint_tx.prefix.token_id
        if find_block_of_nonce(txn, tables.block_by_mint_nonce, nonce, token_id) is not None:
            raise DuplicateMintTx(f"nonce {nonce.hex()} of token {token_id} was used")
    for validated in contents.validated_mint_config_txs:
        prefix = validated.mint_config_tx.prefix
        table = tables.block_by_mint_config_nonce
        if find_block_of_nonce(txn, table, prefix.nonce, prefix.token_id) is not None:
            raise DuplicateMintConfigTx(
                f"nonce {prefix.nonce.hex()} of token {prefix.token_id} was used"
            )
