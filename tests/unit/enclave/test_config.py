import pytest

from mcnode.codec import protobuf
from mcnode.crypto.keys import Ed25519Private
from mcnode.crypto.multisig import SignerSet
from mcnode.enclave.config import (
    BlockchainConfig,
    BlockchainConfigMessage,
    GovernorsMap,
    InvalidSignerSet,
    MobTokenNotAllowed,
)
from mcnode.enclave.errors import (
    InvalidGovernorsSignature,
    MissingGovernorsSignature,
    NestedMultiSigGovernorsNotSupported,
)
from mcnode.enclave.trusted.constants import MeasuredConstants, MeasuredConstantsError
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.fee_map import FeeMap

ROOT = Ed25519Private(bytes([9]) * 32)
KEY = ROOT.public_key().to_bytes()
FLAT = SignerSet((KEY,), (), 1)
NESTED = SignerSet((KEY,), (FLAT,), 2)


def signed(governors, version=4):
    signature = ROOT.sign(governors.signing_digest())
    return BlockchainConfig(FeeMap({0: 1280, 1: 1280}), governors, signature, BlockVersion(version))


def test_round_trip():
    config = signed(GovernorsMap({1: NESTED, 5: FLAT}))
    message = protobuf.decode(BlockchainConfigMessage, protobuf.encode(config.to_message()))
    again = BlockchainConfig.from_message(message)
    assert again.digest == config.digest
    assert dict(again.governors_map) == {1: NESTED, 5: FLAT}
    again.check(ROOT.public_key())


def test_governors_map_rules():
    with pytest.raises(MobTokenNotAllowed):
        GovernorsMap({0: FLAT})
    for bad in (
        SignerSet((KEY,), (), 0),
        SignerSet((KEY,), (), 2),
        SignerSet((KEY,), (SignerSet((), (), 1),), 1),
    ):
        with pytest.raises(InvalidSignerSet):
            GovernorsMap({7: bad})


def test_governors_must_be_signed_by_the_trust_root():
    governors = GovernorsMap({1: FLAT})
    signed(governors).check(ROOT.public_key())
    with pytest.raises(MissingGovernorsSignature):
        BlockchainConfig(governors_map=governors).check(ROOT.public_key())
    with pytest.raises(InvalidGovernorsSignature):
        signed(governors).check(Ed25519Private(bytes(32)).public_key())
    BlockchainConfig().check(ROOT.public_key())


def test_nested_sets_need_block_version_3():
    signed(GovernorsMap({1: NESTED}), 3).check(ROOT.public_key())
    with pytest.raises(NestedMultiSigGovernorsNotSupported) as caught:
        signed(GovernorsMap({1: FLAT, 5: NESTED}), 2).check(ROOT.public_key())
    assert (caught.value.token_id, caught.value.block_version) == (5, 2)


def test_measured_constants():
    defaults = MeasuredConstants()
    assert MeasuredConstants.from_json("{}") == defaults
    text = '{"minting_trust_root_public_key": "%s", "mitigated_hardening_advisories": ["A"]}'
    changed = MeasuredConstants.from_json(text % KEY.hex())
    assert changed.minting_trust_root() == ROOT.public_key()
    assert changed.mitigated_hardening_advisories == ("A",)
    assert changed.fee_recipient() == defaults.fee_recipient()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"unknown": ""}',
        '{"fee_view_public_key": "00"}',
        '{"fee_view_public_key": 5}',
        '{"mitigated_hardening_advisories": "A"}',
    ],
)
def test_measured_constants_that_do_not_parse(text):
    with pytest.raises(MeasuredConstantsError):
        MeasuredConstants.from_json(text)
