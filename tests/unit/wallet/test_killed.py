"""A wallet that is killed while it reads blocks, again and again, ends up as one that never was."""

import asyncio
import os
import random
import signal
import subprocess
import sys

from mcnode.blockchain.contents import BlockContents
from mcnode.ledger.sample import draw_key_image, make_sample_output
from mcnode.transaction.messages import Amount
from mcnode.wallet.wallet import Wallet
from support.seeds import SEED

BLOCKS = 12

SYNC = """
import asyncio, os, signal, sys
from mcnode.wallet import ledger_copy, scanner
from mcnode.wallet.wallet import Wallet

ledger_copy.BATCH_BLOCKS = scanner.BATCH_BLOCKS = 2
left = int(sys.argv[2])

def report(progress):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)

async def go():
    async with Wallet.open(sys.argv[1], passphrase="p") as wallet:
        await wallet.sync(report)

asyncio.run(go())
"""


def test_killed_again_and_again(world, run):
    chance = random.Random(SEED)
    network = world.network
    for number in range(BLOCKS):
        index = 57 if number % 3 == 0 else 0
        to = network.accounts[0].subaddress(index)
        output = make_sample_output(network.rng, network.version, Amount(number + 1, 0), to)
        contents = BlockContents((draw_key_image(network.rng),), (output,), (), ())
        network.append(contents)

    async def prepare():
        wallet = await world.open()
        wallet.set_passphrase("p")
        await wallet.close()

    asyncio.run(prepare())
    path = world.root / "wallet0.db"

    def sync(reports):
        words = [sys.executable, "-c", SYNC, os.fspath(path), str(reports)]
        return subprocess.run(words, check=False, timeout=60).returncode

    kills = 0
    while sync(chance.randint(3, 6)) == -signal.SIGKILL:
        kills += 1
        if kills == 2:
            asyncio.run(watch(path))
    assert kills >= 3, kills

    async def compare():
        fresh = await world.open(file="fresh.db")
        fresh.watch(57)
        await fresh.sync()
        async with Wallet.open(path, passphrase="p") as killed:
            assert killed.outputs() == fresh.outputs()
            assert killed.balance_by_subaddress() == fresh.balance_by_subaddress()
            assert killed.num_blocks == fresh.num_blocks == BLOCKS + 2
        assert fresh.balance_by_subaddress()[57][0].total == 1 + 4 + 7 + 10

    run(compare())


async def watch(path):
    """More subaddresses in the middle of it all."""
    async with Wallet.open(path, passphrase="p") as wallet:
        wallet.watch(57)
