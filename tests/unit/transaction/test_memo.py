import pytest

from mcnode.transaction.memo import (
    AuthenticatedSenderMemo,
    BurnRedemptionMemo,
    DefragmentationMemo,
    DestinationMemo,
    GiftCodeCancellationMemo,
    GiftCodeFundingMemo,
    GiftCodeSenderMemo,
    UnknownMemoType,
    UnusedMemo,
    parse_memo,
)
from mcnode.transaction.memo.base import BadLength, FeeTooLarge, MaxFeeExceeded, Utf8Decoding

FEE_MAX = 2**56 - 1
KEY = bytes(range(32))


@pytest.mark.parametrize(
    ("memo_type", "cls"),
    [
        (0x0000, UnusedMemo),
        (0x0001, BurnRedemptionMemo),
        (0x0002, GiftCodeSenderMemo),
        (0x0003, DefragmentationMemo),
        (0x0100, AuthenticatedSenderMemo),
        (0x0101, AuthenticatedSenderMemo),
        (0x0102, AuthenticatedSenderMemo),
        (0x0200, DestinationMemo),
        (0x0201, GiftCodeFundingMemo),
        (0x0202, GiftCodeCancellationMemo),
        (0x0203, DestinationMemo),
        (0x0204, DestinationMemo),
    ],
)
def test_every_type_reads_back_what_was_written(memo_type, cls):
    payload = memo_type.to_bytes(2, "big") + bytes(range(64))
    memo = parse_memo(payload)
    assert type(memo) is cls
    assert memo.to_payload() == payload


def test_unknown_types_and_lengths():
    with pytest.raises(UnknownMemoType, match="0x0708") as caught:
        parse_memo(b"\x07\x08" + bytes(64))
    assert caught.value.parts == ([7, 8],)
    for length in (0, 65, 67):
        with pytest.raises(BadLength, match=f"{length} bytes, limit 66"):
            parse_memo(bytes(length))


def test_destination():
    memo = DestinationMemo.create(KEY[:16], 18, 17, number_of_recipients=255)
    assert memo.to_payload() == (
        b"\x02\x00" + KEY[:16] + b"\xff" + bytes(6) + b"\x12" + bytes(7) + b"\x11" + bytes(32)
    )
    assert (memo.recipient_hash, memo.number_of_recipients) == (KEY[:16], 255)
    assert (memo.fee, memo.total_outlay) == (18, 17)
    assert DestinationMemo.create(KEY[:16], FEE_MAX, 0).fee == FEE_MAX
    with pytest.raises(FeeTooLarge, match=f"{FEE_MAX + 1}, limit {FEE_MAX}"):
        DestinationMemo.create(KEY[:16], FEE_MAX + 1, 0)


@pytest.mark.parametrize(
    ("name", "memo_type"), [("payment_request_id", 0x0203), ("payment_intent_id", 0x0204)]
)
def test_destination_with_an_id(name, memo_type):
    memo = DestinationMemo.create(KEY[:16], 1, 2, **{name: 2**64 - 1})
    assert memo.memo_type == memo_type.to_bytes(2, "big")
    assert getattr(memo, name) == 2**64 - 1
    assert memo.data[40:] == bytes(24)


def test_defragmentation():
    memo = DefragmentationMemo.create(1, 2, 3)
    assert (memo.fee, memo.total_outlay, memo.defragmentation_id) == (1, 2, 3)
    with pytest.raises(FeeTooLarge):
        DefragmentationMemo.create(FEE_MAX + 1, 0, 0)


def test_burn_redemption_has_64_bytes():
    assert BurnRedemptionMemo.create(bytes(64)).to_payload() == b"\x00\x01" + bytes(64)
    with pytest.raises(BadLength):
        BurnRedemptionMemo.create(bytes(63))


@pytest.mark.parametrize(
    ("make", "note_max"),
    [
        (lambda note: GiftCodeSenderMemo.create(5, note), 57),
        (lambda note: GiftCodeFundingMemo.create(KEY, 5, note), 53),
    ],
)
def test_notes(make, note_max):
    for note in ("", "gift", "ü" * (note_max // 2), "x" * note_max):
        memo = make(note)
        assert (memo.note, memo.fee) == (note, 5)
    with pytest.raises(BadLength, match=f"{note_max + 1} bytes, limit {note_max}"):
        make("x" * (note_max + 1))


def test_notes_end_at_the_first_zero_and_must_be_text():
    data = bytes(7) + b"ab\0cd" + bytes(52)
    assert parse_memo(b"\x00\x02" + data).note == "ab"
    with pytest.raises(Utf8Decoding):
        _ = parse_memo(b"\x00\x02" + bytes(7) + b"\xff" * 57).note


def test_funding_memo_knows_its_output():
    memo = GiftCodeFundingMemo.create(KEY, FEE_MAX, "")
    assert memo.is_about(KEY)
    assert not memo.is_about(bytes(32))


@pytest.mark.parametrize("index", [0, 2**64 - 1])
def test_cancellation(index):
    memo = GiftCodeCancellationMemo.create(index, 20)
    assert (memo.global_index, memo.fee) == (index, 20)


@pytest.mark.parametrize(
    "make",
    [
        lambda fee: GiftCodeSenderMemo.create(fee, ""),
        lambda fee: GiftCodeFundingMemo.create(KEY, fee, ""),
        lambda fee: GiftCodeCancellationMemo.create(0, fee),
    ],
)
def test_fees_of_gift_codes(make):
    assert make(FEE_MAX).fee == FEE_MAX
    with pytest.raises(MaxFeeExceeded) as caught:
        make(FEE_MAX + 1)
    assert caught.value.parts == (FEE_MAX, FEE_MAX + 1)
