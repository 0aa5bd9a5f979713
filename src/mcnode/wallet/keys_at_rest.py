"""The account's keys in a wallet file: as they are, or sealed with a passphrase.

Sealed is AES-256-GCM with a key that scrypt makes of the passphrase (32 MiB of memory and about a
tenth of a second per guess). Outputs and payments in the file are not sealed.
"""

import json
import os
import unicodedata
from collections.abc import Callable
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from mcnode.account.account_key import AccountKey, ViewAccountKey
from mcnode.codec import protobuf
from mcnode.errors import InvalidError
from mcnode.wallet.draft import Account
from mcnode.wallet.errors import PassphraseNeeded, WalletFileError, WrongPassphrase
from mcnode.wallet.store import WalletStore

SCRYPT_N: Final = 1 << 15
SCRYPT_N_MAX: Final = 1 << 20
"""What a file may ask for: 1 GiB."""
SCRYPT_R, SCRYPT_P = 8, 1
PASSPHRASE_CHARS_MAX: Final = 1024
_SALT_BYTES, _NONCE_BYTES, _KEY_BYTES = 16, 12, 32
_PURPOSE: Final = b"mcnode wallet account "

Passphrase = str | Callable[[], str] | None
"""A passphrase, or how to ask for one when it is needed."""

_ACCOUNT, _VIEW_ACCOUNT, _SEALED = "account_key", "view_account_key", "sealed_account"
_NAMES: Final = (_ACCOUNT, _VIEW_ACCOUNT, _SEALED)


def stored_account(account: Account, passphrase: str | None) -> tuple[str, str]:
    """The setting, name and text, that holds an account. Raises `PassphraseNeeded` for an empty
    passphrase.
    """
    name = _VIEW_ACCOUNT if isinstance(account, ViewAccountKey) else _ACCOUNT
    encoded = protobuf.encode(account)
    if passphrase is None:
        return name, encoded.hex()
    return _SEALED, _seal(name, encoded, passphrase)


def save_account(store: WalletStore, account: Account, passphrase: str | None) -> None:
    """Seal the account with another passphrase, or with None store it as it is."""
    name, text = stored_account(account, passphrase)
    store.replace_settings(_NAMES, {name: text})


def is_sealed(store: WalletStore) -> bool:
    """Whether a passphrase is needed."""
    return store.setting(_SEALED) is not None


def load_account(store: WalletStore, passphrase: Passphrase = None) -> Account:
    """The account of a wallet file.

    Raises:
        PassphraseNeeded, WrongPassphrase: as they say.
        WalletFileError: there is none, or it is damaged.
    """
    try:
        sealed = store.setting(_SEALED)
        if sealed is not None:
            return _unseal(sealed, _ask(passphrase))
        view = store.setting(_VIEW_ACCOUNT)
        if view is not None:
            return protobuf.decode(ViewAccountKey, bytes.fromhex(view))
        return protobuf.decode(AccountKey, bytes.fromhex(store.setting(_ACCOUNT) or ""))
    except (PassphraseNeeded, WrongPassphrase):
        raise
    except (ValueError, LookupError, TypeError, InvalidError) as error:
        raise WalletFileError(f"{store.path} holds no account: {type(error).__name__}") from None


def _ask(passphrase: Passphrase) -> str:
    given = passphrase() if callable(passphrase) else passphrase
    if not given:
        raise PassphraseNeeded
    return given


def _seal(name: str, encoded: bytes, passphrase: str) -> str:
    salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
    key = _key_of(passphrase, salt, SCRYPT_N, SCRYPT_R, SCRYPT_P)
    sealed = AESGCM(key).encrypt(nonce, encoded, _PURPOSE + name.encode())
    return json.dumps(
        {
            "name": name,
            "n": SCRYPT_N,
            "r": SCRYPT_R,
            "p": SCRYPT_P,
            "salt": salt.hex(),
            "nonce": nonce.hex(),
            "sealed": sealed.hex(),
        }
    )


def _unseal(text: str, passphrase: str) -> Account:
    value: dict[str, Any] = json.loads(text)
    name, n, r, p = value["name"], value["n"], value["r"], value["p"]
    if not 1 < n <= SCRYPT_N_MAX or (r, p) != (SCRYPT_R, SCRYPT_P):
        raise ValueError("scrypt parameters")
    key = _key_of(passphrase, bytes.fromhex(value["salt"]), n, r, p)
    nonce, sealed = bytes.fromhex(value["nonce"]), bytes.fromhex(value["sealed"])
    try:
        encoded = AESGCM(key).decrypt(nonce, sealed, _PURPOSE + name.encode())
    except InvalidTag:
        raise WrongPassphrase from None
    if name == _VIEW_ACCOUNT:
        return protobuf.decode(ViewAccountKey, encoded)
    return protobuf.decode(AccountKey, encoded)


def _key_of(passphrase: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    """The same letters give the same key on every keyboard."""
    if not passphrase:
        raise PassphraseNeeded
    if len(passphrase) > PASSPHRASE_CHARS_MAX:
        raise WrongPassphrase
    text = unicodedata.normalize("NFKC", passphrase)
    return Scrypt(salt=salt, length=_KEY_BYTES, n=n, r=r, p=p).derive(text.encode())
