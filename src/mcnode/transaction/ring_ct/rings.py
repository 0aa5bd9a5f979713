"""Inputs as a signer gets them. [docs/protocol/transaction.md#6.2]"""

import dataclasses
from typing import Protocol

from mcnode.account.account_key import AccountKey
from mcnode.crypto.keys import RistrettoPrivate, RistrettoPublic
from mcnode.crypto.onetime_keys import recover_onetime_private_key
from mcnode.crypto.ring_signature import RingMember, RingSecrets, sign
from mcnode.crypto.rng import RandomBytes
from mcnode.transaction.amounts import OpenedAmount
from mcnode.transaction.errors import TransactionError
from mcnode.transaction.messages import RingMLSAG, TxOut
from mcnode.transaction.tx_out import commitment_of


@dataclasses.dataclass(frozen=True, slots=True)
class ReducedTxOut:
    """What a ring signature needs of an output: three encoded points of 32 bytes."""

    public_key: bytes
    target_key: bytes
    commitment: bytes

    @classmethod
    def of(cls, tx_out: TxOut) -> "ReducedTxOut":
        """The reduced form of an output that has an amount."""
        return cls(tx_out.public_key, tx_out.target_key, commitment_of(tx_out))


@dataclasses.dataclass(frozen=True, slots=True)
class SignableRing:
    """A ring whose real member the signer may spend.

    `key` is the member's one-time private key, or the index of the subaddress it was sent to when
    only the signer knows the spend key.
    """

    members: tuple[ReducedTxOut, ...]
    real_input_index: int
    key: RistrettoPrivate | int
    amount: OpenedAmount
    """Of the real member."""


@dataclasses.dataclass(frozen=True, slots=True)
class PresignedRing:
    """A ring that somebody else has signed already."""

    mlsag: RingMLSAG
    pseudo_output: OpenedAmount


InputRing = SignableRing | PresignedRing


class SignerError(TransactionError):
    """The holder of the keys refuses to sign."""


class TrueInputNotOwned(SignerError):
    """The one-time key is not that of the real member."""

    def __init__(self, target_key: bytes) -> None:
        super().__init__(f"key does not spend the output with target key {target_key.hex()}")


class NoPathToSpendKey(SignerError):
    """The signer has no spend key from which the one-time key could be made."""

    def __init__(self, subaddress_index: int) -> None:
        super().__init__(f"no spend key for subaddress {subaddress_index}")


class RealInputIndexOutOfBounds(SignerError):
    """The real member lies outside its ring."""

    def __init__(self, index: int, ring_size: int) -> None:
        super().__init__(f"real input is member {index} of a ring of {ring_size}")


class RingSigner(Protocol):
    """Whoever can spend: a key in memory, an account, a device."""

    def sign(
        self,
        message: bytes,
        ring: SignableRing,
        pseudo_output_blinding: bytes,
        random_bytes: RandomBytes,
    ) -> RingMLSAG:
        """Sign for the real member; raises `SignerError` or `RingSignatureError`."""
        ...


class OnetimeKeySigner:
    """Signs with the one-time keys that come with the rings."""

    def sign(
        self,
        message: bytes,
        ring: SignableRing,
        pseudo_output_blinding: bytes,
        random_bytes: RandomBytes,
    ) -> RingMLSAG:
        """As `RingSigner.sign`; a ring with a subaddress index raises `NoPathToSpendKey`."""
        _real_member(ring)
        if isinstance(ring.key, int):
            raise NoPathToSpendKey(ring.key)
        return sign_ring(message, ring, ring.key, pseudo_output_blinding, random_bytes)


class AccountSigner:
    """Signs with the keys of an account."""

    def __init__(self, account: AccountKey) -> None:
        self._account = account

    def sign(
        self,
        message: bytes,
        ring: SignableRing,
        pseudo_output_blinding: bytes,
        random_bytes: RandomBytes,
    ) -> RingMLSAG:
        """As `RingSigner.sign`; a key that does not fit raises `TrueInputNotOwned`."""
        real = _real_member(ring)
        key = ring.key
        if isinstance(key, int):
            key = recover_onetime_private_key(
                RistrettoPublic(real.public_key),
                self._account.view_private,
                self._account.subaddress_spend_private(key),
            )
        if key.public_key().to_bytes() != real.target_key:
            raise TrueInputNotOwned(real.target_key)
        return sign_ring(message, ring, key, pseudo_output_blinding, random_bytes)


def sign_ring(
    message: bytes,
    ring: SignableRing,
    onetime_private_key: RistrettoPrivate,
    pseudo_output_blinding: bytes,
    random_bytes: RandomBytes,
) -> RingMLSAG:
    """A ring signature as a message; raises `RingSignatureError`."""
    signed = sign(
        message,
        [RingMember(member.target_key, member.commitment) for member in ring.members],
        RingSecrets(
            real_index=ring.real_input_index,
            onetime_private_key=onetime_private_key,
            value=ring.amount.value,
            token_id=ring.amount.token_id,
            blinding=ring.amount.blinding,
            output_blinding=pseudo_output_blinding,
        ),
        random_bytes,
    )
    return RingMLSAG(signed.c_zero, signed.responses, signed.key_image)


def _real_member(ring: SignableRing) -> ReducedTxOut:
    if not 0 <= ring.real_input_index < len(ring.members):
        raise RealInputIndexOutOfBounds(ring.real_input_index, len(ring.members))
    return ring.members[ring.real_input_index]
