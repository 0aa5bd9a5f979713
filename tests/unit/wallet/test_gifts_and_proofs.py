"""Gifts, burns, merging, requests and receipts, against nodes that validate for real."""

import dataclasses
import json

import pytest
from click.testing import CliRunner

import mcnode.wallet.wallet as wallet_module
from mcnode.account.mnemonic import account_key_from_mnemonic, mnemonic_from_entropy
from mcnode.account.printable import TransferPayload, parse_printable, to_printable
from mcnode.account.public_address import BURN_ADDRESS_VIEW_PRIVATE, burn_address
from mcnode.account.root_identity import account_key_from_root_entropy
from mcnode.cli.main import cli
from mcnode.codec import protobuf
from mcnode.errors import InvalidError
from mcnode.ledger.supply import measure_supply
from mcnode.transaction.messages import Receipt
from mcnode.transaction.tx_out import decrypt_memo, view_key_match
from mcnode.wallet.errors import OptimizationNotBeneficial, OutputNotSpendable
from mcnode.wallet.gifts import (
    CancelGiftOrder,
    FundGiftOrder,
    GiftBelowFee,
    GiftTaken,
    NoSuchGift,
    NotAGiftCode,
    RedeemGiftOrder,
    parse_gift_code,
)
from mcnode.wallet.history import Direction
from mcnode.wallet.payments import BurnOrder, MergeOrder, PaymentOrder
from mcnode.wallet.receipts import NoReceipt, ReceiptRefused, ReceiptState, receipt_of
from mcnode.wallet.records import Balance, PaymentKind, PaymentState
from mcnode.wallet.selection import FewestInputs, TheseInputs
from mcnode.wallet.wallet import Wallet
from support.wallet_world import FIRST_TOTAL, MOB_FEE, OUTPUT

TOKEN_FEE = 1024


async def synced(world, *numbers):
    wallets = [await world.open(number) for number in numbers]
    for wallet in wallets:
        await wallet.sync()
    return wallets


async def carried_out(wallet, order):
    return await wallet.wait_final(await wallet.carry_out(order), 5)


async def restored(world, number):
    """A wallet of the same account that has only the ledger to go by."""
    wallet = await world.open(number, file=f"restored{number}.db")
    await wallet.sync()
    return wallet


def last_of(wallet):
    entry = wallet.history()[-1]
    return entry.kind, entry.direction, entry.value, entry.fee, entry.note


def test_gift_from_giver_to_receiver(world, run):
    async def story():
        anna, ben = await synced(world, 0, 1)
        await carried_out(anna, FundGiftOrder(OUTPUT // 2, note="birthday"))
        assert anna.balance()[0] == Balance(FIRST_TOTAL - OUTPUT // 2 - MOB_FEE, OUTPUT // 2)
        [given] = anna.gifts()
        await ben.sync()
        gift = parse_gift_code(given.code)
        final = await carried_out(ben, RedeemGiftOrder(gift, note="thanks"))
        got = OUTPUT // 2 - MOB_FEE
        assert (final.kind, final.value) == (PaymentKind.GIFT_REDEEM, got)
        assert ben.balance()[0] == Balance(FIRST_TOTAL + got, 0)
        await anna.sync()
        assert anna.balance()[0] == Balance(FIRST_TOTAL - OUTPUT // 2 - MOB_FEE, 0)
        assert anna.gifts()[0].output.spent_in_block == 3
        for late in (anna.prepare_order(CancelGiftOrder(given.output.tx_out_index)),
                     ben.prepare_order(RedeemGiftOrder(gift))):  # fmt: skip
            with pytest.raises(GiftTaken, match="block 3"):
                await late
        assert last_of(anna)[:4] == ("gift-fund", Direction.SENT, OUTPUT // 2, MOB_FEE)
        again = await restored(world, 0)
        assert last_of(again) == ("gift-fund", Direction.SENT, OUTPUT // 2, MOB_FEE, "birthday")
        receiver = await restored(world, 1)
        assert last_of(receiver) == ("gift-redeem", Direction.RECEIVED, got, MOB_FEE, "thanks")

    run(story())


def test_gift_taken_back(world, run):
    async def story():
        [anna] = await synced(world, 0)
        await carried_out(anna, FundGiftOrder(OUTPUT, 2))
        [given] = anna.gifts()
        with pytest.raises(NoSuchGift):
            await anna.prepare_order(CancelGiftOrder(0))
        await carried_out(anna, CancelGiftOrder(given.output.tx_out_index))
        assert anna.balance()[2] == Balance(FIRST_TOTAL - 2 * TOKEN_FEE, 0)
        again = await restored(world, 0)
        assert last_of(again)[:2] == ("gift-cancel", Direction.RECEIVED)

    run(story())


def test_gifts_that_cannot_be_taken(world, run):
    async def story():
        anna, ben = await synced(world, 0, 1)
        with pytest.raises(GiftBelowFee):
            await anna.prepare_order(FundGiftOrder(TOKEN_FEE, 2))
        await carried_out(anna, FundGiftOrder(TOKEN_FEE + 1, 2))
        world.network.fees[2] = 2 * TOKEN_FEE
        gift = parse_gift_code(anna.gifts()[0].code)
        with pytest.raises(NotAGiftCode, match="sync"):
            await ben.prepare_order(RedeemGiftOrder(gift))
        await ben.sync()
        with pytest.raises(GiftBelowFee):
            await ben.prepare_order(RedeemGiftOrder(gift))
        with pytest.raises(GiftBelowFee):
            await anna.prepare_order(CancelGiftOrder(gift.global_index))
        elsewhere = dataclasses.replace(gift, global_index=0)
        with pytest.raises(NotAGiftCode, match="another network"):
            await ben.prepare_order(RedeemGiftOrder(elsewhere))
        with pytest.raises(NotAGiftCode, match="PublicAddress"):
            parse_gift_code(anna.address())
        with pytest.raises(NotAGiftCode, match="lacks"):
            lacking = dataclasses.replace(parse_printable(anna.gifts()[0].code), shared_secret=None)
            parse_gift_code(to_printable(lacking))

    run(story())


@pytest.mark.parametrize("kind", ["bip39_entropy", "root_entropy"])
def test_transfer_codes_of_older_wallets(world, run, kind):
    """An account with one output, given away by its entropy."""

    async def story():
        anna, ben = await synced(world, 0, 1)
        entropy = bytes(range(32))
        if kind == "bip39_entropy":
            box = account_key_from_mnemonic(mnemonic_from_entropy(entropy))
        else:
            box = account_key_from_root_entropy(entropy)
        paid = await carried_out(anna, PaymentOrder(box.default_subaddress(), OUTPUT // 4))
        payload = TransferPayload(tx_out_public_key=paid.output_public_key, **{kind: entropy})
        gift = parse_gift_code(to_printable(payload))
        assert gift == payload
        with pytest.raises(NotAGiftCode, match="sync"):
            await ben.prepare_order(RedeemGiftOrder(gift))
        await ben.sync()
        final = await carried_out(ben, RedeemGiftOrder(gift))
        assert final.value == OUTPUT // 4 - MOB_FEE
        with pytest.raises(GiftTaken):
            await ben.prepare_order(RedeemGiftOrder(gift))
        for change, reason in [
            ({kind: bytes(32)}, "does not open output"),
            ({kind: b"short"}, "no account"),
            ({kind: b""}, "no account"),
            ({"tx_out_public_key": None}, "names no output"),
        ]:
            with pytest.raises(NotAGiftCode, match=reason):
                await ben.prepare_order(RedeemGiftOrder(dataclasses.replace(payload, **change)))

    run(story())


def test_burn_is_seen_by_everybody(world, run):
    async def story():
        [anna] = await synced(world, 0)
        data = bytes(range(64))
        final = await carried_out(anna, BurnOrder(5000, 2, redemption_data=data))
        assert (final.kind, final.value) == (PaymentKind.BURN, 5000)
        assert anna.balance()[2].total == FIRST_TOTAL - 5000 - TOKEN_FEE
        index = anna.ledger.get_tx_out_index_by_public_key(final.output_public_key)
        tx_out = anna.ledger.get_tx_out_by_index(index)
        viewed = view_key_match(tx_out, BURN_ADDRESS_VIEW_PRIVATE)
        assert (viewed.amount.value, viewed.amount.token_id) == (5000, 2)
        assert decrypt_memo(tx_out, viewed.shared_secret) == b"\0\1" + data
        [burn] = measure_supply(anna.ledger).burns
        assert (burn.block_index, burn.public_key) == (final.final_in_block, tx_out.public_key)
        assert (burn.amount.value, burn.redemption_data) == (5000, data)
        again = await restored(world, 0)
        assert last_of(again)[:4] == ("burn", Direction.SENT, 5000, TOKEN_FEE)
        assert again.history()[-1].counterparty == to_printable(burn_address())

    run(story())


def test_merge(world, run):
    async def story():
        world.network.make_block(decoys=40)
        [anna] = await synced(world, 0)
        final = await carried_out(anna, MergeOrder())
        assert (final.kind, final.value) == (PaymentKind.MERGE, FIRST_TOTAL - MOB_FEE)
        assert anna.balance()[0] == Balance(FIRST_TOTAL - MOB_FEE, 0)
        assert [e.kind for e in anna.history() if e.block_index == 3] == ["merge"]
        with pytest.raises(OptimizationNotBeneficial):
            await anna.prepare_order(MergeOrder())
        again = await restored(world, 0)
        assert [e.kind for e in again.history() if e.block_index == 3] == ["merge"]

    run(story())


def test_coins_as_chosen(world, run):
    async def story():
        anna, ben = await synced(world, 0, 1)
        recipient = world.network.accounts[1].default_subaddress()
        coin = anna._store.spendable(0)[7]
        these = PaymentOrder(recipient, 5, choice=TheseInputs((coin.public_key,)))
        assert (await anna.prepare_order(these)).key_images == (coin.key_image,)
        with pytest.raises(OutputNotSpendable):
            await anna.prepare_order(these)
        fewest = PaymentOrder(recipient, OUTPUT, choice=FewestInputs())
        assert len((await anna.prepare_order(fewest)).key_images) == 2
        assert ben.balance()[0].total == FIRST_TOTAL

    run(story())


def test_receipts(world, run):
    async def story():
        anna, ben, carl = await synced(world, 0, 1, 2)
        world.network.makes_blocks = False
        payment = await anna.send(ben.address(), 7777)
        receipt = receipt_of(payment)
        pending = ben.check_receipt(receipt)
        assert (pending.state, pending.amount.value) == (ReceiptState.PENDING, 7777)
        world.network.make_block()
        await ben.sync()
        checked = ben.check_receipt(receipt)
        assert (checked.state, checked.block_index) == (ReceiptState.FINAL, 2)
        assert (checked.amount.value, checked.subaddress_index) == (7777, 0)
        with pytest.raises(ReceiptRefused, match="confirmation"):
            carl.check_receipt(receipt)
        decoded = protobuf.decode(Receipt, receipt)
        forged = dataclasses.replace(decoded, confirmation=bytes(32))
        with pytest.raises(ReceiptRefused, match="confirmation"):
            ben.check_receipt(protobuf.encode(forged))
        other = receipt_of((await anna.prepare(ben.address(), 9)).payment)
        swapped = dataclasses.replace(
            decoded, masked_amount=protobuf.decode(Receipt, other).masked_amount
        )
        with pytest.raises(ReceiptRefused, match="does not open"):
            ben.check_receipt(protobuf.encode(swapped))
        bare = dataclasses.replace(decoded, masked_amount=None)
        with pytest.raises(ReceiptRefused, match="no amount"):
            ben.check_receipt(protobuf.encode(bare))
        await carried_later(world, anna, ben, other)

    run(story())


async def carried_later(world, anna, ben, receipt):
    """A receipt of a payment that was never handed in."""
    over = protobuf.decode(Receipt, receipt)
    expired = dataclasses.replace(over, tombstone_block=anna.num_blocks)
    assert ben.check_receipt(protobuf.encode(expired)).state is ReceiptState.EXPIRED
    await anna.sync()
    made = await anna.prepare_order(FundGiftOrder(TOKEN_FEE + 1, 2))
    with pytest.raises(NoReceipt):
        receipt_of(made.payment)


@pytest.fixture
def call(world, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(wallet_module, "connect_attested", lambda *_: world.connect)
    for number, name in enumerate(("anna", "ben")):
        settings = world.network.settings()
        Wallet.import_(f"{name}.db", settings, world.network.accounts[number])._store.close()

    def invoke(name, *arguments):
        return CliRunner().invoke(cli, ["wallet", "--wallet", f"{name}.db", *arguments])

    yield invoke
    world.network.ledger.close()


def test_request_is_paid_and_proved(call):
    request = call("ben", "request", "0.25", "--id", "42", "--note", "tea").stdout.strip()
    wrong = call("anna", "send", request, "0.2")
    assert "the request says" in str(wrong.exception)
    assert "the request says" in str(call("anna", "send", request, "--token", "2").exception)
    paid = call("anna", "send", request, "--json")
    assert paid.exit_code == 0, paid.output
    tx_hash = json.loads(paid.stdout)["tx_hash"]
    received = json.loads(call("ben", "history", "--json").stdout)[-1]
    assert (received["value"], received["payment_id"]) == ("250000000000", "42")
    receipt = call("anna", "receipt", "make", tx_hash).stdout.strip()
    checked = call("ben", "receipt", "check", receipt)
    assert checked.stdout == "final in block 2: 0.25 MOB, paid by who made this\n"
    assert isinstance(call("anna", "receipt", "check", receipt).exception, InvalidError)
    assert isinstance(call("anna", "receipt", "make", "zz").exception, InvalidError)
    open_request = call("ben", "request").stdout.strip()
    assert "how much" in str(call("anna", "send", open_request).exception)
    assert call("anna", "send", open_request, "0.1").exit_code == 0


def test_gift_burn_and_merge_commands(call, world):
    funded = call("anna", "gift", "fund", "0.5")
    assert funded.exit_code == 0, funded.output
    first, code = funded.stdout.splitlines()
    assert first.endswith("0.5 MOB, open")
    redeemed = call("ben", "gift", "redeem", code)
    assert redeemed.stdout.startswith("final in block 3: gift-redeem 0.4996 MOB")
    assert call("anna", "gift", "list").stdout.endswith("taken in block 3\n")
    second = json.loads(call("anna", "gift", "fund", "9000", "--token", "2", "--json").stdout)
    cancelled = call("anna", "gift", "cancel", second[0]["output"])
    assert cancelled.stdout.startswith("final in block 5: gift-cancel 7976 of token 2")
    burnt = call("anna", "burn", "10", "--token", "2", "--data", "aabb")
    assert burnt.stdout.startswith("final in block 6: burn 10 of token 2")
    assert "not hex" in str(call("anna", "burn", "1", "--data", "x").exception)
    world.network.make_block(decoys=40)
    merged = call("ben", "merge")
    assert merged.stdout.startswith("final in block 8: merge "), merged.output


def test_payment_state_of_a_gift_that_somebody_else_took(world, run):
    async def story():
        anna, ben, carl = await synced(world, 0, 1, 2)
        await carried_out(anna, FundGiftOrder(OUTPUT // 2))
        gift = parse_gift_code(anna.gifts()[0].code)
        await ben.sync()
        await carl.sync()
        slow = await carl.prepare_order(RedeemGiftOrder(gift))
        await carried_out(ben, RedeemGiftOrder(gift))
        await carl.sync()
        assert carl.payment(slow.payment.tx_hash).state is PaymentState.SUPERSEDED

    run(story())
