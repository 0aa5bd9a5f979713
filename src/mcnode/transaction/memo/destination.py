"""Destination memos: a note to self on a change output. [docs/protocol/transaction.md#11]

They carry no proof: only believe one on an output to the own change subaddress.
"""

from typing import Self

from mcnode.transaction.memo.base import (
    FEE_LENGTH,
    MAX_FEE,
    FeeTooLarge,
    Memo,
    make_data,
    register,
)

PLAIN, WITH_PAYMENT_REQUEST_ID, WITH_PAYMENT_INTENT_ID = 0x0200, 0x0203, 0x0204


class DestinationMemo(Memo):
    """To whom a transaction paid, how many there were, and what it cost in all."""

    __slots__ = ()
    TYPES = (PLAIN, WITH_PAYMENT_REQUEST_ID, WITH_PAYMENT_INTENT_ID)

    @classmethod
    def create(
        cls,
        recipient_hash: bytes,
        fee: int,
        total_outlay: int,
        *,
        number_of_recipients: int = 1,
        payment_request_id: int | None = None,
        payment_intent_id: int | None = None,
    ) -> Self:
        """A memo about the recipient with this 16-byte short address hash.

        Raises:
            FeeTooLarge: the fee is 2**56 or more.
        """
        if fee > MAX_FEE:
            raise FeeTooLarge(fee)
        memo_type, id_bytes = PLAIN, b""
        if payment_request_id is not None:
            memo_type, id_bytes = WITH_PAYMENT_REQUEST_ID, payment_request_id.to_bytes(8, "big")
        elif payment_intent_id is not None:
            memo_type, id_bytes = WITH_PAYMENT_INTENT_ID, payment_intent_id.to_bytes(8, "big")
        data = make_data(
            recipient_hash,
            number_of_recipients.to_bytes(1, "big"),
            fee.to_bytes(FEE_LENGTH, "big"),
            total_outlay.to_bytes(8, "big"),
            id_bytes,
        )
        return cls(memo_type.to_bytes(2, "big"), data)

    @property
    def recipient_hash(self) -> bytes:
        """The short hash, 16 bytes, of the last recipient's address."""
        return self.data[:16]

    @property
    def number_of_recipients(self) -> int:
        """How many outputs were paid, change not counted."""
        return self.data[16]

    @property
    def fee(self) -> int:
        """In the smallest unit of the token."""
        return self._number(17, 24)

    @property
    def total_outlay(self) -> int:
        """All payments and the fee, in the smallest unit of the token."""
        return self._number(24, 32)

    @property
    def payment_request_id(self) -> int | None:
        """Of the request that was paid, if the type has one."""
        return self._id_of(WITH_PAYMENT_REQUEST_ID)

    @property
    def payment_intent_id(self) -> int | None:
        """Of the intent that was paid, if the type has one."""
        return self._id_of(WITH_PAYMENT_INTENT_ID)

    def _id_of(self, memo_type: int) -> int | None:
        return self._number(32, 40) if int.from_bytes(self.memo_type, "big") == memo_type else None


register(DestinationMemo)
