"""`mcnode wallet`: accounts, balances, payments."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mcnode.cli.wallet_addresses import address, contact, label, watch
from mcnode.cli.wallet_gift import gift
from mcnode.cli.wallet_history_output import print_history, print_history_csv
from mcnode.cli.wallet_options import (
    WALLET_FILE,
    NetworkOptions,
    json_option,
    network_options,
    parse_tx_hash,
    wait_options,
    wallet_option,
    warn_if_simulated,
)
from mcnode.cli.wallet_output import (
    print_balances,
    print_balances_by_subaddress,
    print_done,
    print_json,
    print_outputs,
    print_payment,
    print_settings,
)
from mcnode.cli.wallet_pay import burn, merge, send
from mcnode.cli.wallet_receipt import code, receipt, request
from mcnode.cli.wallet_running import (
    Session,
    ask_new_passphrase,
    closing,
    open_wallet,
    session_options,
    wait_for,
)
from mcnode.cli.wallet_swap import swap
from mcnode.cli.wallet_view import view
from mcnode.errors import InvalidError
from mcnode.files import read_text

if TYPE_CHECKING:
    from mcnode.wallet.history import HistoryEntry
    from mcnode.wallet.records import Balance, OwnedOutput, Payment
    from mcnode.wallet.wallet import Wallet

_SECRET_BYTES_MAX = 1 << 20
"""As a key file may have."""
_MNEMONIC_WARNING = (
    "These 24 words are the account: whoever has them has its money. They are shown this once and "
    "are not stored as words. Write them down now."
)


@click.group()
@click.option(
    "--wallet",
    "path",
    type=WALLET_FILE,
    help="The wallet file for the command; may as well stand after it.",
)
def wallet(path: Path | None) -> None:
    """Accounts, balances and private payments.

    A wallet is one file with one account. It reads blocks from archives, recognises its own
    outputs in them, and hands payments to a node only after it has checked the node's enclave.

    \b
    First steps with a funded account of `mcnode network up`:
      mcnode wallet import mc-local-network/keys/account_keys_0.json \\
          --node insecure-mc://localhost:3200/ --chain-id local \\
          --archive file://$PWD/mc-local-network/node-0/archive/
      mcnode wallet balance
      mcnode wallet send @mc-local-network/keys/account_keys_1.b58pub 1.5
      mcnode wallet history

    Node, archive and chain id are remembered in the file; options of a single command override
    them, `mcnode wallet settings` changes them. Exit status 2: bad input or refused payment; 3:
    something is not there now, try again.
    """
    del path  # `wallet_option` of the command looks at it.


@wallet.command()
@wallet_option
@click.option(
    "--encrypt",
    is_flag=True,
    help="Encrypt the file with a passphrase, from MC_WALLET_NEW_PASSPHRASE or the terminal.",
)
@network_options
@json_option
def new(*, path: Path, encrypt: bool, as_json: bool, **options: Any) -> None:
    """Make a wallet with a new account and show its 24 words, once.

    Example: mcnode wallet new --node insecure-mc://localhost:3200/ --archive file:///srv/archive
    """
    from mcnode.wallet.settings import WalletSettings
    from mcnode.wallet.wallet import Wallet

    settings = NetworkOptions(**options).over(WalletSettings())
    warn_if_simulated(settings)
    made, mnemonic = Wallet.create(
        path, settings, passphrase=ask_new_passphrase() if encrypt else None
    )
    address = closing(made, made.address)
    if as_json:
        print_json({"wallet": str(path), "address": address, "mnemonic": mnemonic})
        return
    click.secho(_MNEMONIC_WARNING, err=True, fg="yellow")
    click.echo(f"mnemonic  {mnemonic}")
    click.echo(f"wallet    {path}\naddress   {address}")


@wallet.command("import")
@wallet_option
@click.argument("source", type=click.Path(path_type=Path, allow_dash=True, exists=True))
@click.option(
    "--account",
    default=0,
    show_default=True,
    type=click.IntRange(0, (1 << 31) - 1),
    help="Which account of a mnemonic.",
)
@click.option(
    "--encrypt",
    is_flag=True,
    help="Encrypt the file with a passphrase, from MC_WALLET_NEW_PASSPHRASE or the terminal.",
)
@network_options
@json_option
def import_(
    *, path: Path, source: Path, account: int, encrypt: bool, as_json: bool, **options: Any
) -> None:
    """Make a wallet for an existing account.

    SOURCE is a key file (.json, as sample-keys writes it) or a file with a mnemonic; - reads either
    from standard input. Never write the words on the command line, where others can see them.

    Example: mcnode wallet import keys/account_keys_0.json --archive file:///srv/archive
    """
    from mcnode.wallet.settings import WalletSettings
    from mcnode.wallet.wallet import Wallet, parse_account

    settings = NetworkOptions(**options).over(WalletSettings())
    warn_if_simulated(settings)
    keys = parse_account(_read_secret(source), account)
    passphrase = ask_new_passphrase() if encrypt else None
    made = Wallet.import_(path, settings, keys, passphrase=passphrase)
    address = closing(made, made.address)
    if as_json:
        print_json({"wallet": str(path), "address": address})
    else:
        click.echo(f"wallet    {path}\naddress   {address}")


@wallet.command()
@wallet_option
@network_options
@json_option
def settings(*, path: Path, as_json: bool, **options: Any) -> None:
    """Show the remembered settings; with options, change them.

    Example: mcnode wallet settings --node mc://node1.example.com/,mc://node2.example.com/
    """

    opened = open_wallet(path)

    def change() -> None:
        changed = NetworkOptions(**options).over(opened.settings)
        if changed != opened.settings:
            warn_if_simulated(changed)
            opened.save_settings(changed)
        opened.settings = changed

    closing(opened, change)
    print_settings(opened.settings, as_json)


@wallet.command()
@wallet_option
@json_option
def encrypt(*, path: Path, as_json: bool) -> None:
    """Encrypt the whole wallet file with a passphrase, or change it.

    The new one comes from MC_WALLET_NEW_PASSPHRASE or the terminal, the present one, if any, from
    MC_WALLET_PASSPHRASE or the terminal. Without it the keys are lost: keep the 24 words.
    """
    opened = open_wallet(path)
    closing(opened, lambda: opened.set_passphrase(ask_new_passphrase()))
    print_done("encrypted", as_json)


@wallet.command()
@wallet_option
@json_option
def decrypt(*, path: Path, as_json: bool) -> None:
    """Store the wallet file without a passphrase again."""
    opened = open_wallet(path)
    closing(opened, lambda: opened.set_passphrase(None))
    print_done("not encrypted", as_json)


@wallet.command()
@wallet_option
@network_options
@json_option
def sync(*, path: Path, as_json: bool, **options: Any) -> None:
    """Read new blocks and note what they hold for this account."""

    async def work(opened: "Wallet") -> int:
        return opened.num_blocks

    num_blocks = Session(path, NetworkOptions(**options)).run(work)
    if as_json:
        print_json({"num_blocks": num_blocks})
    else:
        click.echo(f"{num_blocks} blocks read")


@wallet.command()
@click.option(
    "--by-subaddress", is_flag=True, help="What came in at each subaddress and is unspent."
)
@session_options
def balance(*, session: Session, by_subaddress: bool) -> None:
    """Show what the account holds of each token.

    Pending is what submitted payments have taken; change comes back once they are in a block.
    """

    async def work(opened: "Wallet") -> "tuple[int, dict[int, dict[int, Balance]], dict[int, str]]":
        held = opened.balance_by_subaddress() if by_subaddress else {0: opened.balance()}
        return opened.num_blocks, held, opened.labels()

    num_blocks, held, labels = session.run(work)
    if by_subaddress:
        print_balances_by_subaddress(num_blocks, held, labels, session.as_json)
    else:
        print_balances(num_blocks, held[0], session.as_json)


@wallet.command()
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, one line per entry.")
@session_options
def history(*, session: Session, as_csv: bool) -> None:
    """Show payments received and sent, oldest first.

    The sender of a received payment is shown when its memo proves it: for everyone this wallet has
    paid before or has a name for, see `contact`, and for the account itself. Otherwise the hash is
    what the memo claims.
    """

    async def work(opened: "Wallet") -> "tuple[list[HistoryEntry], dict[int, str]]":
        return opened.history(), opened.labels()

    entries, labels = session.run(work)
    if as_csv:
        print_history_csv(entries, labels)
    else:
        print_history(entries, labels, session.as_json)


@wallet.command()
@click.option("--token", type=click.IntRange(0, (1 << 64) - 1), help="Only this token id.")
@click.option("--all", "is_all", is_flag=True, help="Spent ones and reserved ones too.")
@session_options
def outputs(*, session: Session, token: int | None, is_all: bool) -> None:
    """Show the outputs that the account can spend, by the keys that `send --input` takes."""

    async def work(opened: "Wallet") -> "list[OwnedOutput]":
        held = opened.outputs()
        if not is_all:
            held = [output for each in opened.balance() for output in opened.spendable(each)]
        return [output for output in held if token in (None, output.token_id)]

    print_outputs(session.run(work), session.as_json)


@wallet.command()
@click.argument("transaction")
@wait_options
@session_options
def follow(*, session: Session, transaction: str, timeout_s: float | None) -> None:
    """Wait until a payment of this wallet, by its TRANSACTION hash, is in a block.

    What `send --no-wait` printed, or a command that was interrupted; --no-wait only looks.
    """
    tx_hash = parse_tx_hash(transaction)

    async def work(opened: "Wallet") -> "Payment":
        return await wait_for(opened, opened.payment(tx_hash), timeout_s)

    print_payment(session.run(work), session.as_json)


def _read_secret(source: Path) -> str:
    try:
        if str(source) == "-":
            return sys.stdin.read(_SECRET_BYTES_MAX)
        return read_text(source, _SECRET_BYTES_MAX)
    except UnicodeDecodeError:
        raise InvalidError("standard input is not UTF-8") from None
    except OSError as error:
        raise InvalidError(f"cannot read {source}: {error.strerror}") from None


wallet.add_command(address)
wallet.add_command(label)
wallet.add_command(contact)
wallet.add_command(watch)
wallet.add_command(send)
wallet.add_command(burn)
wallet.add_command(merge)
wallet.add_command(request)
wallet.add_command(code)
wallet.add_command(receipt)
wallet.add_command(swap)
wallet.add_command(gift)
wallet.add_command(view)
