"""The world of the wallet's tests, and its end."""

import asyncio

import pytest

from support.wallet_world import World


@pytest.fixture
def world(tmp_path):
    """Close it in the test's own loop: `async with contextlib.aclosing(world)`."""
    return World(tmp_path)


@pytest.fixture
def run(world):
    """Run a coroutine and close the world's wallets."""

    def run_and_close(coroutine):
        async def whole():
            try:
                return await coroutine
            finally:
                await world.close()

        return asyncio.run(whole())

    return run_and_close
