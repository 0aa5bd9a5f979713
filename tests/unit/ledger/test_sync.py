"""Catching up: trust, planning, and one whole attempt."""

import asyncio
import dataclasses

import pytest

from mcnode.blockchain.block import block_id_of
from mcnode.blockchain.errors import InvalidBlockId
from mcnode.ledger.archive.source import ArchiveUnavailable
from mcnode.ledger.db import LedgerDB
from mcnode.ledger.errors import InvalidBlockVersion
from mcnode.ledger.sync import LedgerSync, NetworkState, NoSafeBlocks, NoTransactionData
from mcnode.ledger.sync.planning import check_headers, choose_headers, identify_safe_blocks
from mcnode.scp.quorum_set import QuorumSet
from mcnode.scp.types import NodeID


def node(number: int) -> NodeID:
    return NodeID(f"node{number}.test:8443", bytes([number]) * 32)


def network(threshold: int, *numbers: int) -> NetworkState:
    return NetworkState(QuorumSet(threshold, tuple(node(number) for number in numbers)))


def names(*numbers: int) -> list[str]:
    return [node(number).responder_id for number in numbers]


@pytest.mark.parametrize(
    ("threshold", "heard", "trusted"),
    [(3, 2, False), (3, 3, True), (2, 2, False), (2, 3, True), (1, 3, False), (1, 4, True)],
)
def test_enough_to_be_a_quorum_and_enough_to_block(threshold, heard, trusted):
    state = network(threshold, 1, 2, 3, 4)
    assert state.is_blocking_and_quorum(names(*range(1, heard + 1))) is trusted


def test_sets_that_nobody_satisfies():
    assert not network(0).is_blocking_and_quorum(names(1, 2, 3))
    assert not network(0, 1, 2).is_blocking_and_quorum(names(1, 2))


def test_heights_only_grow_and_strangers_do_not_count():
    state = network(2, 1, 2, 3)
    for number, height in ((1, 9), (1, 4), (2, 7), (8, 100), (9, 100)):
        state.push(node(number), height)
    assert state.heights() == {node(1).responder_id: 9, node(2).responder_id: 7}
    assert state.highest_block_index() == 7
    assert [state.is_behind(index) for index in (6, 7)] == [True, False]


def test_a_member_s_name_under_another_key_does_not_count():
    state = network(1, 1)
    state.push(NodeID(node(1).responder_id, bytes(32)), 100)
    assert state.highest_block_index() is None
    state.push(NodeID("elsewhere:8443", node(1).public_key), 5)
    assert state.heights() == {node(1).responder_id: 5}


def test_headers_must_link_and_have_their_own_id(chain):
    blocks = [data.block for data in chain.blocks(4)]
    check_headers(blocks[0], blocks[1:])
    check_headers(blocks[0], [])
    with pytest.raises(InvalidBlockId):
        check_headers(blocks[0], blocks[2:])
    with pytest.raises(InvalidBlockId):
        check_headers(blocks[0], [dataclasses.replace(blocks[1], cumulative_txo_count=99)])


def test_the_highest_block_that_trusted_peers_agree_on_is_taken(chain):
    blocks = [data.block for data in chain.blocks(5)]
    liar = [dataclasses.replace(blocks[1], version=3)]
    liar = [dataclasses.replace(liar[0], id=block_id_of(liar[0]))]
    answers = {"a": blocks[1:5], "b": blocks[1:4], "c": blocks[1:4], "d": liar}

    def majority(peers) -> bool:
        return len(set(peers)) >= 3

    assert choose_headers(answers, majority) == blocks[1:4]
    with pytest.raises(NoSafeBlocks, match="2 peers answered"):
        choose_headers({"a": blocks[1:], "d": liar}, majority)


def test_safe_blocks_end_at_a_key_image_used_twice(chain, ledger):
    blocks = chain.blocks(4)
    ledger.append_block_data(blocks[0])
    head = blocks[0].block

    def nothing_spent(_) -> bool:
        return False

    assert identify_safe_blocks(head, blocks[1:], nothing_spent) == blocks[1:]
    image = blocks[1].contents.key_images[0]
    assert not identify_safe_blocks(head, blocks[1:], lambda images: image in images)
    twice = dataclasses.replace(blocks[3].contents, key_images=(image,))
    spoiled = [*blocks[1:3], dataclasses.replace(blocks[3], contents=twice)]
    assert identify_safe_blocks(head, spoiled, nothing_spent) == blocks[1:3]


class Peer:
    """Answers with headers, or not at all."""

    def __init__(self, number: int, headers, *, hangs: bool = False) -> None:
        self.responder_id = node(number).responder_id
        self._headers = headers
        self._hangs = hangs

    async def fetch_blocks(self, first_index: int, count: int):
        if self._hangs:
            await asyncio.Event().wait()
        return [h for h in self._headers if first_index <= h.index][:count]


class Source:
    """Serves blocks, failing a number of times first."""

    def __init__(self, blocks, failures: int = 0) -> None:
        self._blocks = {data.block.index: data for data in blocks}
        self._failures = failures

    def __call__(self, index, expected):
        if self._failures:
            self._failures -= 1
            raise ArchiveUnavailable("not now")
        if index not in self._blocks:
            raise ArchiveUnavailable(f"no block {index}")
        assert self._blocks[index].block == expected
        return self._blocks[index]


def attempt(ledger: LedgerDB, peers, source, limit: int = 100, timeout_s: float = 20) -> int:
    async def run() -> int:
        sync = LedgerSync(
            ledger=ledger,
            network=network(2, 1, 2, 3),
            peers=peers,
            fetch_block_data=source,
            source_count=4,
            timeout_s=timeout_s,
        )
        try:
            return await sync.attempt(limit)
        finally:
            sync.close()

    return asyncio.run(run())


@pytest.fixture
def behind(chain, ledger):
    """A ledger of one block of a chain of 80, and the chain."""
    blocks = chain.blocks(80)
    ledger.append_block_data(blocks[0])
    return blocks


def peers_with(blocks, *, hangs: bool = False) -> list[Peer]:
    headers = [data.block for data in blocks]
    return [Peer(1, headers), Peer(2, headers), Peer(3, headers, hangs=hangs)]


def test_an_attempt_brings_the_ledger_level(behind, ledger):
    assert attempt(ledger, peers_with(behind), Source(behind, failures=3)) == 79
    assert [ledger.get_block_data(n) for n in range(80)] == behind


def test_an_attempt_is_limited(behind, ledger):
    assert attempt(ledger, peers_with(behind), Source(behind), limit=7) == 7
    assert ledger.num_blocks() == 8


def test_a_hanging_peer_costs_no_more_than_the_timeout(behind, ledger):
    peers = peers_with(behind, hangs=True)
    assert attempt(ledger, peers, Source(behind), timeout_s=0.3) == 79


def test_what_archives_lack_ends_the_prefix(behind, ledger):
    assert attempt(ledger, peers_with(behind), Source(behind[:40]), timeout_s=0.3) == 39
    with pytest.raises(NoTransactionData, match="no contents of block 40"):
        attempt(ledger, peers_with(behind), Source(behind[:40]), timeout_s=0.3)


def test_without_agreement_nothing_is_taken(behind, ledger):
    with pytest.raises(NoSafeBlocks):
        attempt(ledger, peers_with(behind)[:1], Source(behind))
    assert ledger.num_blocks() == 1


def test_a_block_that_the_ledger_refuses_keeps_those_before_it(chain, ledger):
    blocks = [chain.next(), chain.next(version=2), chain.next(version=2), chain.next(version=1)]
    ledger.append_block_data(blocks[0])
    with pytest.raises(InvalidBlockVersion):
        attempt(ledger, peers_with(blocks), Source(blocks))
    assert ledger.num_blocks() == 3


def test_own_metadata_is_stored_and_foreign_signatures_are_not(chain, ledger):
    blocks = [chain.next(), chain.next(version=3)]
    ledger.append_block_data(blocks[0])
    own = chain.metadata(blocks[1].block)

    async def run() -> None:
        async def make(block_data):
            return own

        sync = LedgerSync(
            ledger=ledger,
            network=network(2, 1, 2, 3),
            peers=peers_with(blocks),
            fetch_block_data=Source(blocks),
            make_metadata=make,
        )
        await sync.attempt(10)
        sync.close()

    asyncio.run(run())
    stored = ledger.get_block_data(1)
    assert stored.metadata == own != blocks[1].metadata
    assert stored.signature is None
