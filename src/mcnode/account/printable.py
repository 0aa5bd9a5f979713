"""What can be printed as one word: addresses, payment requests, transfers, gift codes.

[docs/protocol/crypto.md#20]
"""

from mcnode.account.public_address import PublicAddress
from mcnode.codec import base58
from mcnode.codec.protobuf import decode, encode
from mcnode.codec.schema import (
    BYTES,
    COMPRESSED_RISTRETTO,
    OPTIONAL,
    RISTRETTO_PRIVATE,
    TEXT,
    UINT64,
    field,
    message,
    oneof,
)
from mcnode.errors import InvalidError


class Deserialization(base58.PrintableError):
    """The payload is no printable message, or not the kind asked for."""


@message
class PaymentRequest:
    """Whom to pay, how much of which token, and what for."""

    public_address: PublicAddress | None = field(1, PublicAddress, presence=OPTIONAL)
    value: int = field(2, UINT64)
    memo: str = field(3, TEXT)
    token_id: int = field(4, UINT64)
    payment_id: int = field(5, UINT64)


@message
class TransferPayload:
    """A whole account that holds one output, given away by its entropy."""

    root_entropy: bytes = field(1, BYTES)
    tx_out_public_key: bytes | None = field(2, COMPRESSED_RISTRETTO, presence=OPTIONAL)
    memo: str = field(3, TEXT)
    bip39_entropy: bytes = field(4, BYTES)

    def __repr__(self) -> str:
        return f"TransferPayload(memo={self.memo!r})"


@message(digest_name="TxOutGiftCode")
class PrintableGiftCode:
    """One output with the key that spends it."""

    global_index: int = field(1, UINT64)
    onetime_private_key: bytes | None = field(2, RISTRETTO_PRIVATE, presence=OPTIONAL)
    shared_secret: bytes | None = field(3, COMPRESSED_RISTRETTO, presence=OPTIONAL)

    def __repr__(self) -> str:
        return f"PrintableGiftCode(global_index={self.global_index})"


Printable = PublicAddress | PaymentRequest | TransferPayload | PrintableGiftCode


@message
class PrintableWrapper:
    """Says which kind of message it holds."""

    wrapper: Printable | None = oneof(
        {1: PublicAddress, 2: PaymentRequest, 3: TransferPayload, 4: PrintableGiftCode}
    )


def to_printable(value: Printable) -> str:
    """The printable code of a message."""
    return base58.encode_checked(encode(PrintableWrapper(value)))


def parse_printable(text: str) -> Printable:
    """The message of a printable code.

    Raises:
        B58, InsufficientBytes, ChecksumMismatch: the code is damaged, looked at in this order.
        Deserialization: the payload is no printable message, or an empty one.
    """
    payload = base58.decode_checked(text)
    try:
        wrapper = decode(PrintableWrapper, payload)
    except InvalidError as error:
        raise Deserialization(f"payload is no printable message: {error}") from None
    if wrapper.wrapper is None:
        raise Deserialization("payload holds no printable message")
    return wrapper.wrapper


def parse_printable_address(text: str) -> PublicAddress:
    """The address of a printable code.

    Raises:
        PrintableError: as `parse_printable`, or it holds something else.
    """
    value = parse_printable(text)
    if not isinstance(value, PublicAddress):
        raise Deserialization(f"printable code holds a {type(value).__name__}, needs an address")
    return value
