"""Running what the wallet commands do: open the wallet, bring it up to date, close it."""

import asyncio
import dataclasses
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mcnode.cli.wallet_options import NetworkOptions, progress_shown, warn_if_simulated
from mcnode.errors import InvalidError, McNodeError

if TYPE_CHECKING:
    from mcnode.wallet.draft import Order
    from mcnode.wallet.ledger_copy import Progress, ReportProgress
    from mcnode.wallet.records import Payment
    from mcnode.wallet.wallet import Wallet

T = TypeVar("T")

PASSPHRASE_VARIABLE, NEW_PASSPHRASE_VARIABLE = "MC_WALLET_PASSPHRASE", "MC_WALLET_NEW_PASSPHRASE"


def open_wallet(path: Path) -> "Wallet":
    """The wallet of a file; an encrypted one is opened as `ask_passphrase` says."""
    from mcnode.wallet.wallet import Wallet

    return Wallet.open(path, passphrase=ask_passphrase)


def ask_passphrase() -> str:
    """From `MC_WALLET_PASSPHRASE`, or from the terminal; empty if there is neither."""
    given = os.environ.get(PASSPHRASE_VARIABLE, "")
    if given or not sys.stdin.isatty():
        return given
    return str(click.prompt("passphrase", hide_input=True, err=True))


def ask_new_passphrase() -> str:
    """From `MC_WALLET_NEW_PASSPHRASE`, or twice from the terminal. Raises `InvalidError`."""
    given = os.environ.get(NEW_PASSPHRASE_VARIABLE, "")
    if given:
        return given
    if not sys.stdin.isatty():
        raise InvalidError(
            f"a new passphrase is needed: set {NEW_PASSPHRASE_VARIABLE}, or run on a terminal"
        )
    return str(click.prompt("new passphrase", hide_input=True, confirmation_prompt=True, err=True))


def run_wallet(
    path: Path,
    options: NetworkOptions,
    work: "Callable[[Wallet], Coroutine[Any, Any, T]]",
    *,
    is_synced: bool = True,
) -> T:
    """Open the wallet, bring it up to date, do the work, close it."""

    async def run() -> T:
        async with open_wallet(path) as opened:
            opened.settings = options.over(opened.settings)
            if is_synced:
                with progress_shown() as report:
                    await opened.sync(await _with_total(opened, report))
            return await work(opened)

    return asyncio.run(run())


async def _with_total(opened: "Wallet", report: "ReportProgress") -> "ReportProgress":
    """Archives do not say how many blocks there are; a node does, if somebody is watching."""
    if not sys.stderr.isatty() or not opened.settings.nodes:
        return report
    try:
        height = await opened.fetch_height()
    except McNodeError:
        return report

    def report_of_total(progress: "Progress") -> None:
        if progress.total is None and progress.done <= height:
            progress = dataclasses.replace(progress, total=height)
        report(progress)

    return report_of_total


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
