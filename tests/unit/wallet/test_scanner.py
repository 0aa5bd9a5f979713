"""Finding outputs, on the ledger of the sample tools and on hostile outputs."""

import dataclasses

import pytest

from mcnode.account.account_key import AccountKey
from mcnode.account.key_files import DEFAULT_SEED, sample_accounts
from mcnode.account.subaddress import CHANGE_SUBADDRESS_INDEX, GIFT_CODE_SUBADDRESS_INDEX
from mcnode.crypto.keys import RistrettoPublic
from mcnode.crypto.onetime_keys import recover_onetime_private_key
from mcnode.crypto.ring_signature import key_image
from mcnode.crypto.rng import Hc128Rng
from mcnode.ledger.sample import SampleLedger, make_sample_blocks, make_sample_output
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.messages import Amount
from mcnode.transaction.tx_out import is_subaddress_match
from mcnode.wallet.scanner import Scanner
from mcnode.wallet.watching import SUBADDRESSES_WATCHED

V4 = BlockVersion(4)


@pytest.fixture
def rng():
    return Hc128Rng(bytes([3]) * 32)


@pytest.mark.parametrize("max_token_id", [0, 2])
def test_sample_ledger_belongs_to_the_sample_keys(max_token_id):
    accounts = [each.account_key() for each in sample_accounts(DEFAULT_SEED, 3)]
    recipients = [account.default_subaddress() for account in accounts]
    sample = SampleLedger(recipients, 4, 2, max_token_id)
    owners = {}
    first = 0
    for block_data in make_sample_blocks(sample):
        outputs = block_data.contents.outputs
        for number, account in enumerate(accounts):
            for found in Scanner(account).scan(outputs, first, block_data.block.index):
                owners[found.tx_out_index] = number
                assert found.value == sample.value_per_output
                assert found.block_index == block_data.block.index
                assert found.subaddress_index == 0
                assert outputs[found.tx_out_index - first].public_key == found.public_key
        first += len(outputs)
    per_account = 4 * (max_token_id + 1)
    expected = [number for number in range(3) for _ in range(per_account)] * 2
    assert [owners[index] for index in range(sample.num_outputs)] == expected


def test_every_watched_subaddress(rng):
    account = AccountKey.random(rng)
    watched = [*range(SUBADDRESSES_WATCHED), CHANGE_SUBADDRESS_INDEX, GIFT_CODE_SUBADDRESS_INDEX]
    indices = [*watched, SUBADDRESSES_WATCHED]
    outputs = [
        make_sample_output(rng, V4, Amount(number, 5), account.subaddress(index))
        for number, index in enumerate(indices)
    ]
    found = Scanner(account).scan(outputs, 100, 9)
    assert [each.subaddress_index for each in found] == watched
    assert [each.value for each in found] == list(range(len(watched)))
    assert {each.token_id for each in found} == {5}
    assert [each.tx_out_index for each in found] == list(range(100, 100 + len(watched)))
    for each, output in zip(found, outputs, strict=False):
        assert is_subaddress_match(account, each.subaddress_index, output)
    assert len({each.key_image for each in found}) == len(found)


def test_hostile_outputs_are_passed_over(rng):
    account = AccountKey.random(rng)
    good = make_sample_output(rng, V4, Amount(7, 0), account.default_subaddress())
    other = make_sample_output(rng, V4, Amount(8, 0), account.default_subaddress())
    hostile = [
        dataclasses.replace(good, public_key=b"\xff" * 32),
        dataclasses.replace(good, target_key=b"\xff" * 32),
        dataclasses.replace(good, target_key=other.target_key),
        dataclasses.replace(good, masked_amount=other.masked_amount),
        dataclasses.replace(good, masked_amount=None),
    ]
    found = Scanner(account).scan([*hostile, good], 0, 0)
    assert [(each.tx_out_index, each.value) for each in found] == [(len(hostile), 7)]


def test_key_image_is_that_of_spending(rng):
    account = AccountKey.random(rng)
    output = make_sample_output(rng, V4, Amount(7, 0), account.default_subaddress())
    [found] = Scanner(account).scan([output], 0, 0)
    key = recover_onetime_private_key(
        RistrettoPublic(output.public_key),
        account.view_private,
        account.subaddress_spend_private(0),
    )
    assert key.public_key().to_bytes() == output.target_key
    assert key_image(key) == found.key_image
