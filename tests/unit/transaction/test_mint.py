import dataclasses

import pytest

from mcnode.crypto.keys import Ed25519Private
from mcnode.crypto.multisig import MultiSig, SignerSet
from mcnode.transaction.errors import network_name
from mcnode.transaction.hashing import mint_config_tx_prefix_hash, mint_tx_prefix_hash
from mcnode.transaction.messages import (
    MintConfig,
    MintConfigTx,
    MintConfigTxPrefix,
    MintTx,
    MintTxPrefix,
)
from mcnode.transaction.mint import validate_mint_config_tx, validate_mint_tx
from mcnode.transaction.mint.errors import MintValidationError

KEYS = [Ed25519Private(bytes([number]) * 32) for number in range(4)]
NONCE = bytes(64)
CURRENT, TOMBSTONE = 10, 20


def signers(*numbers, threshold=1, nested=()):
    keys = tuple(KEYS[number].public_key().to_bytes() for number in numbers)
    return SignerSet(keys, nested, threshold)


def sign(digest, numbers):
    return MultiSig(tuple(KEYS[number].sign(digest) for number in numbers))


def config_tx(*, by=(0,), **changes):
    prefix = MintConfigTxPrefix(
        1, (MintConfig(1, signers(1), 100),), NONCE, TOMBSTONE, total_mint_limit=0
    )
    prefix = dataclasses.replace(prefix, **changes)
    return MintConfigTx(prefix, sign(mint_config_tx_prefix_hash(prefix), by))


def mint_tx(*, by=(1,), **changes):
    key = b"\x00" * 32
    prefix = MintTxPrefix(1, 100, key, key, NONCE, TOMBSTONE)
    prefix = dataclasses.replace(prefix, **changes)
    return MintTx(prefix, sign(mint_tx_prefix_hash(prefix), by))


def config_verdict(tx, *, current=CURRENT, version=3, governors=None):
    try:
        validate_mint_config_tx(tx, current, version, governors or signers(0))
    except MintValidationError as error:
        return network_name(error)
    return "ok"


def mint_verdict(tx, *, current=CURRENT, version=3, config=None):
    try:
        validate_mint_tx(tx, current, version, config or MintConfig(1, signers(1), 100))
    except MintValidationError as error:
        return network_name(error)
    return "ok"


VERSIONS = {
    0: "InvalidBlockVersion(BlockVersion(0))",
    1: "InvalidBlockVersion(BlockVersion(1))",
    2: "ok",
    3: "ok",
    4: "ok",
    5: "InvalidBlockVersion(BlockVersion(5))",
}


@pytest.mark.parametrize(("version", "expected"), VERSIONS.items())
def test_block_versions(version, expected):
    assert config_verdict(config_tx(), version=version) == expected
    assert mint_verdict(mint_tx(), version=version) == expected


def config(token_id=1, signer_set=None):
    return MintConfig(token_id, signer_set or signers(1), 100)


NESTED = signers(threshold=1, nested=(signers(1, 2, threshold=2),))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"configs": ()}, "ok"),
        ({"configs": (config(), config(signer_set=signers(1, 2, 3, threshold=2)))}, "ok"),
        ({"configs": (config(signer_set=NESTED),)}, "ok"),
        ({"token_id": 0}, "InvalidTokenId(TokenId(0))"),
        ({"configs": (config(), config(7))}, "InvalidTokenId(TokenId(7))"),
        ({"configs": (config(signer_set=signers(1, threshold=2)),)}, "InvalidSignerSet"),
        ({"configs": (config(signer_set=signers(1, threshold=0)),)}, "InvalidSignerSet"),
        ({"configs": (config(signer_set=signers(threshold=1)),)}, "InvalidSignerSet"),
        (
            {"configs": (config(signer_set=signers(1, nested=(signers(threshold=1),))),)},
            "InvalidSignerSet",
        ),
        ({"nonce": bytes(63)}, "InvalidNonceLength(63)"),
        ({"tombstone_block": CURRENT}, "TombstoneBlockExceeded"),
        ({"tombstone_block": CURRENT + 20161}, "TombstoneBlockTooFar"),
        ({"by": (1,)}, "InvalidSignature"),
        ({"by": ()}, "InvalidSignature"),
        ({"by": (0,) * 11}, "InvalidSignature"),
        ({"by": (0,) * 10}, "ok"),
    ],
)
def test_mint_config_tx(changes, expected):
    assert config_verdict(config_tx(**changes)) == expected


def test_nested_sets_need_version_3_in_configurations_only():
    assert config_verdict(config_tx(configs=(config(signer_set=NESTED),)), version=2) == (
        "InvalidSignerSet"
    )
    assert mint_verdict(mint_tx(by=(1, 2)), version=2, config=config(signer_set=NESTED)) == "ok"


def test_what_is_in_the_ledger_has_no_tombstone():
    assert config_verdict(config_tx(tombstone_block=0), current=None) == "ok"


@pytest.mark.parametrize(
    ("by", "threshold", "expected"),
    [((0,), 1, "ok"), ((2, 0), 2, "ok"), ((0, 1, 2), 3, "ok"), ((0, 0), 2, "InvalidSignature")],
)
def test_governors(by, threshold, expected):
    governors = signers(0, 1, 2, threshold=threshold)
    assert config_verdict(config_tx(by=by), governors=governors) == expected


@pytest.mark.parametrize("changes", [{"tombstone_block": 21}, {"total_mint_limit": 1}])
def test_changed_after_signing(changes):
    tx = config_tx()
    changed = dataclasses.replace(tx, prefix=dataclasses.replace(tx.prefix, **changes))
    assert config_verdict(changed) == "InvalidSignature"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"amount": 0}, "ok"),
        ({"amount": 101}, "AmountExceedsMintLimit"),
        ({"token_id": 0}, "InvalidTokenId(TokenId(0))"),
        ({"token_id": 2}, "InvalidTokenId(TokenId(2))"),
        ({"nonce": b""}, "InvalidNonceLength(0)"),
        ({"tombstone_block": CURRENT}, "TombstoneBlockExceeded"),
        ({"tombstone_block": CURRENT + 20161}, "TombstoneBlockTooFar"),
        ({"by": (2,)}, "InvalidSignature"),
        ({"e_fog_hint": bytes(84)}, "ok"),
    ],
)
def test_mint_tx(changes, expected):
    assert mint_verdict(mint_tx(**changes)) == expected


def test_fog_hints_need_version_3_and_are_looked_at_last():
    hinted = mint_tx(e_fog_hint=bytes(84))
    assert mint_verdict(hinted, version=2) == "MintingToFogNotSupported"
    assert mint_verdict(mint_tx(by=(2,), e_fog_hint=bytes(84)), version=2) == "InvalidSignature"
