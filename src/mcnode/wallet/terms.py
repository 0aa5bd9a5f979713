"""What the network asks for now. [docs/protocol/transaction.md#18]"""

import dataclasses
from typing import Final

from mcnode.blockchain.block import Block
from mcnode.connection.attested import BlockInfo
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.constants import MOB
from mcnode.transaction.fee_map import FeeMap
from mcnode.wallet.errors import (
    AnotherNetwork,
    FeeBelowMinimum,
    MinimumFeeTooHigh,
    NodeBehindArchives,
    TokenCannotPayFees,
)
from mcnode.wallet.nodes import NodeClient

TOMBSTONE_BLOCKS: Final = 50
"""How many blocks a payment may wait; the network's own wallet waits as long."""
ARCHIVE_LAG_MAX: Final = 50
"""How many blocks beyond the archives a node's height is believed: what it says is not attested."""
UNASKED_FEE_MAX: Final = 10_000_000_000
"""0.01 MOB, 25 times the usual minimum: more is not paid on a node's word alone."""


@dataclasses.dataclass(frozen=True, slots=True)
class Terms:
    """What the network asks for now."""

    minimum_fees: FeeMap
    block_version: BlockVersion
    tombstone_block: int

    def fee_of(self, token_id: int, wish: int | None) -> int:
        """The fee to pay in a token: the one wished for, or else the minimum.

        Raises:
            TokenCannotPayFees: the network takes no fees in the token.
            FeeBelowMinimum: less than the minimum is wished for.
            MinimumFeeTooHigh: nothing is, and the minimum is above 0.01 MOB.
        """
        minimum = self.minimum_fees.get(token_id)
        if minimum is None:
            raise TokenCannotPayFees(token_id)
        if wish is not None and wish < minimum:
            raise FeeBelowMinimum(wish, minimum)
        if wish is not None:
            return wish
        if token_id == MOB and minimum > UNASKED_FEE_MAX:
            raise MinimumFeeTooHigh(minimum, UNASKED_FEE_MAX)
        return minimum


async def fetch_terms(node: NodeClient, head: Block) -> Terms:
    """Ask a node for its terms, and see that it has the last block of our copy of the ledger.

    Raises:
        NodeBehindArchives: it does not have it yet.
        AnotherNetwork: it has another one.
        FeeMapError, UnsupportedBlockVersion: the node says something that no node should.
    """
    info = await node.fetch_block_info()
    if info.block_index < head.index:
        raise NodeBehindArchives(_name(node), info.block_index, head.index)
    headers = await node.fetch_blocks(head.index, 1)
    if not headers or headers[0].index != head.index:
        raise NodeBehindArchives(_name(node), info.block_index, head.index)
    if headers[0].id != head.id:
        raise AnotherNetwork(head.index, "the archives", _name(node))
    return _terms(info, head)


def _name(node: NodeClient) -> str:
    return str(getattr(node, "uri", "the node"))


def _terms(info: BlockInfo, head: Block) -> Terms:
    return Terms(
        FeeMap(info.minimum_fees),
        BlockVersion(max(head.version, info.network_block_version)),
        min(info.block_index, head.index + ARCHIVE_LAG_MAX) + 1 + TOMBSTONE_BLOCKS,
    )
