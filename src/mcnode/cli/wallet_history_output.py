"""What `mcnode wallet history` prints."""

import csv
import sys
from typing import TYPE_CHECKING, Any

import click

from mcnode.cli.wallet_output import print_json
from mcnode.wallet.amounts import format_amount

if TYPE_CHECKING:
    from mcnode.wallet.history import HistoryEntry

_FORMULA_MARKS = ("=", "+", "-", "@")
"""What spreadsheets take for a formula: notes are written by strangers."""


def print_history(entries: "list[HistoryEntry]", labels: dict[int, str], as_json: bool) -> None:
    """What happened on an account."""
    if as_json:
        print_json([_entry_json(entry, labels) for entry in entries])
        return
    for entry in entries:
        place = entry.state.value if entry.block_index is None else f"block {entry.block_index}"
        who = entry.counterparty or (entry.counterparty_hash and f"hash {entry.counterparty_hash}")
        parts = [f"{place:<12} {entry.direction.value:<8}"]
        parts.append(f"{format_amount(entry.value, entry.token_id):>24}")
        if entry.received_value is not None and entry.received_token_id is not None:
            parts.append(f"for {format_amount(entry.received_value, entry.received_token_id)}")
        if entry.fee is not None:
            parts.append(f"fee {format_amount(entry.fee, _fee_token(entry) or 0)}")
        if who:
            parts.append(("to " if entry.direction.value == "sent" else "from ") + who)
        if entry.kind != "send":
            parts.append(entry.kind)
        if entry.payment_id is not None:
            parts.append(f"payment {entry.payment_id}")
        if labels.get(-1 if entry.subaddress_index is None else entry.subaddress_index):
            parts.append(f"at {labels[entry.subaddress_index or 0]!r}")
        if entry.note:
            parts.append(f"note {entry.note!r}")
        if entry.reason:
            parts.append(f"({entry.reason})")
        click.echo("  ".join(parts))


def _entry_json(entry: "HistoryEntry", labels: dict[int, str]) -> dict[str, Any]:
    return {
        "direction": entry.direction.value,
        "state": entry.state.value,
        "block_index": entry.block_index,
        "value": str(entry.value),
        "fee": None if entry.fee is None else str(entry.fee),
        "token_id": entry.token_id,
        "counterparty": entry.counterparty or None,
        "counterparty_hash": entry.counterparty_hash or None,
        "tx_hash": entry.tx_hash or None,
        "reason": entry.reason or None,
        "kind": entry.kind,
        "fee_token_id": _fee_token(entry),
        "received": None
        if entry.received_value is None
        else {"value": str(entry.received_value), "token_id": entry.received_token_id},
        "label": labels.get(-1 if entry.subaddress_index is None else entry.subaddress_index),
        "subaddress": None if entry.subaddress_index is None else str(entry.subaddress_index),
        "payment_id": None if entry.payment_id is None else str(entry.payment_id),
        "note": entry.note or None,
    }


def _fee_token(entry: "HistoryEntry") -> int | None:
    if entry.fee is None:
        return None
    return entry.token_id if entry.fee_token_id is None else entry.fee_token_id


def print_history_csv(entries: "list[HistoryEntry]", labels: dict[int, str]) -> None:
    """One line per entry, values in smallest units."""
    rows = [_flat(_entry_json(entry, labels)) for entry in entries]
    names = list(rows[0]) if rows else ["direction"]
    writer = csv.DictWriter(sys.stdout, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def _flat(entry: dict[str, Any]) -> dict[str, Any]:
    received = entry.pop("received") or {"value": None, "token_id": None}
    entry["received_value"] = received["value"]
    entry["received_token_id"] = received["token_id"]
    return {name: _harmless(value) for name, value in entry.items()}


def _harmless(value: object) -> object:
    if isinstance(value, str) and value.startswith(_FORMULA_MARKS):
        return f"'{value}"
    return value
