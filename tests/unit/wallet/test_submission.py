"""Payments on their way: refused, lost, handed in twice, to nodes that are down or behind."""

import asyncio
import shutil

import grpc
import pytest

from mcnode.api.gen.consensus_common_pb2 import ProposeTxResult
from mcnode.connection.errors import (
    CallFailed,
    CallRefused,
    EvidenceRefused,
    HandshakeFailed,
    TxRefused,
)
from mcnode.wallet.errors import (
    NoNodeAvailable,
    PaymentExpired,
    PaymentRefused,
    PaymentSuperseded,
    PaymentTimeout,
    SubmissionUnclear,
)
from mcnode.wallet.history import Direction
from mcnode.wallet.records import Balance, PaymentState
from mcnode.wallet.terms import TOMBSTONE_BLOCKS
from support.wallet_world import FIRST_TOTAL, MOB_FEE, OUTPUT

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE


def lost_connection():
    return CallFailed("node", UNAVAILABLE, "lost")


def test_pending_inputs_are_not_spent_twice_and_payments_may_run_together(world, run):
    async def story():
        world.network.makes_blocks = False
        sender = await world.open(0)
        await sender.sync()
        payments = await asyncio.gather(
            *(sender.send(world.address(1), OUTPUT // 2) for _ in range(5))
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
        payment = await first.send(world.address(1), 7)
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
            await sender.send(world.address(1), 7)
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
        prepared = await second.prepare(world.address(2), 9)
        payment = await first.send(world.address(1), 7)
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
        built = await sender.prepare(world.address(1), 7)
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
        payment = await sender.send(world.address(1), 7)
        await sender.wait_final(payment, 5)
        assert world.node("two").calls == ["info", "blocks", "attest", "propose"]
        await sender.send(world.address(1), 7)
        assert world.node("one").calls == ["info"]

    run(story())


def test_no_node(world, run):
    async def story():
        sender = await world.open(0, "one", "two")
        await sender.sync()
        for name in ("one", "two"):
            world.node(name).faults["info"] = [lost_connection()]
        with pytest.raises(NoNodeAvailable, match="2 asked") as error:
            await sender.send(world.address(1), 7)
        assert len(error.value.errors) == 2
        for name in ("one", "two"):
            world.node(name).faults["attest"] = [HandshakeFailed(name, "other responder id")]
        with pytest.raises(NoNodeAvailable):
            await sender.send(world.address(1), 7)
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
            await sender.send(world.address(1), 7)
        assert "two" not in world.nodes
        assert sender.balance()[0].pending == 0

    run(story())


def test_node_behind_by_a_block_is_passed_over(world, run):
    async def story():
        sender = await world.open(0, "one", "two")
        await sender.sync()
        behind = TxRefused(ProposeTxResult.LedgerTxOutIndexOutOfBounds, "", 1)
        world.node("one").faults["propose"] = [behind]
        payment = await sender.send(world.address(1), 7)
        assert (await sender.wait_final(payment, 5)).final_in_block == 2

    run(story())


def test_restarted_node_gets_a_new_session(world, run):
    async def story():
        sender = await world.open(0)
        await sender.sync()
        await sender.send(world.address(1), 7)
        denied = CallFailed("node", grpc.StatusCode.PERMISSION_DENIED, "attestation")
        world.node().faults["propose"] = [denied]
        await sender.sync()
        payment = await sender.send(world.address(1), 7)
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
            await sender.send(world.address(1), 7)
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
            await sender.send(world.address(1), 7)
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
            await sender.send(world.address(1), 7)

    run(story())


def test_expired_payment_frees_its_inputs(world, run):
    async def story():
        sender = await world.open(0)
        await sender.sync()
        built = await sender.prepare(world.address(1), 7)
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
