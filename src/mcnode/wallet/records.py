"""What a wallet knows: outputs, payments, balances. Values are in the token's smallest unit."""

import dataclasses
import enum
from collections.abc import Sequence

from mcnode.transaction.messages import Amount


class PaymentKind(enum.Enum):
    """What a transaction of this wallet was made for."""

    SEND = "send"
    BURN = "burn"
    SWAP_FILL = "swap-fill"
    """Somebody's offer was taken: value is what was paid, and something came in."""
    SWAP_CANCEL = "swap-cancel"
    GIFT_FUND = "gift-fund"
    GIFT_REDEEM = "gift-redeem"
    GIFT_CANCEL = "gift-cancel"
    MERGE = "merge"
    """Outputs of the account were put together; value is what came out."""

    @property
    def is_to_oneself(self) -> bool:
        """Whether the value stays in the account, or comes into it."""
        return self in _TO_ONESELF


_TO_ONESELF = frozenset(
    {
        PaymentKind.SWAP_CANCEL,
        PaymentKind.GIFT_REDEEM,
        PaymentKind.GIFT_CANCEL,
        PaymentKind.MERGE,
    }
)


class PaymentState(enum.Enum):
    """How far a payment is."""

    SUBMITTED = "submitted"
    """Noted and perhaps sent; its inputs are taken."""
    FINAL = "final"
    """In a block."""
    EXPIRED = "expired"
    """Its tombstone block came first; its inputs are free again."""
    REFUSED = "refused"
    """A node said no; its inputs are free again."""
    SUPERSEDED = "superseded"
    """Another payment, by another wallet of the account, spent one of its inputs."""


@dataclasses.dataclass(frozen=True, slots=True)
class OwnedOutput:
    """An output of this account."""

    public_key: bytes
    """32 bytes."""
    tx_out_index: int
    """Position in the whole ledger."""
    block_index: int
    subaddress_index: int
    value: int
    token_id: int
    key_image: bytes | None
    """32 bytes that a block holds when this output is spent; None: only the signer can tell."""
    memo: bytes
    """66 bytes, decrypted."""
    spent_in_block: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class ScannedBlock:
    """What a wallet takes from one block."""

    index: int
    block_id: bytes
    received: Sequence[OwnedOutput]
    key_images: Sequence[bytes]
    output_public_keys: Sequence[bytes]
    """Of all its outputs."""


@dataclasses.dataclass(frozen=True, slots=True)
class Payment:
    """A payment that this wallet made."""

    tx_hash: bytes
    """32 bytes."""
    recipient: str
    """Printable address; empty when nobody else's is known."""
    value: int
    token_id: int
    fee: int
    tombstone_block: int
    """The first block that cannot hold it any more."""
    output_public_key: bytes
    """Of an output that only this payment has, the recipient's if there is one; 32 bytes. Where it
    is found, the payment is final."""
    change_public_key: bytes | None
    made_at: int
    """Seconds since 1970."""
    state: PaymentState = PaymentState.SUBMITTED
    final_in_block: int | None = None
    reason: str = ""
    """Why it was refused."""
    kind: PaymentKind = PaymentKind.SEND
    fee_token_id: int | None = None
    """None: the same as of the value."""
    received: Amount | None = None
    """What came in for the value, before the fee."""
    receipt: bytes = b""
    """Encoded `Receipt` of the recipient's output, if this payment can be proved."""

    @property
    def fee_token(self) -> int:
        """The token of the fee."""
        return self.token_id if self.fee_token_id is None else self.fee_token_id


class OfferState(enum.Enum):
    """How far an offer to swap is."""

    OPEN = "open"
    """Its output is reserved."""
    FILLED = "filled"
    """Somebody took it, whole or in part."""
    CANCELLED = "cancelled"
    """Its output was spent by this account."""
    EXPIRED = "expired"
    """Its last block came first; its output is free again."""


@dataclasses.dataclass(frozen=True, slots=True)
class Offer:
    """An output offered for something else."""

    key_image: bytes
    """Of the output, 32 bytes."""
    contingent_input: bytes
    """Encoded `SignedContingentInput`."""
    offered: Amount
    wanted: Amount
    tombstone_block: int
    """The last tombstone of a transaction that takes it; 0: it is open until it is cancelled."""
    made_at: int
    """Seconds since 1970."""
    state: OfferState = OfferState.OPEN
    settled_in_block: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Balance:
    """What an account holds of one token."""

    spendable: int
    pending: int
    """In submitted payments, open offers and gift codes: may come back, whole or as change."""

    def __add__(self, other: "Balance") -> "Balance":
        """Both together."""
        return Balance(self.spendable + other.spendable, self.pending + other.pending)

    @property
    def total(self) -> int:
        """Everything that is unspent as far as the wallet has seen."""
        return self.spendable + self.pending
