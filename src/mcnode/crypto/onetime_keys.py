"""One-time keys of outputs: made by the sender, found and spent by the owner.

With recipient subaddress (C, D), transaction private key r, and the owner's view private key a and
subaddress spend private key d [docs/protocol/crypto.md#12]:

    target key     P = Hs(rC)G + D          shared secret  S = rC = aR
    public key     R = rD                   one-time key   x = Hs(aR) + d,  P = xG

r must never be used twice.
"""

import dataclasses
import hashlib
from collections.abc import Iterable
from typing import Final

from mcnode import _native
from mcnode.crypto.errors import KeyFormatError
from mcnode.crypto.keys import RistrettoPrivate, RistrettoPublic

_ONETIME_KEY_TAG: Final = b"mc_onetime_key_hash_to_scalar"
_CONFIRMATION_NUMBER_TAG: Final = b"mc_tx_out_confirmation_number"


@dataclasses.dataclass(frozen=True, slots=True)
class OutputKeys:
    """What a sender computes for one output."""

    target_key: RistrettoPublic
    public_key: RistrettoPublic
    shared_secret: RistrettoPublic = dataclasses.field(repr=False)


def create_output_keys(
    tx_private_key: RistrettoPrivate,
    recipient_view_public: RistrettoPublic,
    recipient_spend_public: RistrettoPublic,
) -> OutputKeys:
    """Target key, public key and shared secret of an output to a subaddress."""
    target, public, shared = _native.create_output_keys(
        tx_private_key.to_bytes(),
        recipient_view_public.to_bytes(),
        recipient_spend_public.to_bytes(),
    )
    return OutputKeys(
        RistrettoPublic._unchecked(target),
        RistrettoPublic._unchecked(public),
        RistrettoPublic._unchecked(shared),
    )


def shared_secret_of(
    view_private: RistrettoPrivate, tx_out_public_key: RistrettoPublic
) -> RistrettoPublic:
    """`aR`, with the account's view key, not a subaddress's."""
    return view_private.multiply(tx_out_public_key)


def _onetime_scalar(shared_secret: RistrettoPublic) -> RistrettoPrivate:
    return RistrettoPrivate(_native.hash_to_scalar(_ONETIME_KEY_TAG, shared_secret.to_bytes()))


def recover_spend_public(
    view_private: RistrettoPrivate,
    target_key: RistrettoPublic,
    tx_out_public_key: RistrettoPublic,
) -> RistrettoPublic:
    """`P - Hs(aR)G`: the subaddress spend key that owns the output, if it is this account's.

    For a foreign output it is a meaningless point, never an error.
    """
    tweak = _onetime_scalar(shared_secret_of(view_private, tx_out_public_key))
    return target_key - tweak.public_key()


@dataclasses.dataclass(frozen=True, slots=True)
class ScannedOutput:
    """What the view key says about one output."""

    shared_secret: bytes = dataclasses.field(repr=False)
    """32 bytes."""
    spend_public: bytes
    """32 bytes: look it up among the account's subaddresses."""


def scan_outputs(
    view_private: RistrettoPrivate, outputs: Iterable[tuple[bytes, bytes]]
) -> list[ScannedOutput | None]:
    """Shared secret and candidate spend key for many (public key, target key), in one native call.

    None stands where one of the two keys, 32 bytes each, is no point.

    Raises:
        KeyFormatError: a key has another length.
    """
    pairs = list(outputs)
    for public_key, target_key in pairs:
        if len(public_key) != 32 or len(target_key) != 32:
            raise KeyFormatError(
                f"keys of an output have {len(public_key)} and {len(target_key)} bytes, need 32"
            )
    return [
        None if found is None else ScannedOutput(*found)
        for found in _native.scan_outputs(view_private.to_bytes(), pairs)
    ]


def recover_onetime_private_key(
    tx_out_public_key: RistrettoPublic,
    view_private: RistrettoPrivate,
    subaddress_spend_private: RistrettoPrivate,
) -> RistrettoPrivate:
    """`x = Hs(aR) + d`. The caller compares xG with the target key."""
    return (
        _onetime_scalar(shared_secret_of(view_private, tx_out_public_key))
        + subaddress_spend_private
    )


def confirmation_number(shared_secret: bytes) -> bytes:
    """32 bytes that prove knowledge of the output's shared secret without giving it away."""
    return hashlib.blake2b(_CONFIRMATION_NUMBER_TAG + shared_secret, digest_size=32).digest()
