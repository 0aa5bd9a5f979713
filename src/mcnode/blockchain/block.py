"""Block headers: fields, identity and chain rules. [docs/protocol/ledger.md#1.2]

A block's id is a transcript of its other header fields under a label of its own, the same at every
block version. The contents are bound by their hash, so an id stands for the whole block.
"""

from collections.abc import Sequence

from mcnode.blockchain.contents import BlockContents, contents_hash
from mcnode.blockchain.errors import InvalidBlockId
from mcnode.codec.digest import Primitive, Transcript, digest32, uint
from mcnode.codec.schema import HASH32, UINT32, UINT64, field, message
from mcnode.transaction.messages import Range, TxOut, TxOutMembershipElement

ORIGIN_PARENT_ID = bytes(32)
"""What the origin block names as its parent."""

EMPTY_ROOT_ELEMENT = TxOutMembershipElement(range=Range(from_=0, to=0), hash=bytes(32))
"""The root of the origin block, and of blocks made where no tree is at hand."""


@message
class Block:
    """A block's header. `root_element` is the root of the output tree before this block."""

    id: bytes = field(1, HASH32)
    version: int = field(2, UINT32)
    parent_id: bytes = field(3, HASH32)
    index: int = field(4, UINT64)
    cumulative_txo_count: int = field(5, UINT64)
    """Outputs in the ledger after this block."""
    root_element: TxOutMembershipElement = field(6, TxOutMembershipElement)
    contents_hash: bytes = field(7, HASH32)


def compute_block_id(
    *,
    version: int,
    parent_id: bytes,
    index: int,
    cumulative_txo_count: int,
    root_element: TxOutMembershipElement,
    contents_hash: bytes,
) -> bytes:
    """The 32-byte id of a block with these header fields. [docs/protocol/ledger.md#1.2]"""
    transcript = Transcript("mobilecoin-block-id")
    transcript.append_node("version", uint(version, 32))
    transcript.append_node("parent_id", Primitive("bytes", parent_id))
    transcript.append_node("index", uint(index, 64))
    transcript.append_node("cumulative_txo_count", uint(cumulative_txo_count, 64))
    transcript.append_node("root_element", root_element)
    transcript.append_node("contents_hash", Primitive("bytes", contents_hash))
    return transcript.digest()


def block_id_of(block: Block) -> bytes:
    """The id that `block` must have by its other fields; its own `id` is not looked at."""
    return compute_block_id(
        version=block.version,
        parent_id=block.parent_id,
        index=block.index,
        cumulative_txo_count=block.cumulative_txo_count,
        root_element=block.root_element,
        contents_hash=block.contents_hash,
    )


def check_block_id(block: Block) -> None:
    """Refuse a header whose id is not that of its other fields.

    Raises:
        InvalidBlockId: they differ.
    """
    expected = block_id_of(block)
    if block.id != expected:
        raise InvalidBlockId(block.id, expected)


def make_block(
    *,
    version: int,
    parent_id: bytes,
    index: int,
    cumulative_txo_count: int,
    root_element: TxOutMembershipElement,
    contents: BlockContents,
) -> Block:
    """A header with these fields, its contents hash and its id."""
    hash_of_contents = contents_hash(contents)
    block_id = compute_block_id(
        version=version,
        parent_id=parent_id,
        index=index,
        cumulative_txo_count=cumulative_txo_count,
        root_element=root_element,
        contents_hash=hash_of_contents,
    )
    return Block(
        id=block_id,
        version=version,
        parent_id=parent_id,
        index=index,
        cumulative_txo_count=cumulative_txo_count,
        root_element=root_element,
        contents_hash=hash_of_contents,
    )


def make_origin_block(outputs: Sequence[TxOut]) -> tuple[Block, BlockContents]:
    """The first block of a chain: version 0, outputs only. [docs/protocol/ledger.md#3]"""
    contents = BlockContents((), tuple(outputs), (), ())
    block = make_block(
        version=0,
        parent_id=ORIGIN_PARENT_ID,
        index=0,
        cumulative_txo_count=len(contents.outputs),
        root_element=EMPTY_ROOT_ELEMENT,
        contents=contents,
    )
    return block, contents


def make_child_block(
    parent: Block,
    version: int,
    contents: BlockContents,
    root_element: TxOutMembershipElement = EMPTY_ROOT_ELEMENT,
) -> Block:
    """The block that follows `parent` with these contents. [docs/protocol/ledger.md#3]"""
    return make_block(
        version=version,
        parent_id=parent.id,
        index=parent.index + 1,
        cumulative_txo_count=parent.cumulative_txo_count + len(contents.outputs),
        root_element=root_element,
        contents=contents,
    )


def block_digest(block: Block) -> bytes:
    """The 32-byte digest of a whole header under the context `block`."""
    return digest32("block", block)
