"""`transaction-signer`, also `mcnode signer`: the spend key on a machine without a network.

[docs/protocol/transaction.md#15]
"""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mcnode.cli.main import run_command
from mcnode.cli.parameters import EXISTING_FILE

if TYPE_CHECKING:
    from mcnode.account.account_key import AccountKey

_JSON_FILE = click.Path(path_type=Path, dir_okay=False)
_output = click.option("--output", required=True, type=_JSON_FILE, help="File to write, .json.")
_input = click.option("--input", "source", required=True, type=EXISTING_FILE, help="File to read.")
_account = click.option(
    "--account",
    "account_index",
    default=0,
    show_default=True,
    type=click.IntRange(0, (1 << 31) - 1),
    help="Which account of the words.",
)


@click.group()
@click.option(
    "--secret-file",
    default="mc_secrets.json",
    show_default=True,
    type=_JSON_FILE,
    help="File that holds the 24 words.",
)
@click.pass_context
def signer(context: click.Context, secret_file: Path) -> None:
    """Sign transactions where the spend key is; nothing here needs a network.

    \b
    Here:              transaction-signer create --output mc_secrets.json
                       transaction-signer get-account --output account.json
    At the wallet:     mcnode wallet view import account.json
    For each payment:  view sync-request, sync-txos, view sync-answer;
                       view export, sign-tx, view submit
    """
    context.obj = secret_file


@signer.command()
@_output
def create(output: Path) -> None:
    """Make a new account: 24 words in a file for its owner only."""
    from mcnode.account.mnemonic import mnemonic_from_entropy
    from mcnode.wallet.offline import save_json

    save_json(output, {"mnemonic": mnemonic_from_entropy(os.urandom(32))}, is_secret=True)
    click.echo(f"Wrote {output}")


@signer.command("import")
@click.option("--name", help="Only for whoever reads the command; it is not stored.")
@click.argument("mnemonic")
@_output
def import_(name: str | None, mnemonic: str, output: Path) -> None:
    """Store the words of an existing account in a file for its owner only.

    MNEMONIC of - reads them from standard input, where others do not see them.
    """
    from mcnode.account.mnemonic import MNEMONIC_CHARS_MAX, account_key_from_mnemonic
    from mcnode.wallet.offline import save_json

    del name
    if mnemonic == "-":
        mnemonic = sys.stdin.read(MNEMONIC_CHARS_MAX + 1)
    account_key_from_mnemonic(mnemonic)
    save_json(output, {"mnemonic": " ".join(mnemonic.split())}, is_secret=True)
    click.echo(f"Wrote {output}")


@signer.command("get-account")
@_account
@_output
@click.pass_obj
def get_account(secret_file: Path, account_index: int, output: Path) -> None:
    """Write the keys that see, for a wallet with a network."""
    from mcnode.wallet.offline import account_id, account_info, save_json

    account = _load_account(secret_file, account_index)
    save_json(output, account_info(account, account_index))
    click.echo(f"Account {account_id(account).hex().upper()}\nWrote {output}")


@signer.command("sync-txos")
@_account
@_input
@_output
@click.pass_obj
def sync_txos(secret_file: Path, account_index: int, source: Path, output: Path) -> None:
    """Tell a wallet by which key images it sees that its outputs are spent."""
    from mcnode.wallet.offline import answer_sync_request, check_name, load_json, save_json

    check_name(output)
    account = _load_account(secret_file, account_index)
    answer = answer_sync_request(account, load_json(source))
    save_json(output, answer)
    click.echo(f"{len(answer['txos'])} outputs answered\nWrote {output}")


@signer.command("sign-tx")
@_account
@_input
@_output
@click.pass_obj
def sign_tx(secret_file: Path, account_index: int, source: Path, output: Path) -> None:
    """Show what a transaction changes, and sign it."""
    from mcnode.wallet.offline import (
        answer_sign_request,
        check_name,
        load_json,
        parse_sign_request,
        report_of,
        save_json,
    )

    check_name(output)
    account = _load_account(secret_file, account_index)
    request = load_json(source)
    unsigned = parse_sign_request(request, account)
    if "tx_out_unblinding_data" in request:
        click.echo(str(report_of(unsigned, account)), nl=False)
    save_json(output, answer_sign_request(account, unsigned))
    click.echo(f"Wrote {output}")


def _load_account(path: Path, account_index: int) -> "AccountKey":
    from mcnode.account.mnemonic import account_key_from_mnemonic
    from mcnode.wallet.offline import OfflineFileError, load_json

    value: dict[str, Any] = load_json(path)
    mnemonic = value.get("mnemonic")
    if not isinstance(mnemonic, str):
        raise OfflineFileError(f"{path} holds no mnemonic")
    return account_key_from_mnemonic(mnemonic, account_index)


def main() -> None:
    """Entry point."""
    run_command(signer, prog_name="transaction-signer")


if __name__ == "__main__":
    main()
