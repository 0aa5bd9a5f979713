"""Blocks of merged files, kept until they are asked for."""

from collections import OrderedDict

from mcnode.blockchain.block import Block
from mcnode.blockchain.block_data import BlockData

CACHED_BLOCKS_MAX = 10_000
"""One file of the largest bucket; as many as the network's own program keeps."""


class BlockCache:
    """A bounded map from index to block; the one used longest ago goes first."""

    def __init__(self, blocks_max: int = CACHED_BLOCKS_MAX) -> None:
        self._blocks_max = blocks_max
        self._blocks: OrderedDict[int, BlockData] = OrderedDict()

    def __len__(self) -> int:
        return len(self._blocks)

    def put(self, block_data: BlockData) -> None:
        """Keep a block under its own index."""
        self._blocks[block_data.block.index] = block_data
        self._blocks.move_to_end(block_data.block.index)
        while len(self._blocks) > self._blocks_max:
            self._blocks.popitem(last=False)

    def take(self, index: int, expected: Block | None) -> BlockData | None:
        """Remove and return the block at `index`; None if absent or not the expected header."""
        block_data = self._blocks.pop(index, None)
        if block_data is None or (expected is not None and block_data.block != expected):
            return None
        return block_data
