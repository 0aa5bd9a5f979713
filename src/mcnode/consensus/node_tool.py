"""Asking several nodes where they are, and waiting for them. [docs/protocol/service.md#16.1]

Pure but for the `fetch` and `sleep` that are passed in.
"""

import asyncio
import dataclasses
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence

from mcnode.connection.attested import BlockInfo
from mcnode.connection.uri import Uri
from mcnode.errors import InvalidError, McNodeError

FetchInfo = Callable[[Uri], Awaitable[BlockInfo]]
Sleep = Callable[[float], Awaitable[None]]

QUIET_PERIOD_S = 40.0
WAIT_PERIOD_S = 1.0


class NoConsensusUris(InvalidError):
    """No node was named."""

    def __init__(self) -> None:
        super().__init__("No consensus uris specified")


@dataclasses.dataclass(frozen=True, slots=True)
class Nodes:
    """The nodes that are asked, all at once each time."""

    uris: tuple[Uri, ...]
    fetch: FetchInfo
    sleep: Sleep = asyncio.sleep

    def __post_init__(self) -> None:
        if not self.uris:
            raise NoConsensusUris

    async def status(self) -> Mapping[str, BlockInfo | McNodeError]:
        """What each says, or why it does not, by its URI."""
        answers = await asyncio.gather(*map(self._ask, self.uris))
        return {str(uri): answer for uri, answer in zip(self.uris, answers, strict=True)}

    async def wait_for_block(self, index: int, period_s: float = WAIT_PERIOD_S) -> None:
        """Return once every node has block `index`."""
        while not all(each is not None and each >= index for each in await self._indices()):
            await self.sleep(period_s)

    async def wait_for_quiet(
        self, period_s: float = QUIET_PERIOD_S, beyond_block: int | None = None
    ) -> int:
        """Return the last block's index once no node got another one for a whole period.

        A node that does not answer counts as changed. With `beyond_block`, the index must also be
        above it.
        """
        before = await self._indices()
        while True:
            await self.sleep(period_s)
            now = await self._indices()
            known = [index for index in now if index is not None]
            quiet = now == before and len(known) == len(now)
            if quiet and (beyond_block is None or min(known) > beyond_block):
                return max(known)
            before = now

    async def _indices(self) -> Sequence[int | None]:
        answers = await asyncio.gather(*map(self._ask, self.uris))
        return [each.block_index if isinstance(each, BlockInfo) else None for each in answers]

    async def _ask(self, uri: Uri) -> BlockInfo | McNodeError:
        try:
            return await self.fetch(uri)
        except McNodeError as error:
            return error


def info_json(info: BlockInfo) -> str:
    """A node's answer as people read it."""
    document = {
        "block_index": info.block_index,
        "minimum_fees": {str(token_id): fee for token_id, fee in info.minimum_fees.items()},
        "network_block_version": info.network_block_version,
    }
    return json.dumps(document, indent=2)
