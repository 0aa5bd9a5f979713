"""Headers, signatures, metadata and what is made of archive bytes."""

import dataclasses

import pytest

from mcnode.account.account_key import AccountKey
from mcnode.attest.messages import DcapEvidence
from mcnode.blockchain import errors
from mcnode.blockchain.archive_conversion import parse_archive_block, parse_archive_blocks
from mcnode.blockchain.archive_wire import WireArchiveBlock
from mcnode.blockchain.block import (
    ORIGIN_PARENT_ID,
    Block,
    block_id_of,
    check_block_id,
    make_child_block,
)
from mcnode.blockchain.block_data import (
    BlockData,
    archive_block_bytes,
    archive_blocks_bytes,
)
from mcnode.blockchain.metadata import (
    BlockMetadata,
    BlockMetadataContents,
    check_metadata_signature,
    sign_metadata,
)
from mcnode.blockchain.quorum_set import (
    MetadataNode,
    MetadataQuorumSet,
    MetadataQuorumSetMember,
    metadata_quorum_set,
    quorum_set_of,
)
from mcnode.blockchain.signature import check_block_signature, sign_block
from mcnode.codec.errors import DecodeError
from mcnode.codec.protobuf import Order, decode, encode
from mcnode.crypto.keys import Ed25519Private
from mcnode.crypto.rng import Hc128Rng
from mcnode.ledger.sample import SampleLedger, make_sample_blocks
from mcnode.scp.quorum_set import QuorumSet
from mcnode.scp.types import NodeID
from mcnode.transaction.messages import Range, TxOutMembershipElement


@pytest.fixture(scope="module")
def blocks() -> list[BlockData]:
    """Three blocks with signatures and metadata."""
    recipient = AccountKey.random(Hc128Rng(bytes(32))).default_subaddress()
    return list(make_sample_blocks(SampleLedger([recipient], 3, 3, 1)))


KEY = Ed25519Private(bytes([7]) * 32)


def test_an_origin_block_and_its_children(blocks):
    origin, child = blocks[0].block, blocks[1].block
    assert (origin.version, origin.index, origin.parent_id) == (0, 0, ORIGIN_PARENT_ID)
    assert (child.index, child.parent_id) == (1, origin.id)
    assert child.cumulative_txo_count == 12
    assert make_child_block(origin, 3, blocks[1].contents) == child


@pytest.mark.parametrize(
    "change",
    [
        {"version": 4},
        {"parent_id": bytes(32)},
        {"index": 2},
        {"cumulative_txo_count": 1},
        {"root_element": TxOutMembershipElement(Range(0, 1), bytes(32))},
        {"contents_hash": bytes(32)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_field_of_a_header_is_in_its_id(blocks, change):
    check_block_id(blocks[1].block)
    changed = dataclasses.replace(blocks[1].block, **change)
    with pytest.raises(errors.InvalidBlockId):
        check_block_id(changed)
    renamed = dataclasses.replace(changed, id=block_id_of(changed))
    check_block_id(renamed)


def test_a_signature_is_over_one_block_but_not_over_its_time(blocks):
    signature = sign_block(blocks[0].block, KEY, signed_at=5)
    check_block_signature(dataclasses.replace(signature, signed_at=6), blocks[0].block)
    with pytest.raises(errors.InvalidSignature, match="not over block 1"):
        check_block_signature(signature, blocks[1].block)
    with pytest.raises(errors.InvalidSignature):
        check_block_signature(dataclasses.replace(signature, signer=bytes(32)), blocks[0].block)


def metadata_about(block: Block, **change) -> BlockMetadata:
    node = MetadataNode("node:1", KEY.public_key().to_bytes())
    fields = {
        "block_id": block.id,
        "quorum_set": MetadataQuorumSet(1, (MetadataQuorumSetMember(node),)),
        "attestation_evidence": DcapEvidence(None, None, None),
        "responder_id": "node:1",
    }
    return sign_metadata(BlockMetadataContents(**(fields | change)), KEY)


def test_metadata_is_signed_whole(blocks):
    metadata = metadata_about(blocks[0].block)
    check_metadata_signature(metadata)
    other = dataclasses.replace(metadata.contents, responder_id="node:2")
    with pytest.raises(errors.InvalidSignature):
        check_metadata_signature(dataclasses.replace(metadata, contents=other))


def test_responder_ids_are_plain_text_in_archives_only(blocks):
    data = dataclasses.replace(blocks[0], metadata=metadata_about(blocks[0].block))
    archived = archive_block_bytes(data)
    assert parse_archive_block(archived) == data
    nested = b"\x22\x08\x0a\x06node:1"
    assert nested in encode(data)
    assert nested not in archived
    wire = decode(WireArchiveBlock, archived)
    assert wire.v1.metadata.contents.responder_id == "node:1"


def test_archives_round_trip(blocks):
    for data in blocks:
        assert parse_archive_block(archive_block_bytes(data)) == data
        assert decode(BlockData, encode(data)) == data
        bare = dataclasses.replace(data, signature=None, metadata=None)
        assert parse_archive_block(archive_block_bytes(bare)) == bare
    assert parse_archive_blocks(archive_blocks_bytes(tuple(blocks))) == blocks
    assert parse_archive_blocks(b"") == []


def test_merged_blocks_must_link(blocks):
    with pytest.raises(errors.InvalidContents, match="parent is not the block before"):
        parse_archive_blocks(archive_blocks_bytes((blocks[0], blocks[2])))


def test_every_prefix_that_ends_inside_is_refused(blocks):
    archived = archive_block_bytes(blocks[1])
    for length in range(1, len(archived), 7):
        with pytest.raises((DecodeError, errors.ConversionError)):
            parse_archive_block(archived[:length])
    with pytest.raises(errors.ObjectMissing):
        parse_archive_block(b"")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"responder_id": "node"}, errors.InvalidContents),
        ({"attestation_evidence": None}, errors.MissingField),
        ({"quorum_set": MetadataQuorumSet(1, ())}, errors.ArrayCastError),
        (
            {"quorum_set": MetadataQuorumSet(0, (MetadataQuorumSetMember(None),))},
            errors.ObjectMissing,
        ),
    ],
)
def test_bad_metadata_is_refused_even_when_signed(blocks, change, error):
    data = dataclasses.replace(blocks[0], metadata=metadata_about(blocks[0].block, **change))
    with pytest.raises(error):
        parse_archive_block(archive_block_bytes(data))


def test_deep_quorum_sets_are_refused(blocks):
    quorum_set = MetadataQuorumSet(0, ())
    for _ in range(45):
        quorum_set = MetadataQuorumSet(0, (MetadataQuorumSetMember(quorum_set),))
    data = dataclasses.replace(
        blocks[0], metadata=metadata_about(blocks[0].block, quorum_set=quorum_set)
    )
    with pytest.raises((DecodeError, errors.ArrayCastError)):
        parse_archive_block(archive_block_bytes(data))


def test_quorum_sets_convert_both_ways():
    nodes = [NodeID(f"n{number}:1", bytes([number]) * 32) for number in range(3)]
    quorum_set = QuorumSet(2, (nodes[0], QuorumSet(1, (nodes[1], nodes[2]))))
    recorded = metadata_quorum_set(quorum_set)
    assert recorded.members[0].member == MetadataNode("n0:1", bytes(32))
    assert quorum_set_of(recorded) == quorum_set


def test_both_encoders_read_each_others_bytes_without_metadata(blocks):
    bare = dataclasses.replace(blocks[1], metadata=None)
    for order in Order:
        assert decode(BlockData, encode(bare, order), order) == bare
