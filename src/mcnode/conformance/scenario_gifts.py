"""A gift code from its funding to its end, for the scenarios of building."""

from mcnode.account.account_key import AccountKey
from mcnode.conformance.tx_fixture import TxFixture, TxOutTree
from mcnode.conformance.vectors import expect, expect_equal
from mcnode.transaction.builder import (
    AddedOutput,
    GiftCodeCancellationMemoBuilder,
    GiftCodeFundingMemoBuilder,
    GiftCodeSenderMemoBuilder,
    InputCredentials,
    MemoBuilder,
)
from mcnode.transaction.constants import RING_SIZE
from mcnode.transaction.gift_code import make_gift_code
from mcnode.transaction.membership_proof import leaf_hash
from mcnode.transaction.memo import (
    GiftCodeCancellationMemo,
    GiftCodeFundingMemo,
    GiftCodeSenderMemo,
    Memo,
    parse_memo,
)
from mcnode.transaction.messages import Amount
from mcnode.transaction.tx_out import decrypt_memo, view_key_match
from mcnode.transaction.validation import validate

_NOTE = "a note"


def play_gift(token_id: int, value: int, gift: int, fee: int, *, is_taken_back: bool) -> None:
    """Fund a gift out of one output, then redeem it or take it back; every step must be right.

    Raises:
        MismatchError: a memo or an amount is not what it should be.
    """
    fixture = TxFixture(tx_out_count=RING_SIZE, value=value, token_ids=(token_id,))
    output = _fund(fixture, token_id, gift, fee)
    code = make_gift_code(fixture.sender, output.tx_out, 0)
    outputs = [output.tx_out, *(owned.tx_out for owned in fixture.owned[1:])]
    tree = TxOutTree([leaf_hash(tx_out) for tx_out in outputs])
    proofs = [tree.proof(index) for index in range(RING_SIZE)]
    credentials = InputCredentials.from_gift_code(outputs, proofs, 0, code)
    expect_equal("gift", credentials.amount.value, gift)
    memos: MemoBuilder
    if is_taken_back:
        spender, memos = fixture.sender, GiftCodeCancellationMemoBuilder(code.global_index)
    else:
        spender, memos = fixture.recipient, GiftCodeSenderMemoBuilder(_NOTE)
    builder = fixture.builder(fee=fee, fee_token_id=token_id, memo_builder=memos)
    builder.add_input(credentials)
    change = builder.add_change_output(Amount(gift - fee, token_id), spender)
    tx = builder.build()
    roots = [tree.proof(proof.highest_index) for proof in tx.prefix.inputs[0].proofs]
    validate(tx, 1, fixture.block_version, roots, fee)
    memo = _memo_of(change, spender)
    if is_taken_back:
        expect_equal("memo", memo, GiftCodeCancellationMemo.create(code.global_index, fee))
    else:
        expect_equal("memo", memo, GiftCodeSenderMemo.create(fee, _NOTE))


def _fund(fixture: TxFixture, token_id: int, gift: int, fee: int) -> AddedOutput:
    memos = GiftCodeFundingMemoBuilder(_NOTE)
    builder = fixture.builder(fee=fee, fee_token_id=token_id, memo_builder=memos)
    builder.add_input(fixture.credentials(0))
    output = builder.add_gift_code_output(Amount(gift, token_id), fixture.sender)
    left = fixture.owned[0].amount.value - gift - fee
    change = builder.add_change_output(Amount(left, token_id), fixture.sender)
    tx = builder.build()
    validate(tx, 1, fixture.block_version, fixture.root_proofs(tx), fee)
    memo = _memo_of(change, fixture.sender)
    expected = GiftCodeFundingMemo.create(output.tx_out.public_key, fee, _NOTE)
    expect_equal("funding memo", memo, expected)
    assert isinstance(memo, GiftCodeFundingMemo)
    expect(memo.is_about(output.tx_out.public_key), "funding memo is about another output")
    return output


def _memo_of(output: AddedOutput, account: AccountKey) -> Memo:
    viewed = view_key_match(output.tx_out, account.view_private)
    return parse_memo(decrypt_memo(output.tx_out, viewed.shared_secret))
