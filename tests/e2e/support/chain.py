"""Looking at ledgers from outside, with nothing taken on trust."""

import itertools

from mcnode.blockchain.block import check_block_id
from mcnode.blockchain.contents import contents_hash
from mcnode.blockchain.signature import check_block_signature
from mcnode.ledger.errors import NotFound


def check_chain(ledger, *spent):
    """Ids, links, contents, counts and signatures of all blocks; and that `spent` is spent.

    Returns the ids.
    """
    blocks = [ledger.get_block(index) for index in range(ledger.num_blocks())]
    for parent, block in itertools.pairwise(blocks):
        assert block.parent_id == parent.id
    seen_key_images, output_count = set(), 0
    for block in blocks:
        check_block_id(block)
        contents = ledger.get_block_contents(block.index)
        assert contents_hash(contents) == block.contents_hash
        assert seen_key_images.isdisjoint(contents.key_images)
        seen_key_images.update(contents.key_images)
        output_count += len(contents.outputs)
        assert block.cumulative_txo_count == output_count
        signature = find_signature(ledger, block.index)
        if signature is not None:
            check_block_signature(signature, block)
    assert ledger.num_txos() == output_count
    for output in spent:
        assert output.key_image in seen_key_images
    return [block.id for block in blocks]


def find_signature(ledger, index):
    """A block's signature; None for the origin and for blocks that were fetched."""
    try:
        return ledger.get_block_signature(index)
    except NotFound:
        return None
