"""Rows of the wallet file as records and back; its tables are in `schema`.

Amounts and subaddress indices are unsigned 64-bit numbers, which SQLite does not have: they are
stored as the signed numbers with the same bits.
"""

from collections.abc import Sequence

from mcnode.transaction.messages import Amount
from mcnode.wallet.records import (
    Offer,
    OfferState,
    OwnedOutput,
    Payment,
    PaymentKind,
    PaymentState,
)

OUTPUT_COLUMNS = (
    "public_key, tx_out_index, block_index, subaddress_index, value, token_id, key_image, memo, "
    "spent_in_block"
)
PAYMENT_COLUMNS = (
    "tx_hash, recipient, value, token_id, fee, tombstone_block, output_public_key, "
    "change_public_key, made_at, state, final_in_block, reason, kind, fee_token_id, "
    "received_value, received_token_id, receipt"
)
OFFER_COLUMNS = (
    "key_image, contingent_input, offered_value, offered_token_id, wanted_value, wanted_token_id, "
    "tombstone_block, made_at, state, settled_in_block"
)


def to_signed(value: int) -> int:
    """The signed 64-bit number with the bits of an unsigned one."""
    return value - (1 << 64) if value >= 1 << 63 else value


def to_unsigned(value: int) -> int:
    """The reverse of `to_signed`."""
    return value & ((1 << 64) - 1)


def output_row(output: OwnedOutput) -> tuple[bytes | int | None, ...]:
    """Values for `OUTPUT_COLUMNS`."""
    return (
        output.public_key,
        output.tx_out_index,
        output.block_index,
        to_signed(output.subaddress_index),
        to_signed(output.value),
        to_signed(output.token_id),
        output.key_image,
        output.memo,
        output.spent_in_block,
    )


def output_of_row(row: Sequence[object]) -> OwnedOutput:
    """The reverse of `output_row`."""
    public_key, tx_out_index, block_index, subaddress, value, token_id, image, memo, spent = row
    assert isinstance(public_key, bytes) and isinstance(memo, bytes)
    assert image is None or isinstance(image, bytes)
    assert isinstance(tx_out_index, int) and isinstance(block_index, int)
    assert isinstance(subaddress, int) and isinstance(value, int) and isinstance(token_id, int)
    assert spent is None or isinstance(spent, int)
    return OwnedOutput(
        public_key,
        tx_out_index,
        block_index,
        to_unsigned(subaddress),
        to_unsigned(value),
        to_unsigned(token_id),
        image,
        memo,
        spent,
    )


def payment_row(payment: Payment) -> tuple[bytes | int | str | None, ...]:
    """Values for `PAYMENT_COLUMNS`."""
    return (
        payment.tx_hash,
        payment.recipient,
        to_signed(payment.value),
        to_signed(payment.token_id),
        to_signed(payment.fee),
        payment.tombstone_block,
        payment.output_public_key,
        payment.change_public_key,
        payment.made_at,
        payment.state.value,
        payment.final_in_block,
        payment.reason,
        payment.kind.value,
        None if payment.fee_token_id is None else to_signed(payment.fee_token_id),
        None if payment.received is None else to_signed(payment.received.value),
        None if payment.received is None else to_signed(payment.received.token_id),
        payment.receipt,
    )


def payment_of_row(row: Sequence[object]) -> Payment:
    """The reverse of `payment_row`."""
    tx_hash, recipient, value, token_id, fee, tombstone, output, change, made_at = row[:9]
    state, final, reason, kind, fee_token, *got, receipt = row[9:]
    assert isinstance(tx_hash, bytes) and isinstance(recipient, str) and isinstance(output, bytes)
    assert isinstance(value, int) and isinstance(token_id, int) and isinstance(fee, int)
    assert isinstance(tombstone, int) and isinstance(made_at, int) and isinstance(reason, str)
    assert change is None or isinstance(change, bytes)
    assert final is None or isinstance(final, int)
    assert fee_token is None or isinstance(fee_token, int)
    assert isinstance(receipt, bytes)
    return Payment(
        tx_hash,
        recipient,
        to_unsigned(value),
        to_unsigned(token_id),
        to_unsigned(fee),
        tombstone,
        output,
        change,
        made_at,
        PaymentState(state),
        final,
        reason,
        PaymentKind(kind),
        None if fee_token is None else to_unsigned(fee_token),
        _amount_of_row(got),
        receipt,
    )


def _amount_of_row(pair: Sequence[object]) -> Amount | None:
    value, token_id = pair
    if value is None:
        return None
    assert isinstance(value, int) and isinstance(token_id, int)
    return Amount(to_unsigned(value), to_unsigned(token_id))


def offer_row(offer: Offer) -> tuple[bytes | int | str | None, ...]:
    """Values for `OFFER_COLUMNS`."""
    return (
        offer.key_image,
        offer.contingent_input,
        to_signed(offer.offered.value),
        to_signed(offer.offered.token_id),
        to_signed(offer.wanted.value),
        to_signed(offer.wanted.token_id),
        to_signed(offer.tombstone_block),
        offer.made_at,
        offer.state.value,
        offer.settled_in_block,
    )


def offer_of_row(row: Sequence[object]) -> Offer:
    """The reverse of `offer_row`."""
    image, contingent_input, *amounts, tombstone, made_at, state, settled = row
    offered, wanted = _amount_of_row(amounts[:2]), _amount_of_row(amounts[2:])
    assert isinstance(image, bytes) and isinstance(contingent_input, bytes)
    assert offered is not None and wanted is not None
    assert isinstance(tombstone, int) and isinstance(made_at, int)
    assert settled is None or isinstance(settled, int)
    return Offer(
        image,
        contingent_input,
        offered,
        wanted,
        to_unsigned(tombstone),
        made_at,
        OfferState(state),
        settled,
    )
