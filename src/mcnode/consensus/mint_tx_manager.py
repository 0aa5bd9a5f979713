"""Mint transactions: checked against ledger and governors. [docs/protocol/service.md#12.3]"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Protocol

from mcnode.crypto.multisig import SignerSet
from mcnode.enclave.interface import MintTxWithConfig
from mcnode.errors import InvalidError
from mcnode.ledger.db.records import ActiveMintConfig, ActiveMintConfigs
from mcnode.ledger.errors import InvalidMintConfig, MintLimitExceeded, NotFound
from mcnode.peers.order_key import order_key
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.constants import MAX_MINT_CONFIG_TXS_PER_BLOCK, MAX_MINT_TXS_PER_BLOCK
from mcnode.transaction.messages import MintConfigTx, MintTx
from mcnode.transaction.mint.config_tx import validate_mint_config_tx
from mcnode.transaction.mint.errors import (
    AmountExceedsMintLimit,
    NoGovernors,
    NoMatchingMintConfig,
    NonceAlreadyUsed,
)
from mcnode.transaction.mint.mint_tx import validate_mint_tx


class MintLedger(Protocol):
    """What the mint manager reads of the ledger."""

    def num_blocks(self) -> int:
        """Number of blocks."""
        ...

    def check_mint_tx_nonce(self, mint_tx: MintTx) -> int | None:
        """The block that used its nonce."""
        ...

    def check_mint_config_tx_nonce(self, mint_config_tx: MintConfigTx) -> int | None:
        """The block that used its nonce."""
        ...

    def get_active_mint_config_for_mint_tx(self, mint_tx: MintTx) -> ActiveMintConfig:
        """The configuration that admits it."""
        ...

    def get_active_mint_configs(self, token_id: int) -> ActiveMintConfigs | None:
        """A token's configurations in force."""
        ...


class MintTxManager:
    """Checks and orders mint transactions; caches none, as they travel whole inside statements."""

    def __init__(
        self,
        ledger: MintLedger,
        block_version: BlockVersion,
        governors: Mapping[int, SignerSet],
    ) -> None:
        self._ledger = ledger
        self._block_version = block_version
        self._governors = governors

    def check_mint_config_tx(self, tx: MintConfigTx) -> None:
        """Whether a mint configuration could be in the next block.

        Raises:
            NonceAlreadyUsed, NoGovernors: in this order; then any of `validate_mint_config_tx`.
        """
        token_id = tx.prefix.token_id
        if self._ledger.check_mint_config_tx_nonce(tx) is not None:
            raise NonceAlreadyUsed(tx.prefix.nonce, tx.prefix.token_id)
        governors = self._governors.get(token_id)
        if governors is None:
            raise NoGovernors(token_id)
        validate_mint_config_tx(tx, self._ledger.num_blocks(), self._block_version, governors)

    def check_mint_tx(self, tx: MintTx) -> None:
        """Whether a mint transaction could be in the next block.

        Raises:
            NonceAlreadyUsed, NoMatchingMintConfig, AmountExceedsMintLimit: in this order; then any
                of `validate_mint_tx`.
        """
        if self._ledger.check_mint_tx_nonce(tx) is not None:
            raise NonceAlreadyUsed(tx.prefix.nonce, tx.prefix.token_id)
        active = self._active_config(tx)
        validate_mint_tx(tx, self._ledger.num_blocks(), self._block_version, active.mint_config)

    def is_valid_config(self, tx: MintConfigTx) -> bool:
        """Whether `check_mint_config_tx` passes."""
        try:
            self.check_mint_config_tx(tx)
        except InvalidError:
            return False
        return True

    def is_valid_mint(self, tx: MintTx) -> bool:
        """Whether `check_mint_tx` passes."""
        try:
            self.check_mint_tx(tx)
        except InvalidError:
            return False
        return True

    @staticmethod
    def combine_configs(txs: Iterable[MintConfigTx]) -> list[MintConfigTx]:
        """In order of content, the first of each nonce and token, at most 10."""
        seen: set[Hashable] = set()
        chosen: list[MintConfigTx] = []
        for tx in sorted(txs, key=order_key):
            nonce = (tx.prefix.nonce, tx.prefix.token_id)
            if nonce not in seen and len(chosen) < MAX_MINT_CONFIG_TXS_PER_BLOCK:
                seen.add(nonce)
                chosen.append(tx)
        return chosen

    def combine_mints(self, txs: Iterable[MintTx]) -> list[MintTx]:
        """As `combine_configs`, and at most one per mint configuration; without one: left out."""
        seen: set[Hashable] = set()
        chosen: list[MintTx] = []
        for tx in sorted(txs, key=order_key):
            if len(chosen) >= MAX_MINT_TXS_PER_BLOCK:
                break
            try:
                config: Hashable = order_key(self._active_config(tx).mint_config)
            except InvalidError:
                continue
            nonce = (tx.prefix.nonce, tx.prefix.token_id)
            if nonce not in seen and config not in seen:
                seen.update((nonce, config))
                chosen.append(tx)
        return chosen

    def with_config(self, txs: Sequence[MintTx]) -> tuple[MintTxWithConfig, ...]:
        """Each transaction with what allows it, as the trusted process wants to see it.

        Raises:
            NoMatchingMintConfig, AmountExceedsMintLimit: nothing allows one of them.
        """
        result = []
        for tx in txs:
            active = self._active_config(tx)
            configs = self._ledger.get_active_mint_configs(tx.prefix.token_id)
            if configs is None:
                raise NoMatchingMintConfig(tx.prefix.token_id)
            result.append(MintTxWithConfig(tx, configs.mint_config_tx, active.mint_config))
        return tuple(result)

    def _active_config(self, tx: MintTx) -> ActiveMintConfig:
        try:
            return self._ledger.get_active_mint_config_for_mint_tx(tx)
        except MintLimitExceeded as error:
            raise AmountExceedsMintLimit(tx.prefix.amount, error.limit) from error
        except (NotFound, InvalidMintConfig) as error:
            raise NoMatchingMintConfig(tx.prefix.token_id) from error
