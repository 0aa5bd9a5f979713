"""Scenarios of memos."""

import functools
import re
from collections.abc import Callable

from mcnode.account.account_key import AccountKey
from mcnode.account.public_address import short_address_hash
from mcnode.conformance.scenario_text import OUTCOME, Language, Outcomes, number
from mcnode.conformance.vectors import expect, expect_equal, runs
from mcnode.crypto.rng import ChaCha12Rng
from mcnode.transaction.memo import (
    AuthenticatedSenderMemo,
    BurnRedemptionMemo,
    DefragmentationMemo,
    DestinationMemo,
    GiftCodeCancellationMemo,
    GiftCodeFundingMemo,
    GiftCodeSenderMemo,
    Memo,
    SenderCredential,
    UnusedMemo,
    parse_memo,
)

_KEY, _OTHER_KEY = b"\x01" * 32, b"\x02" * 32
_RANDOM = ChaCha12Rng(bytes(32))
_ALICE, _BOB = AccountKey.random(_RANDOM), AccountKey.random(_RANDOM)


def _sender_memo(**ids: int) -> AuthenticatedSenderMemo:
    return AuthenticatedSenderMemo.create(
        SenderCredential.from_account(_ALICE), _BOB.default_subaddress().view_public, _KEY, **ids
    )


_TYPES: dict[int, Callable[[], Memo]] = {
    0x0000: lambda: UnusedMemo(bytes(2), bytes(64)),
    0x0001: lambda: BurnRedemptionMemo.create(bytes(range(64))),
    0x0002: lambda: GiftCodeSenderMemo.create(7, "note"),
    0x0003: lambda: DefragmentationMemo.create(1, 2, 3),
    0x0100: _sender_memo,
    0x0101: lambda: _sender_memo(payment_request_id=7),
    0x0102: lambda: _sender_memo(payment_intent_id=7),
    0x0200: lambda: DestinationMemo.create(bytes(16), 1, 2),
    0x0201: lambda: GiftCodeFundingMemo.create(_KEY, 7, "note"),
    0x0202: lambda: GiftCodeCancellationMemo.create(3, 7),
    0x0203: lambda: DestinationMemo.create(bytes(16), 1, 2, payment_request_id=7),
    0x0204: lambda: DestinationMemo.create(bytes(16), 1, 2, payment_intent_id=7),
}


def _gift_memos(fee: int) -> dict[str, Callable[[], Memo]]:
    return {
        "funding": lambda: GiftCodeFundingMemo.create(_KEY, fee, ""),
        "sender": lambda: GiftCodeSenderMemo.create(fee, ""),
        "cancellation": lambda: GiftCodeCancellationMemo.create(1, fee),
    }


class MemoWorld:
    """Memos that can be made, and what came of it."""

    def __init__(self) -> None:
        self.makers: dict[str, Callable[[], Memo]] = {}
        self.outcomes = Outcomes()
        self.made: dict[str, Memo] = {}
        self.answers: dict[str, bool] = {}
        self.payload = b""


_memos: Language[MemoWorld] = Language(MemoWorld)


@_memos.given(r"each memo type")
def _(world: MemoWorld) -> None:
    world.makers = {f"{memo_type:04x}": make for memo_type, make in _TYPES.items()}


@_memos.given(r"payload with type bytes (\w\w) (\w\w)")
def _(world: MemoWorld, first: str, second: str) -> None:
    world.payload = bytes.fromhex(first + second) + bytes(64)


@_memos.given(r"authenticated sender memo Alice->Bob for key K")
def _(world: MemoWorld) -> None:
    world.makers["sender"] = _sender_memo


@_memos.given(r"destination memo hash, outlay (\d+), fee (\d+)")
def _(world: MemoWorld, outlay: str, fee: str) -> None:
    address_hash = short_address_hash(_BOB.default_subaddress())
    world.makers["destination"] = lambda: DestinationMemo.create(
        address_hash, int(fee), int(outlay)
    )


@_memos.given(r"gift funding memo for key K")
def _(world: MemoWorld) -> None:
    world.makers["funding"] = lambda: GiftCodeFundingMemo.create(_KEY, 1, "")


@_memos.given(r"gift ((?:funding|sender|cancellation)(?:/\w+)*) memo with fee (\S+)")
def _(world: MemoWorld, kinds: str, fee: str) -> None:
    makers = _gift_memos(number(fee))
    world.makers = {kind: makers[kind] for kind in kinds.split("/")}


@_memos.given(r"gift (funding|sender) memo with (?:a note|notes) of ([\d, /bytes]+)")
def _(world: MemoWorld, kind: str, lengths: str) -> None:
    for length in map(int, re.findall(r"\d+", lengths)):
        note = "x" * length
        if kind == "funding":
            world.makers[str(length)] = functools.partial(GiftCodeFundingMemo.create, _KEY, 1, note)
        else:
            world.makers[str(length)] = functools.partial(GiftCodeSenderMemo.create, 1, note)


@_memos.given(r"gift cancellation memo index (\S+) and (\S+), fee (\d+)")
def _(world: MemoWorld, first: str, second: str, fee: str) -> None:
    for index in (number(first), number(second)):
        world.makers[f"{index} {fee}"] = functools.partial(
            GiftCodeCancellationMemo.create, index, int(fee)
        )


@_memos.when(r"to payload and MemoType decoding", r"encode, decode", r"construct")
def _(world: MemoWorld) -> None:
    for name, make in world.makers.items():
        memo = world.outcomes.note(name, make)
        if memo is not None:
            world.made[name] = parse_memo(memo.to_payload())
            expect_equal("read back", world.made[name], memo)


@_memos.when(r"decode")
def _(world: MemoWorld) -> None:
    world.outcomes.note("payload", parse_memo, world.payload)


@_memos.when(r"validate with Bob as sender, with Alice's view private, or with another TxOut key")
def _(world: MemoWorld) -> None:
    memo, alice, bob = _sender_memo(), _ALICE.default_subaddress(), _BOB.default_subaddress()
    alice_view, bob_view = (account.subaddress_view_private(0) for account in (_ALICE, _BOB))
    memo.check(alice, bob_view, _KEY)
    for name, arguments in {
        "another sender": (bob, bob_view, _KEY),
        "another view key": (alice, alice_view, _KEY),
        "another output": (alice, bob_view, _OTHER_KEY),
    }.items():
        world.outcomes.note(name, memo.check, *arguments)
        world.answers[name] = world.outcomes.all[name] == "ok"


@_memos.when(r"public_key_matches\(other key\)")
def _(world: MemoWorld) -> None:
    memo = GiftCodeFundingMemo.create(_KEY, 1, "")
    expect(memo.is_about(_KEY), "memo is not about its own output")
    world.answers["other key"] = memo.is_about(_OTHER_KEY)


@_memos.then(r"round trip; type bytes as tabled")
def _(world: MemoWorld) -> None:
    world.outcomes.expect_all("ok")
    for name, memo in world.made.items():
        expect_equal("type bytes", memo.memo_type.hex(), name)


@_memos.then(r"UnknownMemoType\(\[(\d+), ?(\d+)\]\)")
def _(world: MemoWorld, first: str, second: str) -> None:
    world.outcomes.expect_all(f"UnknownMemoType([{first}, {second}])")


@_memos.then(r"(true|false)\b")
def _(world: MemoWorld, expected: str) -> None:
    expect(bool(world.answers), "nothing was asked")
    for name, answer in world.answers.items():
        expect_equal(name, answer, expected == "true")


@_memos.then(r"hash, outlay (\d+), fee (\d+), 1 recipient read back")
def _(world: MemoWorld, outlay: str, fee: str) -> None:
    memo = world.made["destination"]
    assert isinstance(memo, DestinationMemo)
    expect_equal("hash", memo.recipient_hash, short_address_hash(_BOB.default_subaddress()))
    read = memo.total_outlay, memo.fee, memo.number_of_recipients
    expect_equal("read back", read, (int(outlay), int(fee), 1))


@_memos.then(r"set_fee above (\S+) gives FeeTooLarge")
def _(world: MemoWorld, limit: str) -> None:
    outcomes = Outcomes()
    outcomes.note("above", DestinationMemo.create, bytes(16), number(limit) + 1, 0)
    outcomes.expect_all("FeeTooLarge")
    DestinationMemo.create(bytes(16), number(limit), 0)


@_memos.then(r"index and fee read back")
def _(world: MemoWorld) -> None:
    expect(bool(world.made), "no memo was made")
    for name, memo in world.made.items():
        assert isinstance(memo, GiftCodeCancellationMemo)
        expect_equal("read back", f"{memo.global_index} {memo.fee}", name)


@_memos.then(r"ok / (BadLength\(\d+\))")
def _(world: MemoWorld, refused: str) -> None:
    *good, bad = world.outcomes.all.values()
    expect_equal("outcomes", [*good, bad], ["ok"] * len(good) + [refused])


@_memos.then(r"MaxFeeExceeded\((\S+), (\S+)\)")
def _(world: MemoWorld, limit: str, fee: str) -> None:
    world.outcomes.expect_all(f"MaxFeeExceeded({number(limit)}, {number(fee)})")


@_memos.then(OUTCOME)
def _(world: MemoWorld, expected: str) -> None:
    world.outcomes.expect_all(expected)


run_memos = runs("transaction", r"scenarios/memo[^/]*\.jsonl")(_memos.run)
