"""Accounts from BIP-39 mnemonics by SLIP-0010. [docs/protocol/crypto.md#10]

English words, no passphrase; path m/44'/866'/account' over Ed25519; the resulting key becomes the
two root keys through HKDF.
"""

import functools
import hashlib
import hmac
from typing import Final

from mnemonic import Mnemonic

from mcnode.account.account_key import AccountKey
from mcnode.crypto.hkdf import HashName, hkdf
from mcnode.crypto.keys import RistrettoPrivate
from mcnode.errors import InvalidError

PBKDF2_ROUNDS: Final = 2048
MNEMONIC_CHARS_MAX: Final = 1024
"""24 words of at most 8 letters need 215."""
ENTROPY_BYTES: Final = (16, 20, 24, 28, 32)
_HARDENED: Final = 0x8000_0000
_COIN_TYPE: Final = 866
_MASTER_KEY: Final = b"ed25519 seed"
_VIEW_SALT: Final = b"mobilecoin-ristretto255-view"
_SPEND_SALT: Final = b"mobilecoin-ristretto255-spend"


class InvalidMnemonic(InvalidError):
    """A phrase is not a BIP-39 mnemonic; the message does not repeat it."""


@functools.cache
def _english() -> Mnemonic:
    return Mnemonic("english")


def mnemonic_from_entropy(entropy: bytes) -> str:
    """The phrase of 16, 20, 24, 28 or 32 bytes of entropy: 12 to 24 words.

    Raises:
        InvalidMnemonic: another length.
    """
    if len(entropy) not in ENTROPY_BYTES:
        raise InvalidMnemonic(f"entropy has {len(entropy)} bytes, needs one of {ENTROPY_BYTES}")
    return str(_english().to_mnemonic(entropy))


def entropy_from_mnemonic(phrase: str) -> bytes:
    """The entropy behind a phrase; words may be parted by any white space.

    Raises:
        InvalidMnemonic: wrong number of words, an unknown word, or a wrong checksum.
    """
    return bytes(_check_words(phrase)[1])


def _check_words(phrase: str) -> tuple[str, bytes]:
    if len(phrase) > MNEMONIC_CHARS_MAX:
        raise InvalidMnemonic(f"mnemonic has {len(phrase)} characters, limit {MNEMONIC_CHARS_MAX}")
    normalized = " ".join(phrase.split())
    try:
        return normalized, bytes(_english().to_entropy(normalized))
    except (ValueError, LookupError):
        count = len(normalized.split())
        raise InvalidMnemonic(
            f"not an English mnemonic: {count} words with an unknown word, a wrong count or a"
            " wrong checksum"
        ) from None


def slip10_key(phrase: str, account_index: int) -> bytes:
    """The 32-byte SLIP-0010 key of m/44'/866'/account'.

    Raises:
        InvalidMnemonic: the phrase is not a mnemonic.
    """
    normalized, _ = _check_words(phrase)
    seed = hashlib.pbkdf2_hmac("sha512", normalized.encode(), b"mnemonic", PBKDF2_ROUNDS)
    node = hmac.digest(_MASTER_KEY, seed, "sha512")
    for index in (44, _COIN_TYPE, account_index):
        number = (_HARDENED | (index & (_HARDENED - 1))).to_bytes(4, "big")
        node = hmac.digest(node[32:], b"\0" + node[:32] + number, "sha512")
    return node[:32]


def wide_view_key(key: bytes) -> bytes:
    """The view key of a SLIP-0010 key, 64 bytes before the reduction."""
    return hkdf(HashName.SHA512, salt=_VIEW_SALT, ikm=key, info=b"", length=64)


def wide_spend_key(key: bytes) -> bytes:
    """The spend key of a SLIP-0010 key, 64 bytes before the reduction."""
    return hkdf(HashName.SHA512, salt=_SPEND_SALT, ikm=key, info=b"", length=64)


def account_key_from_slip10(key: bytes) -> AccountKey:
    """The account of a 32-byte SLIP-0010 key."""
    return AccountKey.from_keys(
        RistrettoPrivate.from_wide(wide_view_key(key)),
        RistrettoPrivate.from_wide(wide_spend_key(key)),
    )


def account_key_from_mnemonic(phrase: str, account_index: int = 0) -> AccountKey:
    """The account of a phrase.

    Raises:
        InvalidMnemonic: the phrase is not a mnemonic.
    """
    return account_key_from_slip10(slip10_key(phrase, account_index))
