import json
from collections.abc import Sequence

import pytest

from mcnode.connection.attested import BlockInfo
from mcnode.connection.uri import CLIENT, Uri, parse_uri
from mcnode.consensus.node_tool import NoConsensusUris, Nodes, info_json
from mcnode.errors import UnavailableError

pytestmark = pytest.mark.asyncio

URIS = tuple(parse_uri(f"mc://node{number}/", CLIENT) for number in (1, 2))


class Script:
    """Answers of two nodes, round by round; None: the node is away."""

    def __init__(self, *rounds: Sequence[int | None]) -> None:
        self._left = [list(each) for each in rounds]
        self.slept: list[float] = []

    async def fetch(self, uri: Uri) -> BlockInfo:
        index = self._left[0][URIS.index(uri)]
        if index is None:
            raise UnavailableError(f"{uri}: away")
        return BlockInfo(index, {0: 5}, 4)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._left.pop(0)

    @property
    def nodes(self) -> Nodes:
        return Nodes(URIS, self.fetch, self.sleep)


async def test_status_tells_answers_and_failures() -> None:
    answers = await Script([7, None]).nodes.status()
    assert answers["mc://node1:443/"] == BlockInfo(7, {0: 5}, 4)
    assert isinstance(answers["mc://node2:443/"], UnavailableError)


async def test_waiting_for_a_block() -> None:
    script = Script([1, 2], [2, None], [3, 2], [3, 3])
    await script.nodes.wait_for_block(3, 0.5)
    assert script.slept == [0.5] * 3


async def test_waiting_for_quiet() -> None:
    script = Script([1, 1], [1, 2], [None, 2], [None, 2], [2, 2], [2, 2])
    assert await script.nodes.wait_for_quiet(40) == 2
    assert len(script.slept) == 5


async def test_quiet_must_be_beyond_a_block() -> None:
    script = Script([1, 1], [1, 1], [2, 2], [2, 2])
    assert await script.nodes.wait_for_quiet(40, beyond_block=1) == 2
    assert len(script.slept) == 3


async def test_nodes_must_be_named() -> None:
    with pytest.raises(NoConsensusUris, match="No consensus uris specified"):
        Nodes((), Script().fetch)


async def test_info_as_text() -> None:
    assert json.loads(info_json(BlockInfo(7, {0: 5, 1: 6}, 4))) == {
        "block_index": 7,
        "minimum_fees": {"0": 5, "1": 6},
        "network_block_version": 4,
    }
