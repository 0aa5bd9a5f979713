"""What a wallet knows: outputs, payments, balances. Values are in the token's smallest unit."""

import dataclasses
import enum
from collections.abc import Sequence


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
    key_image: bytes
    """32 bytes that a block holds when this output is spent."""
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
    """Printable address."""
    value: int
    token_id: int
    fee: int
    """In the same token."""
    tombstone_block: int
    """The first block that cannot hold it any more."""
    output_public_key: bytes
    """Of the recipient's output, 32 bytes: where it is found, the payment is final."""
    change_public_key: bytes | None
    made_at: int
    """Seconds since 1970."""
    state: PaymentState = PaymentState.SUBMITTED
    final_in_block: int | None = None
    reason: str = ""
    """Why it was refused."""


@dataclasses.dataclass(frozen=True, slots=True)
class Balance:
    """What an account holds of one token."""

    spendable: int
    pending: int
    """Inputs of submitted payments: comes back as change, or whole if the payment expires."""

    @property
    def total(self) -> int:
        """Everything that is unspent as far as the wallet has seen."""
        return self.spendable + self.pending
