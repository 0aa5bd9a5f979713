"""Scenarios of minting rules."""

import dataclasses
from collections.abc import Sequence

from mcnode.account.account_key import AccountKey
from mcnode.conformance.scenario_text import OUTCOME, Language, Outcomes
from mcnode.conformance.vectors import expect, expect_equal, runs
from mcnode.crypto.keys import Ed25519Private
from mcnode.crypto.multisig import MultiSig, SignerSet
from mcnode.crypto.rng import ChaCha12Rng
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.hashing import mint_config_tx_prefix_hash, mint_tx_prefix_hash
from mcnode.transaction.messages import (
    MintConfig,
    MintConfigTx,
    MintConfigTxPrefix,
    MintTx,
    MintTxPrefix,
)
from mcnode.transaction.mint import validate_mint_config_tx, validate_mint_tx
from mcnode.transaction.mint.common import check_block_version, check_nonce, check_token_id
from mcnode.transaction.mint.config_tx import check_configs
from mcnode.transaction.mint.mint_tx import check_against_mint_config

_RANDOM = ChaCha12Rng(bytes(32))
_KEYS = [Ed25519Private.random(_RANDOM) for _ in range(6)]
_RECIPIENT = AccountKey.random(_RANDOM).default_subaddress()
_TOKEN, _OTHER_TOKEN = 1, 2
_LIMIT = 1000
_CURRENT, _TOMBSTONE = 10, 20
_MEMBERS = 3


def _set(threshold: int, keys: Sequence[Ed25519Private], *nested: SignerSet) -> SignerSet:
    return SignerSet(tuple(key.public_key().to_bytes() for key in keys), nested, threshold)


def _signatures(keys: Sequence[Ed25519Private], message: bytes) -> MultiSig:
    return MultiSig(tuple(key.sign(message) for key in keys))


def _config(signers: SignerSet, token_id: int = _TOKEN) -> MintConfig:
    return MintConfig(token_id, signers, _LIMIT)


def _config_prefix(*configs: MintConfig) -> MintConfigTxPrefix:
    return MintConfigTxPrefix(_TOKEN, configs, bytes(64), _TOMBSTONE, _LIMIT)


def _mint_tx(
    amount: int = 10, signer: Ed25519Private = _KEYS[0], fog_hint: bytes | None = None
) -> MintTx:
    view, spend = _RECIPIENT.view_public_key, _RECIPIENT.spend_public_key
    prefix = MintTxPrefix(_TOKEN, amount, view, spend, bytes(64), _TOMBSTONE, fog_hint)
    return MintTx(prefix, _signatures([signer], mint_tx_prefix_hash(prefix)))


class MintWorld:
    """What is to be judged; several things of a kind where the text says so."""

    def __init__(self) -> None:
        self.versions: list[int] = []
        self.token_id = _TOKEN
        self.nonce = b""
        self.config_sets: list[tuple[MintConfig, ...]] = []
        self.config_txs: list[tuple[MintConfigTx, SignerSet]] = []
        self.mint_txs: list[tuple[MintTx, int]] = []
        self.outcomes = Outcomes()

    def sign_config(
        self, threshold: int, signers: Sequence[Ed25519Private]
    ) -> tuple[MintConfigTx, SignerSet]:
        """A configuration signed by some of three governors."""
        prefix = _config_prefix(_config(_set(1, _KEYS[:1])))
        signature = _signatures(signers, mint_config_tx_prefix_hash(prefix))
        return MintConfigTx(prefix, signature), _set(threshold, _KEYS[:_MEMBERS])


_mint: Language[MintWorld] = Language(MintWorld)
given, when, then = _mint.given, _mint.when, _mint.then


@given(r"block versions (\d) and (\d)")
def _(world: MintWorld, *versions: str) -> None:
    world.versions = [int(version) for version in versions]


@given(r"token id (\d+)")
def _(world: MintWorld, token_id: str) -> None:
    world.token_id = int(token_id)


@given(r"nonce of (\d+) bytes")
def _(world: MintWorld, length: str) -> None:
    world.nonce = bytes(int(length))


@given(r"configs of one token with 1-of-1, 1-of-1, 2-of-3 style signer sets")
def _(world: MintWorld) -> None:
    sets = _set(1, _KEYS[:1]), _set(1, _KEYS[1:2]), _set(2, _KEYS[2:5])
    world.config_sets = [tuple(map(_config, sets))]


@given(r"config with nested signer sets")
def _(world: MintWorld) -> None:
    nested = _set(2, _KEYS[:1], _set(1, _KEYS[1:2]), _set(2, _KEYS[2:5]))
    world.config_sets = [(_config(nested),)]


@given(r"configs with another token id")
def _(world: MintWorld) -> None:
    good = _config(_set(1, _KEYS[:1]))
    other = _config(_set(1, _KEYS[:1]), _OTHER_TOKEN)
    world.config_sets = [(other,), (good, other)]


@given(r"config with threshold above signer count, or no signers and threshold 1")
def _(world: MintWorld) -> None:
    sets = _set(2, _KEYS[:1]), _set(1, [])
    world.config_sets = [(_config(signers),) for signers in sets]


@given(r"MintConfigTx governors ((?:\d-of-3(?: / )?)+) signed by enough members")
def _(world: MintWorld, thresholds: str) -> None:
    for text in thresholds.split("/"):
        threshold = int(text.strip()[0])
        world.config_txs.append(world.sign_config(threshold, _KEYS[:threshold]))


@given(r"signed MintConfigTx, then mint limit or tombstone changed")
def _(world: MintWorld) -> None:
    tx, governors = world.sign_config(1, _KEYS[:1])
    config = dataclasses.replace(tx.prefix.configs[0], mint_limit=_LIMIT + 1)
    for changed in (
        dataclasses.replace(tx.prefix, configs=(config,)),
        dataclasses.replace(tx.prefix, tombstone_block=_TOMBSTONE + 1),
    ):
        world.config_txs.append((dataclasses.replace(tx, prefix=changed), governors))


@given(r"MintConfigTx where one governor's signature appears twice, threshold (\d)")
def _(world: MintWorld, threshold: str) -> None:
    world.config_txs = [world.sign_config(int(threshold), [_KEYS[0], _KEYS[0]])]


@given(r"MintTx within limit, right token, right signers")
def _(world: MintWorld) -> None:
    world.mint_txs = [(_mint_tx(), 4), (_mint_tx(amount=_LIMIT), 4)]


@given(r"MintTx amount above mint_limit")
def _(world: MintWorld) -> None:
    world.mint_txs = [(_mint_tx(amount=_LIMIT + 1), 4)]


@given(r"MintTx signed by someone else")
def _(world: MintWorld) -> None:
    world.mint_txs = [(_mint_tx(signer=_KEYS[5]), 4)]


@given(r"MintTx with e_fog_hint at v(\d)")
def _(world: MintWorld, version: str) -> None:
    world.mint_txs = [(_mint_tx(fog_hint=bytes(84)), int(version))]


@given(r"MintTx without e_fog_hint at v(\d); with or without at v(\d)")
def _(world: MintWorld, without: str, either: str) -> None:
    world.mint_txs = [
        (_mint_tx(), int(without)),
        (_mint_tx(), int(either)),
        (_mint_tx(fog_hint=bytes(84)), int(either)),
    ]


@when(r"validate_block_version")
def _(world: MintWorld) -> None:
    for version in world.versions:
        world.outcomes.note(str(version), check_block_version, version)


@when(r"validate_token_id")
def _(world: MintWorld) -> None:
    world.outcomes.note("token id", check_token_id, world.token_id)


@when(r"validate_nonce")
def _(world: MintWorld) -> None:
    world.outcomes.note("nonce", check_nonce, world.nonce)


@when(r"validate_configs(?: at ([\d,]+))?")
def _(world: MintWorld, versions: str | None) -> None:
    for version in map(int, (versions or "2,3,4").split(",")):
        for number, configs in enumerate(world.config_sets):
            prefix = _config_prefix(*configs)
            name = f"configurations {number} at version {version}"
            world.outcomes.note(name, check_configs, prefix, BlockVersion(version))


@when(r"validate_signature")
def _(world: MintWorld) -> None:
    for number, (tx, governors) in enumerate(world.config_txs):
        name = f"transaction {number}"
        world.outcomes.note(name, validate_mint_config_tx, tx, _CURRENT, 4, governors)


@when(r"validate_against_mint_config")
def _(world: MintWorld) -> None:
    for number, (tx, _) in enumerate(world.mint_txs):
        config = _config(_set(1, _KEYS[:2]))
        world.outcomes.note(f"transaction {number}", check_against_mint_config, tx, config)


@when(r"validate_e_fog_hint")
def _(world: MintWorld) -> None:
    for number, (tx, version) in enumerate(world.mint_txs):
        config = _config(_set(1, _KEYS[:1]))
        name = f"transaction {number} at version {version}"
        world.outcomes.note(name, validate_mint_tx, tx, _CURRENT, version, config)


@then(r"InvalidBlockVersion\(v\)")
def _(world: MintWorld) -> None:
    expect(bool(world.outcomes.all), "nothing was tried")
    for version, found in world.outcomes.all.items():
        expect_equal("outcome", found, f"InvalidBlockVersion(BlockVersion({version}))")


@then(r"InvalidTokenId\(the config's id\)")
def _(world: MintWorld) -> None:
    world.outcomes.expect_all(f"InvalidTokenId({_OTHER_TOKEN})")


@then(OUTCOME)
def _(world: MintWorld, expected: str) -> None:
    world.outcomes.expect_all(expected)


run_mint = runs("transaction", r"scenarios/mint[^/]*\.jsonl")(_mint.run)
