"""The wallet from creation to a final payment, against nodes that validate for real."""

import asyncio
import dataclasses
import re
import shutil
import stat

import grpc
import pytest

import mcnode.wallet
import mcnode.wallet.wallet as wallet_module
from mcnode.account.mnemonic import account_key_from_mnemonic
from mcnode.account.printable import parse_printable_address, to_printable
from mcnode.api.gen.consensus_common_pb2 import ProposeTxResult
from mcnode.connection.attested import BlockInfo
from mcnode.connection.errors import (
    CallFailed,
    CallRefused,
    EvidenceRefused,
    HandshakeFailed,
    TxRefused,
)
from mcnode.transaction.memo import AuthenticatedSenderMemo, DestinationMemo, parse_memo
from mcnode.wallet.errors import (
    AnotherNetwork,
    ArchivesUnavailable,
    FeeBelowMinimum,
    FogNotSupported,
    InsufficientFunds,
    InvalidAmount,
    MinimumFeeTooHigh,
    NodeBehindArchives,
    NoNodeAvailable,
    NothingRead,
    PaymentExpired,
    PaymentRefused,
    PaymentSuperseded,
    PaymentTimeout,
    SettingsError,
    SubmissionUnclear,
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

MOB_FEE = 400_000_000
OUTPUT = 1_000_000_000_000
FIRST_TOTAL = 16 * OUTPUT
UNAVAILABLE = grpc.StatusCode.UNAVAILABLE


def address_of(world, number):
    return to_printable(world.network.accounts[number].default_subaddress())


def lost_connection():
    return CallFailed("node", UNAVAILABLE, "lost")


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
        assert mnemonic.split()[0].encode() not in content or mnemonic.encode() not in content
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
            await sender.send(address_of(world, 1), 5, token_id=1)
        payment = await sender.send(address_of(world, 1), 2 * OUTPUT - 1024, token_id=2)
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
        payment = await sender.send(address_of(world, 1), OUTPUT)
        await sender.wait_final(payment, 5)
        assert sender.balance()[0].total == FIRST_TOTAL - OUTPUT - MOB_FEE

    run(story())


def test_orders_that_cannot_be(world, run):
    async def story():
        sender = await world.open(0)
        await sender.sync()
        address = address_of(world, 1)
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
            await sender.send(address_of(world, 1), 7)
        await sender.sync()
        world.network.fees[0] = 128 * 10**9
        with pytest.raises(MinimumFeeTooHigh):
            await sender.send(address_of(world, 1), 7)
        agreed = await sender.send(address_of(world, 1), 7, fee=world.network.fees[0])
        assert agreed.fee == world.network.fees[0]
        node = world.node()

        async def boast():
            return BlockInfo(2**64 - 1, {0: MOB_FEE}, 4)

        node.fetch_block_info = boast
        built = await sender.prepare(address_of(world, 1), 7)
        assert built.payment.tombstone_block == 2 + ARCHIVE_LAG_MAX + TOMBSTONE_BLOCKS

    run(story())


def test_pending_inputs_are_not_spent_twice_and_payments_may_run_together(world, run):
    async def story():
        world.network.makes_blocks = False
        sender = await world.open(0)
        await sender.sync()
        payments = await asyncio.gather(
            *(sender.send(address_of(world, 1), OUTPUT // 2) for _ in range(5))
        )
        assert sender.balance()[0] == Balance(11 * OUTPUT, 5 * OUTPUT)
        world.network.make_block()
        for payment in payments:
            await sender.wait_final(payment, 5)
        assert sender.balance()[0] == Balance(FIRST_TOTAL - 5 * (OUTPUT // 2 + MOB_FEE), 0)

    run(story())


def test_wallet_reopened_in_the_middle_knows_its_payment(world, run):
    async def story():
        world.network.makes_blocks = False
        first = await world.open(0)
        await first.sync()
        payment = await first.send(address_of(world, 1), 7)
        again = await world.open(0)
        assert again.balance()[0] == Balance(15 * OUTPUT, OUTPUT)
        world.network.make_block()
        assert (await again.wait_final(payment, 5)).final_in_block == 2

    run(story())


def test_refused_payment_frees_its_inputs(world, run):
    async def story():
        sender = await world.open(0)
        await sender.sync()
        world.node().faults["propose"] = [
            TxRefused(ProposeTxResult.TombstoneBlockTooFar, "too far", 2)
        ]
        with pytest.raises(TxRefused, match="TombstoneBlockTooFar"):
            await sender.send(address_of(world, 1), 7)
        assert sender.balance()[0] == Balance(FIRST_TOTAL, 0)
        [entry] = [entry for entry in sender.history() if entry.direction is Direction.SENT]
        assert entry.state is PaymentState.REFUSED and "too far" in entry.reason
        with pytest.raises(PaymentRefused, match="too far"):
            await sender.wait_final(sender.payment(bytes.fromhex(entry.tx_hash)), 5)

    run(story())


def test_double_spend_is_refused_and_settled_by_the_ledger(world, run):
    async def story():
        first = await world.open(0)
        await first.sync()
        shutil.copy(world.root / "wallet0.db", world.root / "copy.db")
        second = await world.open(0, file="copy.db")
        await second.sync()
        prepared = await second.prepare(address_of(world, 2), 9)
        payment = await first.send(address_of(world, 1), 7)
        await first.wait_final(payment, 5)
        with pytest.raises(TxRefused) as refusal:
            await second.submit(prepared)
        assert refusal.value.name == "ContainsSpentKeyImage"
        with pytest.raises(PaymentSuperseded):
            await second.wait_final(prepared.payment, 5)
        assert second.balance() == first.balance()

    run(story())


def test_final_payment_submitted_again_stays_final(world, run):
    async def story():
        sender = await world.open(0)
        await sender.sync()
        built = await sender.prepare(address_of(world, 1), 7)
        await sender.submit(built)
        with pytest.raises(TxRefused, match="ContainsSpentKeyImage"):
            await sender.submit(built)
        assert (await sender.wait_final(built.payment, 5)).state is PaymentState.FINAL

    run(story())


def test_next_node_when_one_is_down_and_the_good_one_is_kept(world, run):
    async def story():
        sender = await world.open(0, "one", "two")
        await sender.sync()
        world.node("one").faults["info"] = [lost_connection()]
        payment = await sender.send(address_of(world, 1), 7)
        await sender.wait_final(payment, 5)
        assert world.node("two").calls == ["info", "blocks", "attest", "propose"]
        await sender.send(address_of(world, 1), 7)
        assert world.node("one").calls == ["info"]

    run(story())


def test_no_node(world, run):
    async def story():
        sender = await world.open(0, "one", "two")
        await sender.sync()
        for name in ("one", "two"):
            world.node(name).faults["info"] = [lost_connection()]
        with pytest.raises(NoNodeAvailable, match="2 asked") as error:
            await sender.send(address_of(world, 1), 7)
        assert len(error.value.errors) == 2
        for name in ("one", "two"):
            world.node(name).faults["attest"] = [HandshakeFailed(name, "other responder id")]
        with pytest.raises(NoNodeAvailable):
            await sender.send(address_of(world, 1), 7)
        assert sender.balance()[0].pending == 0
        assert sender.history()[-1].state is PaymentState.REFUSED

    run(story())


@pytest.mark.parametrize(
    "refusal",
    [EvidenceRefused("node", "bad"), CallRefused("node", UNAVAILABLE, "chain-id mismatch")],
)
def test_refused_by_a_node_is_not_tried_elsewhere(world, run, refusal):
    async def story():
        sender = await world.open(0, "one", "two")
        await sender.sync()
        world.node("one").faults["attest"] = [refusal]
        with pytest.raises(type(refusal)):
            await sender.send(address_of(world, 1), 7)
        assert "two" not in world.nodes
        assert sender.balance()[0].pending == 0

    run(story())


def test_node_behind_by_a_block_is_passed_over(world, run):
    async def story():
        sender = await world.open(0, "one", "two")
        await sender.sync()
        behind = TxRefused(ProposeTxResult.LedgerTxOutIndexOutOfBounds, "", 1)
        world.node("one").faults["propose"] = [behind]
        payment = await sender.send(address_of(world, 1), 7)
        assert (await sender.wait_final(payment, 5)).final_in_block == 2

    run(story())


def test_restarted_node_gets_a_new_session(world, run):
    async def story():
        sender = await world.open(0)
        await sender.sync()
        await sender.send(address_of(world, 1), 7)
        denied = CallFailed("node", grpc.StatusCode.PERMISSION_DENIED, "attestation")
        world.node().faults["propose"] = [denied]
        await sender.sync()
        payment = await sender.send(address_of(world, 1), 7)
        await sender.wait_final(payment, 5)
        assert world.node().calls[-3:] == ["propose", "attest", "propose"]

    run(story())


def test_connection_lost_while_submitting_keeps_the_inputs_reserved(world, run):
    async def story():
        world.network.makes_blocks = False
        sender = await world.open(0)
        await sender.sync()
        node = world.node()
        node.before_propose = world.network.take  # the node gets it, its answer is lost
        node.faults["propose"] = [lost_connection()]
        with pytest.raises(SubmissionUnclear, match="reserved"):
            await sender.send(address_of(world, 1), 7)
        assert sender.balance()[0].pending == OUTPUT
        [payment] = sender._store.payments()
        world.network.make_block()
        assert (await sender.wait_final(payment, 5)).state is PaymentState.FINAL

    run(story())


def test_refusal_after_a_lost_connection_means_nothing(world, run):
    """The first node's block may hold the payment already when the second one is asked."""

    async def story():
        sender = await world.open(0, "one", "two")
        await sender.sync()
        node = world.node("one")
        node.before_propose = world.network.take
        node.faults["propose"] = [lost_connection()]
        with pytest.raises(SubmissionUnclear, match="ContainsSpentKeyImage"):
            await sender.send(address_of(world, 1), 7)
        [payment] = sender._store.payments()
        assert (await sender.wait_final(payment, 5)).state is PaymentState.FINAL

    run(story())


def test_lost_connection_then_evidence_refused_is_unclear_too(world, run):
    async def story():
        sender = await world.open(0, "one", "two")
        await sender.sync()
        world.node("one").faults["propose"] = [lost_connection()]
        world.node("two").faults["attest"] = [EvidenceRefused("two", "bad")]
        with pytest.raises(SubmissionUnclear):
            await sender.send(address_of(world, 1), 7)

    run(story())


def test_expired_payment_frees_its_inputs(world, run):
    async def story():
        sender = await world.open(0)
        await sender.sync()
        built = await sender.prepare(address_of(world, 1), 7)
        for _ in range(TOMBSTONE_BLOCKS - 1):
            world.network.make_block(is_published=False)
        world.network.publish()
        with pytest.raises(PaymentTimeout, match="block 50"):
            await sender.wait_final(built.payment, 0)
        world.network.make_block()
        with pytest.raises(PaymentExpired, match="52"):
            await sender.wait_final(built.payment, 5)
        assert sender.balance()[0] == Balance(FIRST_TOTAL, 0)
        with pytest.raises(TxRefused, match="TombstoneBlockExceeded"):
            await sender.submit(built)

    run(story())


def test_archives_lag_behind_the_network(world, run):
    async def story():
        sender = await world.open(0)
        await sender.sync()
        world.network.make_block(is_published=False)
        payment = await sender.send(address_of(world, 1), 7)
        assert (await sender.wait_final(payment, 5)).final_in_block == 3

    run(story())


def test_node_behind_the_archives(world, run, tmp_path):
    async def story():
        sender = await world.open(0)
        for _ in range(2):
            world.network.make_block()
        await sender.sync()
        ahead = world.network.ledger
        behind = type(world.network)(tmp_path / "behind")
        world.network.ledger = behind.ledger
        try:
            with pytest.raises(NoNodeAvailable) as error:
                await sender.send(address_of(world, 1), 7)
        finally:
            behind.ledger.close()
            world.network.ledger = ahead
        assert isinstance(error.value.errors[0], NodeBehindArchives)

    run(story())


def test_another_network(world, run, tmp_path):
    async def story():
        sender = await world.open(0)
        world.network.make_block()
        await sender.sync()
        own = world.network
        other = type(world.network)(tmp_path / "other")
        other.rng(1)
        other.make_block()
        world.node().network = other
        with pytest.raises(AnotherNetwork, match="block 2"):
            await sender.send(address_of(world, 1), 7)
        world.node().network = own
        sender.settings = other.settings()
        with pytest.raises(AnotherNetwork, match="the archives"):
            await sender.sync()
        copy = await world.open(0, file="wallet0.db")
        copy.settings = other.settings(ledger_copy=tmp_path / "copy")
        with pytest.raises(AnotherNetwork, match=r"wallet0\.db"):
            await copy.sync()
        other.ledger.close()

    run(story())


def test_archives_that_are_not_there(world, run, tmp_path):
    async def story():
        sender = await world.open(0, archives=())
        with pytest.raises(SettingsError, match="--archive"):
            await sender.sync()
        sender.settings = world.network.settings(archives=(f"file://{tmp_path}/nothing",))
        with pytest.raises(ArchivesUnavailable, match="block 0"):
            await sender.sync()
        sender.settings = world.network.settings()
        await sender.sync()
        world.network.archive.rename(tmp_path / "gone")
        with pytest.raises(ArchivesUnavailable, match="block 1"):
            await sender.sync()
        sender.settings = WalletSettings(archives=(f"file://{tmp_path}/gone",))
        with pytest.raises(SettingsError, match="--node"):
            await sender.send(address_of(world, 1), 7)

    run(story())


def test_wallets_share_a_ledger_copy_and_sync_at_once(world, run, tmp_path):
    async def story():
        for _ in range(5):
            world.network.make_block(is_published=False)
        world.network.publish()
        shared = {"ledger_copy": tmp_path / "shared"}
        wallets = [await world.open(number, **shared) for number in range(3)]
        assert await asyncio.gather(*(wallet.sync() for wallet in wallets)) == [7, 7, 7]
        assert [wallet.balance()[0].total for wallet in wallets] == [FIRST_TOTAL] * 3

    run(story())


def test_lost_ledger_copy_is_read_again(world, run, tmp_path):
    async def story():
        first = await world.open(0, ledger_copy=tmp_path / "copy")
        await first.sync()
        await first.close()
        shutil.rmtree(tmp_path / "copy")
        again = await world.open(0)
        await again.sync()
        payment = await again.send(address_of(world, 1), 7)
        await again.wait_final(payment, 5)

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


def test_cancelled_sync_keeps_what_was_read(world, run):
    async def story():
        sender = await world.open(0)
        for _ in range(120):
            world.network.make_block(is_published=False)
        world.network.publish()
        loop, first_batch = asyncio.get_running_loop(), asyncio.Event()
        task = asyncio.ensure_future(
            sender.sync(lambda _: loop.call_soon_threadsafe(first_batch.set))
        )
        await first_batch.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await sender.sync() == 122

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
        await sender.send(address_of(world, 1), 7)
        await sender.close()
        assert world.node().closed

    run(story())


def test_the_ten_lines_of_the_package(world, run, tmp_path, monkeypatch, capsys):
    async def prepare():
        (await world.open(0, file="wallet.db")).balance()

    recipient = address_of(world, 1)
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
