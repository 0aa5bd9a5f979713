"""Memos on burnt and on merged outputs. [docs/protocol/transaction.md#11]"""

from typing import Self

from mcnode.transaction.memo.base import (
    DATA_LENGTH,
    FEE_LENGTH,
    MAX_FEE,
    BadLength,
    FeeTooLarge,
    Memo,
    make_data,
    register,
)


class BurnRedemptionMemo(Memo):
    """64 free bytes for whoever redeems the burnt tokens."""

    __slots__ = ()
    TYPES = (0x0001,)

    @classmethod
    def create(cls, data: bytes) -> Self:
        """Raise `BadLength` unless `data` has 64 bytes."""
        if len(data) != DATA_LENGTH:
            raise BadLength("burn redemption data", len(data), DATA_LENGTH)
        return cls(b"\x00\x01", data)


class DefragmentationMemo(Memo):
    """Several own outputs were merged into one."""

    __slots__ = ()
    TYPES = (0x0003,)

    @classmethod
    def create(cls, fee: int, total_outlay: int, defragmentation_id: int) -> Self:
        """A memo; raises `FeeTooLarge` for a fee of 2**56 or more."""
        if fee > MAX_FEE:
            raise FeeTooLarge(fee)
        data = make_data(
            fee.to_bytes(FEE_LENGTH, "big"),
            total_outlay.to_bytes(8, "big"),
            defragmentation_id.to_bytes(8, "big"),
        )
        return cls(b"\x00\x03", data)

    @property
    def fee(self) -> int:
        """In the smallest unit of the token; 0 on the second output."""
        return self._number(0, 7)

    @property
    def total_outlay(self) -> int:
        """Merged value and fee; 0 on the second output."""
        return self._number(7, 15)

    @property
    def defragmentation_id(self) -> int:
        """The same on all transactions of one merge."""
        return self._number(15, 23)


register(BurnRedemptionMemo)
register(DefragmentationMemo)
