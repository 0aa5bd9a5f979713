"""What it takes to spend one output. [docs/protocol/transaction.md#12]"""

import dataclasses
from collections.abc import Callable, Sequence

from mcnode.crypto.keys import RistrettoPrivate, RistrettoPublic
from mcnode.transaction.amounts import OpenedAmount
from mcnode.transaction.builder.errors import (
    BadAmount,
    InvalidRingSize,
    MissingMembershipProofs,
    NoInputs,
)
from mcnode.transaction.messages import (
    InputRules,
    TxIn,
    TxOut,
    TxOutGiftCode,
    TxOutMembershipProof,
)
from mcnode.transaction.ring_ct.rings import ReducedTxOut, SignableRing
from mcnode.transaction.tx_out import ViewKeyMatchError, open_with_shared_secret, view_key_match


@dataclasses.dataclass(frozen=True, slots=True)
class InputCredentials:
    """A ring in the order of the ledger's rules, its proofs, and the key of the real member."""

    ring: tuple[TxOut, ...]
    proofs: tuple[TxOutMembershipProof, ...]
    real_index: int
    key: RistrettoPrivate | int = dataclasses.field(repr=False)
    """One-time private key, or index of the subaddress when only the signer has the spend key."""
    amount: OpenedAmount
    input_rules: InputRules | None = None

    @classmethod
    def create(
        cls,
        ring: Sequence[TxOut],
        proofs: Sequence[TxOutMembershipProof],
        real_index: int,
        key: RistrettoPrivate | int,
        view_private: RistrettoPrivate,
    ) -> "InputCredentials":
        """Sort a ring with its proofs by public key and open the real member's amount.

        Raises:
            InvalidRingSize: the ring is empty or ends before the real member.
            NoInputs: the real index is just the ring's size.
            MissingMembershipProofs: there is not one proof per member.
            BadAmount: the view key does not open the real member.
        """
        return cls._create(
            ring, proofs, real_index, key, lambda real: view_key_match(real, view_private).amount
        )

    @classmethod
    def from_gift_code(
        cls,
        ring: Sequence[TxOut],
        proofs: Sequence[TxOutMembershipProof],
        real_index: int,
        gift_code: TxOutGiftCode,
    ) -> "InputCredentials":
        """As `create`, for an output that somebody gave away with a gift code."""
        return cls._create(
            ring,
            proofs,
            real_index,
            RistrettoPrivate(gift_code.onetime_private_key),
            lambda real: open_with_shared_secret(real, RistrettoPublic(gift_code.shared_secret)),
        )

    @classmethod
    def _create(
        cls,
        ring: Sequence[TxOut],
        proofs: Sequence[TxOutMembershipProof],
        real_index: int,
        key: RistrettoPrivate | int,
        open_amount: Callable[[TxOut], OpenedAmount],
    ) -> "InputCredentials":
        if not ring or real_index > len(ring):
            raise InvalidRingSize(len(ring))
        if real_index == len(ring):
            raise NoInputs
        if len(proofs) != len(ring):
            raise MissingMembershipProofs(len(proofs), len(ring))
        real = ring[real_index]
        try:
            amount = open_amount(real)
        except ViewKeyMatchError as error:
            raise BadAmount(error) from error
        pairs = sorted(zip(ring, proofs, strict=True), key=lambda pair: pair[0].public_key)
        members = tuple(member for member, _ in pairs)
        return cls(members, tuple(proof for _, proof in pairs), members.index(real), key, amount)

    def tx_in(self) -> TxIn:
        """The input as it stands in a transaction."""
        return TxIn(self.ring, self.proofs, self.input_rules)

    def signable_ring(self) -> SignableRing:
        """The input as its signer gets it."""
        members = tuple(ReducedTxOut.of(member) for member in self.ring)
        return SignableRing(members, self.real_index, self.key, self.amount)
