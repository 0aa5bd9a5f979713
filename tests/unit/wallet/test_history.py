"""What memos are believed to say."""

import dataclasses

import pytest

from mcnode.account.account_key import AccountKey
from mcnode.account.printable import to_printable
from mcnode.account.public_address import short_address_hash
from mcnode.account.subaddress import CHANGE_SUBADDRESS_INDEX
from mcnode.crypto.rng import Hc128Rng
from mcnode.transaction.memo import AuthenticatedSenderMemo, DestinationMemo, SenderCredential
from mcnode.wallet.history import Direction, Notes, make_history
from mcnode.wallet.records import OwnedOutput, Payment, PaymentState

RNG = Hc128Rng(bytes([8]) * 32)
OWN, FRIEND, STRANGER = (AccountKey.random(RNG) for _ in range(3))
PUBLIC_KEY = bytes([5]) * 32


def output(memo=bytes(66), *, block_index=4, subaddress_index=0, public_key=PUBLIC_KEY):
    return OwnedOutput(public_key, 9, block_index, subaddress_index, 10, 0, bytes(32), memo)


def payment(to=FRIEND, **changes):
    made = Payment(
        bytes([1]) * 32, to_printable(to.default_subaddress()), 3, 0, 1, 50, bytes([6]) * 32,
        None, 17,
    )  # fmt: skip
    return dataclasses.replace(made, **changes)


def memo_from(sender, public_key=PUBLIC_KEY, to=OWN):
    credential = SenderCredential.from_account(sender)
    recipient = to.default_subaddress().view_public
    return AuthenticatedSenderMemo.create(credential, recipient, public_key).to_payload()


def test_sender_that_was_paid_before_is_proved():
    entry = make_history(OWN, [output(memo_from(FRIEND))], Notes([payment()]))[0]
    assert entry.direction is Direction.RECEIVED
    assert entry.counterparty == to_printable(FRIEND.default_subaddress())


def test_unknown_sender_is_a_hash():
    [entry] = make_history(OWN, [output(memo_from(STRANGER))], Notes([]))
    assert entry.counterparty == ""
    assert entry.counterparty_hash == short_address_hash(STRANGER.default_subaddress()).hex()


@pytest.mark.parametrize(
    "forged",
    [
        memo_from(FRIEND, public_key=bytes(32)),
        memo_from(FRIEND, to=STRANGER),
        memo_from(FRIEND)[:-1] + b"\0",
    ],
)
def test_forged_sender_is_not_shown(forged):
    entry = make_history(OWN, [output(forged)], Notes([payment()]))[0]
    assert (entry.counterparty, entry.reason) == ("", "sender's memo is forged")


def test_unknown_memo_and_none():
    entries = make_history(OWN, [output(b"\xee\xee" + bytes(64)), output()], Notes([]))
    assert [(entry.counterparty_hash, entry.value) for entry in entries] == [("", 10), ("", 10)]


def test_destination_memo_counts_on_change_only():
    hash_ = short_address_hash(FRIEND.default_subaddress())
    memo = DestinationMemo.create(hash_, 2, 9).to_payload()
    [change] = make_history(
        OWN, [output(memo, subaddress_index=CHANGE_SUBADDRESS_INDEX)], Notes([])
    )
    assert (change.direction, change.value, change.fee) == (Direction.SENT, 7, 2)
    [received] = make_history(OWN, [output(memo)], Notes([]))
    assert (received.direction, received.value) == (Direction.RECEIVED, 10)


def test_nonsense_in_a_destination_memo_and_change_without_one():
    memo = DestinationMemo.create(bytes(16), 9, 2).to_payload()
    entries = make_history(
        OWN,
        [output(each, subaddress_index=CHANGE_SUBADDRESS_INDEX) for each in (memo, bytes(66))],
        Notes(),
    )
    assert [(entry.direction, entry.value) for entry in entries] == [
        (Direction.SENT, 0),
        (Direction.RECEIVED, 10),
    ]


def test_order_and_own_change_is_not_listed():
    change = output(subaddress_index=CHANGE_SUBADDRESS_INDEX, public_key=bytes([7]) * 32)
    pending = payment(tx_hash=bytes([2]) * 32)
    final = payment(state=PaymentState.FINAL, final_in_block=3, change_public_key=change.public_key)
    entries = make_history(OWN, [output(), change], Notes([pending, final]))
    assert [(entry.direction, entry.block_index) for entry in entries] == [
        (Direction.SENT, 3),
        (Direction.RECEIVED, 4),
        (Direction.SENT, None),
    ]


def test_sender_with_a_name_is_proved_although_never_paid():
    text = to_printable(STRANGER.default_subaddress())
    notes = Notes(contacts={text: "Carol"})
    [entry] = make_history(OWN, [output(memo_from(STRANGER))], notes)
    assert (entry.counterparty, entry.counterparty_name) == (text, "Carol")
    [forged] = make_history(OWN, [output(memo_from(STRANGER, to=FRIEND))], notes)
    assert (forged.counterparty, forged.counterparty_name) == ("", "")
    assert forged.reason == "sender's memo is forged"


def test_own_payments_say_what_the_memo_on_the_change_says():
    change = bytes([77]) * 32
    friend = short_address_hash(FRIEND.default_subaddress())
    memo = DestinationMemo.create(friend, 1, 4, payment_request_id=12)
    outputs = [
        output(memo.to_payload(), public_key=change, subaddress_index=CHANGE_SUBADDRESS_INDEX)
    ]
    notes = Notes([payment(change_public_key=change)], contacts={payment().recipient: "Fred"})
    [entry] = make_history(OWN, outputs, notes)
    assert (entry.payment_id, entry.counterparty_name) == (12, "Fred")
