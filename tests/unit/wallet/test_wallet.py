"""The wallet from creation to a final payment, against nodes that validate for real."""

import asyncio
import dataclasses
import re
import stat

import pytest

import mcnode.wallet
import mcnode.wallet.wallet as wallet_module
from mcnode.account.mnemonic import account_key_from_mnemonic
from mcnode.account.printable import parse_printable_address, to_printable
from mcnode.connection.attested import BlockInfo
from mcnode.transaction.memo import AuthenticatedSenderMemo, DestinationMemo, parse_memo
from mcnode.wallet.errors import (
    FeeBelowMinimum,
    FogNotSupported,
    InsufficientFunds,
    InvalidAmount,
    MinimumFeeTooHigh,
    NothingRead,
    TokenCannotPayFees,
    WalletExists,
    WalletFileError,
)
from mcnode.wallet.history import Direction
from mcnode.wallet.records import Balance, PaymentState
from mcnode.wallet.settings import WalletSettings
from mcnode.wallet.store import WalletStore
from mcnode.wallet.terms import ARCHIVE_LAG_MAX, TOMBSTONE_BLOCKS
from mcnode.wallet.wallet import Wallet
from support.wallet_world import FIRST_TOTAL, MOB_FEE, OUTPUT


def test_create_shows_words_that_make_the_same_account(tmp_path):
    wallet, mnemonic = Wallet.create(tmp_path / "w.db", WalletSettings())
    try:
        account = account_key_from_mnemonic(mnemonic)
        assert len(mnemonic.split()) == 24
        assert wallet.address() == to_printable(account.default_subaddress())
        assert wallet.address(3) == to_printable(account.subaddress(3))
        assert stat.S_IMODE((tmp_path / "w.db").stat().st_mode) == 0o600
        assert wallet.balance() == {}
        content = (tmp_path / "w.db").read_bytes()
        assert mnemonic.encode() not in content
        with pytest.raises(WalletExists):
            Wallet.create(tmp_path / "w.db", WalletSettings())
    finally:
        asyncio.run(wallet.close())


def test_payment_from_scan_to_final(world, run):
    async def story():
        sender, recipient = await world.open(0), await world.open(1)
        steps = []
        assert await sender.sync(steps.append) == 2
        assert [(step.step, step.done) for step in steps] == [("blocks", 2), ("scan", 2)]
        assert sender.balance() == {t: Balance(FIRST_TOTAL, 0) for t in (0, 1, 2)}
        payment = await sender.send(recipient.address(), 250_000_000_000)
        assert payment.state is PaymentState.SUBMITTED and payment.fee == MOB_FEE
        assert payment.tombstone_block == 2 + TOMBSTONE_BLOCKS
        final = await sender.wait_final(payment, 5)
        assert (final.state, final.final_in_block) == (PaymentState.FINAL, 2)
        left = FIRST_TOTAL - 250_000_000_000 - MOB_FEE
        assert sender.balance()[0] == Balance(left, 0)
        await recipient.sync()
        assert recipient.balance()[0] == Balance(FIRST_TOTAL + 250_000_000_000, 0)
        check_memos(world, sender, recipient)

    run(story())


def check_memos(world, sender, recipient):
    got = recipient._store.outputs()[-1]
    memo = parse_memo(got.memo)
    assert isinstance(memo, AuthenticatedSenderMemo)
    view_private = world.network.accounts[1].subaddress_view_private(0)
    memo.check(world.network.accounts[0].default_subaddress(), view_private, got.public_key)
    change = parse_memo(sender._store.outputs()[-1].memo)
    assert isinstance(change, DestinationMemo)
    assert (change.fee, change.total_outlay) == (MOB_FEE, 250_000_000_000 + MOB_FEE)


def test_two_inputs_another_token_and_exact_amount_without_change(world, run):
    async def story():
        sender = await world.open(0)
        await sender.sync()
        with pytest.raises(TokenCannotPayFees, match=r": 1$"):
            await sender.send(world.address(1), 5, token_id=1)
        payment = await sender.send(world.address(1), 2 * OUTPUT - 1024, token_id=2)
        assert payment.change_public_key is None and payment.fee == 1024
        await sender.wait_final(payment, 5)
        assert sender.balance()[2] == Balance(FIRST_TOTAL - 2 * OUTPUT, 0)
        assert sender.balance()[0] == Balance(FIRST_TOTAL, 0)

    run(story())


@pytest.mark.parametrize("version", [0, 1, 2])
def test_older_block_versions(tmp_path, run, world, version):
    async def story():
        world.network.ledger.close()
        world.network = type(world.network)(tmp_path / "old", version)
        world.network.fees = {0: MOB_FEE}
        sender = await world.open(0)
        await sender.sync()
        payment = await sender.send(world.address(1), OUTPUT)
        await sender.wait_final(payment, 5)
        assert sender.balance()[0].total == FIRST_TOTAL - OUTPUT - MOB_FEE

    run(story())


def test_orders_that_cannot_be(world, run):
    async def story():
        sender = await world.open(0)
        await sender.sync()
        address = world.address(1)
        for value in (0, -1, 1 << 64):
            with pytest.raises(InvalidAmount):
                await sender.send(address, value)
        with pytest.raises(InsufficientFunds):
            await sender.send(address, FIRST_TOTAL)
        with pytest.raises(FeeBelowMinimum):
            await sender.send(address, 1, fee=MOB_FEE - 1)
        payment = await sender.send(address, 1, fee=2 * MOB_FEE)
        assert payment.fee == 2 * MOB_FEE

    run(story())


def test_fog_is_said_to_be_missing(world, run):
    async def story():
        sender = await world.open(0)
        await sender.sync()
        recipient = dataclasses.replace(
            world.network.accounts[1], fog_report_url="fog://x/", fog_authority_spki=b"x"
        )
        with pytest.raises(FogNotSupported):
            await sender.send(recipient.default_subaddress(), 7)
        assert sender.balance()[0].pending == 0

    run(story())


def test_file_without_an_account(tmp_path):
    store = WalletStore.create(tmp_path / "w.db", [("account_key", "xyz")])
    store.close()
    with pytest.raises(WalletFileError):
        Wallet.open(tmp_path / "w.db")
    with pytest.raises(WalletFileError, match="holds no account"):
        Wallet.open(tmp_path / "w.db", WalletSettings())


def test_what_a_node_says_is_believed_only_so_far(world, run):
    async def story():
        sender = await world.open(0)
        with pytest.raises(NothingRead):
            await sender.send(world.address(1), 7)
        await sender.sync()
        world.network.fees[0] = 128 * 10**9
        with pytest.raises(MinimumFeeTooHigh):
            await sender.send(world.address(1), 7)
        agreed = await sender.send(world.address(1), 7, fee=world.network.fees[0])
        assert agreed.fee == world.network.fees[0]
        node = world.node()

        async def boast():
            return BlockInfo(2**64 - 1, {0: MOB_FEE}, 4)

        node.fetch_block_info = boast
        built = await sender.prepare(world.address(1), 7)
        assert built.payment.tombstone_block == 2 + ARCHIVE_LAG_MAX + TOMBSTONE_BLOCKS

    run(story())


def test_history_of_both_sides_and_of_a_restored_wallet(world, run):
    async def story():
        sender, recipient = await world.open(0), await world.open(1)
        await sender.sync()
        await recipient.sync()
        for wallet, to, value in ((sender, recipient, 7), (recipient, sender, 9)):
            payment = await wallet.send(to.address(), value)
            await wallet.wait_final(payment, 5)
        await sender.sync()
        sent, received = sender.history()[-2:]
        assert (sent.direction, sent.value, sent.fee) == (Direction.SENT, 7, MOB_FEE)
        assert (sent.block_index, sent.counterparty) == (2, recipient.address())
        assert (received.direction, received.value) == (Direction.RECEIVED, 9)
        assert received.counterparty == recipient.address(), "proved, as it was paid before"
        restored = await world.open(0, file="restored.db")
        await restored.sync()
        assert restored.balance() == sender.balance()
        sent, received = restored.history()[-2:]
        assert (sent.direction, sent.value, sent.fee) == (Direction.SENT, 7, MOB_FEE)
        assert sent.counterparty == "" and received.counterparty == ""
        assert sent.counterparty_hash == received.counterparty_hash != ""

    run(story())


def test_settings_are_remembered(world, run):
    async def story():
        sender = await world.open(0)
        changed = world.network.settings("other", chain_id="x")
        sender.save_settings(changed)
        assert (await world.open(0)).settings == changed

    run(story())


def test_closing_closes_connections(world, run):
    async def story():
        sender = await world.open(0)
        await sender.sync()
        await sender.send(world.address(1), 7)
        await sender.close()
        assert world.node().closed

    run(story())


def test_the_ten_lines_of_the_package(world, run, tmp_path, monkeypatch, capsys):
    async def prepare():
        (await world.open(0, file="wallet.db")).balance()

    recipient = world.address(1)
    block = re.search(r"\n\n((?:    .*\n|\n)+)", mcnode.wallet.__doc__)[1]
    code = "\n".join(line[4:] for line in block.splitlines())
    assert sum(1 for line in code.splitlines() if line.strip()) <= 10
    asyncio.run(prepare())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(wallet_module, "connect_attested", lambda *_: world.connect)
    exec(code, {"ADDRESS": recipient})
    assert "in block 2" in capsys.readouterr().out

    async def close():
        pass

    run(close())


def test_secrets_do_not_show(world, run):
    async def story():
        sender = await world.open(0)
        store = WalletStore.open(world.root / "wallet0.db")
        account = store.setting("account_key")
        store.close()
        assert account not in repr(sender) and account not in repr(vars(sender))
        assert parse_printable_address(sender.address())

    run(story())
