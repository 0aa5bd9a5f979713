"""What happened on an account, oldest first; memos read and, where possible, proved.

What this wallet did comes from its own notes. A wallet that was restored from its mnemonic has
none: there the memos on outputs to oneself tell what was done. [docs/protocol/transaction.md#11]
"""

import dataclasses
import enum
from collections.abc import Collection, Iterable, Mapping, Sequence

from mcnode.account.account_key import AccountKey, ViewAccountKey
from mcnode.account.printable import parse_printable_address, to_printable
from mcnode.account.public_address import PublicAddress, burn_address, short_address_hash
from mcnode.account.subaddress import CHANGE_SUBADDRESS_INDEX, GIFT_CODE_SUBADDRESS_INDEX
from mcnode.codec import protobuf
from mcnode.transaction.memo import (
    AuthenticatedSenderMemo,
    DefragmentationMemo,
    DestinationMemo,
    GiftCodeCancellationMemo,
    GiftCodeFundingMemo,
    GiftCodeSenderMemo,
    Memo,
    UnknownMemoType,
    parse_memo,
)
from mcnode.transaction.memo.authenticated import UnauthenticMemo
from mcnode.transaction.memo.base import Utf8Decoding
from mcnode.transaction.messages import SignedContingentInput
from mcnode.wallet.records import (
    Offer,
    OfferState,
    OwnedOutput,
    Payment,
    PaymentKind,
    PaymentState,
)

SWAP = "swap"
"""Kind of the two entries of an own offer that was taken: what went, what came."""


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
    counterparty_name: str = ""
    """What the wallet calls that address."""
    counterparty_hash: str = ""
    """Hex of the 16-byte short address hash that a memo claims."""
    tx_hash: str = ""
    """Hex; known for payments of this wallet only."""
    reason: str = ""
    kind: str = PaymentKind.SEND.value
    """What it was for, as `PaymentKind` or `SWAP` say it."""
    fee_token_id: int | None = None
    """None: the same token as of the value."""
    received_value: int | None = None
    received_token_id: int | None = None
    """What came in for the value, when an offer was taken."""
    subaddress_index: int | None = None
    """Where it was received."""
    payment_id: int | None = None
    """Of the payment request or intent that was paid, as the memo says."""
    note: str = ""
    """Of a gift code."""

    @property
    def fee_token(self) -> int | None:
        """The token of the fee, if there is a fee."""
        if self.fee is None:
            return None
        return self.token_id if self.fee_token_id is None else self.fee_token_id


@dataclasses.dataclass(frozen=True, slots=True)
class Notes:
    """What a wallet noted when it did something."""

    payments: Sequence[Payment] = ()
    own_outputs: Collection[bytes] = ()
    """Public keys of outputs by which the account paid itself."""
    offers: Sequence[Offer] = ()
    contacts: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Names of other people's printable addresses."""


def make_history(
    account: AccountKey | ViewAccountKey, outputs: Sequence[OwnedOutput], notes: Notes
) -> list[HistoryEntry]:
    """Everything the notes and the memos tell; what is not final comes last."""
    paid = [payment.recipient for payment in notes.payments if payment.recipient]
    known = _known_addresses(account, [*paid, *notes.contacts])
    own = {payment.change_public_key for payment in notes.payments}.union(notes.own_outputs)
    wanted = _wanted_outputs(notes.offers)
    by_key = {output.public_key: output for output in outputs}
    entries = [
        _done(payment, by_key.get(payment.change_public_key or b"")) for payment in notes.payments
    ]
    entries += _swapped(notes.offers, outputs)
    for output in outputs:
        if output.public_key in own or output.subaddress_index == GIFT_CODE_SUBADDRESS_INDEX:
            continue
        memo = _read_memo(output)
        entry = None
        if output.subaddress_index == CHANGE_SUBADDRESS_INDEX:
            entry = _recovered(output, memo, known, outputs)
        entry = entry or _received(account, output, memo, known)
        if output.public_key in wanted:
            entry = dataclasses.replace(entry, kind=SWAP)
        if memo is None or not _is_decoy(memo):
            entries.append(entry)
    return sorted((_named(entry, notes.contacts) for entry in entries), key=_order)


def _named(entry: HistoryEntry, contacts: Mapping[str, str]) -> HistoryEntry:
    name = contacts.get(entry.counterparty, "")
    return dataclasses.replace(entry, counterparty_name=name) if name else entry


def _is_decoy(memo: Memo) -> bool:
    """The second output of a merge, worth nothing."""
    return isinstance(memo, DefragmentationMemo) and not memo.total_outlay


def _order(entry: HistoryEntry) -> tuple[bool, int]:
    return entry.block_index is None, entry.block_index or 0


def _known_addresses(
    account: AccountKey | ViewAccountKey, texts: Iterable[str]
) -> Mapping[bytes, PublicAddress]:
    """By short hash: everyone who was paid before or has a name, nobody, and the account itself."""
    addresses = [account.default_subaddress(), burn_address()]
    addresses += [parse_printable_address(text) for text in dict.fromkeys(texts)]
    return {short_address_hash(address): address for address in addresses}


def _read_memo(output: OwnedOutput) -> Memo | None:
    try:
        return parse_memo(output.memo)
    except UnknownMemoType:
        return None


def _done(payment: Payment, change: OwnedOutput | None) -> HistoryEntry:
    """What this wallet did; the memo on the change, once there is one, has its note and id."""
    memo = None if change is None else _read_memo(change)
    to = payment.recipient
    received = payment.received
    is_to_oneself = payment.kind.is_to_oneself
    return HistoryEntry(
        Direction.RECEIVED if is_to_oneself else Direction.SENT,
        payment.state,
        payment.value,
        payment.token_id,
        payment.final_in_block,
        fee=payment.fee,
        counterparty=to,
        counterparty_hash=short_address_hash(parse_printable_address(to)).hex() if to else "",
        tx_hash=payment.tx_hash.hex(),
        reason=payment.reason,
        kind=payment.kind.value,
        fee_token_id=payment.fee_token_id,
        received_value=None if received is None else received.value,
        received_token_id=None if received is None else received.token_id,
        payment_id=_payment_id_of(memo),
        note=_note_of(memo),
    )


def _wanted_outputs(offers: Iterable[Offer]) -> set[bytes]:
    """Public keys of the outputs by which offers are paid for."""
    wanted: set[bytes] = set()
    for offer in offers:
        rules = protobuf.decode(SignedContingentInput, offer.contingent_input).tx_in.input_rules
        if rules is not None:
            wanted.update(each.public_key for each in rules.required_outputs)
            wanted.update(each.tx_out.public_key for each in rules.partial_fill_outputs)
    return wanted


def _swapped(offers: Iterable[Offer], outputs: Sequence[OwnedOutput]) -> list[HistoryEntry]:
    """What went for offers that were taken: of a partial one, what did not come back."""
    values = {output.public_key: output.value for output in outputs}
    entries = []
    for offer in offers:
        if offer.state is not OfferState.FILLED:
            continue
        rules = protobuf.decode(SignedContingentInput, offer.contingent_input).tx_in.input_rules
        change = None if rules is None else rules.partial_fill_change
        left = 0 if change is None else values.get(change.tx_out.public_key, 0)
        entries.append(
            HistoryEntry(
                Direction.SENT,
                PaymentState.FINAL,
                offer.offered.value - left,
                offer.offered.token_id,
                offer.settled_in_block,
                kind=SWAP,
            )
        )
    return entries


def _received(
    account: AccountKey | ViewAccountKey,
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
        subaddress_index=output.subaddress_index,
    )
    if not isinstance(memo, AuthenticatedSenderMemo):
        return entry
    entry = dataclasses.replace(
        entry,
        counterparty_hash=memo.sender_hash.hex(),
        payment_id=_payment_id_of(memo),
    )
    sender = known.get(memo.sender_hash)
    if sender is None or isinstance(account, ViewAccountKey):
        return entry  # the proof needs the spend key
    view_private = account.subaddress_view_private(output.subaddress_index)
    try:
        memo.check(sender, view_private, output.public_key)
    except UnauthenticMemo:
        return dataclasses.replace(entry, reason="sender's memo is forged")
    return dataclasses.replace(entry, counterparty=to_printable(sender))


def _recovered(
    output: OwnedOutput,
    memo: Memo | None,
    known: Mapping[bytes, PublicAddress],
    outputs: Iterable[OwnedOutput],
) -> HistoryEntry | None:
    """What another wallet of this account did, as the memo on its output to itself tells."""
    match memo:
        case DestinationMemo():
            return _recovered_payment(output, memo, known)
        case GiftCodeFundingMemo():
            gifts = [each.value for each in outputs if memo.is_about(each.public_key)]
            value = gifts[0] if gifts else 0
            kind, direction = PaymentKind.GIFT_FUND, Direction.SENT
        case GiftCodeSenderMemo():
            value, kind, direction = output.value, PaymentKind.GIFT_REDEEM, Direction.RECEIVED
        case GiftCodeCancellationMemo():
            value, kind, direction = output.value, PaymentKind.GIFT_CANCEL, Direction.RECEIVED
        case DefragmentationMemo():
            value, kind, direction = output.value, PaymentKind.MERGE, Direction.RECEIVED
        case _:
            return None
    return HistoryEntry(
        direction,
        PaymentState.FINAL,
        value,
        output.token_id,
        output.block_index,
        fee=memo.fee,
        kind=kind.value,
        note=_note_of(memo),
    )


def _payment_id_of(memo: Memo | None) -> int | None:
    if not isinstance(memo, AuthenticatedSenderMemo | DestinationMemo):
        return None
    request_id = memo.payment_request_id
    return memo.payment_intent_id if request_id is None else request_id


def _note_of(memo: Memo | None) -> str:
    if not isinstance(memo, GiftCodeFundingMemo | GiftCodeSenderMemo):
        return ""
    try:
        return memo.note
    except Utf8Decoding:
        return ""


def _recovered_payment(
    output: OwnedOutput, memo: DestinationMemo, known: Mapping[bytes, PublicAddress]
) -> HistoryEntry:
    recipient = known.get(memo.recipient_hash)
    kind = PaymentKind.BURN if recipient == burn_address() else PaymentKind.SEND
    return HistoryEntry(
        Direction.SENT,
        PaymentState.FINAL,
        max(memo.total_outlay - memo.fee, 0),
        output.token_id,
        output.block_index,
        fee=memo.fee,
        counterparty="" if recipient is None else to_printable(recipient),
        counterparty_hash=memo.recipient_hash.hex(),
        kind=kind.value,
        payment_id=_payment_id_of(memo),
    )
