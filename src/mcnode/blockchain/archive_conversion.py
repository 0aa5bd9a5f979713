"""From archive bytes to blocks that may be trusted in themselves. [docs/protocol/ledger.md#2.2]

The order of checks: header, contents, signature, metadata, then the whole. What this does not show
is that a block belongs to the chain; that is for whoever asked for it.
"""

from mcnode.blockchain.archive_contents import (
    KEY_BYTES,
    SIGNATURE_BYTES,
    convert_contents,
    ed25519_key,
    fixed_bytes,
)
from mcnode.blockchain.archive_wire import (
    WireArchiveBlock,
    WireArchiveBlocks,
    WireBlock,
    WireBlockMetadata,
    WireBlockMetadataContents,
    WireBlockSignature,
    WireNode,
    WireQuorumSet,
)
from mcnode.blockchain.block import Block, check_block_id
from mcnode.blockchain.block_data import BlockData
from mcnode.blockchain.contents import contents_hash
from mcnode.blockchain.errors import (
    ArrayCastError,
    InvalidBlockId,
    InvalidContents,
    MissingField,
    ObjectMissing,
    ReversedRange,
)
from mcnode.blockchain.metadata import (
    BlockMetadata,
    BlockMetadataContents,
    check_metadata_signature,
)
from mcnode.blockchain.quorum_set import (
    QUORUM_SET_DEPTH_MAX,
    MetadataNode,
    MetadataQuorumSet,
    MetadataQuorumSetMember,
)
from mcnode.blockchain.signature import BlockSignature, check_block_signature
from mcnode.codec.protobuf import decode
from mcnode.transaction.messages import TxOutMembershipElement


def parse_archive_block(data: bytes) -> BlockData:
    """One block from the bytes of its archive file, with every check that needs no context.

    Raises:
        DecodeError: the bytes are not of this layout.
        ConversionError: one class per check.
    """
    return convert_archive_block(decode(WireArchiveBlock, data))


def parse_archive_blocks(data: bytes) -> list[BlockData]:
    """Blocks from the bytes of a merged file; each one's parent is the one before.

    Raises:
        DecodeError: the bytes are not of this layout.
        ConversionError: one class per check; `InvalidContents` when the parents do not link.
    """
    blocks: list[BlockData] = []
    for position, wire in enumerate(decode(WireArchiveBlocks, data).blocks):
        block_data = convert_archive_block(wire)
        if blocks and block_data.block.parent_id != blocks[-1].block.id:
            raise InvalidContents(f"blocks[{position}]", "parent is not the block before")
        blocks.append(block_data)
    return blocks


def convert_archive_block(wire: WireArchiveBlock) -> BlockData:
    """One block with every check that needs no context.

    Raises:
        ConversionError: one class per check.
    """
    if wire.v1 is None:
        raise ObjectMissing("block", "neither version of an archived block is there")
    block = convert_block(wire.v1.block)
    contents = convert_contents(wire.v1.block_contents)
    signature = metadata = None
    if wire.v1.signature is not None:
        signature = _signature(wire.v1.signature)
        check_block_signature(signature, block)
    if wire.v1.metadata is not None:
        metadata = convert_metadata(wire.v1.metadata)
    if contents_hash(contents) != block.contents_hash:
        raise InvalidContents("block_contents", "not what the header's contents hash says")
    try:
        check_block_id(block)
    except InvalidBlockId as error:
        raise InvalidContents("block.id", str(error)) from error
    return BlockData(block, contents, signature, metadata)


def convert_block(wire: WireBlock) -> Block:
    """A header; that its id fits is not looked at.

    Raises:
        ArrayCastError: an id or hash is absent or of a wrong length.
        ReversedRange: the root's range ends before it starts.
    """
    block_id = fixed_bytes(wire.id, KEY_BYTES, "block.id")
    parent_id = fixed_bytes(wire.parent_id, KEY_BYTES, "block.parent_id")
    root = wire.root_element
    if root.range.from_ > root.range.to:
        raise ReversedRange("block.root_element", f"range is {root.range.from_} to {root.range.to}")
    root_hash = fixed_bytes(root.hash, KEY_BYTES, "block.root_element.hash")
    return Block(
        id=block_id,
        version=wire.version,
        parent_id=parent_id,
        index=wire.index,
        cumulative_txo_count=wire.cumulative_txo_count,
        root_element=TxOutMembershipElement(root.range, root_hash),
        contents_hash=fixed_bytes(wire.contents_hash, KEY_BYTES, "block.contents_hash"),
    )


def _signature(wire: WireBlockSignature) -> BlockSignature:
    return BlockSignature(
        signature=fixed_bytes(wire.signature, SIGNATURE_BYTES, "signature.signature"),
        signer=ed25519_key(wire.signer, "signature.signer"),
        signed_at=wire.signed_at,
    )


def convert_metadata(wire: WireBlockMetadata) -> BlockMetadata:
    """Metadata whose signature verifies; its block id is not compared with any block.

    Raises:
        ConversionError: one class per check.
    """
    metadata = BlockMetadata(
        contents=_metadata_contents(wire.contents),
        node_key=ed25519_key(wire.node_key, "metadata.node_key"),
        signature=fixed_bytes(wire.signature, SIGNATURE_BYTES, "metadata.signature"),
    )
    check_metadata_signature(metadata)
    return metadata


def _metadata_contents(wire: WireBlockMetadataContents) -> BlockMetadataContents:
    block_id = fixed_bytes(wire.block_id, KEY_BYTES, "metadata.block_id")
    quorum_set = _quorum_set(wire.quorum_set, 0)
    if wire.attestation_evidence is None:
        raise MissingField("metadata.contents", "attestation_evidence")
    return BlockMetadataContents(
        block_id=block_id,
        quorum_set=quorum_set,
        attestation_evidence=wire.attestation_evidence,
        responder_id=_responder_id(wire.responder_id, "metadata.responder_id"),
    )


def _quorum_set(wire: WireQuorumSet, depth: int) -> MetadataQuorumSet:
    if depth >= QUORUM_SET_DEPTH_MAX:
        raise ArrayCastError(
            "metadata.quorum_set", f"nested more than {QUORUM_SET_DEPTH_MAX} levels"
        )
    members = []
    for position, wrapper in enumerate(wire.members):
        what = f"metadata.quorum_set.members[{position}]"
        match wrapper.member:
            case None:
                raise ObjectMissing(what, "neither a node nor an inner set")
            case WireNode() as node:
                member: MetadataNode | MetadataQuorumSet = MetadataNode(
                    responder_id=_responder_id(node.responder_id, f"{what}.responder_id"),
                    public_key=ed25519_key(node.public_key, f"{what}.public_key"),
                )
            case WireQuorumSet() as inner:
                member = _quorum_set(inner, depth + 1)
        members.append(MetadataQuorumSetMember(member))
    if wire.threshold > len(members):
        raise ArrayCastError(
            "metadata.quorum_set", f"threshold is {wire.threshold}, members are {len(members)}"
        )
    return MetadataQuorumSet(wire.threshold, tuple(members))


def _responder_id(text: str, what: str) -> str:
    if ":" not in text:
        raise InvalidContents(what, f"responder id {text!r} has no port")
    return text
