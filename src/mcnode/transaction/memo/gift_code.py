"""Memos of gift codes: funded, redeemed, cancelled. [docs/protocol/transaction.md#16]"""

import hashlib
from typing import Self

from mcnode.transaction.memo.base import (
    DATA_LENGTH,
    FEE_LENGTH,
    MAX_FEE,
    MaxFeeExceeded,
    Memo,
    make_data,
    note_from_bytes,
    note_to_bytes,
    register,
)

_FUNDING_TAG = b"mc-gift-funding-tx-pub-key"
_SHORT_HASH_LENGTH = 4
SENDER_NOTE_LENGTH_MAX = DATA_LENGTH - FEE_LENGTH
FUNDING_NOTE_LENGTH_MAX = DATA_LENGTH - _SHORT_HASH_LENGTH - FEE_LENGTH


def fee_to_bytes(fee: int) -> bytes:
    """A fee as 7 bytes; raises `MaxFeeExceeded` for 2**56 or more."""
    if fee > MAX_FEE:
        raise MaxFeeExceeded(fee)
    return fee.to_bytes(FEE_LENGTH, "big")


def funding_short_hash(public_key: bytes) -> bytes:
    """4 bytes that tell which output, by its 32-byte public key, is the gift."""
    return hashlib.blake2b(_FUNDING_TAG + public_key).digest()[:_SHORT_HASH_LENGTH]


class GiftCodeSenderMemo(Memo):
    """On the output that redeems a gift code, written by who redeems."""

    __slots__ = ()
    TYPES = (0x0002,)

    @classmethod
    def create(cls, fee: int, note: str) -> Self:
        """A memo; raises `MaxFeeExceeded`, or `BadLength` for a note above 57 bytes."""
        return cls(
            b"\x00\x02",
            make_data(fee_to_bytes(fee), note_to_bytes(note, SENDER_NOTE_LENGTH_MAX)),
        )

    @property
    def fee(self) -> int:
        """In the smallest unit of the token."""
        return self._number(0, 7)

    @property
    def note(self) -> str:
        """Raises `Utf8Decoding` if it is no text."""
        return note_from_bytes(self.data[7:])


class GiftCodeFundingMemo(Memo):
    """On the change of the transaction that funds a gift code."""

    __slots__ = ()
    TYPES = (0x0201,)

    @classmethod
    def create(cls, public_key: bytes, fee: int, note: str) -> Self:
        """A memo about the gift output with this 32-byte public key.

        Raises:
            MaxFeeExceeded: the fee is 2**56 or more.
            BadLength: the note is above 53 bytes.
        """
        data = make_data(
            funding_short_hash(public_key),
            fee_to_bytes(fee),
            note_to_bytes(note, FUNDING_NOTE_LENGTH_MAX),
        )
        return cls(b"\x02\x01", data)

    def is_about(self, public_key: bytes) -> bool:
        """Whether the gift output may be the one with this 32-byte public key."""
        return self.data[:_SHORT_HASH_LENGTH] == funding_short_hash(public_key)

    @property
    def fee(self) -> int:
        """In the smallest unit of the token."""
        return self._number(4, 11)

    @property
    def note(self) -> str:
        """Raises `Utf8Decoding` if it is no text."""
        return note_from_bytes(self.data[11:])


class GiftCodeCancellationMemo(Memo):
    """On the change of the transaction that takes a gift back."""

    __slots__ = ()
    TYPES = (0x0202,)

    @classmethod
    def create(cls, global_index: int, fee: int) -> Self:
        """A memo about the gift output at this index; raises `MaxFeeExceeded`."""
        return cls(b"\x02\x02", make_data(global_index.to_bytes(8, "big"), fee_to_bytes(fee)))

    @property
    def global_index(self) -> int:
        """Of the gift output in the ledger."""
        return self._number(0, 8)

    @property
    def fee(self) -> int:
        """In the smallest unit of the token."""
        return self._number(8, 15)


register(GiftCodeSenderMemo)
register(GiftCodeFundingMemo)
register(GiftCodeCancellationMemo)
