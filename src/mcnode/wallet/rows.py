"""Tables of the wallet file, and its rows as records and back.

Amounts and subaddress indices are unsigned 64-bit numbers, which SQLite does not have: they are
stored as the signed numbers with the same bits.
"""

from collections.abc import Sequence

from mcnode.wallet.records import OwnedOutput, Payment, PaymentState

SCHEMA = """
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE outputs (
    public_key BLOB PRIMARY KEY,
    tx_out_index INTEGER NOT NULL,
    block_index INTEGER NOT NULL,
    subaddress_index INTEGER NOT NULL,
    value INTEGER NOT NULL,
    token_id INTEGER NOT NULL,
    key_image BLOB NOT NULL UNIQUE,
    memo BLOB NOT NULL,
    spent_in_block INTEGER
) STRICT;
CREATE INDEX unspent_outputs ON outputs (token_id) WHERE spent_in_block IS NULL;
CREATE TABLE payments (
    id INTEGER PRIMARY KEY,
    tx_hash BLOB NOT NULL UNIQUE,
    recipient TEXT NOT NULL,
    value INTEGER NOT NULL,
    token_id INTEGER NOT NULL,
    fee INTEGER NOT NULL,
    tombstone_block INTEGER NOT NULL,
    output_public_key BLOB NOT NULL UNIQUE,
    change_public_key BLOB,
    made_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    final_in_block INTEGER,
    reason TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE payment_inputs (
    key_image BLOB NOT NULL,
    payment_id INTEGER NOT NULL REFERENCES payments (id),
    PRIMARY KEY (key_image, payment_id)
) STRICT;
"""
OUTPUT_COLUMNS = (
    "public_key, tx_out_index, block_index, subaddress_index, value, token_id, key_image, memo, "
    "spent_in_block"
)
PAYMENT_COLUMNS = (
    "tx_hash, recipient, value, token_id, fee, tombstone_block, output_public_key, "
    "change_public_key, made_at, state, final_in_block, reason"
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
    assert isinstance(public_key, bytes) and isinstance(image, bytes) and isinstance(memo, bytes)
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
    )


def payment_of_row(row: Sequence[object]) -> Payment:
    """The reverse of `payment_row`."""
    tx_hash, recipient, value, token_id, fee, tombstone, output, change, made_at = row[:9]
    state, final, reason = row[9:]
    assert isinstance(tx_hash, bytes) and isinstance(recipient, str) and isinstance(output, bytes)
    assert isinstance(value, int) and isinstance(token_id, int) and isinstance(fee, int)
    assert isinstance(tombstone, int) and isinstance(made_at, int) and isinstance(reason, str)
    assert change is None or isinstance(change, bytes)
    assert final is None or isinstance(final, int)
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
    )
