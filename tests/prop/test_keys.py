"""Laws of keys, amounts and envelopes that hold for all values."""

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from mcnode.account.account_key import AccountKey
from mcnode.account.public_address import PublicAddress
from mcnode.codec.protobuf import decode, encode
from mcnode.crypto import crypto_box, schnorrkel
from mcnode.crypto.errors import AeadError, KeyFormatError, SignatureError
from mcnode.crypto.keys import Ed25519Private, RistrettoPrivate, RistrettoPublic
from mcnode.crypto.masked_amount import MaskedAmountVersion, mask_amount, open_amount
from mcnode.crypto.memo import apply_memo_cipher
from mcnode.crypto.message_cipher import MessageCipher
from mcnode.crypto.onetime_keys import (
    create_output_keys,
    recover_onetime_private_key,
    recover_spend_public,
)
from mcnode.crypto.rng import ChaCha12Rng, Hc128Rng

privates = st.binary(min_size=64, max_size=64).map(RistrettoPrivate.from_wide)
keys_of_use = privates.filter(lambda key: key.to_bytes() != bytes(32))
"""With the key 0 every ephemeral key gives the same shared point."""
seeds = st.binary(min_size=32, max_size=32)
u64 = st.integers(0, 2**64 - 1)


@given(privates, privates)
def test_exchange_and_addition_commute(a: RistrettoPrivate, b: RistrettoPrivate) -> None:
    assert a.multiply(b.public_key()) == b.multiply(a.public_key()) == (a * b).public_key()
    assert (a + b).public_key() == a.public_key() + b.public_key()
    assert (a.public_key() + b.public_key()) - b.public_key() == a.public_key()


@given(st.binary(min_size=32, max_size=32))
def test_point_decoding_accepts_canonical_bytes_only(encoding: bytes) -> None:
    try:
        point = RistrettoPublic(encoding)
    except KeyFormatError:
        return
    identity = RistrettoPublic(bytes(32))
    assert (point + identity).to_bytes() == encoding


@settings(max_examples=40)
@given(seeds, u64)
def test_sender_and_owner_agree(seed: bytes, index: int) -> None:
    draw = ChaCha12Rng(seed)
    account, tx_key = AccountKey.random(draw), RistrettoPrivate.random(draw)
    address = account.subaddress(index)
    keys = create_output_keys(tx_key, address.view_public, address.spend_public)
    owner = recover_spend_public(account.view_private, keys.target_key, keys.public_key)
    assert owner == address.spend_public
    private = recover_onetime_private_key(
        keys.public_key, account.view_private, account.subaddress_spend_private(index)
    )
    assert private.public_key() == keys.target_key


@given(st.sampled_from(MaskedAmountVersion), u64, u64, seeds)
def test_amounts_open_to_what_was_masked(
    version: MaskedAmountVersion, value: int, token_id: int, secret: bytes
) -> None:
    fields, blinding = mask_amount(version, value, token_id, secret)
    opened = open_amount(version, fields, secret)
    assert (opened.value, opened.token_id, opened.blinding) == (value, token_id, blinding)


@given(seeds, st.binary(min_size=66, max_size=66))
def test_memo_cipher_undoes_itself(secret: bytes, memo: bytes) -> None:
    assert apply_memo_cipher(secret, apply_memo_cipher(secret, memo)) == memo


@given(seeds, keys_of_use, st.binary(max_size=200), st.integers(0, 10**6))
def test_boxes_open_and_damage_shows(
    seed: bytes, recipient: RistrettoPrivate, plaintext: bytes, where: int
) -> None:
    cryptogram = crypto_box.encrypt(Hc128Rng(seed), recipient.public_key(), plaintext)
    opened = crypto_box.decrypt(recipient, cryptogram)
    assert (opened.is_authentic, opened.plaintext) == (True, plaintext)
    damaged = bytearray(cryptogram)
    damaged[where % len(damaged)] ^= 1 + where % 255
    with contextlib.suppress(AeadError, KeyFormatError):
        assert not crypto_box.decrypt(recipient, bytes(damaged)).is_authentic


@given(seeds, st.binary(max_size=100), st.binary(max_size=30))
def test_message_cipher_round_trip(seed: bytes, plaintext: bytes, aad: bytes) -> None:
    cipher = MessageCipher(Hc128Rng(seed))
    assert cipher.decrypt(cipher.encrypt(plaintext, aad), aad) == plaintext


@given(privates, st.binary(max_size=20), st.binary(max_size=100), st.binary(max_size=70))
def test_schnorrkel_accepts_its_own_and_nothing_else(
    key: RistrettoPrivate, context: bytes, message: bytes, forged: bytes
) -> None:
    signature = schnorrkel.sign(key, context, message)
    schnorrkel.verify(key.public_key(), context, message, signature)
    try:
        schnorrkel.verify(key.public_key(), context, message, forged)
    except SignatureError:
        return
    raise AssertionError(f"{forged.hex()} passes")


@given(seeds, st.binary(max_size=100))
def test_ed25519_round_trip(seed: bytes, message: bytes) -> None:
    key = Ed25519Private(seed)
    key.public_key().verify(message, key.sign(message))
    key.public_key().verify_prehashed(message, key.sign_prehashed(message))


@settings(max_examples=40)
@given(seeds, st.text(max_size=40), st.text(max_size=10), st.binary(max_size=50))
def test_accounts_and_addresses_round_trip_as_messages(
    seed: bytes, url: str, report_id: str, spki: bytes
) -> None:
    draw = Hc128Rng(seed)
    account = AccountKey.from_keys(
        RistrettoPrivate.random(draw),
        RistrettoPrivate.random(draw),
        fog_report_url=url,
        fog_report_id=report_id,
        fog_authority_spki=spki,
    )
    assert decode(AccountKey, encode(account)) == account
    address = account.default_subaddress()
    assert decode(PublicAddress, encode(address)) == address
    assert address.has_fog is bool(url) is bool(address.fog_authority_sig)
