"""Encrypted wallet files: SQLCipher, every page AES-256 and authenticated.

A file begins with 16 bytes in the clear, which are the salt: `MCNX`, the binary logarithm of
scrypt's N, 11 random bytes. The key is scrypt of the passphrase: 32 MiB of memory and about a tenth
of a second per guess. SQLCipher is an optional package: only these files need it.
"""

import os
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from mcnode.wallet.errors import EncryptionMissing, PassphraseNeeded, WrongPassphrase

MAGIC: Final = b"MCNX"
SCRYPT_LOG_N: Final = 15
SCRYPT_LOG_N_MAX: Final = 20
"""What a file may ask for: 1 GiB."""
SCRYPT_R, SCRYPT_P = 8, 1
PASSPHRASE_CHARS_MAX: Final = 1024
_SALT_BYTES, _KEY_BYTES = 16, 32

Passphrase = str | Callable[[], str] | None
"""A passphrase, or how to ask for one when it is needed."""


def load_cipher() -> Any:
    """The module with the functions and errors of `sqlite3`, for encrypted files.

    Raises:
        EncryptionMissing: the package is not installed.
    """
    try:
        from sqlcipher3 import dbapi2
    except ImportError:
        raise EncryptionMissing from None
    return dbapi2


def ask(passphrase: Passphrase) -> str:
    """The passphrase. Raises `PassphraseNeeded` when there is none."""
    given = passphrase() if callable(passphrase) else passphrase
    if not given:
        raise PassphraseNeeded
    return given


def new_salt() -> bytes:
    """16 bytes for a new file."""
    head = MAGIC + bytes([SCRYPT_LOG_N])
    return head + os.urandom(_SALT_BYTES - len(head))


def read_salt(path: Path) -> bytes | None:
    """The salt of an encrypted file, None for any other. Raises `OSError`."""
    with path.open("rb") as file:
        head = file.read(_SALT_BYTES)
    is_ours = len(head) == _SALT_BYTES and head.startswith(MAGIC)
    return head if is_ours and 0 < head[len(MAGIC)] <= SCRYPT_LOG_N_MAX else None


def pragma_key(passphrase: str, salt: bytes) -> str:
    """What SQLCipher takes for a key: 32 bytes of key and 16 of salt in hex.

    Raises:
        PassphraseNeeded, WrongPassphrase: it is empty, or longer than any passphrase.
    """
    n = 1 << salt[len(MAGIC)]
    key = derive_key(passphrase, salt, n, SCRYPT_R, SCRYPT_P)
    return f"x'{key.hex()}{salt.hex()}'"


def derive_key(passphrase: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    """32 bytes; the same letters give the same key on every keyboard.

    Raises:
        PassphraseNeeded, WrongPassphrase: the passphrase is empty, or longer than any.
    """
    if not passphrase:
        raise PassphraseNeeded
    if len(passphrase) > PASSPHRASE_CHARS_MAX:
        raise WrongPassphrase
    text = unicodedata.normalize("NFKC", passphrase)
    return Scrypt(salt=salt, length=_KEY_BYTES, n=n, r=r, p=p).derive(text.encode())
