"""The format of key files."""

import dataclasses
import json

import pytest

from mcnode.account.key_files import (
    DEFAULT_SEED,
    FogDetails,
    KeyFileError,
    MissingFogDetails,
    NoAccountIndex,
    NoMnemonic,
    UncheckedMnemonicAccount,
    key_file_contents,
    mnemonic_account,
    mnemonic_account_to_json,
    parse_key_json,
    root_identity_to_json,
    sample_accounts,
    sorted_names,
)
from mcnode.account.mnemonic import InvalidMnemonic, account_key_from_mnemonic
from mcnode.account.printable import parse_printable
from mcnode.account.public_address import PublicAddress
from mcnode.account.root_identity import RootIdentity, account_key_from_root_identity
from mcnode.codec.protobuf import decode, encode

ACCOUNT = mnemonic_account(bytes(range(32)))
FOG = FogDetails("fog://x", "id", b"spki")


def test_one_line_with_the_networks_keys_in_order() -> None:
    text = mnemonic_account_to_json(ACCOUNT)
    assert "\n" not in text
    assert text == (
        f'{{"mnemonic":"{ACCOUNT.mnemonic}","account_index":0,"fog_report_url":null,'
        '"fog_report_id":"","fog_authority_spki":null}'
    )
    with_fog = json.loads(mnemonic_account_to_json(mnemonic_account(bytes(32), FOG)))
    assert with_fog["fog_authority_spki"] == list(b"spki")


def test_round_trip() -> None:
    assert ACCOUNT.mnemonic is not None
    assert parse_key_json(mnemonic_account_to_json(ACCOUNT)) == account_key_from_mnemonic(
        ACCOUNT.mnemonic
    )
    fog = parse_key_json(mnemonic_account_to_json(mnemonic_account(bytes(32), FOG)))
    assert (fog.fog_report_url, fog.fog_report_id, fog.fog_authority_spki) == (
        "fog://x",
        "id",
        b"spki",
    )
    assert decode(UncheckedMnemonicAccount, encode(ACCOUNT)) == ACCOUNT


def test_older_kind_is_told_by_its_entropy() -> None:
    identity = RootIdentity(bytes(range(32)), "fog://x", "id", b"spki")
    text = root_identity_to_json(identity)
    assert text.startswith('{"root_entropy":[0,1,2,')
    assert parse_key_json(text) == account_key_from_root_identity(identity)


def test_missing_members_in_order() -> None:
    with pytest.raises(NoMnemonic):
        parse_key_json("{}")
    with pytest.raises(InvalidMnemonic):
        parse_key_json('{"mnemonic": "nonsense"}')
    with pytest.raises(NoAccountIndex):
        dataclasses.replace(ACCOUNT, account_index=None).account_key()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "nonsense",
        "[" * 100_000,
        '{"mnemonic": 5}',
        '{"mnemonic": "a", "account_index": -1}',
        '{"mnemonic": "a", "account_index": 4294967296}',
        '{"mnemonic": "a", "account_index": true}',
        '{"mnemonic": "a", "account_index": 0, "fog_authority_spki": [256]}',
        '{"mnemonic": "a", "account_index": 0, "fog_authority_spki": "x"}',
        '{"mnemonic": "a", "account_index": 0, "fog_authority_spki": [true]}',
        '{"root_entropy": [1, 2, 3]}',
        '{"root_entropy": null}',
    ],
)
def test_malformed_files(text: str) -> None:
    with pytest.raises(KeyFileError):
        parse_key_json(text)


def test_fog_details_go_together() -> None:
    for url, spki in (("fog://x", b""), ("", b"spki")):
        with pytest.raises(MissingFogDetails):
            FogDetails(url, "", spki)


def test_what_the_files_hold() -> None:
    contents = key_file_contents(ACCOUNT)
    address = ACCOUNT.account_key().default_subaddress()
    assert list(contents) == [".json", ".pub", ".b58pub"]
    assert decode(PublicAddress, contents[".pub"]) == address
    assert parse_printable(contents[".b58pub"].decode()) == address
    assert not contents[".b58pub"].endswith(b"\n")
    assert parse_key_json(contents[".json"].decode()) == ACCOUNT.account_key()


def test_sample_accounts_continue_one_stream() -> None:
    three = sample_accounts(DEFAULT_SEED, 3)
    assert sample_accounts(DEFAULT_SEED, 2) == three[:2]
    assert three[0].mnemonic == (
        "action sphere soft mercy month frown learn renew bottom pattern attend level chat neglect"
        " miracle cause decorate convince hand bread live execute grass palace"
    )
    assert len({account.mnemonic for account in three}) == 3


def test_names_sort_by_length_first() -> None:
    names = [f"account_keys_{n}.json" for n in (10, 2, 1, 0, 11)]
    assert [name[13:-5] for name in sorted_names(names)] == ["0", "1", "2", "10", "11"]


def test_secrets_do_not_show() -> None:
    assert str(ACCOUNT.mnemonic) not in repr(ACCOUNT)
