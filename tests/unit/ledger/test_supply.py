"""Minted, burned and circulating, from blocks alone."""

import dataclasses

import pytest

from mcnode.account.public_address import burn_address
from mcnode.blockchain.block import make_child_block
from mcnode.blockchain.contents import BlockContents
from mcnode.crypto.keys import Ed25519Private, RistrettoPrivate
from mcnode.crypto.multisig import MultiSig, SignerSet
from mcnode.crypto.rng import Hc128Rng
from mcnode.ledger import supply
from mcnode.ledger.supply import TokenSupply, measure_supply
from mcnode.ledger.verification import verify_ledger
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.hashing import mint_config_tx_prefix_hash, mint_tx_prefix_hash
from mcnode.transaction.messages import (
    Amount,
    MintConfig,
    MintConfigTx,
    MintConfigTxPrefix,
    MintTx,
    MintTxPrefix,
    ValidatedMintConfigTx,
)
from mcnode.transaction.tx_out import create_tx_out

SIGNER = Ed25519Private(bytes([7]) * 32)
SIGNERS = SignerSet((SIGNER.public_key().to_bytes(),), (), 1)
HINT = bytes(84)


class Mint:
    """Puts minting blocks onto a ledger."""

    def __init__(self, ledger, chain):
        self.ledger = ledger
        self.chain = chain
        self.rng = Hc128Rng(bytes(32))
        ledger.append_block_data(chain.next(3))

    def append(self, *, outputs=(), configs=(), mints=()):
        key_images = () if configs or mints else (self.chain.fresh(),)
        contents = BlockContents(key_images, outputs, configs, mints)
        root = self.ledger.get_root_tx_out_membership_element()
        block = make_child_block(self.ledger.get_latest_block(), 4, contents, root)
        self.ledger.append_block(block, contents, metadata=self.chain.metadata(block))

    def config(self, token_id, limit, nonce):
        config = MintConfig(token_id, SIGNERS, limit)
        prefix = MintConfigTxPrefix(token_id, (config,), nonce * 64, 100, limit)
        signature = MultiSig((SIGNER.sign(mint_config_tx_prefix_hash(prefix)),))
        return ValidatedMintConfigTx(MintConfigTx(prefix, signature), SIGNERS)

    def mint(self, token_id, amount, nonce):
        view, spend = self.chain.fresh(), self.chain.fresh()
        prefix = MintTxPrefix(token_id, amount, view, spend, nonce * 64, 100, None)
        return MintTx(prefix, MultiSig((SIGNER.sign(mint_tx_prefix_hash(prefix)),)))

    def burn(self, token_id, value):
        key = RistrettoPrivate.random(self.rng)
        amount = Amount(value, token_id)
        return create_tx_out(BlockVersion(4), amount, burn_address(), key, HINT)[0]


@pytest.fixture
def mint(ledger, chain):
    return Mint(ledger, chain)


def test_a_ledger_where_nothing_was_minted(ledger, chain):
    ledger.append_blocks(chain.blocks(3))
    found = measure_supply(ledger)
    assert (found.num_blocks, found.num_outputs, found.tokens) == (3, 3, ())


def test_mints_and_burns_are_summed_by_token(mint, chain):
    output = chain.output
    mint.append(outputs=(), configs=(mint.config(1, 1000, b"a"), mint.config(2, 50, b"b")))
    mint.append(outputs=(output(), output()), mints=(mint.mint(1, 600, b"c"),))
    mint.append(
        outputs=(output(), output()), mints=(mint.mint(1, 100, b"d"), mint.mint(2, 50, b"e"))
    )
    mint.append(outputs=(output(), mint.burn(1, 250)))
    mint.append(outputs=(mint.burn(0, 7), mint.burn(1, 1)))
    seen = []
    found = measure_supply(mint.ledger, lambda done, total: seen.append((done, total)))
    assert found.tokens == (
        TokenSupply(0, burned=7, burn_count=1),
        TokenSupply(1, 700, 251, 2, 2, mint_limit=1000, minted_under_limit=700),
        TokenSupply(2, 50, 0, 1, 0, mint_limit=50, minted_under_limit=50),
    )
    assert [token.circulating for token in found.tokens] == [None, 449, 50]
    burns = [(each.block_index, each.amount.token_id, each.amount.value) for each in found.burns]
    assert burns == [(4, 1, 250), (5, 0, 7), (5, 1, 1)]
    assert {each.redemption_data for each in found.burns} == {None}, "their memos are empty"
    assert seen[-1] == (6, 6)


def test_a_minted_ledger_holds(mint, chain):
    mint.append(configs=(mint.config(1, 10, b"a"),))
    mint.append(outputs=(chain.output(),), mints=(mint.mint(1, 10, b"b"),))
    found = verify_ledger(mint.ledger)
    assert found.holds
    assert (found.mint_count, found.mint_config_count) == (1, 1)


def test_a_configuration_that_its_governors_did_not_sign(mint):
    unsigned = mint.config(1, 10, b"a")
    tx = dataclasses.replace(unsigned.mint_config_tx, signature=MultiSig(()))
    mint.append(configs=(dataclasses.replace(unsigned, mint_config_tx=tx),))
    (finding,) = verify_ledger(mint.ledger).findings
    assert "0 members of the signer set signed, needs 1" in finding.problem


def test_a_new_configuration_starts_its_limit_anew(mint, chain):
    mint.append(configs=(mint.config(1, 10, b"a"),))
    mint.append(outputs=(chain.output(),), mints=(mint.mint(1, 10, b"b"),))
    mint.append(configs=(mint.config(1, 5, b"c"),))
    (token,) = measure_supply(mint.ledger).tokens
    assert (token.minted, token.mint_limit, token.minted_under_limit) == (10, 5, 0)


def test_outputs_that_only_look_burned_do_not_count(mint):
    """Another amount than the commitment's, or the keys of another output."""
    burned, other = mint.burn(1, 5), mint.burn(1, 6)
    hidden = dataclasses.replace(burned, masked_amount=other.masked_amount)
    foreign = dataclasses.replace(other, target_key=burned.public_key)
    mint.append(outputs=(hidden, foreign))
    assert measure_supply(mint.ledger).tokens == ()


def test_outputs_of_many_blocks_are_scanned_in_batches(mint, monkeypatch):
    monkeypatch.setattr(supply, "BATCH_OUTPUTS", 4)
    for number in range(7):
        mint.append(outputs=(mint.burn(1, 10**number), mint.burn(0, 1)))
    seen = []
    found = measure_supply(mint.ledger, lambda done, total: seen.append(done))
    assert [token.burned for token in found.tokens] == [7, 1_111_111]
    assert seen == sorted(seen) and len(seen) > 2
