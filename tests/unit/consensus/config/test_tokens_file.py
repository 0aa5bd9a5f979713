import json
from typing import Any

import pytest

from mcnode.consensus.config.documents import parse_json, parse_toml
from mcnode.consensus.config.errors import (
    AllowAnyFeeNotAllowed,
    ConfigError,
    FeeMapConfigError,
    FeeOutOfBounds,
    FileSyntaxError,
    GovernorsMapConfigError,
    InvalidSignerSet,
    MintConfigNotAllowed,
)
from mcnode.consensus.config.signer_identity import (
    MultiSigner,
    NamedSigner,
    SingleSigner,
    resolve_signer_set,
)
from mcnode.consensus.config.tokens_file import TokenConfig, TokensConfig, parse_tokens
from mcnode.crypto.der import public_key_to_pem
from mcnode.crypto.keys import Ed25519Private

KEYS = [Ed25519Private(bytes([number]) * 32).public_key() for number in (1, 2, 3)]
PEMS = [public_key_to_pem(key) for key in KEYS]
RAW = [key.to_bytes() for key in KEYS]


def parsed(*tokens: dict[str, Any], **top: Any) -> TokensConfig:
    return parse_tokens(parse_json(json.dumps({"tokens": tokens, **top})))


def mob(**changes: Any) -> dict[str, Any]:
    return {"token_id": 0, **changes}


@pytest.mark.parametrize("fee", [10_000, 400_000_000, 999_999_999_999])
def test_fee_of_mob_inside_the_bounds(fee: int) -> None:
    parsed(mob(minimum_fee=fee)).check()


@pytest.mark.parametrize("fee", [0, 9_999, 1_000_000_000_000])
def test_fee_of_mob_outside(fee: int) -> None:
    with pytest.raises(FeeOutOfBounds, match=f"Fee {fee} for token id 0 is out of bounds"):
        parsed(mob(minimum_fee=fee)).check()
    parsed(mob(minimum_fee=fee, allow_any_fee=True)).check()


def test_order_of_the_rules() -> None:
    governors = {"type": "Identity", "name": "nobody"}
    with pytest.raises(FeeOutOfBounds):
        parsed(mob(minimum_fee=1, governors=governors)).check()
    with pytest.raises(MintConfigNotAllowed):
        parsed(mob(governors=governors)).check()
    token = {"token_id": 5, "minimum_fee": 1, "allow_any_fee": True, "governors": governors}
    with pytest.raises(AllowAnyFeeNotAllowed, match="token id 5"):
        parsed(mob(), token).check()
    with pytest.raises(InvalidSignerSet, match='token id 5: Unknown signer identity "nobody"'):
        parsed(mob(), token | {"allow_any_fee": False}).check()


@pytest.mark.parametrize(
    ("fee", "message"),
    [
        (1, r"Fee map: Token `5` has invalid fee \(too small\) `1`"),
        (129, r"Fee map: Token `5` has invalid fee \(not divisible\) `129`"),
    ],
)
def test_fee_map_has_rules_of_its_own(fee: int, message: str) -> None:
    config = parsed(mob(), {"token_id": 5, "minimum_fee": fee})
    config.check()
    with pytest.raises(FeeMapConfigError, match=message):
        config.fee_map()


def test_governors_of_token_0_do_not_make_a_map() -> None:
    config = TokensConfig(tokens=(TokenConfig(0, governors=SingleSigner(KEYS[0])),))
    with pytest.raises(GovernorsMapConfigError):
        config.governors_map()


def test_older_toml_form() -> None:
    text = f'''
governors_signature = "{"ab" * 64}"
[[tokens]]
token_id = 0
[[tokens]]
token_id = 1
minimum_fee = 1024
[tokens.governors]
signers = """
{PEMS[0]}{PEMS[1]}"""
threshold = 2
'''
    config = parse_tokens(parse_toml(text))
    config.check()
    assert config.governors_signature == bytes.fromhex("ab" * 64)
    governors = config.governors_map()[1]
    assert governors.individual_signers == (RAW[0], RAW[1])
    assert governors.threshold == 2


@pytest.mark.parametrize("value", [None, ""])
def test_no_signature(value: str | None) -> None:
    assert parsed(mob(), governors_signature=value).governors_signature is None
    assert parsed(mob()).governors_signature is None


@pytest.mark.parametrize("value", ["00", "zz", 5, "00" * 65])
def test_bad_signature(value: object) -> None:
    with pytest.raises(FileSyntaxError, match="governors_signature"):
        parsed(mob(), governors_signature=value)


@pytest.mark.parametrize(
    ("identity", "message"),
    [
        ({"type": "Single", "pub_key": "nothing"}, 'Failed to parse PEM "nothing"'),
        (
            {"type": "Single", "pub_key": PEMS[0].replace("MCow", "MCoz")},
            "Failed to parse public key",
        ),
        ({"type": "Several"}, "unknown variant `Several`"),
        ({"name": "x"}, "missing field `type`"),
        ({"signers": "no pem", "threshold": 1}, "signers holds no PEM block"),
        ({"type": "MultiSig", "threshold": 1, "signers": {}}, "table where a list is expected"),
    ],
)
def test_identities_that_do_not_parse(identity: dict[str, Any], message: str) -> None:
    with pytest.raises(FileSyntaxError, match=message):
        parsed(mob(), {"token_id": 1, "minimum_fee": 128, "governors": identity})


def test_members_of_one_key_join_the_individual_list_in_file_order() -> None:
    one_of_one = MultiSigner(1, (SingleSigner(KEYS[2]),))
    pair = MultiSigner(2, (SingleSigner(KEYS[0]), SingleSigner(KEYS[1])))
    named = NamedSigner("pair")
    resolved = resolve_signer_set(
        MultiSigner(2, (named, SingleSigner(KEYS[1]), one_of_one)), {"pair": pair}
    )
    assert resolved.individual_signers == (RAW[1], RAW[2])
    assert [nested.individual_signers for nested in resolved.multi_signers] == [(RAW[0], RAW[1])]


def test_fan_out_by_names_is_bounded() -> None:
    identities: dict[str, Any] = {"0": SingleSigner(KEYS[0])}
    for level in range(1, 15):
        below = NamedSigner(str(level - 1))
        identities[str(level)] = MultiSigner(1, (below, below, below))
    with pytest.raises(ConfigError, match="nesting depth exceeded"):
        resolve_signer_set(identities["14"], identities)


def test_written_file_reads_back() -> None:
    root = Ed25519Private(bytes([9]) * 32)
    token = {
        "token_id": 7,
        "minimum_fee": 128,
        "signer_identities": {"B\u00fcro": {"type": "Single", "pub_key": PEMS[0]}},
        "governors": {
            "type": "MultiSig",
            "threshold": 1,
            "signers": [{"type": "Identity", "name": "B\u00fcro"}],
        },
    }
    signed = parsed(mob(), token).signed_by(root)
    assert signed.governors_signature is not None
    root.public_key().verify(signed.governors_map().signing_digest(), signed.governors_signature)
    assert parse_tokens(parse_json(signed.to_json_text())) == signed
    assert "B\u00fcro" in signed.to_json_text()
