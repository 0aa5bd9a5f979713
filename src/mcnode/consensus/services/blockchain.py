"""`BlockchainAPI`: block headers and fees, for anybody. [docs/protocol/service.md#8.1]"""

import asyncio
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Protocol

import grpc
from google.protobuf.empty_pb2 import Empty

from mcnode.api.convert import to_generated
from mcnode.api.gen import blockchain_pb2
from mcnode.api.gen.consensus_common_pb2 import (
    BlocksRequest,
    BlocksResponse,
    LastBlockInfoResponse,
)
from mcnode.api.rpc import Call, Served, StatusError, serve
from mcnode.api.services import GET_BLOCKS, GET_LAST_BLOCK_INFO
from mcnode.blockchain.block import Block
from mcnode.consensus.services.guards import Guards
from mcnode.errors import McNodeError
from mcnode.transaction.constants import MOB

HEADERS_PER_CALL_MAX = 2000
"""The network's own bound."""


class HeaderLedger(Protocol):
    """What the service reads of the ledger."""

    def num_blocks(self) -> int:
        """Number of blocks."""
        ...

    def get_blocks(self, first: int, count: int) -> list[Block]:
        """Headers from `first` on, at most `count`, fewer at the end."""
        ...


@dataclasses.dataclass(frozen=True, slots=True)
class BlockchainService:
    """The two calls, on the client and on the peer listener."""

    guards: Guards
    ledger: HeaderLedger
    minimum_fees: Mapping[int, int]
    block_version: int

    def served(self) -> Sequence[Served]:
        """The methods, for the server."""
        return (
            serve(GET_LAST_BLOCK_INFO, self.get_last_block_info),
            serve(GET_BLOCKS, self.get_blocks),
        )

    async def get_last_block_info(self, _request: Empty, call: Call) -> LastBlockInfoResponse:
        """Height, fees and block version."""
        self.guards.authenticate(call)
        try:
            num_blocks = self.ledger.num_blocks()
        except McNodeError as error:
            raise StatusError(grpc.StatusCode.INTERNAL) from error
        return LastBlockInfoResponse(
            index=max(0, num_blocks - 1),
            mob_minimum_fee=self.minimum_fees[MOB],
            minimum_fees=dict(self.minimum_fees),
            network_block_version=self.block_version,
        )

    async def get_blocks(self, request: BlocksRequest, call: Call) -> BlocksResponse:
        """Headers from `offset` on, at most 2,000, up to the end of the ledger."""
        self.guards.authenticate(call)
        count = min(request.limit, HEADERS_PER_CALL_MAX)
        try:
            return await asyncio.to_thread(self._headers, request.offset, count)
        except McNodeError as error:
            raise StatusError(grpc.StatusCode.INTERNAL) from error

    def _headers(self, first: int, count: int) -> BlocksResponse:
        headers = self.ledger.get_blocks(first, count)
        return BlocksResponse(blocks=[to_generated(h, blockchain_pb2.Block) for h in headers])
