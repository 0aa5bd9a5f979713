"""Forming a block. [docs/protocol/enclave.md#2.7]

Every honest node calls this with the same parent, the same transactions in the same order and the
same root, and must get the same block to the byte. So nothing here is random or depends on time,
and the order of the checks matters only for which error one node reports.
"""

import dataclasses
from collections.abc import Callable, Hashable, Iterable, Sequence

from mcnode.account.public_address import PublicAddress
from mcnode.blockchain.block import Block, make_child_block
from mcnode.blockchain.contents import BlockContents
from mcnode.crypto.multisig import SignerSet
from mcnode.enclave.config import BlockchainConfig
from mcnode.enclave.errors import (
    BlockVersionError,
    FormBlock,
    InvalidLocalMembershipProof,
    InvalidLocalMembershipRootElement,
    MalformedMintingTx,
    MalformedTx,
)
from mcnode.enclave.interface import MintTxWithConfig
from mcnode.enclave.trusted.new_outputs import (
    FEES_TAG,
    MINTED_TAG,
    OutputMaker,
    fee_totals,
    make_fee_outputs,
)
from mcnode.enclave.trusted.tx_cache_cipher import OpenTx
from mcnode.enclave.trusted.tx_desk import fee_token_minimum, implied_roots
from mcnode.transaction.constants import MOB
from mcnode.transaction.messages import (
    Amount,
    MintConfigTx,
    Tx,
    TxOut,
    TxOutMembershipElement,
    TxOutMembershipProof,
    ValidatedMintConfigTx,
)
from mcnode.transaction.mint import validate_mint_config_tx, validate_mint_tx
from mcnode.transaction.mint.errors import MintValidationError, NoGovernors
from mcnode.transaction.validation import validate
from mcnode.transaction.validation.errors import TransactionValidationError


@dataclasses.dataclass(frozen=True, slots=True)
class TxWithProofs:
    """A checked transaction in the clear, with the node's present proofs."""

    opened: OpenTx
    proofs: Sequence[TxOutMembershipProof]


@dataclasses.dataclass(frozen=True, slots=True)
class BlockInputs:
    """What a block is made of, in the order that counts."""

    txs: Sequence[TxWithProofs]
    mint_config_txs: Sequence[MintConfigTx]
    mint_txs: Sequence[MintTxWithConfig]


@dataclasses.dataclass(frozen=True, slots=True)
class BlockFormer:
    """The rules and the recipient of fees, the same for every block of a process."""

    config: BlockchainConfig
    fee_recipient: PublicAddress

    def form(
        self, parent: Block, inputs: BlockInputs, root_element: TxOutMembershipElement
    ) -> tuple[Block, BlockContents]:
        """The next block, unsigned.

        Raises:
            BlockVersionError: the parent is of a later block version.
            MalformedTx, MalformedMintingTx: a transaction may not be in this block.
            InvalidLocalMembershipProof, InvalidLocalMembershipRootElement: the proofs are not all
                of the ledger that the root is of.
            FormBlock: transactions conflict, or a mint transaction lacks its configuration.
        """
        version = int(self.config.block_version)
        if parent.version > version:
            raise BlockVersionError(
                f"Block version cannot decrease: parent has {parent.version}, this is {version}"
            )
        txs = [tx.opened.tx for tx in inputs.txs]
        if inputs.txs:
            self._check_txs(inputs.txs, parent.index + 1, root_element)
        fee_outputs = self._fee_outputs(parent, txs)
        self._check_mint_txs(inputs.mint_txs, parent.index + 1)
        outputs = [output for tx in txs for output in tx.prefix.outputs]
        outputs += fee_outputs
        outputs += self._minted_outputs(parent, inputs.mint_txs)
        key_images = [s.key_image for tx in txs for s in tx.signature.ring_signatures]
        contents = BlockContents(
            key_images=tuple(sorted(key_images)),
            outputs=tuple(sorted(outputs, key=lambda output: output.public_key)),
            validated_mint_config_txs=self._validated(inputs.mint_config_txs, parent.index + 1),
            mint_txs=tuple(mint.mint_tx for mint in inputs.mint_txs),
        )
        return make_child_block(parent, version, contents, root_element), contents

    def _check_txs(
        self, txs: Sequence[TxWithProofs], block_index: int, root_element: TxOutMembershipElement
    ) -> None:
        roots: set[TxOutMembershipElement] = set()
        for tx in txs:
            self._check_tx(tx, block_index)
            roots |= implied_roots(tx.proofs)
        if len(roots) != 1:
            raise InvalidLocalMembershipProof(len(roots))
        if roots != {root_element}:
            raise InvalidLocalMembershipRootElement
        _check_distinct("transaction", (tx.opened.tx_hash for tx in txs))
        _check_distinct(
            "key image",
            (s.key_image for tx in txs for s in tx.opened.tx.signature.ring_signatures),
        )
        _check_distinct(
            "output public key",
            (output.public_key for tx in txs for output in tx.opened.tx.prefix.outputs),
        )

    def _check_tx(self, tx: TxWithProofs, block_index: int) -> None:
        """Validate again for this block and these proofs, all but what cannot have changed."""
        opened = tx.opened.tx
        try:
            minimum_fee = fee_token_minimum(opened, self.config)
            validate(
                opened,
                block_index,
                self.config.block_version,
                tx.proofs,
                minimum_fee,
                signature_is_checked=True,
            )
        except TransactionValidationError as error:
            raise MalformedTx(error) from error

    def _fee_outputs(self, parent: Block, txs: Sequence[Tx]) -> list[TxOut]:
        if not txs:
            return []
        maker = OutputMaker.create(FEES_TAG, self.config.block_version, parent.id, txs)
        return make_fee_outputs(maker, fee_totals(txs, self.config.fee_map), self.fee_recipient)

    def _check_mint_txs(self, mints: Sequence[MintTxWithConfig], block_index: int) -> None:
        seen: set[tuple[bytes, int]] = set()
        for mint in mints:
            prefix = mint.mint_tx.prefix
            _check_nonce_is_new("MintTx", seen, prefix.nonce, prefix.token_id)
            self._check_mint_config(mint)
            self._check_mint_tx(mint, block_index)

    def _check_mint_tx(self, mint: MintTxWithConfig, block_index: int) -> None:
        version = self.config.block_version
        _minting(lambda: validate_mint_tx(mint.mint_tx, block_index, version, mint.mint_config))

    def _check_mint_config(self, mint: MintTxWithConfig) -> None:
        token_id = mint.mint_tx.prefix.token_id
        config_prefix = mint.mint_config_tx.prefix
        if config_prefix.token_id != token_id:
            raise FormBlock(
                "MintTx token_id does not match the MintConfigTx token_id: "
                f"{token_id}, {config_prefix.token_id}"
            )
        if mint.mint_config not in config_prefix.configs:
            raise FormBlock(
                f"MintTx for token id {token_id} referenced a MintConfig that is not part of "
                "the MintConfigTx"
            )
        self._check_mint_config_tx(mint.mint_config_tx, None)

    def _check_mint_config_tx(self, tx: MintConfigTx, block_index: int | None) -> SignerSet:
        """Validate, and give the governors of its token."""
        governors = self.config.governors_map.get(tx.prefix.token_id)
        if governors is None:
            raise MalformedMintingTx(NoGovernors(tx.prefix.token_id))
        version = self.config.block_version
        _minting(lambda: validate_mint_config_tx(tx, block_index, version, governors))
        return governors

    def _minted_outputs(self, parent: Block, mints: Sequence[MintTxWithConfig]) -> list[TxOut]:
        if not mints:
            return []
        mint_txs = [mint.mint_tx for mint in mints]
        maker = OutputMaker.create(MINTED_TAG, self.config.block_version, parent.id, mint_txs)
        outputs = []
        for counter, mint_tx in enumerate(mint_txs):
            prefix = mint_tx.prefix
            if prefix.token_id == MOB:
                raise FormBlock("Attempted to mint MOB")
            recipient = PublicAddress(prefix.view_public_key, prefix.spend_public_key)
            amount = Amount(prefix.amount, prefix.token_id)
            outputs.append(maker.make(amount, counter, recipient, prefix.e_fog_hint))
        return outputs

    def _validated(
        self, txs: Sequence[MintConfigTx], block_index: int
    ) -> tuple[ValidatedMintConfigTx, ...]:
        seen: set[tuple[bytes, int]] = set()
        validated = []
        for tx in txs:
            _check_nonce_is_new("MintConfigTx", seen, tx.prefix.nonce, tx.prefix.token_id)
            governors = self._check_mint_config_tx(tx, block_index)
            validated.append(ValidatedMintConfigTx(tx, governors))
        return tuple(validated)


def _minting(check: Callable[[], None]) -> None:
    try:
        check()
    except MintValidationError as error:
        raise MalformedMintingTx(error) from error


def _check_nonce_is_new(
    kind: str, seen: set[tuple[bytes, int]], nonce: bytes, token_id: int
) -> None:
    if (nonce, token_id) in seen:
        raise FormBlock(f"Duplicate {kind} nonce for token id {token_id}: {nonce.hex()}")
    seen.add((nonce, token_id))


def _check_distinct(what: str, values: Iterable[bytes]) -> None:
    seen: set[Hashable] = set()
    for value in values:
        if value in seen:
            raise FormBlock(f"Duplicate {what}: {value.hex()}")
        seen.add(value)
