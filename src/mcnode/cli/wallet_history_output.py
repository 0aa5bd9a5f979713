"""What `mcnode wallet history` prints."""

import sys
from typing import TYPE_CHECKING

import click

from mcnode.cli.wallet_output import print_json
from mcnode.wallet.amounts import format_amount

if TYPE_CHECKING:
    from mcnode.wallet.history import HistoryEntry


def print_history(entries: "list[HistoryEntry]", labels: dict[int, str], as_json: bool) -> None:
    """What happened on an account."""
    if as_json:
        from mcnode.wallet.export import history_json

        print_json(history_json(entries, labels))
        return
    for entry in entries:
        place = entry.state.value if entry.block_index is None else f"block {entry.block_index}"
        who = entry.counterparty_name or entry.counterparty
        who = who or (entry.counterparty_hash and f"hash {entry.counterparty_hash}")
        parts = [f"{place:<12} {entry.direction.value:<8}"]
        parts.append(f"{format_amount(entry.value, entry.token_id):>24}")
        if entry.received_value is not None and entry.received_token_id is not None:
            parts.append(f"for {format_amount(entry.received_value, entry.received_token_id)}")
        if entry.fee is not None:
            parts.append(f"fee {format_amount(entry.fee, entry.fee_token or 0)}")
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


def print_history_csv(entries: "list[HistoryEntry]", labels: dict[int, str]) -> None:
    """One line per entry, values in smallest units."""
    from mcnode.wallet.export import write_history_csv

    write_history_csv(entries, labels, sys.stdout)
