"""Subaddresses beyond 0 to 9: found in old blocks and new ones, whoever searches meanwhile."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcnode.account.printable import to_printable
from mcnode.account.subaddress import CHANGE_SUBADDRESS_INDEX, GIFT_CODE_SUBADDRESS_INDEX
from mcnode.blockchain.contents import BlockContents
from mcnode.ledger.sample import draw_key_image, make_sample_output
from mcnode.transaction.messages import Amount
from mcnode.wallet.errors import SettingsError, SubaddressNotWatched
from mcnode.wallet.payments import PaymentOrder
from mcnode.wallet.records import Balance
from mcnode.wallet.scanner import BlockScan
from mcnode.wallet.selection import TheseInputs
from mcnode.wallet.store import WalletStore
from mcnode.wallet.watching import SUBADDRESSES_MAX, WatchedRange, runs_to_add

MOB = 10**12
FAR = (1 << 63) + 5
"""An index that SQLite's numbers do not hold."""


def pay(world, index, value):
    """A block with an output to a subaddress of the first account."""
    network = world.network
    to = network.accounts[0].subaddress(index)
    output = make_sample_output(network.rng, network.version, Amount(value, 0), to)
    network.append(BlockContents((draw_key_image(network.rng),), (output,), (), ()))


def test_found_in_old_blocks_and_in_new_ones(world, run):
    async def go():
        pay(world, 57, 1000)
        pay(world, FAR, 2000)
        wallet = await world.open()
        await wallet.sync()
        before = wallet.balance()[0].total
        with pytest.raises(SubaddressNotWatched, match="mcnode wallet watch 57"):
            wallet.address(57)
        with pytest.raises(SubaddressNotWatched):
            wallet.set_label(57, "shop")
        wallet.watch(50, 10)
        wallet.watch(FAR)
        assert wallet.address(57) == to_printable(world.network.accounts[0].subaddress(57))
        wallet.set_label(FAR, "far away")
        assert wallet.labels() == {FAR: "far away"}
        assert wallet.balance()[0].total == before, "nothing is found before a sync"
        steps = []
        await wallet.sync(lambda progress: steps.append(progress.step))
        assert steps.count("scan for new subaddresses") == 1
        assert wallet.balance()[0].total == before + 3000
        pay(world, 59, 5000)
        pay(world, 60, 7000)
        steps.clear()
        await wallet.sync(lambda progress: steps.append(progress.step))
        assert "scan for new subaddresses" not in steps, "they have caught up"
        assert wallet.balance()[0].total == before + 8000
        held = wallet.balance_by_subaddress()
        assert (held[57][0], held[59][0]) == (Balance(1000, 0), Balance(5000, 0))
        assert held[FAR][0] == Balance(2000, 0) and 60 not in held
        at = [entry.subaddress_index for entry in wallet.history()][-3:]
        assert sorted(at) == sorted([57, FAR, 59])

    run(go())


def test_what_was_spent_long_ago_is_spent(world, run):
    """Another wallet file of the account watched and spent it."""

    async def go():
        pay(world, 1234, 3 * MOB)
        first = await world.open()
        first.watch(1234)
        await first.sync()
        [coin] = [each for each in first._store.outputs() if each.subaddress_index == 1234]
        to = world.network.accounts[1].default_subaddress()
        choice = TheseInputs((coin.public_key,))
        await first.carry_out(PaymentOrder(to, MOB, choice=choice))
        await first.sync()
        second = await world.open(file="again.db")
        await second.sync()
        without = second.balance()
        second.watch(1234)
        await second.sync()
        assert second.balance() == without == first.balance()
        [found] = [each for each in second._store.outputs() if each.subaddress_index == 1234]
        assert found.spent_in_block is not None

    run(go())


def test_a_range_added_while_another_process_scans_is_not_missed(world, run):
    async def go():
        wallet = await world.open()
        await wallet.sync()
        other = WalletStore.open(world.root / "wallet0.db")
        pay(world, 77, 1000)
        fetched = await world.open(1)  # only to have the blocks in a ledger
        await fetched.sync()
        known = [each.number for each in wallet.watched()]
        other.watch(77, 1)
        scan = BlockScan(wallet.account)
        batch = [
            scan._scanner([]).scan_block(fetched.ledger, index)
            for index in range(other.next_block(), fetched.num_blocks)
        ]
        wallet._store.record_blocks(batch, known)
        assert other.watched()[0].next_block == 0, "nobody has searched for it"
        await wallet.sync()
        assert wallet.balance_by_subaddress()[77][0] == Balance(1000, 0)
        other.close()

    run(go())


def test_an_interrupted_search_goes_on_where_it_was(world, run, monkeypatch):
    async def go():
        for number in range(4):
            pay(world, 42, 100 + number)
        wallet = await world.open()
        await wallet.sync()
        wallet.watch(42)
        monkeypatch.setattr("mcnode.wallet.scanner.BATCH_BLOCKS", 3)
        stop = threading.Event()
        scan = BlockScan(wallet.account)
        scan.run(wallet._store, wallet.ledger, lambda _: stop.set(), stop)
        assert wallet.watched()[0].next_block == 3
        seen = []
        scan.run(
            wallet._store, wallet.ledger, lambda each: seen.append(each.done), threading.Event()
        )
        assert seen[0] == 6
        assert wallet.balance_by_subaddress()[42][0].total == 406

    run(go())


def test_limits():
    for first, count in [
        (-1, 1),
        (5, 0),
        (GIFT_CODE_SUBADDRESS_INDEX, 1),
        (GIFT_CODE_SUBADDRESS_INDEX - 1, 2),
        (CHANGE_SUBADDRESS_INDEX, 1),
    ]:
        with pytest.raises(SettingsError, match="cannot be watched"):
            runs_to_add([], first, count)
    with pytest.raises(SettingsError, match=f"limit {SUBADDRESSES_MAX}"):
        runs_to_add([], 0, SUBADDRESSES_MAX + 1)
    assert runs_to_add([], GIFT_CODE_SUBADDRESS_INDEX - 1, 1) == [
        (GIFT_CODE_SUBADDRESS_INDEX - 1, 1)
    ]


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 30)), max_size=8))
def test_each_subaddress_is_in_one_range_at_most(asked):
    ranges = []
    wanted = set(range(10))
    for first, count in asked:
        wanted.update(range(first, first + count))
        for start, length in runs_to_add(ranges, first, count):
            ranges.append(WatchedRange(len(ranges), start, length, 0))
    added = [index for each in ranges for index in each.indices]
    assert len(added) == len(set(added))
    assert set(added) | set(range(10)) == wanted
