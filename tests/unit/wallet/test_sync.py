"""Archives that lag, differ or are gone, and copies of the ledger that are shared or lost."""

import asyncio
import shutil

import pytest

from mcnode.wallet.errors import (
    AnotherNetwork,
    ArchivesUnavailable,
    NodeBehindArchives,
    NoNodeAvailable,
    SettingsError,
)
from mcnode.wallet.settings import WalletSettings
from support.wallet_world import FIRST_TOTAL


def test_archives_lag_behind_the_network(world, run):
    async def story():
        sender = await world.open(0)
        await sender.sync()
        world.network.make_block(is_published=False)
        payment = await sender.send(world.address(1), 7)
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
                await sender.send(world.address(1), 7)
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
            await sender.send(world.address(1), 7)
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
            await sender.send(world.address(1), 7)

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
        payment = await again.send(world.address(1), 7)
        await again.wait_final(payment, 5)

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
