"""`mcnode ledger`: questions to a ledger on this machine."""

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mcnode.cli.parameters import DIRECTORY

if TYPE_CHECKING:
    from mcnode.ledger.db import LedgerDB
    from mcnode.ledger.supply import Supply, TokenSupply
    from mcnode.ledger.verification import Verification

EXIT_DOES_NOT_HOLD = 1

_path = click.option(
    "--ledger-path",
    envvar="MC_LEDGER_PATH",
    required=True,
    type=DIRECTORY,
    help="Directory of the ledger.",
)
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def ledger() -> None:
    """What is in a ledger on this machine, and whether it holds together.

    The ledger is only read; a node may run on it meanwhile.

    \b
      mcnode ledger info   --ledger-path DIR    size, last block, mint configurations
      mcnode ledger supply --ledger-path DIR    minted, burned, circulating
      mcnode ledger verify --ledger-path DIR    every block, id, signature and root
    """


@ledger.command()
@_path
@_json
def info(ledger_path: Path, as_json: bool) -> None:
    """Show size, last block and mint configurations in force."""
    with _opened(ledger_path) as opened:
        facts = _facts(opened)
    if as_json:
        click.echo(json.dumps(facts, indent=2))
        return
    for name in ("path", "num_blocks", "num_outputs", "data_file_bytes"):
        click.echo(f"{name.replace('_', ' '):<16} {facts[name]}")
    last = facts["last_block"]
    if last is not None:
        click.echo(f"{'last block':<16} {last['id']}")
        click.echo(f"{'block version':<16} {last['version']}")
    for config in facts["mint_configs"]:
        click.echo(
            f"{'token ' + str(config['token_id']):<16} {config['minted']} of "
            f"{config['total_mint_limit']} minted, {config['config_count']} configurations"
        )


def _facts(opened: "LedgerDB") -> dict[str, Any]:
    num_blocks = opened.num_blocks()
    last = opened.get_block(num_blocks - 1) if num_blocks else None
    return {
        "path": str(opened.path),
        "num_blocks": num_blocks,
        "num_outputs": opened.num_txos(),
        "data_file_bytes": opened.data_file_bytes(),
        "last_block": last and {"index": last.index, "id": last.id.hex(), "version": last.version},
        "mint_configs": [
            {
                "token_id": token_id,
                "total_mint_limit": str(active.mint_config_tx.prefix.total_mint_limit),
                "minted": str(sum(config.total_minted for config in active.configs)),
                "config_count": len(active.configs),
            }
            for token_id, active in opened.get_active_mint_configs_map().items()
        ],
    }


@ledger.command()
@_path
@click.option("--burns", "with_burns", is_flag=True, help="List each burn and its memo's data too.")
@_json
def supply(ledger_path: Path, with_burns: bool, as_json: bool) -> None:
    """Show how much of each token was minted, was burned and circulates.

    Amounts are smallest units. How much MOB there is cannot be told from a ledger, as the origin
    block's amounts are hidden; what of it was burned can.
    """
    from mcnode.ledger.supply import measure_supply

    with _opened(ledger_path) as opened, _progress("reading blocks") as report:
        found = measure_supply(opened, report)
    if as_json:
        extra = {"burns": _burns_json(found)} if with_burns else {}
        click.echo(json.dumps({**_supply_json(found), **extra}, indent=2))
        return
    _show_supply(found)
    for burn in found.burns if with_burns else ():
        data = "" if burn.redemption_data is None else f"  data {burn.redemption_data.hex()}"
        amount = f"{burn.amount.value} of token {burn.amount.token_id}"
        click.echo(f"block {burn.block_index}  burned {amount}{data}")


def _supply_json(found: "Supply") -> dict[str, Any]:
    """Amounts as texts, because they may exceed 53 bits."""
    return {
        "num_blocks": found.num_blocks,
        "num_outputs": found.num_outputs,
        "tokens": [
            {
                "token_id": token.token_id,
                "minted": str(token.minted),
                "burned": str(token.burned),
                "circulating": None if token.circulating is None else str(token.circulating),
                "mint_count": token.mint_count,
                "burn_count": token.burn_count,
                "mint_limit": None if token.mint_limit is None else str(token.mint_limit),
                "minted_under_limit": str(token.minted_under_limit),
            }
            for token in found.tokens
        ],
    }


def _burns_json(found: "Supply") -> list[dict[str, Any]]:
    return [
        {
            "block_index": burn.block_index,
            "public_key": burn.public_key.hex(),
            "token_id": burn.amount.token_id,
            "value": str(burn.amount.value),
            "redemption_data": burn.redemption_data and burn.redemption_data.hex(),
        }
        for burn in found.burns
    ]


_COLUMNS = ("token", "minted", "burned", "circulating", "limit", "of it used")


def _show_supply(found: "Supply") -> None:
    rows = [_COLUMNS, *(_supply_row(token) for token in found.tokens)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(_COLUMNS))]
    for row in rows:
        click.echo("  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)))
    if not found.tokens:
        click.echo("nothing was minted, configured or burned")
    click.echo(f"as of {found.num_blocks} blocks, {found.num_outputs} outputs", err=True)


def _supply_row(token: "TokenSupply") -> tuple[str, ...]:
    is_hidden = token.circulating is None
    return (
        str(token.token_id),
        "hidden" if is_hidden else str(token.minted),
        str(token.burned),
        "hidden" if is_hidden else str(token.circulating),
        "none" if token.mint_limit is None else str(token.mint_limit),
        str(token.minted_under_limit),
    )


@ledger.command()
@_path
@_json
def verify(ledger_path: Path, as_json: bool) -> None:
    """Check every block: ids, contents, signatures, roots of outputs, minting.

    The status is 1 when something does not hold; what it is, is printed. Which signers are to be
    trusted is not judged.
    """
    from mcnode.ledger.verification import verify_ledger

    with _opened(ledger_path) as opened, _progress("checking blocks") as report:
        found = verify_ledger(opened, report)
    if as_json:
        click.echo(json.dumps(_verification_json(found), indent=2))
    else:
        _show_verification(found)
    if not found.holds:
        sys.exit(EXIT_DOES_NOT_HOLD)


_COUNTS = {
    "num_blocks": "blocks",
    "num_outputs": "outputs",
    "num_key_images": "key images",
    "signature_count": "block signatures",
    "metadata_count": "metadata signatures",
    "root_count": "roots of outputs",
    "mint_count": "mint transactions",
    "mint_config_count": "mint configurations",
}


def _verification_json(found: "Verification") -> dict[str, Any]:
    problems = [
        {"block_index": each.block_index, "problem": each.problem} for each in found.findings
    ]
    counts = {name: getattr(found, name) for name in _COUNTS}
    return {"holds": found.holds, **counts, "findings": problems}


def _show_verification(found: "Verification") -> None:
    for name, title in _COUNTS.items():
        click.echo(f"{getattr(found, name):>10} {title}")
    for finding in found.findings:
        click.echo(f"WRONG {finding}")
    verdict = "the ledger holds" if found.holds else f"{len(found.findings)} things do not hold"
    click.echo(verdict)


@contextlib.contextmanager
def _opened(path: Path) -> "Iterator[LedgerDB]":
    from mcnode.ledger.db import LedgerDB

    with LedgerDB.open(path, read_only=True) as opened:
        yield opened


@contextlib.contextmanager
def _progress(title: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error, when that is a terminal."""
    from mcnode.cli.wallet_options import progress_shown
    from mcnode.wallet.ledger_copy import Progress

    with progress_shown() as report:
        yield lambda done, total: report(Progress(title, done, total))
