"""Accounts, their subaddresses and addresses."""

import pytest

from mcnode.account.account_key import AccountKey, ViewAccountKey
from mcnode.account.public_address import (
    BURN_ADDRESS_VIEW_PRIVATE,
    PublicAddress,
    address_digest,
    burn_address,
    check_fog_authority,
    short_address_hash,
)
from mcnode.account.subaddress import (
    CHANGE_SUBADDRESS_INDEX,
    DEFAULT_SUBADDRESS_INDEX,
    GIFT_CODE_SUBADDRESS_INDEX,
    INVALID_SUBADDRESS_INDEX,
)
from mcnode.codec.protobuf import decode, encode
from mcnode.crypto.errors import SignatureError
from mcnode.crypto.keys import RistrettoPrivate
from mcnode.crypto.onetime_keys import create_output_keys, scan_outputs
from support.seeds import random_bytes_of

random_bytes = random_bytes_of(__name__)

ACCOUNT = AccountKey.random(random_bytes)
FOG = AccountKey.from_keys(
    ACCOUNT.view_private,
    ACCOUNT.spend_private,
    fog_report_url="fog://fog.example.com",
    fog_report_id="1",
    fog_authority_spki=b"authority",
)


def test_special_indices() -> None:
    top = 2**64 - 1
    assert DEFAULT_SUBADDRESS_INDEX == 0
    assert top == INVALID_SUBADDRESS_INDEX
    assert top - 1 == CHANGE_SUBADDRESS_INDEX
    assert top - 2 == GIFT_CODE_SUBADDRESS_INDEX
    assert ACCOUNT.change_subaddress() == ACCOUNT.subaddress(top - 1)
    assert ACCOUNT.gift_code_subaddress() == ACCOUNT.subaddress(top - 2)


@pytest.mark.parametrize("index", [0, 1, 2**63, 2**64 - 1])
def test_view_account_sees_the_same_subaddresses(index: int) -> None:
    address = ACCOUNT.subaddress(index)
    view_only = ACCOUNT.view_account_key()
    assert view_only.subaddress(index) == address
    assert view_only.subaddress_spend_publics([index]) == [address.spend_public_key]
    spend = ACCOUNT.subaddress_spend_private(index)
    assert spend.public_key() == address.spend_public
    view = ACCOUNT.subaddress_view_private(index)
    assert view.public_key() == address.view_public
    assert view == ACCOUNT.view_private * spend


def test_subaddress_indices_have_64_bits() -> None:
    for index in (-1, 2**64):
        with pytest.raises(OverflowError):
            ACCOUNT.subaddress(index)


def test_an_output_to_a_subaddress_is_found() -> None:
    address = ACCOUNT.subaddress(7)
    keys = create_output_keys(
        RistrettoPrivate.random(random_bytes), address.view_public, address.spend_public
    )
    pair = (keys.public_key.to_bytes(), keys.target_key.to_bytes())
    (seen,) = scan_outputs(ACCOUNT.view_private, [pair])
    assert seen is not None
    owners = ACCOUNT.view_account_key().subaddress_spend_publics(range(10))
    assert owners.index(seen.spend_public) == 7


def test_random_accounts_draw_spend_then_view() -> None:
    draws = [b"\x01" + bytes(63), b"\x02" + bytes(63)]
    account = AccountKey.random(lambda count: draws.pop(0)[:count])
    assert account.spend_private_key == b"\x01" + bytes(31)
    assert account.view_private_key == b"\x02" + bytes(31)


def test_secrets_do_not_show() -> None:
    for shown in (repr(FOG), str(FOG), repr(FOG.view_account_key())):
        assert FOG.view_private_key.hex() not in shown
        assert FOG.spend_private_key.hex() not in shown
        assert repr(FOG.spend_private_key) not in shown


def test_fog_addresses_carry_the_owners_signature() -> None:
    address = FOG.default_subaddress()
    assert address.has_fog
    assert (address.fog_report_url, address.fog_report_id) == ("fog://fog.example.com", "1")
    check_fog_authority(address, b"authority")
    with pytest.raises(SignatureError):
        check_fog_authority(address, b"other authority")
    with pytest.raises(SignatureError, match="no fog authority"):
        check_fog_authority(ACCOUNT.default_subaddress(), b"authority")
    assert address.fog_authority_sig != FOG.change_subaddress().fog_authority_sig


def test_an_empty_authority_key_is_signed_as_well() -> None:
    account = AccountKey.from_keys(
        ACCOUNT.view_private, ACCOUNT.spend_private, fog_report_url="fog://x"
    )
    check_fog_authority(account.default_subaddress(), b"")


def test_text_forms() -> None:
    plain, fog = ACCOUNT.default_subaddress(), FOG.default_subaddress()
    keys = f"{plain.spend_public_key.hex().upper()}{plain.view_public_key.hex().upper()}"
    assert str(plain) == f"MOB{keys}"
    assert str(fog) == f"MOB{keys}:'fog://fog.example.com'#1"


def test_address_hash_depends_on_every_field() -> None:
    fog = FOG.default_subaddress()
    others = [
        ACCOUNT.default_subaddress(),
        fog,
        PublicAddress(fog.view_public_key, fog.spend_public_key, "", "1", b""),
        PublicAddress(fog.spend_public_key, fog.view_public_key, "", "", b""),
    ]
    digests = {address_digest(address) for address in others}
    assert len(digests) == len(others)
    assert short_address_hash(fog) == address_digest(fog)[:16]


def test_burn_address_is_the_known_one() -> None:
    burn = burn_address()
    assert burn.spend_public_key.hex() == (
        "ba527ad0b690f5bf3e92cd54f037af2ea7933ee695d293e940a89f5e060e2620"
    )
    assert burn.view_public_key.hex() == (
        "56538fc65c5da5cb667888a80c20da656aa4a3befe8cd6a4b3eba8b57d75db6e"
    )
    assert short_address_hash(burn).hex() == "121f1d80f93043f19ec0c0aee2e8c226"
    assert BURN_ADDRESS_VIEW_PRIVATE.to_bytes() == b"\x01" * 32


@pytest.mark.parametrize("message", [FOG, ACCOUNT, ACCOUNT.view_account_key()])
def test_keys_as_messages(message: AccountKey | ViewAccountKey) -> None:
    encoded = encode(message)
    assert encoded.startswith(b"\x0a\x22\x0a\x20" + message.view_private_key)
    assert decode(type(message), encoded) == message


def test_addresses_as_messages() -> None:
    address = ACCOUNT.default_subaddress()
    assert encode(address) == (
        b"\x0a\x22\x0a\x20"
        + address.view_public_key
        + b"\x12\x22\x0a\x20"
        + address.spend_public_key
    )
    fog = FOG.default_subaddress()
    assert decode(PublicAddress, encode(fog)) == fog
