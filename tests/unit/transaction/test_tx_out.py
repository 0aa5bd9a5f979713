import dataclasses

import pytest

from mcnode.account.account_key import AccountKey
from mcnode.crypto.keys import RistrettoPrivate
from mcnode.crypto.rng import ChaCha12Rng
from mcnode.transaction.amounts import TokenIdNotSupportedAtBlockVersion
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.messages import Amount, MaskedAmountV1, MaskedAmountV2, TxOut
from mcnode.transaction.tx_out import (
    MissingMaskedAmount,
    UnreadableAmount,
    UnreadableKey,
    create_tx_out,
    decrypt_memo,
    is_equal_ignoring_amount,
    is_subaddress_match,
    view_key_match,
)

MEMO = bytes(range(66))
HINT = bytes(84)


@pytest.fixture(scope="module")
def accounts():
    random_bytes = ChaCha12Rng(bytes(32))
    return AccountKey.random(random_bytes), AccountKey.random(random_bytes)


def make(account, version, amount=None, **options):
    key = RistrettoPrivate.from_wide(b"\x07" * 64)
    return create_tx_out(
        BlockVersion(version),
        amount or Amount(5, 0),
        account.subaddress(3),
        key,
        HINT,
        **options,
    )


@pytest.mark.parametrize("version", range(5))
def test_owner_reads_what_sender_wrote(accounts, version):
    owner, other = accounts
    amount = Amount(2**64 - 1, 2**63 if version >= 2 else 0)
    tx_out, secret = make(owner, version, amount, make_memo=lambda _: MEMO)
    viewed = view_key_match(tx_out, owner.view_private)
    assert (viewed.amount.value, viewed.amount.token_id) == (amount.value, amount.token_id)
    assert viewed.shared_secret == secret
    assert is_subaddress_match(owner, 3, tx_out)
    assert not is_subaddress_match(owner, 4, tx_out)
    assert decrypt_memo(tx_out, secret) == (MEMO if version >= 1 else bytes(66))
    with pytest.raises(UnreadableAmount):
        view_key_match(tx_out, other.view_private)


@pytest.mark.parametrize(
    ("version", "amount_class", "token_id_length", "has_memo"),
    [
        (0, MaskedAmountV1, 0, False),
        (1, MaskedAmountV1, 0, True),
        (2, MaskedAmountV1, 8, True),
        (3, MaskedAmountV2, 8, True),
        (4, MaskedAmountV2, 8, True),
    ],
)
def test_form_by_version(accounts, version, amount_class, token_id_length, has_memo):
    tx_out, _ = make(accounts[0], version)
    assert type(tx_out.masked_amount) is amount_class
    assert len(tx_out.masked_amount.masked_token_id) == token_id_length
    assert (tx_out.e_memo is not None) == has_memo


def test_memo_callback_gets_the_public_key_and_is_not_called_below_version_1(accounts):
    asked = []

    def make_memo(public_key):
        asked.append(public_key)
        return MEMO

    make(accounts[0], 0, make_memo=make_memo)
    assert asked == []
    tx_out, _ = make(accounts[0], 1, make_memo=make_memo)
    assert asked == [tx_out.public_key]


@pytest.mark.parametrize("version", [0, 1])
def test_token_ids_need_version_2(accounts, version):
    with pytest.raises(TokenIdNotSupportedAtBlockVersion, match="token is 1"):
        make(accounts[0], version, Amount(1, 1))


def test_unreadable_outputs(accounts):
    tx_out, _ = make(accounts[0], 4)
    view_private = accounts[0].view_private
    with pytest.raises(MissingMaskedAmount):
        view_key_match(dataclasses.replace(tx_out, masked_amount=None), view_private)
    with pytest.raises(UnreadableKey):
        view_key_match(dataclasses.replace(tx_out, public_key=b"\xff" * 32), view_private)


def test_equality_ignoring_the_amount(accounts):
    tx_out, _ = make(accounts[0], 4)
    assert is_equal_ignoring_amount(tx_out, dataclasses.replace(tx_out, masked_amount=None))
    for change in (
        {"target_key": bytes(32)},
        {"public_key": bytes(32)},
        {"e_fog_hint": b"\x01" * 84},
        {"e_memo": None},
    ):
        assert not is_equal_ignoring_amount(tx_out, dataclasses.replace(tx_out, **change))


def test_empty_output_decodes_to_zeros():
    assert TxOut() == TxOut(None, bytes(32), bytes(32), bytes(84), None)
