"""Swaps between two wallets, against nodes that validate for real."""

import dataclasses

import pytest

from mcnode.codec import protobuf
from mcnode.transaction.messages import Amount
from mcnode.transaction.sci.errors import ContingentInputError, PartialFillValueTooLarge
from mcnode.wallet.codes import CodeError, load_payload, parse_code, to_code
from mcnode.wallet.errors import InputsTaken, InsufficientFunds, InvalidAmount
from mcnode.wallet.history import SWAP, Direction
from mcnode.wallet.records import Balance, OfferState, PaymentKind, PaymentState
from mcnode.wallet.swaps import (
    CancelOfferOrder,
    FillOrder,
    NoSingleOutput,
    OfferExpired,
    OfferNotOpen,
    OfferOfAnotherLedger,
    OfferTaken,
    OfferTerms,
    examine_offer,
    make_offer,
    read_offer,
)
from support.wallet_world import FIRST_TOTAL, MOB_FEE, OUTPUT

TOKEN_FEE = 1024
GIVE, WANT = Amount(600_000_000_000, 0), Amount(90_000, 2)


async def offer(wallet, terms):
    sci, _ = await wallet.with_terms(lambda context: make_offer(context, terms))
    return sci


async def pair(world):
    anna, ben = await world.open(0), await world.open(1)
    await anna.sync()
    await ben.sync()
    return anna, ben


async def carried_out(wallet, order):
    return await wallet.wait_final(await wallet.carry_out(order), 5)


def test_whole_swap(world, run):
    async def story():
        anna, ben = await pair(world)
        sci = await offer(anna, OfferTerms(GIVE, WANT))
        assert anna.balance()[0] == Balance(FIRST_TOTAL - OUTPUT, OUTPUT)
        sheet = examine_offer(sci, ben.ledger)
        assert sheet.changes() == {0: -GIVE.value, 2: WANT.value}
        final = await carried_out(ben, FillOrder(sci))
        assert (final.kind, final.state) == (PaymentKind.SWAP_FILL, PaymentState.FINAL)
        assert (final.received, final.fee, final.fee_token) == (GIVE, TOKEN_FEE, 2)
        assert ben.balance()[0] == Balance(FIRST_TOTAL + GIVE.value, 0)
        assert ben.balance()[2] == Balance(FIRST_TOTAL - WANT.value - TOKEN_FEE, 0)
        await anna.sync()
        assert anna.balance()[0] == Balance(FIRST_TOTAL - GIVE.value, 0)
        assert anna.balance()[2] == Balance(FIRST_TOTAL + WANT.value, 0)
        [made] = anna.offers()
        assert (made.state, made.settled_in_block) == (OfferState.FILLED, 2)
        with pytest.raises(OfferTaken, match="block 2"):
            await ben.prepare_order(FillOrder(sci))
        check_histories(anna, ben)

    run(story())


def check_histories(anna, ben):
    last = ben.history()[-1]
    assert (last.direction, last.value, last.received_value) == (
        Direction.SENT,
        WANT.value,
        GIVE.value,
    )
    swapped = [(e.direction, e.value, e.token_id) for e in anna.history() if e.kind == SWAP]
    assert sorted(swapped, key=str) == [
        (Direction.RECEIVED, WANT.value, 2),
        (Direction.SENT, GIVE.value, 0),
    ]
    assert [e for e in anna.history() if e.block_index == 2 and e.kind != SWAP] == []


@pytest.mark.parametrize("part", [None, 1, 250_000_000_001, 600_000_000_000])
def test_partial_swap_rounds_for_who_offered(world, run, part):
    async def story():
        anna, ben = await pair(world)
        sci = await offer(anna, OfferTerms(GIVE, WANT, is_partial=True))
        taken = part or GIVE.value
        share = -(-WANT.value * taken // GIVE.value)
        assert examine_offer(sci, ben.ledger).changes(part) == {0: -taken, 2: share}
        final = await carried_out(ben, FillOrder(sci, part))
        assert (final.value, final.received) == (share, Amount(taken, 0))
        await anna.sync()
        assert anna.balance()[0] == Balance(FIRST_TOTAL - taken, 0)
        assert anna.balance()[2] == Balance(FIRST_TOTAL + share, 0)
        assert [e.value for e in anna.history() if e.kind == SWAP and e.token_id == 0] == [taken]

    run(story())


def test_fee_out_of_what_is_got(world, run):
    async def story():
        anna, ben = await pair(world)
        sci = await offer(anna, OfferTerms(GIVE, WANT))
        final = await carried_out(ben, FillOrder(sci, fee_token_id=0))
        assert (final.fee, final.fee_token, final.token_id) == (MOB_FEE, 0, 2)
        assert ben.balance()[0] == Balance(FIRST_TOTAL + GIVE.value - MOB_FEE, 0)
        assert ben.balance()[2] == Balance(FIRST_TOTAL - WANT.value, 0)

    run(story())


def test_limits_of_parts(world, run):
    async def story():
        anna, ben = await pair(world)
        sci = await offer(anna, OfferTerms(GIVE, WANT, is_partial=True, least=1000))
        with pytest.raises(InvalidAmount, match="at least 1000"):
            await ben.prepare_order(FillOrder(sci, 999))
        with pytest.raises(PartialFillValueTooLarge):
            await ben.prepare_order(FillOrder(sci, GIVE.value + 1))
        whole = await offer(anna, OfferTerms(GIVE, WANT))
        with pytest.raises(InvalidAmount, match="taken whole"):
            await ben.prepare_order(FillOrder(whole, 5))
        with pytest.raises(InvalidAmount, match="least part"):
            OfferTerms(GIVE, WANT, is_partial=True, least=GIVE.value + 1)
        with pytest.raises(InvalidAmount):
            OfferTerms(GIVE, Amount(0, 2))

    run(story())


def test_cancel(world, run):
    async def story():
        anna, ben = await pair(world)
        sci = await offer(anna, OfferTerms(GIVE, WANT))
        [made] = anna.offers()
        final = await carried_out(anna, CancelOfferOrder(made))
        assert final.kind is PaymentKind.SWAP_CANCEL
        [cancelled] = anna.offers()
        assert cancelled.state is OfferState.CANCELLED
        assert anna.balance()[0] == Balance(FIRST_TOTAL - MOB_FEE, 0)
        with pytest.raises(OfferNotOpen, match="cancelled"):
            await anna.prepare_order(CancelOfferOrder(cancelled))
        await ben.sync()
        with pytest.raises(OfferTaken):
            await ben.prepare_order(FillOrder(sci))
        assert [e.kind for e in anna.history() if e.block_index == 2] == ["swap-cancel"]

    run(story())


def test_cancel_with_a_fee_in_another_token(world, run):
    async def story():
        anna, _ = await pair(world)
        await offer(anna, OfferTerms(GIVE, WANT))
        await carried_out(anna, CancelOfferOrder(anna.offers()[0], fee_token_id=2))
        assert anna.balance()[0] == Balance(FIRST_TOTAL, 0)
        assert anna.balance()[2] == Balance(FIRST_TOTAL - TOKEN_FEE, 0)

    run(story())


def test_who_is_first_wins(world, run):
    """The offer is taken while its owner takes it back: the cancellation is void, nothing lost."""

    async def story():
        anna, ben = await pair(world)
        sci = await offer(anna, OfferTerms(GIVE, WANT))
        cancelling = await anna.prepare_order(CancelOfferOrder(anna.offers()[0]))
        await carried_out(ben, FillOrder(sci))
        await anna.sync()
        assert anna.payment(cancelling.payment.tx_hash).state is PaymentState.SUPERSEDED
        assert anna.offers()[0].state is OfferState.FILLED

    run(story())


def test_an_offer_that_ends_frees_its_output(world, run):
    async def story():
        anna, ben = await pair(world)
        sci = await offer(anna, OfferTerms(GIVE, WANT, num_blocks=2))
        world.network.make_block()
        await anna.sync()
        assert anna.offers()[0].state is OfferState.OPEN
        world.network.make_block()
        await anna.sync()
        await ben.sync()
        assert anna.offers()[0].state is OfferState.EXPIRED
        assert anna.balance()[0] == Balance(FIRST_TOTAL, 0)
        with pytest.raises(OfferExpired):
            await ben.prepare_order(FillOrder(sci))

    run(story())


def test_nothing_else_takes_an_offered_output(world, run):
    async def story():
        anna, _ = await pair(world)
        everything = FIRST_TOTAL - MOB_FEE
        await offer(anna, OfferTerms(GIVE, WANT))
        with pytest.raises(InsufficientFunds):
            await anna.prepare(anna.address(), everything)
        [made] = anna.offers()
        with pytest.raises(InputsTaken):
            anna._store.add_offer(made, [])
        with pytest.raises(NoSingleOutput, match="merge"):
            await offer(anna, OfferTerms(Amount(OUTPUT + 1, 0), WANT))

    run(story())


def test_offers_that_do_not_hold(world, run):
    async def story():
        anna, ben = await pair(world)
        sci = await offer(anna, OfferTerms(GIVE, WANT))
        cheaper = dataclasses.replace(sci.required_output_amounts[0], value=1)
        amounts = (cheaper, *sci.required_output_amounts[1:])
        with pytest.raises(ContingentInputError):
            examine_offer(dataclasses.replace(sci, required_output_amounts=amounts), ben.ledger)
        indices = (sci.tx_out_global_indices[1], *sci.tx_out_global_indices[1:])
        with pytest.raises(OfferOfAnotherLedger):
            examine_offer(dataclasses.replace(sci, tx_out_global_indices=indices), ben.ledger)
        far = (10**9, *sci.tx_out_global_indices[1:])
        with pytest.raises(OfferOfAnotherLedger):
            examine_offer(dataclasses.replace(sci, tx_out_global_indices=far), ben.ledger)
        code = to_code("swap", protobuf.encode(sci))
        assert read_offer(parse_code("swap", code)) == sci

    run(story())


def test_codes(tmp_path):
    code = to_code("swap", b"payload")
    assert parse_code("swap", f" {code}\n") == b"payload"
    for bad, reason in (
        ("receipt:AAAA", "begins with"),
        ("swap", "begins with"),
        ("swap:!", "base64"),
        (code[:-1] + ("A" if code[-1] != "A" else "B"), "checksum"),
        (code[:-2], "base64|checksum"),
        ("swap:", "checksum"),
        ("swap:" + "A" * (1 << 20), "limit"),
    ):
        with pytest.raises(CodeError, match=reason):
            parse_code("swap", bad)
    for content in (code.encode(), b"payload"):
        (tmp_path / "f").write_bytes(content)
        assert load_payload("swap", f"@{tmp_path}/f") == b"payload"
    (tmp_path / "f").write_bytes(b"")
    with pytest.raises(CodeError, match="empty"):
        load_payload("swap", f"@{tmp_path}/f")
