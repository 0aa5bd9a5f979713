"""Memo builders with few states: burn redemption, defragmentation, gift codes."""

import pytest

from mcnode.account.public_address import (
    BURN_ADDRESS_VIEW_PRIVATE,
    burn_address,
    short_address_hash,
)
from mcnode.account.subaddress import CHANGE_SUBADDRESS_INDEX, GIFT_CODE_SUBADDRESS_INDEX
from mcnode.conformance.tx_fixture import OwnedTxOut, TxFixture, TxOutTree
from mcnode.transaction.block_version import BlockVersion
from mcnode.transaction.builder import (
    BurnRedemptionMemoBuilder,
    DefragmentationMemoBuilder,
    GiftCodeCancellationMemoBuilder,
    GiftCodeFundingMemoBuilder,
    GiftCodeSenderMemoBuilder,
    InputCredentials,
)
from mcnode.transaction.errors import TransactionError, network_name
from mcnode.transaction.gift_code import make_gift_code
from mcnode.transaction.membership_proof import leaf_hash
from mcnode.transaction.memo import (
    BurnRedemptionMemo,
    DefragmentationMemo,
    DestinationMemo,
    GiftCodeCancellationMemo,
    GiftCodeFundingMemo,
    GiftCodeSenderMemo,
    UnusedMemo,
    parse_memo,
)
from mcnode.transaction.messages import Amount
from mcnode.transaction.tx_out import decrypt_memo, is_subaddress_match, view_key_match
from mcnode.transaction.validation import validate

DATA = bytes(range(64))


@pytest.fixture(scope="module")
def fixture():
    """Outputs of 1000 in token 5."""
    return TxFixture(BlockVersion(4), token_ids=(5,), value=1000, tx_out_count=22)


def builder_of(fixture, memo_builder, fee=1, token_id=5):
    return fixture.builder(fee=fee, fee_token_id=token_id, memo_builder=memo_builder)


def memo_of(output, view_private):
    viewed = view_key_match(output.tx_out, view_private)
    return parse_memo(decrypt_memo(output.tx_out, viewed.shared_secret))


def refusal(call, *args, **options):
    with pytest.raises(TransactionError) as caught:
        call(*args, **options)
    return network_name(caught.value)


def in_token(value, token_id=5):
    return Amount(value, token_id)


def test_burn(fixture):
    memos = BurnRedemptionMemoBuilder(DATA, has_destination_memo=True)
    builder = builder_of(fixture, memos, fee=3)
    builder.add_input(fixture.credentials(0))
    burnt = builder.add_output(in_token(110), burn_address())
    change = builder.add_change_output(in_token(887), fixture.sender)
    assert memo_of(burnt, BURN_ADDRESS_VIEW_PRIVATE) == BurnRedemptionMemo.create(DATA)
    memo = memo_of(change, fixture.sender.view_private)
    assert isinstance(memo, DestinationMemo)
    assert memo.recipient_hash == short_address_hash(burn_address())
    assert (memo.number_of_recipients, memo.fee, memo.total_outlay) == (1, 3, 113)
    assert refusal(builder.set_fee, 4) == "Memo(FeeAfterChange)"
    again = (builder.add_change_output, in_token(1), fixture.sender)
    assert refusal(*again) == "NewTx(Memo(MultipleChangeOutputs))"
    tx = builder.build()
    validate(tx, 1, 4, fixture.root_proofs(tx), 1)


def test_burn_refusals(fixture):
    builder = builder_of(fixture, BurnRedemptionMemoBuilder(DATA, has_destination_memo=True))
    found = refusal(builder.add_output, in_token(1), fixture.recipient.default_subaddress())
    assert found == "NewTx(Memo(InvalidRecipient))"
    found = refusal(builder.add_change_output, in_token(1), fixture.sender)
    assert found == "NewTx(Memo(MissingOutput))"
    builder.add_output(in_token(1), burn_address())
    found = refusal(builder.add_output, in_token(1), burn_address())
    assert found == "NewTx(Memo(MultipleOutputs))"
    found = refusal(builder.add_change_output, in_token(1, 6), fixture.sender)
    assert found == "NewTx(Memo(MixedTokenIds))"
    builder = builder_of(
        fixture, BurnRedemptionMemoBuilder(DATA, has_destination_memo=True), token_id=0
    )
    builder.add_output(in_token(1), burn_address())
    found = refusal(builder.add_change_output, in_token(1), fixture.sender)
    assert found == "NewTx(Memo(MixedTokenIds))"
    assert refusal(BurnRedemptionMemoBuilder, DATA[1:]) == "BadLength(63)"


def test_burn_limits(fixture):
    for fee, value, what in ((2, 2**64 - 2, "total_outlay"), (2**56, 1, "fee")):
        memos = BurnRedemptionMemoBuilder(DATA, has_destination_memo=True)
        builder = builder_of(fixture, memos, fee=fee)
        builder.add_output(in_token(value), burn_address())
        found = refusal(builder.add_change_output, in_token(1), fixture.sender)
        assert found == f'NewTx(Memo(LimitsExceeded("{what}")))'


def test_burn_without_destination_memo(fixture):
    builder = builder_of(fixture, BurnRedemptionMemoBuilder(DATA))
    for _ in range(2):
        change = builder.add_change_output(in_token(1), fixture.sender)
        assert type(memo_of(change, fixture.sender.view_private)) is UnusedMemo
    builder.set_fee(2)


@pytest.mark.parametrize("defragmentation_id", [0, 64])
def test_defragmentation(fixture, defragmentation_id):
    builder = builder_of(fixture, DefragmentationMemoBuilder(defragmentation_id), fee=3)
    found = refusal(builder.add_change_output, in_token(0), fixture.sender)
    assert found == "NewTx(Memo(MissingOutput))"
    merged = builder.add_output(in_token(429), fixture.sender.default_subaddress())
    memo = memo_of(merged, fixture.sender.view_private)
    assert isinstance(memo, DefragmentationMemo)
    assert (memo.fee, memo.total_outlay, memo.defragmentation_id) == (3, 432, defragmentation_id)
    found = refusal(builder.add_output, in_token(1), fixture.sender.default_subaddress())
    assert found == "NewTx(Memo(MultipleOutputs))"
    assert refusal(builder.set_fee, 4) == "Memo(FeeAfterChange)"
    found = refusal(builder.add_change_output, in_token(1), fixture.sender)
    assert found == "NewTx(Memo(DefragWithChange))"
    found = refusal(builder.add_change_output, in_token(0, 6), fixture.sender)
    assert found == "NewTx(Memo(MixedTokenIds))"
    for _ in range(2):
        change = builder.add_change_output(in_token(0), fixture.sender)
        memo = memo_of(change, fixture.sender.view_private)
        assert (memo.fee, memo.total_outlay, memo.defragmentation_id) == (0, 0, defragmentation_id)


def test_defragmentation_limits(fixture):
    own = fixture.sender.default_subaddress()
    builder = builder_of(fixture, DefragmentationMemoBuilder())
    assert refusal(builder.add_output, in_token(1, 6), own) == "NewTx(Memo(MixedTokenIds))"
    found = refusal(builder.add_output, in_token(2**64 - 1), own)
    assert found == 'NewTx(Memo(LimitsExceeded("total_outlay")))'
    builder.set_fee(2**56)
    found = refusal(builder.add_output, in_token(1), own)
    assert found == 'NewTx(Memo(LimitsExceeded("fee")))'
    builder.set_fee(2**56 - 1)
    builder.add_output(in_token(1), own)


def funded(fixture):
    """A gift of 10, and what its funding said."""
    builder = builder_of(fixture, GiftCodeFundingMemoBuilder("for you"))
    builder.add_input(fixture.credentials(0))
    gift = builder.add_gift_code_output(in_token(10), fixture.sender)
    change = builder.add_change_output(in_token(989), fixture.sender)
    tx = builder.build()
    validate(tx, 1, 4, fixture.root_proofs(tx), 1)
    return builder, gift, change


def test_gift_is_funded(fixture):
    builder, gift, change = funded(fixture)
    assert is_subaddress_match(fixture.sender, GIFT_CODE_SUBADDRESS_INDEX, gift.tx_out)
    view = fixture.sender.view_private
    assert type(memo_of(gift, view)) is UnusedMemo
    memo = memo_of(change, view)
    assert isinstance(memo, GiftCodeFundingMemo)
    assert memo.is_about(gift.tx_out.public_key)
    assert not memo.is_about(change.tx_out.public_key)
    assert (memo.fee, memo.note) == (1, "for you")
    found = refusal(builder.add_gift_code_output, in_token(1), fixture.sender)
    assert found == "NewTx(Memo(OutputsAfterChange))"
    found = refusal(builder.add_change_output, in_token(1), fixture.sender)
    assert found == "NewTx(Memo(MultipleChangeOutputs))"
    assert refusal(builder.set_fee, 2) == "Memo(FeeAfterChange)"


@pytest.mark.parametrize("is_taken_back", [False, True])
def test_gift_is_spent(fixture, is_taken_back):
    """The receiver knows only the code; the sender uses the account."""
    _, gift, _ = funded(fixture)
    outputs = [gift.tx_out, *(owned.tx_out for owned in fixture.owned[:10])]
    tree = TxOutTree([leaf_hash(tx_out) for tx_out in outputs])
    proofs = [tree.proof(index) for index in range(11)]
    code = make_gift_code(fixture.sender, gift.tx_out, 0)
    if is_taken_back:
        owned = OwnedTxOut(gift.tx_out, in_token(10), fixture.sender, GIFT_CODE_SUBADDRESS_INDEX)
        spender, memos = fixture.sender, GiftCodeCancellationMemoBuilder(code.global_index)
        credentials = InputCredentials.create(
            outputs, proofs, 0, owned.onetime_private_key, fixture.sender.view_private
        )
    else:
        spender, memos = fixture.recipient, GiftCodeSenderMemoBuilder("thanks")
        credentials = InputCredentials.from_gift_code(outputs, proofs, 0, code)
    builder = builder_of(fixture, memos)
    builder.add_input(credentials)
    found = refusal(builder.add_output, in_token(1), spender.default_subaddress())
    assert found == "NewTx(Memo(DestinationMemoNotAllowed))"
    found = refusal(builder.add_change_output, in_token(9, 6), spender)
    assert found == "NewTx(Memo(MixedTokenIds))"
    change = builder.add_change_output(in_token(9), spender)
    assert is_subaddress_match(spender, CHANGE_SUBADDRESS_INDEX, change.tx_out)
    memo = memo_of(change, spender.view_private)
    assert memo.fee == 1
    if is_taken_back:
        assert isinstance(memo, GiftCodeCancellationMemo)
        assert memo.global_index == 0
    else:
        assert isinstance(memo, GiftCodeSenderMemo)
        assert memo.note == "thanks"
    found = refusal(builder.add_change_output, in_token(1), spender)
    assert found == "NewTx(Memo(MultipleChangeOutputs))"
    assert refusal(builder.set_fee, 2) == "Memo(FeeAfterChange)"
    tx = builder.build()
    roots = [tree.proof(proof.highest_index) for proof in tx.prefix.inputs[0].proofs]
    validate(tx, 1, 4, roots, 1)


def test_codes_only_for_gifts(fixture):
    with pytest.raises(TransactionError, match="not at the gift code subaddress"):
        make_gift_code(fixture.sender, fixture.owned[0].tx_out, 0)
    _, gift, _ = funded(fixture)
    found = refusal(make_gift_code, fixture.recipient, gift.tx_out, 0)
    assert found == "Amount(InconsistentCommitment)"
    other = make_gift_code(fixture.sender, gift.tx_out, 0)
    ring = [owned.tx_out for owned in fixture.owned[:11]]
    proofs = [fixture.tree.proof(index) for index in range(11)]
    found = refusal(InputCredentials.from_gift_code, ring, proofs, 3, other)
    assert found == "BadAmount(Amount(InconsistentCommitment))"
    assert other.onetime_private_key.hex() not in repr(other)


def test_funding_refusals(fixture):
    memos = GiftCodeFundingMemoBuilder("x" * 53)
    builder = builder_of(fixture, memos)
    found = refusal(builder.add_change_output, in_token(1), fixture.sender)
    assert found == "NewTx(Memo(MissingOutput))"
    found = refusal(builder.add_change_output, in_token(1, 6), fixture.sender)
    assert found == "NewTx(Memo(MixedTokenIds))"
    gift = builder.add_gift_code_output(in_token(1), fixture.sender)
    found = refusal(builder.add_gift_code_output, in_token(1), fixture.sender)
    assert found == "NewTx(Memo(MultipleOutputs))"
    change = fixture.sender.change_subaddress()
    found = refusal(memos.make_memo_for_change_output, in_token(1), change, gift.tx_out.public_key)
    assert found.startswith("BadInputs(")


@pytest.mark.parametrize(
    "memos",
    [
        GiftCodeFundingMemoBuilder("x" * 53),
        GiftCodeSenderMemoBuilder("x" * 57),
        GiftCodeCancellationMemoBuilder(2**64 - 1),
    ],
)
def test_fees_of_gift_codes_have_56_bits(fixture, memos):
    builder = builder_of(fixture, memos, fee=2**56 - 1)
    assert refusal(builder.set_fee, 2**56) == f"Memo(MaxFeeExceeded({2**56 - 1}, {2**56}))"
    assert builder.fee.value == 2**56 - 1


@pytest.mark.parametrize(
    ("build", "limit"), [(GiftCodeFundingMemoBuilder, 53), (GiftCodeSenderMemoBuilder, 57)]
)
def test_notes_have_an_end(build, limit):
    expected = f'BadInputs("Note memo cannot be greater than {limit} bytes")'
    assert refusal(build, "x" * (limit + 1)) == expected
    assert refusal(build, "é" * (limit // 2 + 1)) == expected
