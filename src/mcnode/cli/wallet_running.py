"""Running what the wallet commands do: open the wallet, bring it up to date, close it."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from mcnode.cli.wallet_options import NetworkOptions, progress_shown, warn_if_simulated

if TYPE_CHECKING:
    from mcnode.wallet.draft import Order
    from mcnode.wallet.records import Payment
    from mcnode.wallet.wallet import Wallet

T = TypeVar("T")


def run_wallet(
    path: Path,
    options: NetworkOptions,
    work: "Callable[[Wallet], Coroutine[Any, Any, T]]",
    *,
    is_synced: bool = True,
) -> T:
    """Open the wallet, bring it up to date, do the work, close it."""
    from mcnode.wallet.wallet import Wallet

    async def run() -> T:
        async with Wallet.open(path) as opened:
            opened.settings = options.over(opened.settings)
            if is_synced:
                with progress_shown() as report:
                    await opened.sync(report)
            return await work(opened)

    return asyncio.run(run())


def closing(opened: "Wallet", work: Callable[[], T]) -> T:
    """Do something that needs no network with an open wallet, and close it."""
    try:
        return work()
    finally:
        asyncio.run(opened.close())


async def follow(opened: "Wallet", order: "Order", timeout_s: float | None) -> "Payment":
    """Do what an order asks for, and wait until it is in a block unless there is no time limit."""
    warn_if_simulated(opened.settings)
    payment = await opened.carry_out(order)
    return payment if timeout_s is None else await opened.wait_final(payment, timeout_s)
