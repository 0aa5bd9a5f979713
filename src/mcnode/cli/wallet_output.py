"""What the wallet commands print: text for people, or JSON.

In JSON, amounts are texts of smallest units, because they may exceed 53 bits.
"""

import json
from typing import TYPE_CHECKING, Any

import click

from mcnode.wallet.amounts import format_amount

if TYPE_CHECKING:
    from mcnode.wallet.history import HistoryEntry
    from mcnode.wallet.records import Balance, Payment
    from mcnode.wallet.settings import WalletSettings


def print_json(value: object) -> None:
    """One value, indented."""
    click.echo(json.dumps(value, indent=2))


def print_settings(found: "WalletSettings", as_json: bool) -> None:
    """What a wallet remembers of its network."""
    enclave = found.enclave
    if as_json:
        print_json(
            {
                "nodes": found.nodes,
                "archives": found.archives,
                "chain_id": found.chain_id,
                "ledger_copy": None if found.ledger_copy is None else str(found.ledger_copy),
                "enclave": {
                    "mr_signer": enclave.mr_signer.hex(),
                    "product_id": enclave.product_id,
                    "minimum_svn": enclave.minimum_svn,
                    "is_simulated": enclave.is_simulated,
                },
            }
        )
        return
    for name, values in (("node", found.nodes), ("archive", found.archives)):
        for value in values or ("none: set it with --" + name,):
            click.echo(f"{name:<12} {value}")
    click.echo(f"{'chain id':<12} {found.chain_id or 'not said'}")
    click.echo(f"{'ledger copy':<12} {found.ledger_copy or 'beside the wallet file'}")
    kind = "SIMULATED" if enclave.is_simulated else "real"
    click.echo(
        f"{'enclave':<12} {kind}, signer {enclave.mr_signer.hex()}, product "
        f"{enclave.product_id}, version {enclave.minimum_svn} or later"
    )


def print_balances(num_blocks: int, balances: "dict[int, Balance]", as_json: bool) -> None:
    """What an account holds."""
    if as_json:
        tokens = [
            {
                "token_id": token_id,
                "spendable": str(found.spendable),
                "pending": str(found.pending),
                "total": str(found.total),
            }
            for token_id, found in balances.items()
        ]
        print_json({"num_blocks": num_blocks, "balances": tokens})
        return
    for token_id, found in balances.items():
        pending = f", pending {format_amount(found.pending, token_id)}" if found.pending else ""
        click.echo(f"{format_amount(found.spendable, token_id)}{pending}")
    if not balances:
        click.echo("0 MOB")
    click.echo(f"as of {num_blocks} blocks read", err=True)


def print_payment(payment: "Payment", as_json: bool) -> None:
    """How far a payment is."""
    if as_json:
        print_json(
            {
                "tx_hash": payment.tx_hash.hex(),
                "state": payment.state.value,
                "block_index": payment.final_in_block,
                "value": str(payment.value),
                "fee": str(payment.fee),
                "token_id": payment.token_id,
                "recipient": payment.recipient,
                "tombstone_block": payment.tombstone_block,
            }
        )
        return
    place = "" if payment.final_in_block is None else f" in block {payment.final_in_block}"
    paid = format_amount(payment.value, payment.token_id)
    fee = format_amount(payment.fee, payment.token_id)
    click.echo(f"{payment.state.value}{place}: {paid}, fee {fee}")
    click.echo(f"transaction {payment.tx_hash.hex()}")


def print_history(entries: "list[HistoryEntry]", as_json: bool) -> None:
    """What happened on an account."""
    if as_json:
        print_json([_entry_json(entry) for entry in entries])
        return
    for entry in entries:
        place = entry.state.value if entry.block_index is None else f"block {entry.block_index}"
        who = entry.counterparty or (entry.counterparty_hash and f"hash {entry.counterparty_hash}")
        parts = [f"{place:<12} {entry.direction.value:<8}"]
        parts.append(f"{format_amount(entry.value, entry.token_id):>24}")
        if entry.fee is not None:
            parts.append(f"fee {format_amount(entry.fee, entry.token_id)}")
        if who:
            parts.append(("to " if entry.fee is not None else "from ") + who)
        if entry.reason:
            parts.append(f"({entry.reason})")
        click.echo("  ".join(parts))


def _entry_json(entry: "HistoryEntry") -> dict[str, Any]:
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
    }
