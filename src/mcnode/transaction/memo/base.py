"""What all memos share, and the table of types."""

import dataclasses
from typing import ClassVar

from mcnode.transaction.constants import MEMO_PAYLOAD_LENGTH
from mcnode.transaction.errors import TransactionError

TYPE_LENGTH = 2
DATA_LENGTH = MEMO_PAYLOAD_LENGTH - TYPE_LENGTH
EMPTY_PAYLOAD = bytes(MEMO_PAYLOAD_LENGTH)
FEE_LENGTH = 7
MAX_FEE = 2 ** (8 * FEE_LENGTH) - 1
"""Fees in memos have 56 bits."""


class MemoError(TransactionError):
    """A memo cannot be made or read."""


class BadLength(MemoError):
    """A payload or a note has the wrong length."""

    def __init__(self, what: str, found: int, limit: int) -> None:
        super().__init__(f"{what} has {found} bytes, limit {limit}", found)


class UnknownMemoType(MemoError):
    """No memo type has these two bytes."""

    def __init__(self, memo_type: bytes) -> None:
        super().__init__(f"unknown memo type 0x{memo_type.hex()}", list(memo_type))
        self.memo_type = memo_type


class FeeTooLarge(MemoError):
    """A fee does not fit into 56 bits."""

    def __init__(self, fee: int) -> None:
        super().__init__(f"fee is {fee}, limit {MAX_FEE}")


class MaxFeeExceeded(MemoError):
    """A fee does not fit into the 56 bits of a gift code memo."""

    def __init__(self, fee: int) -> None:
        super().__init__(f"fee is {fee}, limit {MAX_FEE}", MAX_FEE, fee)


class Utf8Decoding(MemoError):
    """A note is not UTF-8."""

    def __init__(self) -> None:
        super().__init__("note is not UTF-8")


_types: dict[bytes, "type[Memo]"] = {}


@dataclasses.dataclass(frozen=True, slots=True)
class Memo:
    """A memo of some type: two bytes of type, 64 of data."""

    memo_type: bytes
    data: bytes

    TYPES: ClassVar[tuple[int, ...]] = ()
    """The types of a subclass, as two-byte numbers."""

    def to_payload(self) -> bytes:
        """The 66 bytes that are encrypted into an output."""
        return self.memo_type + self.data

    def _number(self, begin: int, end: int) -> int:
        return int.from_bytes(self.data[begin:end], "big")


def register(cls: type[Memo]) -> type[Memo]:
    """Enter a subclass into the table of types."""
    for memo_type in cls.TYPES:
        _types[memo_type.to_bytes(TYPE_LENGTH, "big")] = cls
    return cls


class UnusedMemo(Memo):
    """No memo: type 0x0000, all zero when written, ignored when read."""

    __slots__ = ()
    TYPES = (0x0000,)


register(UnusedMemo)


def parse_memo(payload: bytes) -> Memo:
    """The memo in a payload of 66 bytes, as an object of its type's class.

    Raises:
        BadLength: the payload has another length.
        UnknownMemoType: no such type.
    """
    if len(payload) != MEMO_PAYLOAD_LENGTH:
        raise BadLength("memo payload", len(payload), MEMO_PAYLOAD_LENGTH)
    memo_type, data = payload[:TYPE_LENGTH], payload[TYPE_LENGTH:]
    cls = _types.get(memo_type)
    if cls is None:
        raise UnknownMemoType(memo_type)
    return cls(memo_type, data)


def make_data(*parts: bytes) -> bytes:
    """Parts one after another, zero-padded to 64 bytes."""
    data = b"".join(parts)
    if len(data) > DATA_LENGTH:
        raise BadLength("memo data", len(data), DATA_LENGTH)
    return data.ljust(DATA_LENGTH, b"\0")


def note_to_bytes(note: str, length_max: int) -> bytes:
    """A note in UTF-8.

    Raises:
        BadLength: it is longer than `length_max` bytes.
    """
    encoded = note.encode()
    if len(encoded) > length_max:
        raise BadLength("note", len(encoded), length_max)
    return encoded


def note_from_bytes(data: bytes) -> str:
    """A note that ends at the first zero byte.

    Raises:
        Utf8Decoding: it is not UTF-8.
    """
    try:
        return data.split(b"\0", 1)[0].decode()
    except UnicodeDecodeError:
        raise Utf8Decoding from None
