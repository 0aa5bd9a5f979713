"""What a wallet file holds, and how it changes. [docs/protocol/transaction.md#18]

What one payment has taken, no other one can take, also when several processes use the file.
"""

import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence

from mcnode.account.subaddress import GIFT_CODE_SUBADDRESS_INDEX
from mcnode.wallet.errors import InputsTaken, PaymentUnknown
from mcnode.wallet.file import WalletFile
from mcnode.wallet.recording import note_searched, record_block, record_missed, set_setting
from mcnode.wallet.records import Balance, Offer, OwnedOutput, Payment, PaymentKind, ScannedBlock
from mcnode.wallet.rows import (
    OFFER_COLUMNS,
    OUTPUT_COLUMNS,
    PAYMENT_COLUMNS,
    offer_of_row,
    offer_row,
    output_of_row,
    payment_of_row,
    payment_row,
    to_signed,
    to_unsigned,
)
from mcnode.wallet.watching import WatchedRange, runs_to_add

_TAKEN_BY_PAYMENTS = (
    "SELECT key_image FROM payment_inputs JOIN payments ON payments.id = payment_id "
    "WHERE state = 'submitted'"
)
_OFFERED = "SELECT key_image FROM offers WHERE state = 'open'"
_IS_RESERVED = (
    f"(key_image IS NULL OR key_image IN ({_TAKEN_BY_PAYMENTS}) OR key_image IN ({_OFFERED}) "
    f"OR subaddress_index = {to_signed(GIFT_CODE_SUBADDRESS_INDEX)})"
)
"""An output that no payment may choose by itself: taken, offered, given away with a gift code, or
of an account whose signer has not told yet how to see that it is spent."""


class WalletStore(WalletFile):
    """What is in a wallet file."""

    # ---- settings -------------------------------------------------------------------------------

    def setting(self, name: str) -> str | None:
        """A setting's text, or None."""
        rows = self._read("SELECT value FROM settings WHERE name = ?", name)
        return str(rows[0][0]) if rows else None

    def set_setting(self, name: str, value: str) -> None:
        """Store a setting."""
        with self._transaction() as connection:
            set_setting(connection, name, value)

    def replace_settings(self, removed: Iterable[str], stored: Mapping[str, str]) -> None:
        """Remove some settings and store others, all at once; nothing of the old stays behind."""
        with self._transaction() as connection:
            for name in removed:
                connection.execute("DELETE FROM settings WHERE name = ?", (name,))
            for name, value in stored.items():
                set_setting(connection, name, value)

    # ---- scanning -------------------------------------------------------------------------------

    def next_block(self) -> int:
        """The first block that has not been looked at."""
        return int(self.setting("next_block") or "0")

    def last_block_id(self) -> bytes | None:
        """The 32-byte id of the last block that has been looked at, or None."""
        text = self.setting("last_block_id")
        return None if text is None else bytes.fromhex(text)

    def record_blocks(self, blocks: Sequence[ScannedBlock], watched: Collection[int] = ()) -> None:
        """Note what consecutive blocks brought and took, and that they have been looked at.

        Blocks that another process recorded meanwhile are passed over.

        Args:
            watched: numbers of the ranges of subaddresses that the blocks were searched for.
        """
        with self._transaction() as connection:
            begin = following = self.next_block()
            for block in blocks:
                if block.index < following:
                    continue
                assert block.index == following, f"block {block.index} after {following - 1}"
                record_block(connection, block)
                following += 1
                set_setting(connection, "last_block_id", block.block_id.hex())
            set_setting(connection, "next_block", str(following))
            note_searched(connection, watched, begin, following)

    def record_missed(
        self,
        outputs: Sequence[OwnedOutput],
        spent: Mapping[bytes, int],
        watched: Collection[int],
        end: int,
    ) -> None:
        """Note what old blocks, up to before block `end`, hold for subaddresses that were added.

        Args:
            spent: by key image, in which block an output was spent.
            watched: numbers of the ranges that the blocks were searched for.
        """
        with self._transaction() as connection:
            record_missed(connection, outputs, spent)
            note_searched(connection, watched, 0, end)

    # ---- questions ------------------------------------------------------------------------------

    def outputs(self) -> list[OwnedOutput]:
        """Every output ever received, in order of the ledger."""
        rows = self._read(f"SELECT {OUTPUT_COLUMNS} FROM outputs ORDER BY tx_out_index")  # noqa: S608
        return [output_of_row(row) for row in rows]

    def spendable(self, token_id: int) -> list[OwnedOutput]:
        """Unspent outputs of a token that nothing has reserved."""
        rows = self._read(
            f"SELECT {OUTPUT_COLUMNS} FROM outputs WHERE spent_in_block IS NULL "  # noqa: S608
            f"AND token_id = ? AND NOT {_IS_RESERVED} ORDER BY tx_out_index",
            to_signed(token_id),
        )
        return [output_of_row(row) for row in rows]

    def balances(self) -> dict[int, Balance]:
        """What the account holds of each token it ever held, by ascending token id."""
        sums: dict[int, Balance] = {}
        for of_subaddress in self.balances_by_subaddress().values():
            for token_id, found in of_subaddress.items():
                held = sums.get(token_id, Balance(0, 0))
                sums[token_id] = held + found
        return dict(sorted(sums.items()))

    def balances_by_subaddress(self) -> dict[int, dict[int, Balance]]:
        """The same by ascending subaddress index, then token id."""
        rows = self._read(
            "SELECT subaddress_index, token_id, value, spent_in_block, "  # noqa: S608
            f"{_IS_RESERVED} FROM outputs"
        )
        sums: dict[tuple[int, int], list[int]] = {}
        for subaddress, token_id, value, spent_in_block, is_reserved in rows:
            assert isinstance(subaddress, int) and isinstance(token_id, int)
            assert isinstance(value, int)
            pair = sums.setdefault((to_unsigned(subaddress), to_unsigned(token_id)), [0, 0])
            if spent_in_block is None:
                pair[1 if is_reserved else 0] += to_unsigned(value)
        found: dict[int, dict[int, Balance]] = {}
        for (subaddress, token_id), pair in sorted(sums.items()):
            found.setdefault(subaddress, {})[token_id] = Balance(*pair)
        return found

    def payments(self) -> list[Payment]:
        """Every payment made by this wallet, oldest first."""
        rows = self._read(f"SELECT {PAYMENT_COLUMNS} FROM payments ORDER BY id")  # noqa: S608
        return [payment_of_row(row) for row in rows]

    def payment(self, tx_hash: bytes) -> Payment:
        """The payment of a 32-byte transaction hash. Raises `PaymentUnknown`."""
        rows = self._read(f"SELECT {PAYMENT_COLUMNS} FROM payments WHERE tx_hash = ?", tx_hash)  # noqa: S608
        if not rows:
            raise PaymentUnknown(tx_hash)
        return payment_of_row(rows[0])

    # ---- paying ---------------------------------------------------------------------------------

    def add_payment(
        self,
        payment: Payment,
        key_images: Sequence[bytes],
        own_outputs: Sequence[bytes] = (),
    ) -> None:
        """Note a payment before it is submitted, so that its inputs are taken whatever happens.

        Args:
            own_outputs: public keys of outputs that come back to the account.

        Raises:
            InputsTaken: another payment took one of the inputs meanwhile.
        """
        with self._transaction() as connection:
            is_taken_back = payment.kind is PaymentKind.SWAP_CANCEL
            _check_free(connection, key_images, may_be_offered=is_taken_back)
            row = payment_row(payment)
            cursor = connection.execute(
                f"INSERT INTO payments ({PAYMENT_COLUMNS}) "  # noqa: S608
                f"VALUES ({', '.join('?' * len(row))})",
                row,
            )
            connection.executemany(
                "INSERT INTO own_outputs VALUES (?)", [(key,) for key in own_outputs]
            )
            connection.executemany(
                "INSERT INTO payment_inputs VALUES (?, ?)",
                [(image, cursor.lastrowid) for image in key_images],
            )

    def mark_refused(self, tx_hash: bytes, reason: str) -> None:
        """The network refused a submitted payment: its inputs are free again."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE payments SET state = 'refused', reason = ? "
                "WHERE tx_hash = ? AND state = 'submitted'",
                (reason, tx_hash),
            )

    def own_outputs(self) -> set[bytes]:
        """Public keys of outputs by which payments of this wallet paid the account itself."""
        rows = self._read("SELECT public_key FROM own_outputs")
        return {key for (key,) in rows if isinstance(key, bytes)}

    def set_key_images(self, key_images: Mapping[bytes, tuple[bytes, int | None]]) -> int:
        """Note what a signer told: by an output's public key, its key image and the block, if any,
        that spent it. Returns how many outputs did not have one.
        """
        with self._transaction() as connection:
            changed = 0
            for public_key, (image, spent_in_block) in key_images.items():
                changed += connection.execute(
                    "UPDATE outputs SET key_image = ?, spent_in_block = ? "
                    "WHERE public_key = ? AND key_image IS NULL",
                    (image, spent_in_block, public_key),
                ).rowcount
            return changed

    # ---- swapping -------------------------------------------------------------------------------

    def add_offer(self, offer: Offer, own_outputs: Sequence[bytes]) -> None:
        """Note an offer before it is shown to anyone: its output is reserved.

        Raises:
            InputsTaken: something else took the output meanwhile.
        """
        with self._transaction() as connection:
            _check_free(connection, [offer.key_image])
            row = offer_row(offer)
            connection.execute(
                f"INSERT INTO offers ({OFFER_COLUMNS}) VALUES ({', '.join('?' * len(row))})",  # noqa: S608
                row,
            )
            connection.executemany(
                "INSERT INTO own_outputs VALUES (?)", [(key,) for key in own_outputs]
            )

    def offers(self) -> list[Offer]:
        """Every offer made by this wallet, oldest first."""
        rows = self._read(f"SELECT {OFFER_COLUMNS} FROM offers ORDER BY id")  # noqa: S608
        return [offer_of_row(row) for row in rows]

    # ---- addresses ------------------------------------------------------------------------------

    def watched(self) -> list[WatchedRange]:
        """The ranges of subaddresses that were added, in order of being added."""
        rows = self._read("SELECT id, first, count, next_block FROM watched ORDER BY id")
        numbers = [[int(str(value)) for value in row] for row in rows]
        return [
            WatchedRange(number, to_unsigned(first), count, next_block)
            for number, first, count, next_block in numbers
        ]

    def watch(self, first: int, count: int) -> None:
        """Look for a range of subaddresses too, in all blocks. Raises `SettingsError`."""
        with self._transaction() as connection:
            connection.executemany(
                "INSERT INTO watched (first, count, next_block) VALUES (?, ?, 0)",
                [
                    (to_signed(start), length)
                    for start, length in runs_to_add(self.watched(), first, count)
                ],
            )

    def contacts(self) -> dict[str, str]:
        """Names of other people's printable addresses, in order of the names."""
        rows = self._read("SELECT address, name FROM contacts ORDER BY name, address")
        return {str(address): str(name) for address, name in rows}

    def set_contact(self, address: str, name: str) -> None:
        """Name somebody's printable address; an empty name forgets it."""
        with self._transaction() as connection:
            connection.execute("DELETE FROM contacts WHERE address = ?", (address,))
            if name:
                connection.execute("INSERT INTO contacts VALUES (?, ?)", (address, name))

    def labels(self) -> dict[int, str]:
        """The labelled subaddresses, by index."""
        rows = self._read("SELECT subaddress_index, label FROM subaddresses ORDER BY 1")
        return {to_unsigned(int(str(index))): str(label) for index, label in rows}

    def set_label(self, subaddress_index: int, label: str) -> None:
        """Name a subaddress."""
        with self._transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO subaddresses VALUES (?, ?)",
                (to_signed(subaddress_index), label),
            )


def _check_free(
    connection: sqlite3.Connection, key_images: Sequence[bytes], *, may_be_offered: bool = False
) -> None:
    taken = {row[0] for row in connection.execute(_TAKEN_BY_PAYMENTS)}
    spent = "SELECT key_image FROM outputs WHERE spent_in_block IS NOT NULL"
    taken.update(row[0] for row in connection.execute(spent))
    if not may_be_offered:
        taken.update(row[0] for row in connection.execute(_OFFERED))
    if taken.intersection(key_images):
        raise InputsTaken
