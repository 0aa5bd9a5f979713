"""Memos that prove who sent an output. [docs/protocol/transaction.md#11]

The proof is a MAC under a key that only the sender's subaddress and the recipient's share; so it
convinces the recipient and nobody else.
"""

import dataclasses
import hmac
from typing import Self

from mcnode.account.account_key import AccountKey
from mcnode.account.public_address import PublicAddress, short_address_hash
from mcnode.crypto.keys import RistrettoPrivate, RistrettoPublic
from mcnode.crypto.memo import MEMO_MAC_DATA_BYTES, memo_mac
from mcnode.transaction.memo.base import Memo, MemoError, make_data, register

PLAIN, WITH_PAYMENT_REQUEST_ID, WITH_PAYMENT_INTENT_ID = 0x0100, 0x0101, 0x0102


class UnauthenticMemo(MemoError):
    """The memo is not by the presumed sender, or was not made for this output."""

    def __init__(self) -> None:
        super().__init__("memo is not by the presumed sender to this recipient")


@dataclasses.dataclass(frozen=True, slots=True)
class SenderCredential:
    """Who signs memos: the short hash of an address and its spend key."""

    address_hash: bytes
    spend_private_key: RistrettoPrivate = dataclasses.field(repr=False)

    @classmethod
    def from_account(cls, account: AccountKey, subaddress_index: int = 0) -> Self:
        """The credential of a subaddress."""
        return cls(
            short_address_hash(account.subaddress(subaddress_index)),
            account.subaddress_spend_private(subaddress_index),
        )


class AuthenticatedSenderMemo(Memo):
    """Who sent this, and for which payment request or intent."""

    __slots__ = ()
    TYPES = (PLAIN, WITH_PAYMENT_REQUEST_ID, WITH_PAYMENT_INTENT_ID)

    @classmethod
    def create(
        cls,
        credential: SenderCredential,
        recipient_view_public: RistrettoPublic,
        tx_out_public_key: bytes,
        *,
        payment_request_id: int | None = None,
        payment_intent_id: int | None = None,
    ) -> Self:
        """A memo for the output with this 32-byte public key to this subaddress."""
        number, id_bytes = PLAIN, b""
        if payment_request_id is not None:
            number, id_bytes = WITH_PAYMENT_REQUEST_ID, payment_request_id.to_bytes(8, "big")
        elif payment_intent_id is not None:
            number, id_bytes = WITH_PAYMENT_INTENT_ID, payment_intent_id.to_bytes(8, "big")
        memo_type = number.to_bytes(2, "big")
        body = make_data(credential.address_hash, id_bytes)[:MEMO_MAC_DATA_BYTES]
        shared = credential.spend_private_key.multiply(recipient_view_public)
        mac = memo_mac(shared.to_bytes(), tx_out_public_key, memo_type, body)
        return cls(memo_type, body + mac)

    @property
    def sender_hash(self) -> bytes:
        """The short hash, 16 bytes, of the sender's address."""
        return self.data[:16]

    @property
    def payment_request_id(self) -> int | None:
        """Of the request that was paid, if the type has one."""
        return self._id_of(WITH_PAYMENT_REQUEST_ID)

    @property
    def payment_intent_id(self) -> int | None:
        """Of the intent that was paid, if the type has one."""
        return self._id_of(WITH_PAYMENT_INTENT_ID)

    def _id_of(self, memo_type: int) -> int | None:
        return self._number(16, 24) if int.from_bytes(self.memo_type, "big") == memo_type else None

    def check(
        self,
        sender: PublicAddress,
        receiving_view_private: RistrettoPrivate,
        tx_out_public_key: bytes,
    ) -> None:
        """Check that `sender` wrote this for the output with this 32-byte public key.

        `receiving_view_private` is the view key of the receiving subaddress.

        Raises:
            UnauthenticMemo: the hash or the MAC differs.
        """
        shared = receiving_view_private.multiply(sender.spend_public)
        mac = memo_mac(shared.to_bytes(), tx_out_public_key, self.memo_type, self.data)
        is_sender = hmac.compare_digest(self.sender_hash, short_address_hash(sender))
        is_mac = hmac.compare_digest(self.data[MEMO_MAC_DATA_BYTES:], mac)
        if not (is_sender & is_mac):
            raise UnauthenticMemo


register(AuthenticatedSenderMemo)
