"""The keys of an account: all of them, or only those that see. [docs/protocol/crypto.md#9]"""

from collections.abc import Iterable
from typing import Self

from mcnode.account.public_address import PublicAddress, sign_fog_authority
from mcnode.account.subaddress import (
    CHANGE_SUBADDRESS_INDEX,
    DEFAULT_SUBADDRESS_INDEX,
    GIFT_CODE_SUBADDRESS_INDEX,
    subaddress_spend_private,
    subaddress_spend_publics,
    subaddress_view_private,
)
from mcnode.codec.schema import (
    BYTES,
    RISTRETTO_PRIVATE,
    RISTRETTO_PUBLIC,
    TEXT,
    field,
    message,
)
from mcnode.crypto.keys import RistrettoPrivate, RistrettoPublic
from mcnode.crypto.rng import RandomBytes


@message
class AccountKey:
    """Root view and spend private key, 32 bytes each, and the fog server's details, if any."""

    view_private_key: bytes = field(1, RISTRETTO_PRIVATE)
    spend_private_key: bytes = field(2, RISTRETTO_PRIVATE)
    fog_report_url: str = field(3, TEXT)
    fog_report_id: str = field(4, TEXT)
    fog_authority_spki: bytes = field(5, BYTES)

    @classmethod
    def from_keys(
        cls,
        view_private: RistrettoPrivate,
        spend_private: RistrettoPrivate,
        *,
        fog_report_url: str = "",
        fog_report_id: str = "",
        fog_authority_spki: bytes = b"",
    ) -> Self:
        """An account of two root keys."""
        return cls(
            view_private.to_bytes(),
            spend_private.to_bytes(),
            fog_report_url,
            fog_report_id,
            fog_authority_spki,
        )

    @classmethod
    def random(cls, random_bytes: RandomBytes) -> Self:
        """Keys from random bytes: 64 for the spend key, then 64 for the view key."""
        spend = RistrettoPrivate.random(random_bytes)
        view = RistrettoPrivate.random(random_bytes)
        return cls.from_keys(view, spend)

    @property
    def view_private(self) -> RistrettoPrivate:
        """Sees every output of the account."""
        return RistrettoPrivate(self.view_private_key)

    @property
    def spend_private(self) -> RistrettoPrivate:
        """Root of the keys that spend."""
        return RistrettoPrivate(self.spend_private_key)

    def subaddress_spend_private(self, index: int) -> RistrettoPrivate:
        """Spends what was sent to subaddress `index`."""
        return subaddress_spend_private(self.view_private, self.spend_private, index)

    def subaddress_view_private(self, index: int) -> RistrettoPrivate:
        """Signs for subaddress `index`."""
        return subaddress_view_private(self.view_private, self.spend_private, index)

    def subaddress(self, index: int) -> PublicAddress:
        """The address of index `index`, with the owner's signature for fog where there is fog."""
        spend = self.subaddress_spend_private(index)
        view = self.view_private * spend
        signature = (
            sign_fog_authority(view, self.fog_authority_spki) if self.fog_report_url else b""
        )
        return PublicAddress(
            view_public_key=view.public_key().to_bytes(),
            spend_public_key=spend.public_key().to_bytes(),
            fog_report_url=self.fog_report_url,
            fog_report_id=self.fog_report_id,
            fog_authority_sig=signature,
        )

    def default_subaddress(self) -> PublicAddress:
        """Where others pay to."""
        return self.subaddress(DEFAULT_SUBADDRESS_INDEX)

    def change_subaddress(self) -> PublicAddress:
        """Where the account pays its change to."""
        return self.subaddress(CHANGE_SUBADDRESS_INDEX)

    def gift_code_subaddress(self) -> PublicAddress:
        """Where the outputs behind gift codes lie."""
        return self.subaddress(GIFT_CODE_SUBADDRESS_INDEX)

    def view_account_key(self) -> "ViewAccountKey":
        """The half that sees."""
        return ViewAccountKey(self.view_private_key, self.spend_private.public_key().to_bytes())

    def __repr__(self) -> str:
        return f"AccountKey({self.default_subaddress()})"


@message
class ViewAccountKey:
    """Root view private and spend public key: sees all, spends nothing, knows no fog."""

    view_private_key: bytes = field(1, RISTRETTO_PRIVATE)
    spend_public_key: bytes = field(2, RISTRETTO_PUBLIC)

    @property
    def view_private(self) -> RistrettoPrivate:
        """Sees every output of the account."""
        return RistrettoPrivate(self.view_private_key)

    @property
    def spend_public(self) -> RistrettoPublic:
        """Root of the subaddresses' spend keys."""
        return RistrettoPublic(self.spend_public_key)

    def subaddress_spend_publics(self, indices: Iterable[int]) -> list[bytes]:
        """Spend keys, 32 bytes each, of many subaddresses: what a scan compares with."""
        return subaddress_spend_publics(self.view_private, self.spend_public, indices)

    def subaddress(self, index: int) -> PublicAddress:
        """The address of index `index`, without fog."""
        (spend,) = self.subaddress_spend_publics([index])
        view = self.view_private.multiply(RistrettoPublic(spend))
        return PublicAddress(view.to_bytes(), spend, "", "", b"")

    def default_subaddress(self) -> PublicAddress:
        """Where others pay to."""
        return self.subaddress(DEFAULT_SUBADDRESS_INDEX)

    def change_subaddress(self) -> PublicAddress:
        """Where the account pays its change to."""
        return self.subaddress(CHANGE_SUBADDRESS_INDEX)

    def gift_code_subaddress(self) -> PublicAddress:
        """Where the outputs behind gift codes lie."""
        return self.subaddress(GIFT_CODE_SUBADDRESS_INDEX)

    def __repr__(self) -> str:
        return f"ViewAccountKey(spend_public={self.spend_public_key.hex()})"
