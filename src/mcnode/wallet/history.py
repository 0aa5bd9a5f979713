"""What happened on an account, oldest first; memos read and, where possible, proved.

Payments of this wallet come from its own notes. A wallet that was restored from its mnemonic has
none: there the destination memos on change outputs tell what was sent.
[docs/protocol/transaction.md#11]
"""

import dataclasses
import enum
from collections.abc import Iterable, Mapping, Sequence

from mcnode.account.account_key import AccountKey
from mcnode.account.printable import parse_printable_address, to_printable
from mcnode.account.public_address import PublicAddress, short_address_hash
from mcnode.account.subaddress import CHANGE_SUBADDRESS_INDEX
from mcnode.transaction.memo import (
    AuthenticatedSenderMemo,
    DestinationMemo,
    Memo,
    UnknownMemoType,
    parse_memo,
)
from mcnode.transaction.memo.authenticated import UnauthenticMemo
from mcnode.wallet.records import OwnedOutput, Payment, PaymentState


class Direction(enum.Enum):
    """Which way value moved."""

    RECEIVED = "received"
    SENT = "sent"


@dataclasses.dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One payment received or sent; values in the token's smallest unit."""

    direction: Direction
    state: PaymentState
    value: int
    token_id: int
    block_index: int | None
    """None until it is final."""
    fee: int | None = None
    counterparty: str = ""
    """A printable address: of the recipient, or of a sender whose memo proves it."""
    counterparty_hash: str = ""
    """Hex of the 16-byte short address hash that a memo claims."""
    tx_hash: str = ""
    """Hex; known for payments of this wallet only."""
    reason: str = ""


def make_history(
    account: AccountKey, outputs: Sequence[OwnedOutput], payments: Sequence[Payment]
) -> list[HistoryEntry]:
    """Everything the notes tell; payments that are not final come last."""
    known = _known_addresses(account, payments)
    own_change = {payment.change_public_key for payment in payments}
    entries = [_sent(payment) for payment in payments]
    for output in outputs:
        memo = _read_memo(output)
        if output.subaddress_index != CHANGE_SUBADDRESS_INDEX:
            entries.append(_received(account, output, memo, known))
        elif output.public_key in own_change:
            continue
        elif isinstance(memo, DestinationMemo):
            entries.append(_recovered(output, memo, known))
        else:
            entries.append(_received(account, output, memo, known))
    return sorted(entries, key=_order)


def _order(entry: HistoryEntry) -> tuple[bool, int]:
    return entry.block_index is None, entry.block_index or 0


def _known_addresses(
    account: AccountKey, payments: Iterable[Payment]
) -> Mapping[bytes, PublicAddress]:
    """By short hash: everyone who was paid before, and the account itself."""
    own = account.default_subaddress()
    texts = dict.fromkeys(payment.recipient for payment in payments)
    addresses = [own, *(parse_printable_address(text) for text in texts)]
    return {short_address_hash(address): address for address in addresses}


def _read_memo(output: OwnedOutput) -> Memo | None:
    try:
        return parse_memo(output.memo)
    except UnknownMemoType:
        return None


def _sent(payment: Payment) -> HistoryEntry:
    return HistoryEntry(
        Direction.SENT,
        payment.state,
        payment.value,
        payment.token_id,
        payment.final_in_block,
        fee=payment.fee,
        counterparty=payment.recipient,
        counterparty_hash=short_address_hash(parse_printable_address(payment.recipient)).hex(),
        tx_hash=payment.tx_hash.hex(),
        reason=payment.reason,
    )


def _received(
    account: AccountKey,
    output: OwnedOutput,
    memo: Memo | None,
    known: Mapping[bytes, PublicAddress],
) -> HistoryEntry:
    entry = HistoryEntry(
        Direction.RECEIVED,
        PaymentState.FINAL,
        output.value,
        output.token_id,
        output.block_index,
    )
    if not isinstance(memo, AuthenticatedSenderMemo):
        return entry
    entry = dataclasses.replace(entry, counterparty_hash=memo.sender_hash.hex())
    sender = known.get(memo.sender_hash)
    if sender is None:
        return entry
    view_private = account.subaddress_view_private(output.subaddress_index)
    try:
        memo.check(sender, view_private, output.public_key)
    except UnauthenticMemo:
        return dataclasses.replace(entry, reason="sender's memo is forged")
    return dataclasses.replace(entry, counterparty=to_printable(sender))


def _recovered(
    output: OwnedOutput, memo: DestinationMemo, known: Mapping[bytes, PublicAddress]
) -> HistoryEntry:
    """A payment that another wallet of this account made, as its change output tells."""
    recipient = known.get(memo.recipient_hash)
    return HistoryEntry(
        Direction.SENT,
        PaymentState.FINAL,
        max(memo.total_outlay - memo.fee, 0),
        output.token_id,
        output.block_index,
        fee=memo.fee,
        counterparty="" if recipient is None else to_printable(recipient),
        counterparty_hash=memo.recipient_hash.hex(),
    )
