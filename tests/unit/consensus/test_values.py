"""Values of all kinds, judged by whoever is in charge of the kind."""

import pytest

from mcnode.consensus.tx_manager import NotInCache
from mcnode.consensus.values import ValueJudge
from mcnode.crypto.multisig import MultiSig
from mcnode.errors import InvalidError
from mcnode.peers.consensus_value import (
    mint_config_tx_value,
    mint_tx_value,
    split_by_kind,
    tx_hash_value,
)
from mcnode.transaction.messages import MintConfigTx, MintConfigTxPrefix, MintTx, MintTxPrefix

CONFIG = MintConfigTx(MintConfigTxPrefix(1, (), bytes(64), 50, 0), MultiSig(()))
MINT = MintTx(MintTxPrefix(1, 5, bytes(32), bytes(32), bytes(64), 50), MultiSig(()))
TX_HASHES = [bytes([number]) * 32 for number in range(3)]


class Managers:
    """Both managers at once: everything is fine but what `refused` holds."""

    def __init__(self) -> None:
        self.refused: list[object] = []
        self.expired_before: list[int] = []

    def check(self, content) -> None:
        if content in self.refused:
            raise InvalidError("refused")

    check_mint_config_tx = check_mint_tx = check

    def missing(self, tx_hashes):
        return [tx_hash for tx_hash in tx_hashes if tx_hash in self.refused]

    def combine(self, tx_hashes):
        if self.missing(tx_hashes):
            raise NotInCache(self.missing(tx_hashes))
        return sorted(tx_hashes, reverse=True)

    def combine_configs(self, txs):
        return list(txs)[:1]

    def combine_mints(self, txs):
        return list(txs)[:1]

    def remove_expired(self, block_index) -> None:
        self.expired_before.append(block_index)


@pytest.fixture
def managers():
    return Managers()


@pytest.fixture
def judge(managers):
    return ValueJudge(managers, managers)


@pytest.mark.parametrize(
    "value", [tx_hash_value(TX_HASHES[0]), mint_config_tx_value(CONFIG), mint_tx_value(MINT)]
)
def test_each_kind_is_judged_by_its_manager(judge, managers, value) -> None:
    judge.check(value)
    assert judge.is_valid(value)
    managers.refused.append(value.content)
    with pytest.raises(InvalidError):
        judge.check(value)
    assert not judge.is_valid(value)


def test_kinds_are_combined_apart_and_joined_in_order(judge) -> None:
    values = [
        mint_tx_value(MINT),
        tx_hash_value(TX_HASHES[0]),
        mint_config_tx_value(CONFIG),
        tx_hash_value(TX_HASHES[1]),
    ]
    assert judge.combine(values) == [
        tx_hash_value(TX_HASHES[1]),
        tx_hash_value(TX_HASHES[0]),
        mint_config_tx_value(CONFIG),
        mint_tx_value(MINT),
    ]


def test_what_is_not_here_cannot_be_combined(judge, managers) -> None:
    managers.refused.append(TX_HASHES[0])
    assert judge.missing(TX_HASHES) == [TX_HASHES[0]]
    with pytest.raises(NotInCache):
        judge.combine([tx_hash_value(TX_HASHES[0])])


def test_after_a_block_what_has_expired_goes(judge, managers) -> None:
    judge.block_completed(7)
    judge.block_completed(0)
    assert managers.expired_before == [6, 0]


def test_telling_kinds_apart_keeps_the_order() -> None:
    split = split_by_kind(map(tx_hash_value, reversed(TX_HASHES)))
    assert split.tx_hashes == TX_HASHES[::-1]
    assert split.joined() == [tx_hash_value(tx_hash) for tx_hash in reversed(TX_HASHES)]
