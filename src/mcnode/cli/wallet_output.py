"""What the wallet commands print: text for people, or JSON.

In JSON, amounts are texts of smallest units, because they may exceed 53 bits.
"""

import json
from typing import TYPE_CHECKING, Any

import click

from mcnode.account.subaddress import CHANGE_SUBADDRESS_INDEX, GIFT_CODE_SUBADDRESS_INDEX
from mcnode.wallet.amounts import format_amount

if TYPE_CHECKING:
    from mcnode.transaction.messages import Amount
    from mcnode.wallet.gifts import GivenGift
    from mcnode.wallet.receipts import CheckedReceipt
    from mcnode.wallet.records import Balance, Offer, OwnedOutput, Payment
    from mcnode.wallet.settings import WalletSettings
    from mcnode.wallet.swaps import OfferSheet


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
                "node_ledger": None if found.node_ledger is None else str(found.node_ledger),
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
    if found.node_ledger is not None:
        click.echo(f"{'node ledger':<12} {found.node_ledger} (archives are not read)")
    kind = "SIMULATED" if enclave.is_simulated else "real"
    click.echo(
        f"{'enclave':<12} {kind}, signer {enclave.mr_signer.hex()}, product "
        f"{enclave.product_id}, version {enclave.minimum_svn} or later"
    )


def print_balances(num_blocks: int, balances: "dict[int, Balance]", as_json: bool) -> None:
    """What an account holds."""
    if as_json:
        print_json({"num_blocks": num_blocks, "balances": _balances_json(balances)})
        return
    for line in _balance_lines(balances):
        click.echo(line)
    if not balances:
        click.echo("0 MOB")
    click.echo(f"as of {num_blocks} blocks read", err=True)


def print_balances_by_subaddress(
    num_blocks: int,
    held: "dict[int, dict[int, Balance]]",
    labels: dict[int, str],
    as_json: bool,
) -> None:
    """What came in at each subaddress and is unspent."""
    if as_json:
        subaddresses = [
            {
                "subaddress": str(index),
                "label": labels.get(index),
                "balances": _balances_json(balances),
            }
            for index, balances in held.items()
        ]
        print_json({"num_blocks": num_blocks, "subaddresses": subaddresses})
        return
    for index, balances in held.items():
        name = RESERVED_NAMES.get(index) or labels.get(index) or ""
        for line in _balance_lines(balances):
            click.echo(f"{index:>20}  {name:<12}  {line}")
    click.echo(f"as of {num_blocks} blocks read", err=True)


RESERVED_NAMES = {CHANGE_SUBADDRESS_INDEX: "change", GIFT_CODE_SUBADDRESS_INDEX: "gift codes"}


def _balances_json(balances: "dict[int, Balance]") -> list[dict[str, Any]]:
    return [
        {
            "token_id": token_id,
            "spendable": str(found.spendable),
            "pending": str(found.pending),
            "total": str(found.total),
        }
        for token_id, found in balances.items()
    ]


def _balance_lines(balances: "dict[int, Balance]") -> list[str]:
    lines = []
    for token_id, found in balances.items():
        pending = f", pending {format_amount(found.pending, token_id)}" if found.pending else ""
        lines.append(f"{format_amount(found.spendable, token_id)}{pending}")
    return lines


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
                "fee_token_id": payment.fee_token,
                "kind": payment.kind.value,
                "token_id": payment.token_id,
                "received": _amount_json(payment.received),
                "recipient": payment.recipient or None,
                "tombstone_block": payment.tombstone_block,
            }
        )
        return
    place = "" if payment.final_in_block is None else f" in block {payment.final_in_block}"
    what = format_amount(payment.value, payment.token_id)
    if payment.received is not None:
        got = format_amount(payment.received.value, payment.received.token_id)
        what += f" for {got}"
    fee = format_amount(payment.fee, payment.fee_token)
    kind = "" if payment.kind.value == "send" else f"{payment.kind.value} "
    click.echo(f"{payment.state.value}{place}: {kind}{what}, fee {fee}")
    click.echo(f"transaction {payment.tx_hash.hex()}")


def _amount_json(amount: "Amount | None") -> dict[str, Any] | None:
    return None if amount is None else {"value": str(amount.value), "token_id": amount.token_id}


def print_offers(offers: "list[Offer]", as_json: bool) -> None:
    """Own offers with their numbers."""
    if as_json:
        print_json(
            [
                {
                    "number": number,
                    "state": offer.state.value,
                    "offered": _amount_json(offer.offered),
                    "wanted": _amount_json(offer.wanted),
                    "tombstone_block": offer.tombstone_block or None,
                    "block_index": offer.settled_in_block,
                }
                for number, offer in enumerate(offers, 1)
            ]
        )
        return
    for number, offer in enumerate(offers, 1):
        place = "" if offer.settled_in_block is None else f" in block {offer.settled_in_block}"
        click.echo(
            f"{number:>3}  {offer.state.value}{place}: {_shown(offer.offered)} for "
            f"{_shown(offer.wanted)}"
        )
    if not offers:
        click.echo("no offers")


def print_sheet(sheet: "OfferSheet", part: int | None, num_blocks: int, as_json: bool) -> None:
    """What an offer means for who takes it."""
    changes = sheet.changes(part)
    status = _status_of(sheet, num_blocks)
    if as_json:
        print_json(
            {
                "pay": [
                    _signed_json(token, value) for token, value in changes.items() if value > 0
                ],
                "get": [
                    _signed_json(token, -value) for token, value in changes.items() if value < 0
                ],
                "is_partial": sheet.is_partial,
                "least": str(sheet.least),
                "most": str(sheet.most),
                "tombstone_block": sheet.tombstone_block or None,
                "status": status,
            }
        )
        return
    offered_token = sheet.amounts.pseudo_output.token_id
    for token_id, value in changes.items():
        if value > 0:
            click.echo(f"you pay  {format_amount(value, token_id)}")
    for token_id, value in changes.items():
        if value < 0:
            click.echo(f"you get  {format_amount(-value, token_id)}")
    click.echo("fee      yours, on top")
    if sheet.is_partial:
        least = format_amount(max(sheet.least, 1), offered_token)
        most = format_amount(sheet.most, offered_token)
        click.echo(f"parts    from {least} to {most}, for their share, rounded up")
    else:
        click.echo("parts    none: the whole or nothing")
    end = f"before block {sheet.tombstone_block}" if sheet.tombstone_block else "until taken back"
    click.echo(f"lasts    {end}")
    click.echo(f"status   {status}")


def _status_of(sheet: "OfferSheet", num_blocks: int) -> str:
    if sheet.taken_in_block is not None:
        return f"gone: taken or taken back in block {sheet.taken_in_block}"
    if 0 < sheet.tombstone_block <= num_blocks:
        return f"over: the next block is {num_blocks}"
    return f"open as of {num_blocks} blocks; the signature holds"


def _signed_json(token_id: int, value: int) -> dict[str, Any]:
    return {"token_id": token_id, "value": str(value)}


def _shown(amount: "Amount") -> str:
    return format_amount(amount.value, amount.token_id)


def print_gifts(gifts: "list[GivenGift]", as_json: bool) -> None:
    """Gifts and their codes."""
    if as_json:
        print_json(
            [
                {
                    "output": str(given.output.tx_out_index),
                    "value": str(given.output.value),
                    "token_id": given.output.token_id,
                    "taken_in_block": given.output.spent_in_block,
                    "code": given.code,
                }
                for given in gifts
            ]
        )
        return
    for given in gifts:
        output = given.output
        is_open = output.spent_in_block is None
        state = "open" if is_open else f"taken in block {output.spent_in_block}"
        value = format_amount(output.value, output.token_id)
        click.echo(f"output {output.tx_out_index}, {value}, {state}")
        if is_open:
            click.echo(given.code)
    if not gifts:
        click.echo("no gifts")


def print_outputs(outputs: "list[OwnedOutput]", as_json: bool) -> None:
    """Outputs of the account."""
    if as_json:
        from mcnode.wallet.export import outputs_json

        print_json(outputs_json(outputs))
        return
    for output in outputs:
        gone = "" if output.spent_in_block is None else f"  spent in block {output.spent_in_block}"
        value = format_amount(output.value, output.token_id)
        click.echo(f"{output.public_key.hex()}  {value:>24}  block {output.block_index}{gone}")
    if not outputs:
        click.echo("no outputs")


def print_receipt(checked: "CheckedReceipt", as_json: bool) -> None:
    """A receipt that holds."""
    if as_json:
        print_json(
            {
                "state": checked.state.value,
                "amount": _amount_json(checked.amount),
                "block_index": checked.block_index,
                "subaddress": checked.subaddress_index,
            }
        )
        return
    place = "" if checked.block_index is None else f" in block {checked.block_index}"
    click.echo(f"{checked.state.value}{place}: {_shown(checked.amount)}, paid by who made this")


def print_done(state: str, as_json: bool) -> None:
    """How the file is stored now."""
    if as_json:
        print_json({"wallet": state})
    else:
        click.echo(f"the wallet file is {state}")


def print_labels(labels: dict[int, str], as_json: bool) -> None:
    """Names of subaddresses."""
    if as_json:
        print_json({str(index): label for index, label in labels.items()})
        return
    for index, label in labels.items():
        click.echo(f"{index:>3}  {label}")


def print_contacts(contacts: dict[str, str], as_json: bool) -> None:
    """Names of other people's addresses."""
    if as_json:
        print_json([{"name": name, "address": address} for address, name in contacts.items()])
        return
    for address, name in contacts.items():
        click.echo(f"{name}  {address}")
    if not contacts:
        click.echo("no contacts")


def print_watched(runs: list[tuple[int, int]], as_json: bool) -> None:
    """Subaddresses that were added."""
    if as_json:
        print_json([{"first": str(first), "count": count} for first, count in runs])
        return
    click.echo("0 to 9")
    for first, count in runs:
        click.echo(f"{first}" if count == 1 else f"{first} to {first + count - 1}")
