"""From decided values to a block in the ledger. [docs/protocol/service.md#11.8]"""

import asyncio
import dataclasses
from collections.abc import Callable, Sequence
from typing import Protocol

from mcnode.blockchain.block import Block
from mcnode.blockchain.block_data import BlockData
from mcnode.blockchain.metadata import BlockMetadata, BlockMetadataContents, sign_metadata
from mcnode.blockchain.quorum_set import MetadataQuorumSet
from mcnode.consensus.mint_tx_manager import MintTxManager
from mcnode.consensus.tx_manager import TxManager
from mcnode.crypto.keys import Ed25519Private
from mcnode.enclave.interface import ConsensusEnclave, FormBlockInputs
from mcnode.peers.consensus_value import ConsensusValue, split_by_kind
from mcnode.transaction.messages import TxOutMembershipElement


class BlockLedger(Protocol):
    """What forming a block needs of the ledger."""

    def get_latest_block(self) -> Block:
        """The newest header."""
        ...

    def get_root_tx_out_membership_element(self) -> TxOutMembershipElement:
        """The root of the output tree."""
        ...

    def append_block_data(self, block_data: BlockData) -> None:
        """Append durably, with all checks."""
        ...


class MetadataProvider:
    """Signs this node's metadata for blocks, whether it took part in them or fetched them."""

    def __init__(
        self,
        enclave: ConsensusEnclave,
        quorum_set: MetadataQuorumSet,
        responder_id: str,
        signer: Ed25519Private,
    ) -> None:
        self._enclave = enclave
        self._quorum_set = quorum_set
        self._responder_id = responder_id
        self._signer = signer

    async def metadata_for(self, block: Block) -> BlockMetadata:
        """Metadata with the evidence that handshakes present now."""
        contents = BlockMetadataContents(
            block_id=block.id,
            quorum_set=self._quorum_set,
            attestation_evidence=await self._enclave.get_attestation_evidence(),
            responder_id=self._responder_id,
        )
        return sign_metadata(contents, self._signer)


class BlockFormer:
    """Asks the trusted process for the block and appends it."""

    def __init__(
        self,
        *,
        enclave: ConsensusEnclave,
        ledger: BlockLedger,
        txs: TxManager,
        mints: MintTxManager,
        metadata: MetadataProvider,
        unix_time: Callable[[], float],
    ) -> None:
        self._enclave = enclave
        self._ledger = ledger
        self._txs = txs
        self._mints = mints
        self._metadata = metadata
        self._unix_time = unix_time

    async def form_and_append(self, values: Sequence[ConsensusValue]) -> BlockData:
        """Form the block of `values` on top of the ledger and append it durably.

        Every honest node gets the same block. A failure is not the values' fault, as each of them
        was checked before: the caller stops the node.
        """
        by_kind = split_by_kind(values)
        parent = self._ledger.get_latest_block()
        inputs = FormBlockInputs(
            well_formed_encrypted_txs_with_proofs=await self._txs.with_proofs(by_kind.tx_hashes),
            mint_config_txs=tuple(by_kind.mint_config_txs),
            mint_txs_with_config=self._mints.with_config(by_kind.mint_txs),
        )
        root = self._ledger.get_root_tx_out_membership_element()
        formed = await self._enclave.form_block(parent, inputs, root)
        block_data = BlockData(
            block=formed.block,
            contents=formed.contents,
            signature=dataclasses.replace(formed.signature, signed_at=int(self._unix_time())),
            metadata=await self._metadata.metadata_for(formed.block),
        )
        await asyncio.to_thread(self._ledger.append_block_data, block_data)
        return block_data
