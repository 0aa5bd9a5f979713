"""What a simulated node keeps on disk, and transactions without cryptography.

A stand-in transaction has all that agreement and its driver look at: a hash, a key image that two
transactions may share (a double spend), a priority, a tombstone, and whether the trusted process
would find it well formed. Blocks are real headers over real contents, so that catching up checks
what it checks on the network.
"""

import dataclasses
import hashlib
from collections.abc import Callable, Sequence

from mcnode.blockchain.block import Block, make_block, make_origin_block
from mcnode.blockchain.block_data import BlockData
from mcnode.blockchain.contents import BlockContents
from mcnode.enclave.interface import WellFormedTx, WellFormedTxContext
from mcnode.errors import BugError
from mcnode.ledger.db.records import ActiveMintConfig, ActiveMintConfigs
from mcnode.ledger.errors import NotFound
from mcnode.peers.consensus_value import ConsensusValue, tx_hash_value
from mcnode.transaction.messages import (
    MintConfigTx,
    MintTx,
    TxOutMembershipElement,
    TxOutMembershipProof,
)

BLOCK_VERSION = 4


@dataclasses.dataclass(frozen=True, slots=True)
class StandInTx:
    """A transaction of the simulator. `spends` tells which coin: two of one coin conflict."""

    value: ConsensusValue
    well_formed: WellFormedTx
    key_images: tuple[bytes, bytes]
    tombstone_block: int
    is_well_formed: bool

    @property
    def tx_hash(self) -> bytes:
        """32 bytes."""
        return self.well_formed.context.tx_hash


def make_tx(
    number: int,
    *,
    spends: int,
    tombstone_block: int,
    priority: int = 0,
    is_well_formed: bool = True,
) -> StandInTx:
    """A transaction; `number` makes it distinct. Its second key image is its own alone, so that a
    block's contents name each transaction."""
    tx_hash = hashlib.sha256(b"tx %d" % number).digest()
    images = (hashlib.sha256(b"coin %d" % spends).digest(), hashlib.sha256(tx_hash).digest())
    context = WellFormedTxContext(
        priority=priority,
        tx_hash=tx_hash,
        tombstone_block=tombstone_block,
        key_images=images,
        highest_indices=(),
        output_public_keys=(tx_hash,),
    )
    return StandInTx(
        tx_hash_value(tx_hash),
        WellFormedTx(tx_hash, context),
        images,
        tombstone_block,
        is_well_formed,
    )


class BlockMill:
    """Forms blocks; every node gets the same one of the same values, so each is formed once."""

    def __init__(self, find: Callable[[bytes], StandInTx]) -> None:
        self._find = find
        self._formed: dict[tuple[bytes, tuple[ConsensusValue, ...]], BlockData] = {}
        block, contents = make_origin_block(())
        self.origin = BlockData(block, contents, None, None)

    def form(self, parent: Block, values: Sequence[ConsensusValue]) -> BlockData:
        """The block of `values` after `parent`."""
        key = (parent.id, tuple(values))
        known = self._formed.get(key)
        if known is None:
            known = self._formed[key] = self._form(parent, values)
        return known

    def _form(self, parent: Block, values: Sequence[ConsensusValue]) -> BlockData:
        images: list[bytes] = []
        for value in values:
            assert isinstance(value.content, bytes)
            images.extend(self._find(value.content).key_images)
        contents = BlockContents(tuple(images), (), (), ())
        block = make_block(
            version=BLOCK_VERSION,
            parent_id=parent.id,
            index=parent.index + 1,
            cumulative_txo_count=parent.cumulative_txo_count + len(values),
            root_element=parent.root_element,
            contents=contents,
        )
        return BlockData(block, contents, None, None)


class SimLedger:
    """Blocks in memory that outlives a crash: the simulated disk.

    It answers what the transaction cache, the mint manager and the decision core ask.
    """

    def __init__(self, origin: BlockData) -> None:
        self.blocks = [origin]
        self._key_images: set[bytes] = set()

    def append(self, data: BlockData) -> None:
        """Add a block that follows. Raises `BugError` when it does not."""
        if data.block.parent_id != self.blocks[-1].block.id:
            raise BugError(
                f"block {data.block.index} does not follow {self.blocks[-1].block.index}"
            )
        if len(set(data.contents.key_images)) != len(data.contents.key_images) or (
            self.has_spent(data.contents.key_images)
        ):
            raise BugError(f"block {data.block.index} spends a key image again")
        self.blocks.append(data)
        self._key_images.update(data.contents.key_images)

    def head(self) -> Block:
        """The newest header."""
        return self.blocks[-1].block

    def has_spent(self, key_images: Sequence[bytes]) -> bool:
        """Whether any of them is spent."""
        return not self._key_images.isdisjoint(key_images)

    # Views of the decision core, the transaction cache and the mint manager.

    def num_blocks(self) -> int:
        """Number of blocks."""
        return len(self.blocks)

    def block_id(self, index: int) -> bytes | None:
        """Id of a block, None when there is none."""
        return self.blocks[index].block.id if 0 <= index < len(self.blocks) else None

    def contains_key_image(self, key_image: bytes) -> bool:
        """Whether it is spent."""
        return key_image in self._key_images

    def contains_tx_out_public_key(self, public_key: bytes) -> bool:
        """Whether an output with this key exists: a transaction's own hash stands for it."""
        return hashlib.sha256(public_key).digest() in self._key_images

    def get_tx_out_proof_of_memberships(self, indices: Sequence[int]) -> list[TxOutMembershipProof]:
        """None are needed: stand-in transactions name no outputs."""
        assert not indices
        return []

    def get_root_tx_out_membership_element(self) -> TxOutMembershipElement:
        """The root that every header carries."""
        return self.head().root_element

    def check_mint_tx_nonce(self, _mint_tx: MintTx) -> int | None:
        """Nothing is minted here."""
        return None

    def check_mint_config_tx_nonce(self, _mint_config_tx: MintConfigTx) -> int | None:
        """Nothing is minted here."""
        return None

    def get_active_mint_config_for_mint_tx(self, _mint_tx: MintTx) -> ActiveMintConfig:
        """Nothing may be minted."""
        raise NotFound

    def get_active_mint_configs(self, _token_id: int) -> ActiveMintConfigs | None:
        """There are none."""
        return None
