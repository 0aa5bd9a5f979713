"""Outputs that blocks add: fees, minted tokens, and their determinism."""

import dataclasses

import pytest

from mcnode.account.account_key import AccountKey
from mcnode.blockchain.block import make_origin_block
from mcnode.crypto.keys import Ed25519Private
from mcnode.crypto.multisig import MultiSig, SignerSet
from mcnode.crypto.rng import ChaCha12Rng
from mcnode.enclave.config import BlockchainConfig, GovernorsMap
from mcnode.enclave.errors import BlockVersionError, FormBlock, MalformedMintingTx
from mcnode.enclave.interface import MintTxWithConfig
from mcnode.enclave.trusted.block_former import BlockFormer, BlockInputs
from mcnode.enclave.trusted.new_outputs import (
    FEES_TAG,
    MINTED_TAG,
    OutputMaker,
    fee_totals,
    make_fee_outputs,
)
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.constants import U64_MAX
from mcnode.transaction.fee_map import FeeMap
from mcnode.transaction.hashing import mint_config_tx_prefix_hash, mint_tx_prefix_hash
from mcnode.transaction.messages import (
    Amount,
    MintConfig,
    MintConfigTx,
    MintConfigTxPrefix,
    MintTx,
    MintTxPrefix,
    Tx,
    TxPrefix,
)
from mcnode.transaction.mint.errors import InvalidSignature, NoGovernors
from mcnode.transaction.tx_out import view_key_match

ACCOUNT = AccountKey.random(ChaCha12Rng(bytes(32)))
RECIPIENT = ACCOUNT.default_subaddress()
PARENT, _ = make_origin_block([])
V4 = BlockVersion(4)


def paying(*fees):
    return [Tx(TxPrefix(fee=fee, fee_token_id=token)) for token, fee in fees]


def opened(output):
    amount = view_key_match(output, ACCOUNT.view_private).amount
    return amount.token_id, amount.value


def fee_outputs(txs, fee_map, version=V4):
    maker = OutputMaker.create(FEES_TAG, version, PARENT.id, txs)
    return make_fee_outputs(maker, fee_totals(txs, fee_map), RECIPIENT)


def test_one_output_for_each_token_or_transaction_whichever_are_fewer():
    fee_map = {0: 128, 1: 128, 2: 128}
    assert [opened(o) for o in fee_outputs(paying((0, 5)), fee_map)] == [(0, 5)]
    two = fee_outputs(paying((0, 5), (0, 6)), fee_map)
    assert [opened(o) for o in two] == [(0, 11), (1, 0)]
    four = fee_outputs(paying((2, 5), (2, 6), (1, 1), (1, 1)), fee_map)
    assert [opened(o) for o in four] == [(2, 11), (1, 2), (0, 0)]


def test_total_above_64_bits_takes_several_outputs():
    outputs = fee_outputs(paying((0, U64_MAX), (0, 7)), {0: 128})
    assert [opened(o) for o in outputs] == [(0, U64_MAX), (0, 7)]
    exact = fee_outputs(paying((0, U64_MAX), (0, 0)), {0: 128})
    assert [opened(o) for o in exact] == [(0, U64_MAX)]


def test_outputs_depend_on_parent_transactions_order_amount_and_counter():
    txs = paying((0, 5), (0, 6))
    maker = OutputMaker.create(FEES_TAG, V4, PARENT.id, txs)
    base = maker.make(Amount(1, 0), 0, RECIPIENT, None)
    assert maker.make(Amount(1, 0), 0, RECIPIENT, None) == base
    others = [
        OutputMaker.create(FEES_TAG, V4, bytes(32), txs).make(Amount(1, 0), 0, RECIPIENT, None),
        OutputMaker.create(FEES_TAG, V4, PARENT.id, txs[::-1]).make(
            Amount(1, 0), 0, RECIPIENT, None
        ),
        OutputMaker.create(MINTED_TAG, V4, PARENT.id, txs).make(Amount(1, 0), 0, RECIPIENT, None),
        maker.make(Amount(2, 0), 0, RECIPIENT, None),
        maker.make(Amount(1, 1), 0, RECIPIENT, None),
        maker.make(Amount(1, 0), 1, RECIPIENT, None),
    ]
    assert len({o.public_key for o in [base, *others]}) == 7


def test_other_tokens_need_block_version_2():
    assert len(fee_outputs(paying((0, 5), (0, 6)), {0: 128}, BlockVersion(1))) == 1
    with pytest.raises(BlockVersionError):
        fee_outputs(paying((0, 5), (0, 6)), {0: 128, 1: 128}, BlockVersion(1))


MINTER = Ed25519Private(bytes([3]) * 32)
GOVERNORS = SignerSet((MINTER.public_key().to_bytes(),), (), 1)


def mint_config_tx(token_id=1, nonce=b"n" * 64, signer=MINTER):
    config = MintConfig(token_id, GOVERNORS, 1000)
    prefix = MintConfigTxPrefix(token_id, (config,), nonce, 10, 5000)
    signature = signer.sign(mint_config_tx_prefix_hash(prefix))
    return MintConfigTx(prefix, MultiSig((signature,)))


def mint_tx(token_id=1, nonce=b"m" * 64, amount=77, signer=MINTER):
    prefix = MintTxPrefix(
        token_id, amount, RECIPIENT.view_public_key, RECIPIENT.spend_public_key, nonce, 10
    )
    return MintTx(prefix, MultiSig((signer.sign(mint_tx_prefix_hash(prefix)),)))


def with_config(tx=None, config_tx=None):
    config_tx = config_tx or mint_config_tx()
    return MintTxWithConfig(tx or mint_tx(), config_tx, config_tx.prefix.configs[0])


def former(governors=None):
    governors = {1: GOVERNORS, 2: GOVERNORS} if governors is None else governors
    config = BlockchainConfig(FeeMap({0: 1280, 1: 1280}), GovernorsMap(governors))
    return BlockFormer(config, RECIPIENT)


def form(mints=(), configs=(), governors=None):
    inputs = BlockInputs((), tuple(configs), tuple(mints))
    return former(governors).form(PARENT, inputs, PARENT.root_element)


def test_block_of_mints():
    mints = [with_config(), with_config(mint_tx(nonce=b"o" * 64, amount=3))]
    block, contents = form(mints, [mint_config_tx()])
    assert (block.index, block.version, block.cumulative_txo_count) == (1, 4, 2)
    assert sorted(opened(o) for o in contents.outputs) == [(1, 3), (1, 77)]
    keys = [o.public_key for o in contents.outputs]
    assert keys == sorted(keys)
    assert contents.mint_txs == tuple(m.mint_tx for m in mints)
    assert contents.validated_mint_config_txs[0].signer_set == GOVERNORS
    assert form(mints, [mint_config_tx()]) == (block, contents)


def test_what_is_refused_of_mints():
    wrong_signer = Ed25519Private(bytes(32))
    other_config = dataclasses.replace(mint_config_tx().prefix.configs[0], mint_limit=9)
    cases = [
        ({"mints": [with_config(), with_config()]}, FormBlock, "Duplicate MintTx nonce"),
        (
            {"mints": [with_config(config_tx=mint_config_tx(token_id=2))]},
            FormBlock,
            "does not match",
        ),
        (
            {"mints": [dataclasses.replace(with_config(), mint_config=other_config)]},
            FormBlock,
            "not part of",
        ),
        ({"configs": [mint_config_tx()] * 2}, FormBlock, "Duplicate MintConfigTx nonce"),
        ({"mints": [with_config()], "governors": {}}, MalformedMintingTx, NoGovernors),
        ({"configs": [mint_config_tx()], "governors": {}}, MalformedMintingTx, NoGovernors),
        (
            {"configs": [mint_config_tx(signer=wrong_signer)]},
            MalformedMintingTx,
            InvalidSignature,
        ),
        (
            {"mints": [with_config(mint_tx(signer=wrong_signer))]},
            MalformedMintingTx,
            InvalidSignature,
        ),
    ]
    for arguments, error, detail in cases:
        with pytest.raises(error) as caught:
            form(**arguments)
        if isinstance(detail, str):
            assert detail in str(caught.value)
        else:
            assert isinstance(caught.value.error, detail)


def test_same_nonce_for_two_tokens_is_allowed():
    other = with_config(mint_tx(token_id=2), mint_config_tx(token_id=2))
    _, contents = form([with_config(), other])
    assert {opened(o)[0] for o in contents.outputs} == {1, 2}
