"""Checking a whole ledger, block by block, from what is in it. [docs/protocol/ledger.md#14]

An append checks a block against the ledger once; this is for a ledger whose past nobody vouches
for: one that was copied, restored, or written by another program. Key images, keys and the tree
are looked up in their tables as well, so that damage there is found too. Not checked is what needs
secrets or other nodes: amounts and rings, which the trusted process vouched for with its signature,
and whether the signers are ones to trust.
"""

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Final

from mcnode.blockchain.block import (
    EMPTY_ROOT_ELEMENT,
    ORIGIN_PARENT_ID,
    Block,
    check_block_id,
)
from mcnode.blockchain.block_data import BlockData
from mcnode.blockchain.contents import contents_hash
from mcnode.blockchain.metadata import check_metadata_signature
from mcnode.blockchain.signature import check_block_signature
from mcnode.crypto.errors import SignatureError
from mcnode.crypto.multisig import check_multisig
from mcnode.errors import InvalidError
from mcnode.ledger.db import LedgerDB
from mcnode.ledger.db.mints import select_mint_config, with_total_minted
from mcnode.ledger.db.records import ActiveMintConfig, ActiveMintConfigs
from mcnode.ledger.errors import LedgerError
from mcnode.ledger.output_tree import OutputTree
from mcnode.transaction.block_version import MAX_BLOCK_VERSION
from mcnode.transaction.hashing import mint_config_tx_prefix_hash, tx_out_hash
from mcnode.transaction.membership_proof import leaf_hash_of
from mcnode.transaction.messages import MintTx, ValidatedMintConfigTx

FINDINGS_MAX: Final = 100
"""Then it is given up: one wrong block can make all later ones wrong."""

Report = Callable[[int, int], None]
"""Told how many blocks are done, of how many."""


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not hold."""

    block_index: int
    problem: str

    def __str__(self) -> str:
        return f"block {self.block_index}: {self.problem}"


@dataclasses.dataclass(slots=True)
class Verification:
    """What was looked at, and what was found wrong."""

    num_blocks: int = 0
    num_outputs: int = 0
    num_key_images: int = 0
    signature_count: int = 0
    """Blocks with a signature."""
    metadata_count: int = 0
    """Blocks with metadata."""
    root_count: int = 0
    """Blocks that name the root of the outputs before them; blocks made by consensus do."""
    mint_count: int = 0
    mint_config_count: int = 0
    findings: list[Finding] = dataclasses.field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


def verify_ledger(ledger: LedgerDB, report: Report = lambda _done, _total: None) -> Verification:
    """Check every block; blocks that are appended meanwhile are left out."""
    return _Verifier(ledger).run(report)


class _Verifier:
    """What is known after the blocks so far."""

    def __init__(self, ledger: LedgerDB) -> None:
        self._ledger = ledger
        self._result = Verification()
        self._parent: Block | None = None
        self._tree = OutputTree()
        self._active: dict[int, ActiveMintConfigs] = {}
        self._nonces: set[tuple[str, bytes, int]] = set()

    def run(self, report: Report) -> Verification:
        num_blocks = self._ledger.num_blocks()
        for index in range(num_blocks):
            if not self._check_block(index) or len(self._result.findings) >= FINDINGS_MAX:
                break
            self._result.num_blocks += 1
            report(index + 1, num_blocks)
        else:
            self._check_end(num_blocks)
        return self._result

    def _note(self, index: int, problem: object) -> None:
        self._result.findings.append(Finding(index, str(problem)))

    def _try(self, index: int, check: Callable[[], None]) -> None:
        try:
            check()
        except (InvalidError, SignatureError) as error:
            self._note(index, error)

    def _check_block(self, index: int) -> bool:
        """Whether the block could be read, so that the next one can be judged."""
        try:
            data = self._ledger.get_block_data(index)
        except LedgerError as error:
            self._note(index, error)
            return False
        self._check_header(index, data)
        self._check_signatures(index, data)
        self._check_key_images(index, data.contents.key_images)
        self._check_root(index, data.block)
        self._check_outputs(index, data)
        for mint_tx in data.contents.mint_txs:
            self._try(index, partial(self._replay_mint, mint_tx))
        for validated in data.contents.validated_mint_config_txs:
            self._try(index, partial(self._replay_config, validated))
        self._parent = data.block
        return True

    def _check_header(self, index: int, data: BlockData) -> None:
        block, parent = data.block, self._parent
        if block.index != index:
            self._note(index, f"index is {block.index}")
        self._try(index, lambda: check_block_id(block))
        expected_parent = ORIGIN_PARENT_ID if parent is None else parent.id
        if block.parent_id != expected_parent:
            self._note(
                index, f"parent id is {block.parent_id.hex()}, must be {expected_parent.hex()}"
            )
        least = 0 if parent is None else parent.version
        if not least <= block.version <= MAX_BLOCK_VERSION:
            self._note(index, f"version is {block.version}, must be {least} to {MAX_BLOCK_VERSION}")
        before = 0 if parent is None else parent.cumulative_txo_count
        count = before + len(data.contents.outputs)
        if block.cumulative_txo_count != count:
            self._note(index, f"output count is {block.cumulative_txo_count}, must be {count}")
        found = contents_hash(data.contents)
        if found != block.contents_hash:
            self._note(
                index, f"contents hash to {found.hex()}, header has {block.contents_hash.hex()}"
            )

    def _check_signatures(self, index: int, data: BlockData) -> None:
        signature, metadata = data.signature, data.metadata
        if signature is not None:
            self._result.signature_count += 1
            self._try(index, lambda: check_block_signature(signature, data.block))
        if metadata is not None:
            self._result.metadata_count += 1
            self._try(index, lambda: check_metadata_signature(metadata))
            if metadata.contents.block_id != data.block.id:
                self._note(index, f"metadata is about block {metadata.contents.block_id.hex()}")

    def _check_key_images(self, index: int, key_images: tuple[bytes, ...]) -> None:
        """The table holds the last block of each, so an earlier one of two does not find itself."""
        self._result.num_key_images += len(key_images)
        if len(set(key_images)) != len(key_images):
            self._note(index, "a key image is spent twice in the block")
        recorded = self._ledger.find_spent_key_images(key_images)
        for key_image in key_images:
            spent_in = recorded.get(key_image)
            if spent_in != index:
                self._note(index, f"key image {key_image.hex()} is recorded for block {spent_in}")

    def _check_root(self, index: int, block: Block) -> None:
        if block.root_element == EMPTY_ROOT_ELEMENT:
            return
        self._result.root_count += 1
        expected = self._tree.root_element()
        if block.root_element != expected:
            self._note(index, "root element is not that of the outputs before the block")

    def _check_outputs(self, index: int, data: BlockData) -> None:
        for tx_out in data.contents.outputs:
            number = self._tree.num_leaves
            hash_ = tx_out_hash(tx_out)
            self._tree.append(leaf_hash_of(hash_))
            try:
                by_key = self._ledger.get_tx_out_index_by_public_key(tx_out.public_key)
                by_hash = self._ledger.get_tx_out_index_by_hash(hash_)
            except LedgerError as error:
                self._note(index, error)
                continue
            if (by_key, by_hash) != (number, number):
                self._note(
                    index,
                    f"output {number} is recorded as {by_key} by key and {by_hash} by hash",
                )
        self._result.num_outputs += len(data.contents.outputs)

    def _replay_mint(self, mint_tx: MintTx) -> None:
        """Mint under the configuration in force, as an append does."""
        self._result.mint_count += 1
        prefix = mint_tx.prefix
        self._use_nonce("mint", prefix.nonce, prefix.token_id)
        active = self._active.get(prefix.token_id)
        if active is None:
            raise LedgerError(f"minted token {prefix.token_id} has no mint configuration")
        config = select_mint_config(active, mint_tx)
        self._active[prefix.token_id] = with_total_minted(
            active, config.mint_config, config.total_minted + prefix.amount
        )

    def _replay_config(self, validated: ValidatedMintConfigTx) -> None:
        """Put a configuration in force; the governors recorded with it must have signed."""
        self._result.mint_config_count += 1
        tx = validated.mint_config_tx
        self._use_nonce("mint configuration", tx.prefix.nonce, tx.prefix.token_id)
        self._active[tx.prefix.token_id] = ActiveMintConfigs(
            tuple(ActiveMintConfig(config, 0) for config in tx.prefix.configs), tx
        )
        check_multisig(validated.signer_set, mint_config_tx_prefix_hash(tx.prefix), tx.signature)

    def _use_nonce(self, kind: str, nonce: bytes, token_id: int) -> None:
        if (kind, nonce, token_id) in self._nonces:
            raise LedgerError(f"nonce of a {kind} of token {token_id} is used again: {nonce.hex()}")
        self._nonces.add((kind, nonce, token_id))

    def _check_end(self, num_blocks: int) -> None:
        """The state beside the blocks; not when the ledger has grown meanwhile."""
        if not num_blocks or self._ledger.num_blocks() != num_blocks:
            return
        last = num_blocks - 1
        if self._ledger.num_txos() != self._tree.num_leaves:
            self._note(
                last,
                f"{self._ledger.num_txos()} outputs are recorded, blocks hold "
                f"{self._tree.num_leaves}",
            )
        elif self._tree.num_leaves and (
            self._ledger.get_root_tx_out_membership_element() != self._tree.root_element()
        ):
            self._note(last, "the recorded tree's root is not that of the outputs")
        if self._ledger.get_active_mint_configs_map() != self._active:
            self._note(
                last, "the recorded mint configurations in force are not those of the blocks"
            )
