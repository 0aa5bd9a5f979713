"""Consensus values, judged and ordered by kind: what the decision core and SCP ask about them."""

from collections.abc import Iterable, Sequence

from mcnode.consensus.mint_tx_manager import MintTxManager
from mcnode.consensus.tx_cache import TxCache
from mcnode.errors import InvalidError
from mcnode.peers.consensus_value import ConsensusValue, ValuesByKind, split_by_kind
from mcnode.transaction.messages import MintConfigTx, MintTx


class ValueJudge:
    """Joins the transaction cache and the mint manager."""

    def __init__(self, txs: TxCache, mints: MintTxManager) -> None:
        self._txs = txs
        self._mints = mints

    def check(self, value: ConsensusValue) -> None:
        """Whether a value may be agreed on now.

        Raises:
            InvalidError: it may not.
        """
        match value.content:
            case bytes():
                self._txs.check(value.content)
            case MintConfigTx():
                self._mints.check_mint_config_tx(value.content)
            case MintTx():
                self._mints.check_mint_tx(value.content)

    def is_valid(self, value: ConsensusValue) -> bool:
        """Whether `check` passes."""
        try:
            self.check(value)
        except InvalidError:
            return False
        return True

    def missing(self, tx_hashes: Iterable[bytes]) -> list[bytes]:
        """The hashes whose transactions are not in the cache."""
        return self._txs.missing(tx_hashes)

    def combine(self, values: Sequence[ConsensusValue]) -> Sequence[ConsensusValue]:
        """The list to ballot on: transactions, mint configurations, mints, each in block order.

        Raises:
            NotInCache: a transaction is not here.
        """
        split = split_by_kind(values)
        return ValuesByKind(
            tx_hashes=self._txs.combine(split.tx_hashes),
            mint_config_txs=self._mints.combine_configs(split.mint_config_txs),
            mint_txs=self._mints.combine_mints(split.mint_txs),
        ).joined()

    def block_completed(self, num_blocks: int) -> None:
        """Forget transactions that can be in no later block."""
        self._txs.remove_expired(max(0, num_blocks - 1))
