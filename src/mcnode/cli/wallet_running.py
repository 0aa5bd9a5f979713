"""Running what the wallet commands do: open the wallet, bring it up to date, close it."""

import asyncio
import dataclasses
import functools
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mcnode.cli.wallet_options import (
    NetworkOptions,
    json_option,
    network_options,
    no_sync_option,
    progress_shown,
    wallet_option,
    warn_if_simulated,
)
from mcnode.cli.wallet_output import print_payment
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


@dataclasses.dataclass(frozen=True, slots=True)
class Session:
    """How one command works with its wallet."""

    path: Path
    options: NetworkOptions
    is_synced: bool = True
    as_json: bool = False

    def run(self, work: "Callable[[Wallet], Coroutine[Any, Any, T]]") -> T:
        """Open the wallet, bring it up to date, do the work, close it."""

        async def run() -> T:
            async with open_wallet(self.path) as opened:
                opened.settings = self.options.over(opened.settings)
                if self.is_synced:
                    with progress_shown() as report:
                        await opened.sync(await _with_total(opened, report))
                return await work(opened)

        return asyncio.run(run())

    def carry_out(self, order: "Order", timeout_s: float | None) -> None:
        """Do what an order asks for, wait as `wait_options` say, and print the payment."""

        async def work(opened: "Wallet") -> "Payment":
            warn_if_simulated(opened.settings)
            return await wait_for(opened, await opened.carry_out(order), timeout_s)

        print_payment(self.run(work), self.as_json)


def session_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options that commands with an up-to-date wallet have; they come as one `session`."""
    network_names = [each.name for each in dataclasses.fields(NetworkOptions)]

    @functools.wraps(command)
    def with_session(*, path: Path, no_sync: bool, as_json: bool, **rest: Any) -> None:
        options = NetworkOptions(**{name: rest.pop(name) for name in network_names})
        command(session=Session(path, options, not no_sync, as_json), **rest)

    return wallet_option(network_options(no_sync_option(json_option(with_session))))


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


async def wait_for(opened: "Wallet", payment: "Payment", timeout_s: float | None) -> "Payment":
    """The payment once it is in a block, or as it is when there is no time to wait."""
    return payment if timeout_s is None else await opened.wait_final(payment, timeout_s)
