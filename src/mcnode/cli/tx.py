"""`mcnode tx`: what a transaction holds, and whether it would be taken."""

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from mcnode.cli.parameters import DIRECTORY, EXISTING_FILE

if TYPE_CHECKING:
    from mcnode.ledger.db import LedgerDB
    from mcnode.transaction.block_version import BlockVersion
    from mcnode.transaction.explanation import Explanation
    from mcnode.transaction.messages import Tx, TxOutMembershipProof

_EXIT_REFUSED = 1
_NAME_COLUMNS = 44
"""Width of the longest name of a check."""

_file_argument = click.argument("file", type=click.File("rb"))
_format_option = click.option(
    "--format",
    "encoding",
    type=click.Choice(["auto", "raw", "hex", "base64"]),
    default="auto",
    show_default=True,
    help="How the file holds the transaction.",
)
_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def tx() -> None:
    """Look into transactions.

    FILE is a transaction as protobuf: raw bytes, hex or base64; `-` reads standard input.
    """


@tx.command()
@_file_argument
@_format_option
@_json_option
@click.option("--full", is_flag=True, help="Show the elements of membership proofs as well.")
def decode(file: IO[bytes], encoding: str, as_json: bool, full: bool) -> None:
    """Show a transaction as a tree, with its hashes and sizes.

    Example: mcnode tx decode payment.bin
    """
    from mcnode.cli.tx_tree import message_tree, tree_lines

    transaction, size = _read(file, encoding)
    heading = _identity(transaction, size)
    if as_json:
        click.echo(json.dumps({**heading, "tx": message_tree(transaction, is_full=full)}, indent=2))
        return
    for name, value in heading.items():
        click.echo(f"{name:<13} {value}")
    for line in tree_lines("tx", message_tree(transaction, is_full=full)):
        click.echo(line)


@tx.command()
@_file_argument
@_format_option
@_json_option
@click.option(
    "--block-version",
    type=click.IntRange(0, 4),
    help="Version of the block that shall hold it. Default: that of the ledger's newest block, or "
    "the highest one.",
)
@click.option(
    "--block-index",
    type=click.IntRange(0, 2**64 - 1),
    help="Index of the block that shall hold it. Default: the ledger's next block.",
)
@click.option(
    "--minimum-fee",
    type=click.IntRange(0, 2**64 - 1),
    help="Least fee in the smallest unit of the fee token. Default for token 0: 400000000.",
)
@click.option("--ledger", "ledger_path", type=DIRECTORY, help="Directory of a ledger.")
@click.option(
    "--proofs",
    "proofs_path",
    type=EXISTING_FILE,
    help="Root proofs instead of a ledger: a JSON object from index to proof as hex, or a list of "
    "proofs in the order of the ring members.",
)
def explain(
    file: IO[bytes],
    encoding: str,
    *,
    as_json: bool,
    block_version: int | None,
    block_index: int | None,
    minimum_fee: int | None,
    ledger_path: Path | None,
    proofs_path: Path | None,
) -> None:
    """Make every check that the network makes, in its order, and show what each looked at.

    The first failed check is the network's answer; those that would have failed next are shown as
    well, and the block versions at which none fails. What needs a ledger is not run without one.
    Exit status 0: it would be taken, as far as the checks were run; 1: it would be refused.

    Example: mcnode tx explain payment.bin --ledger ledger
    """
    from mcnode.transaction.block_version import MAX_BLOCK_VERSION, BlockVersion
    from mcnode.transaction.constants import MINIMUM_FEE_MOB, MOB
    from mcnode.transaction.explanation import explain as explain_subject
    from mcnode.transaction.validation import ValidationSubject

    if ledger_path is not None and proofs_path is not None:
        raise click.UsageError("give --ledger or --proofs, not both")
    transaction, size = _read(file, encoding)
    if minimum_fee is None and transaction.prefix.fee_token_id == MOB:
        minimum_fee = MINIMUM_FEE_MOB
    with _opened(ledger_path) as ledger:
        beside: list[dict[str, str]] = []
        root_proofs: list[TxOutMembershipProof] | None = None
        if ledger is not None:
            if block_version is None:
                block_version = ledger.get_latest_block().version
            if block_index is None:
                block_index = ledger.num_blocks()
            root_proofs, beside = _ask_ledger(ledger, transaction)
        elif proofs_path is not None:
            root_proofs = _read_proofs(proofs_path, transaction)
    version = BlockVersion(MAX_BLOCK_VERSION if block_version is None else block_version)

    def explained(at: BlockVersion) -> "Explanation":
        return explain_subject(
            ValidationSubject(transaction, at, block_index, root_proofs, minimum_fee)
        )

    explanation = explained(version)
    elsewhere = _other_versions(version, explained) if explanation.failed else {}
    heading = {**_identity(transaction, size), "block version": str(version)}
    if as_json:
        _print_json(heading, explanation, beside, elsewhere)
    else:
        _print_text(heading, explanation, beside, elsewhere)
    if explanation.failed or any(each["outcome"] == "failed" for each in beside):
        click.get_current_context().exit(_EXIT_REFUSED)


def _other_versions(
    asked: "BlockVersion", explained: "Callable[[BlockVersion], Explanation]"
) -> dict[int, str]:
    """The block versions at which no check fails, with what that is worth.

    Many a refused transaction is right, but of another block version.
    """
    from mcnode.transaction.block_version import MAX_BLOCK_VERSION, BlockVersion

    answers = {}
    for version in map(BlockVersion, range(MAX_BLOCK_VERSION + 1)):
        if version != asked:
            found = explained(version)
            if not found.failed:
                answers[int(version)] = found.answer or "no check failed"
    return answers


def _read(file: IO[bytes], encoding: str) -> tuple["Tx", int]:
    from mcnode.cli.tx_tree import TX_FILE_BYTES_MAX, bytes_of_file
    from mcnode.codec import protobuf
    from mcnode.transaction.messages import Tx

    data = bytes_of_file(file.read(TX_FILE_BYTES_MAX + 1), encoding)
    return protobuf.decode(Tx, data), len(data)


def _identity(transaction: "Tx", size: int) -> dict[str, Any]:
    from mcnode.transaction.hashing import tx_hash, tx_prefix_hash

    return {
        "hash": tx_hash(transaction).hex(),
        "prefix hash": tx_prefix_hash(transaction.prefix).hex(),
        "bytes": size,
    }


@contextlib.contextmanager
def _opened(path: Path | None) -> Iterator["LedgerDB | None"]:
    if path is None:
        yield None
        return
    from mcnode.ledger.db import LedgerDB

    with LedgerDB.open(path, read_only=True) as ledger:
        yield ledger


def _ask_ledger(
    ledger: "LedgerDB", transaction: "Tx"
) -> tuple["list[TxOutMembershipProof] | None", list[dict[str, str]]]:
    """The root proofs, and the checks that a node makes besides with its ledger."""
    from mcnode.transaction.errors import TransactionError, network_name
    from mcnode.transaction.validation import membership_proof_highest_indices
    from mcnode.transaction.validation.errors import (
        ContainsExistingOutputPublicKey,
        ContainsSpentKeyImage,
        LedgerTxOutIndexOutOfBounds,
    )

    def judged(name: str, values: str, error: TransactionError | None) -> dict[str, str]:
        if error is None:
            return {"name": name, "outcome": "passed", "values": values}
        told = {"error": network_name(error), "reason": str(error)}
        return {"name": name, "outcome": "failed", "values": values, **told}

    indices = membership_proof_highest_indices(transaction)
    count = ledger.num_txos()
    outside = [index for index in indices if index >= count]
    images = [each.key_image for each in transaction.signature.ring_signatures]
    spent = [image for image in images if ledger.contains_key_image(image)]
    keys = [tx_out.public_key for tx_out in transaction.prefix.outputs]
    known = [key for key in keys if ledger.contains_tx_out_public_key(key)]
    beside = [
        judged(
            "heights that the proofs claim",
            f"up to {max(indices, default=0)}, ledger has {count} outputs",
            LedgerTxOutIndexOutOfBounds(outside[0]) if outside else None,
        ),
        judged(
            "key images are not spent",
            f"{len(images)} key images",
            ContainsSpentKeyImage(spent[0]) if spent else None,
        ),
        judged(
            "output public keys are new",
            f"{len(keys)} public keys",
            ContainsExistingOutputPublicKey(known[0]) if known else None,
        ),
    ]
    return None if outside else ledger.get_tx_out_proof_of_memberships(indices), beside


def _read_proofs(path: Path, transaction: "Tx") -> "list[TxOutMembershipProof]":
    from mcnode.cli.tx_tree import TX_FILE_BYTES_MAX, parse_root_proofs
    from mcnode.transaction.validation import membership_proof_highest_indices

    with path.open("rb") as file:
        data = file.read(TX_FILE_BYTES_MAX + 1)
    return parse_root_proofs(data, membership_proof_highest_indices(transaction))


def _verdict(explanation: "Explanation", elsewhere: dict[int, str]) -> list[str]:
    lines = []
    failed = explanation.failed
    if failed:
        lines.append(f"refused: {failed[0].error} (check: {failed[0].name})")
        lines += [f"next would be: {each.error} (check: {each.name})" for each in failed[1:]]
        lines += [f"at block version {number}: {answer}" for number, answer in elsewhere.items()]
    else:
        lines.append("no check failed")
    if explanation.answer is None:
        lines.append(f"not run: {', '.join(each.name for each in explanation.not_run)}")
    return lines


def _print_text(
    heading: dict[str, Any],
    explanation: "Explanation",
    beside: list[dict[str, str]],
    elsewhere: dict[int, str],
) -> None:
    for name, value in heading.items():
        click.echo(f"{name:<13} {value}")
    for result in explanation.results:
        _print_check(result.outcome.value, result.name, result.values, result.error, result.reason)
    if beside:
        click.echo("checked by a node besides:")
    for each in beside:
        _print_check(
            each["outcome"],
            each["name"],
            each["values"],
            each.get("error", ""),
            each.get("reason", ""),
        )
    for line in _verdict(explanation, elsewhere):
        click.echo(line)


def _print_check(outcome: str, name: str, values: str, error: str, reason: str) -> None:
    click.echo(f"  {outcome:<8} {name:<{_NAME_COLUMNS}} {values or reason}".rstrip())
    if error:
        click.echo(f"           {error}: {reason}")


def _print_json(
    heading: dict[str, Any],
    explanation: "Explanation",
    beside: list[dict[str, str]],
    elsewhere: dict[int, str],
) -> None:
    checks = [
        {
            "name": result.name,
            "outcome": result.outcome.value,
            "values": result.values,
            "error": result.error or None,
            "reason": result.reason or None,
        }
        for result in explanation.results
    ]
    answer = {
        "answer": explanation.answer,
        "failed": [each.error for each in explanation.failed],
        "at other block versions": elsewhere,
    }
    click.echo(json.dumps({**heading, **answer, "checks": checks, "besides": beside}, indent=2))
