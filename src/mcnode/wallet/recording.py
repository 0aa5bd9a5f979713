"""What a block does to the tables of a wallet file."""

import dataclasses
import sqlite3
from collections.abc import Collection, Mapping, Sequence

from mcnode.wallet.records import OwnedOutput, ScannedBlock
from mcnode.wallet.rows import OUTPUT_COLUMNS, output_row


def set_setting(connection: sqlite3.Connection, name: str, value: str) -> None:
    """Store one setting."""
    connection.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))


def record_missed(
    connection: sqlite3.Connection, outputs: Sequence[OwnedOutput], spent: Mapping[bytes, int]
) -> None:
    """Note outputs of blocks that had been looked at before; twice does no harm.

    Args:
        spent: by key image, in which block an output was spent.
    """
    connection.executemany(
        f"INSERT OR IGNORE INTO outputs ({OUTPUT_COLUMNS}) "  # noqa: S608
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            output_row(dataclasses.replace(each, spent_in_block=spent.get(each.key_image or b"")))
            for each in outputs
        ],
    )


def note_searched(
    connection: sqlite3.Connection, watched: Collection[int], begin: int, end: int
) -> None:
    """Blocks `begin` to before `end` were searched for these ranges of subaddresses.

    One that was added meanwhile is behind, and stays so until old blocks are searched for it.
    """
    connection.executemany(
        "UPDATE watched SET next_block = ? WHERE id = ? AND next_block BETWEEN ? AND ?",
        [(end, number, begin, end) for number in watched],
    )


def record_block(connection: sqlite3.Connection, block: ScannedBlock) -> None:
    """Note what a block brought and took.

    A payment is final when its own output is in a block; its inputs alone are not enough,
    because another wallet of the same account may have spent them.
    """
    connection.executemany(
        f"INSERT INTO outputs ({OUTPUT_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
        [output_row(output) for output in block.received],
    )
    connection.executemany(
        "UPDATE outputs SET spent_in_block = ? WHERE key_image = ?",
        [(block.index, image) for image in block.key_images],
    )
    waiting = connection.execute(
        "SELECT id, output_public_key FROM payments WHERE state IN ('submitted', 'refused')"
    ).fetchall()
    public_keys = set(block.output_public_keys)
    connection.executemany(
        "UPDATE payments SET state = 'final', final_in_block = ?, reason = '' WHERE id = ?",
        [(block.index, number) for number, public_key in waiting if public_key in public_keys],
    )
    connection.executemany(
        "UPDATE payments SET state = 'superseded' WHERE state = 'submitted' AND id IN "
        "(SELECT payment_id FROM payment_inputs WHERE key_image = ?)",
        [(image,) for image in block.key_images],
    )
    connection.execute(
        "UPDATE payments SET state = 'expired' WHERE state = 'submitted' AND tombstone_block <= ?",
        (block.index + 1,),
    )
    _settle_offers(connection, block)


def _settle_offers(connection: sqlite3.Connection, block: ScannedBlock) -> None:
    """An offered output that is spent was taken by somebody, unless this account spent it itself.

    An offer whose last block has passed can be in no later one, so its output is free again.
    """
    connection.executemany(
        "UPDATE offers SET settled_in_block = ?, state = CASE WHEN EXISTS "
        "(SELECT 1 FROM payment_inputs JOIN payments ON payments.id = payment_id "
        "WHERE payment_inputs.key_image = offers.key_image AND payments.state = 'final') "
        "THEN 'cancelled' ELSE 'filled' END WHERE state = 'open' AND key_image = ?",
        [(block.index, image) for image in block.key_images],
    )
    connection.execute(
        "UPDATE offers SET state = 'expired' WHERE state = 'open' AND tombstone_block != 0 "
        "AND tombstone_block <= ?",
        (block.index + 1,),
    )
