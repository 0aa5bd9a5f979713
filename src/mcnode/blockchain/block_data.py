"""A block with all that is stored beside it, and its archived forms. [docs/protocol/ledger.md#2.1]

The stored and the archived layout share their tags; the bytes differ only by the encoder (order of
oneofs, and responder ids, which are nested messages in the stored form and plain text in archives).
"""

from mcnode.blockchain.block import Block
from mcnode.blockchain.contents import BlockContents
from mcnode.blockchain.metadata import BlockMetadata
from mcnode.blockchain.signature import BlockSignature
from mcnode.codec.protobuf import Order, encode
from mcnode.codec.schema import OPTIONAL, field, message, oneof, repeated


@message
class BlockData:
    """Header, contents and, where there are any, signature and metadata."""

    block: Block = field(1, Block)
    contents: BlockContents = field(2, BlockContents)
    signature: BlockSignature | None = field(3, BlockSignature, presence=OPTIONAL)
    metadata: BlockMetadata | None = field(4, BlockMetadata, presence=OPTIONAL)


@message
class ArchiveBlock:
    """One archived block."""

    v1: BlockData | None = oneof({1: BlockData})


@message
class ArchiveBlocks:
    """Several archived blocks in a row: a merged file."""

    blocks: tuple[ArchiveBlock, ...] = repeated(1, ArchiveBlock)


def archive_block_bytes(block_data: BlockData) -> bytes:
    """The bytes of the archive file of one block."""
    return encode(ArchiveBlock(v1=block_data), Order.RUST_PROTOBUF)


def archive_blocks_bytes(blocks: tuple[BlockData, ...]) -> bytes:
    """The bytes of a merged archive file."""
    return encode(
        ArchiveBlocks(tuple(ArchiveBlock(v1=data) for data in blocks)), Order.RUST_PROTOBUF
    )
