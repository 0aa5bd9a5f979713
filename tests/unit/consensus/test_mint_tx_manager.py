"""Mint transactions against a real ledger: who may, how often, in which order."""

import dataclasses
import itertools

import pytest

from mcnode.account.account_key import AccountKey
from mcnode.blockchain.block import make_child_block, make_origin_block
from mcnode.blockchain.contents import BlockContents, ValidatedMintConfigTx
from mcnode.consensus.mint_tx_manager import MintTxManager
from mcnode.crypto.keys import Ed25519Private, RistrettoPrivate
from mcnode.crypto.multisig import MultiSig, SignerSet
from mcnode.crypto.rng import Hc128Rng
from mcnode.ledger.db import LedgerDB
from mcnode.ledger.sample import make_sample_metadata, make_sample_output
from mcnode.peers.order_key import order_key
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.constants import MAX_MINT_CONFIG_TXS_PER_BLOCK, MAX_MINT_TXS_PER_BLOCK
from mcnode.transaction.hashing import mint_config_tx_prefix_hash, mint_tx_prefix_hash
from mcnode.transaction.messages import (
    Amount,
    MintConfig,
    MintConfigTx,
    MintConfigTxPrefix,
    MintTx,
    MintTxPrefix,
)
from mcnode.transaction.mint.errors import (
    AmountExceedsMintLimit,
    InvalidSignature,
    MintTombstoneBlockExceeded,
    NoGovernors,
    NoMatchingMintConfig,
    NonceAlreadyUsed,
)

GOVERNOR, MINTER, OTHER_MINTER, STRANGER = (Ed25519Private(bytes([n]) * 32) for n in range(1, 5))
TOKEN = 1
POINT = RistrettoPrivate((7).to_bytes(32, "little")).public_key().to_bytes()
NONCES = itertools.count(1)


def nonce() -> bytes:
    return next(NONCES).to_bytes(64)


def only(key: Ed25519Private) -> SignerSet:
    return SignerSet((key.public_key().to_bytes(),), (), 1)


def config_tx(*configs: MintConfig, by: Ed25519Private = GOVERNOR, **changes) -> MintConfigTx:
    made = configs or (MintConfig(TOKEN, only(MINTER), 1000),)
    prefix = MintConfigTxPrefix(TOKEN, made, nonce(), 50, total_mint_limit=10_000)
    prefix = dataclasses.replace(prefix, **changes)
    return MintConfigTx(prefix, MultiSig((by.sign(mint_config_tx_prefix_hash(prefix)),)))


def mint_tx(amount: int = 10, *, by: Ed25519Private = MINTER, **changes) -> MintTx:
    prefix = MintTxPrefix(TOKEN, amount, POINT, POINT, nonce(), 50)
    prefix = dataclasses.replace(prefix, **changes)
    return MintTx(prefix, MultiSig((by.sign(mint_tx_prefix_hash(prefix)),)))


class World:
    """A ledger of one block, and the manager over it."""

    def __init__(self, path) -> None:
        self._rng = Hc128Rng(bytes(32))
        self._recipient = AccountKey.random(self._rng).default_subaddress()
        self.ledger = LedgerDB.create(path, durable=False)
        origin, contents = make_origin_block((self._output(),))
        self.ledger.append_block(origin, contents)
        self.mints = MintTxManager(self.ledger, BlockVersion(3), {TOKEN: only(GOVERNOR)})

    def _output(self):
        return make_sample_output(self._rng, BlockVersion(3), Amount(1, 0), self._recipient)

    def append(self, *, configs=(), mints=()) -> None:
        """A block with these."""
        outputs = tuple(self._output() for _ in mints)
        validated = tuple(ValidatedMintConfigTx(tx, only(GOVERNOR)) for tx in configs)
        images = () if configs or mints else (self._output().public_key,)
        outputs = outputs or (() if configs else (self._output(),))
        contents = BlockContents(images, outputs, validated, tuple(mints))
        block = make_child_block(self.ledger.get_latest_block(), 3, contents)
        metadata = make_sample_metadata(self._rng, block.id)
        self.ledger.append_block(block, contents, None, metadata)


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path / "ledger")
    yield made
    made.ledger.close()


@pytest.fixture
def minting(world):
    """Two minters: one with a limit of 1000, one with 20."""
    world.configs = (
        MintConfig(TOKEN, only(MINTER), 1000),
        MintConfig(TOKEN, only(OTHER_MINTER), 20),
    )
    world.config_tx = config_tx(*world.configs)
    world.append(configs=[world.config_tx])
    return world


# -- configurations --------------------------------------------------------------------------------


def test_a_governor_may_configure_minting(world) -> None:
    tx = config_tx()
    world.mints.check_mint_config_tx(tx)
    assert world.mints.is_valid_config(tx)


def test_a_used_nonce_comes_before_everything_else(world) -> None:
    tx = config_tx()
    world.append(configs=[tx])
    broken = dataclasses.replace(tx, signature=MultiSig(()))
    for each in (tx, broken):
        with pytest.raises(NonceAlreadyUsed):
            world.mints.check_mint_config_tx(each)
    assert not world.mints.is_valid_config(tx)


def test_a_token_without_governors_comes_before_the_rest(world) -> None:
    with pytest.raises(NoGovernors) as caught:
        world.mints.check_mint_config_tx(config_tx(token_id=7, nonce=b""))
    assert caught.value.token_id == 7


def test_an_empty_request_is_answered_with_no_governors(world) -> None:
    empty = MintConfigTx(MintConfigTxPrefix(0, (), b"", 0, 0), MultiSig(()))
    with pytest.raises(NoGovernors):
        world.mints.check_mint_config_tx(empty)


def test_somebody_elses_signature_is_refused(world) -> None:
    with pytest.raises(InvalidSignature):
        world.mints.check_mint_config_tx(config_tx(by=STRANGER))


def test_the_tombstone_is_that_of_the_next_block(world) -> None:
    tx = config_tx(tombstone_block=2)
    world.mints.check_mint_config_tx(tx)
    world.append()
    with pytest.raises(MintTombstoneBlockExceeded):
        world.mints.check_mint_config_tx(tx)


# -- mints -----------------------------------------------------------------------------------------


def test_a_minter_may_mint(minting) -> None:
    tx = mint_tx(1000)
    minting.mints.check_mint_tx(tx)
    assert minting.mints.is_valid_mint(tx)


@pytest.mark.parametrize(
    "tx",
    [mint_tx(by=STRANGER), mint_tx(token_id=7), mint_tx(by=GOVERNOR)],
    ids=["stranger", "other token", "governor"],
)
def test_nobody_else_may(minting, tx) -> None:
    with pytest.raises(NoMatchingMintConfig):
        minting.mints.check_mint_tx(tx)
    assert not minting.mints.is_valid_mint(tx)


def test_the_limit_counts_what_was_minted_before(minting) -> None:
    minting.mints.check_mint_tx(mint_tx(20, by=OTHER_MINTER))
    minting.append(mints=[mint_tx(15, by=OTHER_MINTER)])
    minting.mints.check_mint_tx(mint_tx(5, by=OTHER_MINTER))
    with pytest.raises(AmountExceedsMintLimit):
        minting.mints.check_mint_tx(mint_tx(6, by=OTHER_MINTER))


def test_a_used_nonce_of_a_mint_comes_first(minting) -> None:
    tx = mint_tx(20, by=OTHER_MINTER)
    minting.append(mints=[tx])
    with pytest.raises(NonceAlreadyUsed):  # the limit is reached as well
        minting.mints.check_mint_tx(tx)


def test_each_mint_comes_with_what_allows_it(minting) -> None:
    first, second = mint_tx(), mint_tx(by=OTHER_MINTER)
    made = minting.mints.with_config([first, second])
    assert [each.mint_tx for each in made] == [first, second]
    assert [each.mint_config for each in made] == list(minting.configs)
    assert {each.mint_config_tx for each in made} == {minting.config_tx}
    with pytest.raises(NoMatchingMintConfig):
        minting.mints.with_config([first, mint_tx(by=STRANGER)])


# -- combining -------------------------------------------------------------------------------------


def test_configurations_are_sorted_and_the_first_of_a_nonce_stays(world) -> None:
    same = nonce()
    low, high = (config_tx(nonce=same, tombstone_block=t) for t in (40, 41))
    others = [config_tx() for _ in range(3)]
    chosen = world.mints.combine_configs([high, *others, low])
    assert chosen == sorted([low, *others], key=order_key)


def test_one_nonce_may_serve_two_tokens(world) -> None:
    same = nonce()
    both = [config_tx(nonce=same, token_id=token) for token in (1, 2)]
    assert world.mints.combine_configs(reversed(both)) == both


def test_a_block_has_room_for_ten_configurations(world) -> None:
    txs = [config_tx() for _ in range(MAX_MINT_CONFIG_TXS_PER_BLOCK + 2)]
    expected = sorted(txs, key=order_key)[:MAX_MINT_CONFIG_TXS_PER_BLOCK]
    assert world.mints.combine_configs(txs) == expected


def test_one_mint_per_configuration_the_smallest(minting) -> None:
    by_minter = [mint_tx(amount) for amount in (30, 10, 20)]
    by_other = [mint_tx(amount, by=OTHER_MINTER) for amount in (2, 1)]
    chosen = minting.mints.combine_mints([*by_minter, *by_other])
    assert chosen == [by_other[1], by_minter[1]]


def test_mints_that_nothing_allows_are_left_out(minting) -> None:
    allowed = mint_tx()
    txs = [mint_tx(5, by=STRANGER), mint_tx(21, by=OTHER_MINTER), allowed]
    assert minting.mints.combine_mints(txs) == [allowed]


def test_the_first_of_a_nonce_stays_among_mints(minting) -> None:
    same = nonce()
    small, large = mint_tx(1, nonce=same), mint_tx(2, by=OTHER_MINTER, nonce=same)
    assert minting.mints.combine_mints([large, small]) == [small]


def test_a_block_has_room_for_ten_mints(world) -> None:
    keys = [Ed25519Private(bytes([n]) * 32) for n in range(20, 33)]
    world.append(configs=[config_tx(*(MintConfig(TOKEN, only(key), 100) for key in keys))])
    txs = [mint_tx(number, by=key) for number, key in enumerate(keys, 1)]
    assert world.mints.combine_mints(reversed(txs)) == txs[:MAX_MINT_TXS_PER_BLOCK]
