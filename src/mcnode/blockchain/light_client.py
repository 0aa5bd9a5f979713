"""Trusting a block without a ledger: enough nodes signed that it is final.

[docs/protocol/ledger.md#11]
"""

import dataclasses
from collections.abc import Sequence

from mcnode.blockchain.block import Block, check_block_id
from mcnode.blockchain.block_data import BlockData
from mcnode.blockchain.contents import BlockContents, contents_hash
from mcnode.blockchain.errors import InvalidSignature
from mcnode.blockchain.metadata import BlockMetadata, check_metadata_signature
from mcnode.blockchain.quorum_set import MetadataNode, MetadataQuorumSet
from mcnode.errors import InvalidError
from mcnode.transaction.messages import TxOut


class LightClientError(InvalidError):
    """A block does not convince."""


class BlockIdMismatch(LightClientError):
    """A node's metadata is about another block."""


class BlockMetadataSignature(LightClientError):
    """A node's signature does not verify."""


class NotAQuorum(LightClientError):
    """The nodes that signed do not satisfy the trusted quorum set."""


class NoMatchingValidatorSet(LightClientError):
    """No validator set is configured for a block's index."""

    def __init__(self, index: int) -> None:
        super().__init__(f"no validator set covers block {index}, and its id is not a known one")
        self.index = index


class BlockContentHashMismatch(LightClientError):
    """The contents are not those of the header."""

    def __init__(self, found: bytes, expected: bytes) -> None:
        super().__init__(f"contents hash to {found.hex()}, the header says {expected.hex()}")
        self.found = found


class TxOutNotFound(LightClientError):
    """An output is not in the block."""

    def __init__(self, public_key: bytes) -> None:
        super().__init__(f"no output of the block equals the one of key {public_key.hex()}")
        self.public_key = public_key


class NoBlockData(LightClientError):
    """There is no block to look at."""


class BlockDataMismatch(LightClientError):
    """Sources disagree about a block."""


@dataclasses.dataclass(frozen=True, slots=True)
class TrustedValidatorSet:
    """The nodes whose word counts."""

    quorum_set: MetadataQuorumSet

    def check_metadata(self, block_id: bytes, metadata: Sequence[BlockMetadata]) -> None:
        """Check that these nodes together convince of a block. Nodes count by their keys alone.

        One bad item fails all: whoever collected it is not to be relied on.

        Raises:
            BlockIdMismatch, BlockMetadataSignature: an item is about another block, or forged.
            NotAQuorum: the keys do not satisfy the quorum set.
        """
        for each in metadata:
            if each.contents.block_id != block_id:
                raise BlockIdMismatch(f"metadata is about block {each.contents.block_id.hex()}")
            try:
                check_metadata_signature(each)
            except InvalidSignature as error:
                raise BlockMetadataSignature(str(error)) from error
        keys = frozenset(each.node_key for each in metadata)
        if not _is_satisfied(self.quorum_set, keys):
            raise NotAQuorum(
                f"{len(keys)} nodes signed, which is no quorum of threshold "
                f"{self.quorum_set.threshold}"
            )


def _is_satisfied(quorum_set: MetadataQuorumSet, keys: frozenset[bytes]) -> bool:
    satisfied = 0
    for wrapper in quorum_set.members:
        match wrapper.member:
            case MetadataNode(_, public_key):
                satisfied += public_key in keys
            case MetadataQuorumSet() as inner:
                satisfied += _is_satisfied(inner, keys)
    return satisfied >= quorum_set.threshold


@dataclasses.dataclass(frozen=True, slots=True)
class HistoricalValidatorSet:
    """The validator set of blocks `start` up to, not including, `end`."""

    start: int
    end: int
    validators: TrustedValidatorSet


@dataclasses.dataclass(frozen=True, slots=True)
class LightClientVerifier:
    """Whom to trust about which blocks."""

    trusted_validator_set: TrustedValidatorSet
    trusted_validator_set_start_block: int
    historical_validator_sets: tuple[HistoricalValidatorSet, ...] = ()
    known_valid_block_ids: frozenset[bytes] = frozenset()

    def check_block(self, block: Block, metadata: Sequence[BlockMetadata]) -> None:
        """Check a header.

        Raises:
            InvalidBlockId: its id is not that of its fields.
            NoMatchingValidatorSet: nobody is trusted about its index.
            LightClientError: those who are do not convince.
        """
        check_block_id(block)
        if block.id not in self.known_valid_block_ids:
            self._validators_of(block.index).check_metadata(block.id, metadata)

    def check_block_and_contents(
        self, block: Block, contents: BlockContents, metadata: Sequence[BlockMetadata]
    ) -> None:
        """Check a header and its contents.

        Raises:
            InvalidBlockId, LightClientError: as `check_block`.
            BlockContentHashMismatch: the contents are another block's.
        """
        self.check_block(block, metadata)
        found = contents_hash(contents)
        if found != block.contents_hash:
            raise BlockContentHashMismatch(found, block.contents_hash)

    def check_tx_outs_in_block(
        self,
        tx_outs: Sequence[TxOut],
        block: Block,
        contents: BlockContents,
        metadata: Sequence[BlockMetadata],
    ) -> None:
        """Check a block and that it holds some outputs.

        Raises:
            InvalidBlockId, LightClientError: as `check_block_and_contents`.
            TxOutNotFound: an output is not in it.
        """
        self.check_block_and_contents(block, contents, metadata)
        for tx_out in tx_outs:
            if tx_out not in contents.outputs:
                raise TxOutNotFound(tx_out.public_key)

    def check_block_data(self, blocks_data: Sequence[BlockData]) -> None:
        """Check one block as several sources give it, each with its own node's metadata.

        Raises:
            NoBlockData: no source gave it.
            BlockDataMismatch: they differ in header or contents.
            InvalidBlockId, LightClientError: as `check_block_and_contents`.
        """
        if not blocks_data:
            raise NoBlockData("0 sources gave the block, needs 1")
        first = blocks_data[0]
        for data in blocks_data[1:]:
            if (data.block, data.contents) != (first.block, first.contents):
                raise BlockDataMismatch(f"sources differ about block {first.block.index}")
        metadata = [data.metadata for data in blocks_data if data.metadata is not None]
        self.check_block_and_contents(first.block, first.contents, metadata)

    def _validators_of(self, index: int) -> TrustedValidatorSet:
        if index >= self.trusted_validator_set_start_block:
            return self.trusted_validator_set
        for historical in self.historical_validator_sets:
            if historical.start <= index < historical.end:
                return historical.validators
        raise NoMatchingValidatorSet(index)
