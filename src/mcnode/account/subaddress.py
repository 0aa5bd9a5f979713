"""Subaddresses of an account. [docs/protocol/crypto.md#9]

From the root keys (view private a, spend private b) and a 64-bit index n:

    h = Hs("mc_subaddress" || a || n)    d = h + b    D = dG    c = a d    C = cG
"""

from collections.abc import Iterable
from typing import Final

from mcnode import _native
from mcnode.crypto.keys import RistrettoPrivate, RistrettoPublic

DEFAULT_SUBADDRESS_INDEX: Final = 0
INVALID_SUBADDRESS_INDEX: Final = (1 << 64) - 1
CHANGE_SUBADDRESS_INDEX: Final = (1 << 64) - 2
GIFT_CODE_SUBADDRESS_INDEX: Final = (1 << 64) - 3


def subaddress_spend_private(
    view_private: RistrettoPrivate, spend_private: RistrettoPrivate, index: int
) -> RistrettoPrivate:
    """`d`: spends what was sent to subaddress `index`."""
    tweak = _native.subaddress_tweak(view_private.to_bytes(), index)
    return RistrettoPrivate(tweak) + spend_private


def subaddress_view_private(
    view_private: RistrettoPrivate, spend_private: RistrettoPrivate, index: int
) -> RistrettoPrivate:
    """`c`: signs for subaddress `index`, to fog and in memos. Scanning uses the root view key."""
    return view_private * subaddress_spend_private(view_private, spend_private, index)


def subaddress_spend_publics(
    view_private: RistrettoPrivate, spend_public: RistrettoPublic, indices: Iterable[int]
) -> list[bytes]:
    """The spend public keys, 32 bytes each, of many subaddresses in one native call."""
    return _native.subaddress_spend_publics(
        view_private.to_bytes(), spend_public.to_bytes(), list(indices)
    )
