"""Which blocks of others are safe to take. Pure. [docs/protocol/ledger.md#5.2]

Headers come from peers, any of which may lie; contents come from archives, which nobody needs to
trust. A header is taken when nodes that we can trust together name it; contents are taken when they
hash to such a header.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence

from mcnode.blockchain.block import Block, check_block_id, compute_block_id
from mcnode.blockchain.block_data import BlockData
from mcnode.blockchain.contents import contents_hash
from mcnode.blockchain.errors import InvalidBlockId
from mcnode.ledger.sync.errors import NoSafeBlocks

HEADERS_PER_CALL_MAX = 2000
"""Headers that a node serves per call; an answer with more is not looked at beyond these."""


def check_headers(head: Block, headers: Sequence[Block]) -> None:
    """Check that `headers` follow `head` one by one, and that each id is right.

    Raises:
        InvalidBlockId: one of them does not; then the whole answer is worthless.
    """
    parent_id = head.id
    for header in headers:
        if header.parent_id != parent_id:
            raise InvalidBlockId(header.parent_id, parent_id)
        check_block_id(header)
        parent_id = header.id


def choose_headers(
    answers: Mapping[str, Sequence[Block]],
    is_trusted: Callable[[Collection[str]], bool],
) -> Sequence[Block]:
    """The headers up to the highest block that trusted peers agree on.

    `answers` are checked headers by responder id; `is_trusted` says whether a set of responder ids
    can be trusted together.

    Raises:
        NoSafeBlocks: there is no such block.
    """
    backers: dict[int, dict[bytes, list[str]]] = defaultdict(lambda: defaultdict(list))
    for responder_id, headers in answers.items():
        for header in headers:
            backers[header.index][header.id].append(responder_id)
    for index in sorted(backers, reverse=True):
        for names in backers[index].values():
            if is_trusted(names):
                return [header for header in answers[names[0]] if header.index <= index]
    raise NoSafeBlocks(f"{len(answers)} peers answered and agree on no block")


def identify_safe_blocks(
    head: Block,
    blocks_data: Sequence[BlockData],
    is_spent: Callable[[Sequence[bytes]], bool],
) -> Sequence[BlockData]:
    """The longest prefix that may be appended after `head`, as far as chain and key images go.

    `is_spent` tells whether the ledger holds any of some key images. Index, version and output keys
    are left to the ledger, which checks them when it appends.
    """
    parent_id = head.id
    seen: set[bytes] = set()
    for position, data in enumerate(blocks_data):
        key_images = data.contents.key_images
        fresh = set(key_images)
        if (
            data.block.parent_id != parent_id
            or _id_of_true_contents(data) != data.block.id
            or len(fresh) != len(key_images)
            or not fresh.isdisjoint(seen)
            or is_spent(key_images)
        ):
            return blocks_data[:position]
        seen |= fresh
        parent_id = data.block.id
    return blocks_data


def _id_of_true_contents(data: BlockData) -> bytes:
    """The id that the header has with the hash of the contents at hand."""
    block = data.block
    return compute_block_id(
        version=block.version,
        parent_id=block.parent_id,
        index=block.index,
        cumulative_txo_count=block.cumulative_txo_count,
        root_element=block.root_element,
        contents_hash=contents_hash(data.contents),
    )
