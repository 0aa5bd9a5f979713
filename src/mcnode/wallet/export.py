"""History, outputs and printable codes for other programs: JSON values and CSV.

Amounts are texts of smallest units, because they may exceed 53 bits.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TextIO

from mcnode.account.printable import PaymentRequest, Printable, PrintableGiftCode
from mcnode.account.public_address import PublicAddress, short_address_hash
from mcnode.wallet.history import HistoryEntry
from mcnode.wallet.records import OwnedOutput

HISTORY_COLUMNS: Final = (
    "direction",
    "state",
    "block_index",
    "value",
    "fee",
    "token_id",
    "counterparty",
    "counterparty_name",
    "counterparty_hash",
    "tx_hash",
    "reason",
    "kind",
    "fee_token_id",
    "label",
    "subaddress",
    "payment_id",
    "note",
    "received_value",
    "received_token_id",
)
_FORMULA_MARKS: Final = ("=", "+", "-", "@")
"""What spreadsheets take for a formula: notes are written by strangers."""


def history_json(
    entries: Iterable[HistoryEntry], labels: Mapping[int, str]
) -> list[dict[str, Any]]:
    """One object per entry, ready for `json.dumps`; what is not known is None."""
    return [_entry_json(entry, labels) for entry in entries]


def _entry_json(entry: HistoryEntry, labels: Mapping[int, str]) -> dict[str, Any]:
    index = entry.subaddress_index
    return {
        "direction": entry.direction.value,
        "state": entry.state.value,
        "block_index": entry.block_index,
        "value": str(entry.value),
        "fee": None if entry.fee is None else str(entry.fee),
        "token_id": entry.token_id,
        "counterparty": entry.counterparty or None,
        "counterparty_name": entry.counterparty_name or None,
        "counterparty_hash": entry.counterparty_hash or None,
        "tx_hash": entry.tx_hash or None,
        "reason": entry.reason or None,
        "kind": entry.kind,
        "fee_token_id": entry.fee_token,
        "received": None
        if entry.received_value is None
        else {"value": str(entry.received_value), "token_id": entry.received_token_id},
        "label": None if index is None else labels.get(index),
        "subaddress": None if index is None else str(index),
        "payment_id": None if entry.payment_id is None else str(entry.payment_id),
        "note": entry.note or None,
    }


def write_history_csv(
    entries: Iterable[HistoryEntry], labels: Mapping[int, str], file: TextIO
) -> None:
    """`HISTORY_COLUMNS`, then a line per entry; texts that look like a formula are quoted."""
    writer = csv.DictWriter(file, HISTORY_COLUMNS, lineterminator="\n")
    writer.writeheader()
    for entry in history_json(entries, labels):
        received = entry.pop("received") or {"value": None, "token_id": None}
        entry["received_value"] = received["value"]
        entry["received_token_id"] = received["token_id"]
        writer.writerow({name: _harmless(value) for name, value in entry.items()})


def _harmless(value: object) -> object:
    if isinstance(value, str) and value.startswith(_FORMULA_MARKS):
        return f"'{value}"
    return value


def outputs_json(outputs: Sequence[OwnedOutput]) -> list[dict[str, Any]]:
    """One object per output, ready for `json.dumps`."""
    return [
        {
            "public_key": output.public_key.hex(),
            "tx_out_index": str(output.tx_out_index),
            "block_index": output.block_index,
            "subaddress": str(output.subaddress_index),
            "value": str(output.value),
            "token_id": output.token_id,
            "key_image": None if output.key_image is None else output.key_image.hex(),
            "memo": output.memo.hex(),
            "spent_in_block": output.spent_in_block,
        }
        for output in outputs
    ]


def printable_json(value: Printable) -> dict[str, Any]:
    """What a printable code is about; of what spends money, nothing is told."""
    match value:
        case PublicAddress():
            return {"kind": "address", **_address_json(value)}
        case PaymentRequest():
            address = value.public_address
            return {
                "kind": "payment request",
                **({} if address is None else _address_json(address)),
                "value": str(value.value) if value.value else None,
                "token_id": value.token_id,
                "payment_id": str(value.payment_id) if value.payment_id else None,
                "note": value.memo or None,
            }
        case PrintableGiftCode():
            return {"kind": "gift code", "output": str(value.global_index)}
    key = value.tx_out_public_key
    return {
        "kind": "transfer code",
        "output_public_key": None if key is None else key.hex(),
        "note": value.memo or None,
    }


def _address_json(address: PublicAddress) -> dict[str, Any]:
    return {
        "address_hash": short_address_hash(address).hex(),
        "view_public_key": address.view_public_key.hex(),
        "spend_public_key": address.spend_public_key.hex(),
        "fog_report_url": address.fog_report_url or None,
    }
