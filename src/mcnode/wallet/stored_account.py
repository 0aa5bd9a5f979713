"""The account's keys in a wallet file.

Files made before whole files could be encrypted may have the keys alone sealed with a passphrase:
AES-256-GCM with a key that scrypt makes of it. Such files are still opened; to change the
passphrase encrypts all of the file.
"""

import json
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mcnode.account.account_key import AccountKey, ViewAccountKey
from mcnode.codec import protobuf
from mcnode.errors import InvalidError
from mcnode.wallet.cipher import SCRYPT_P, SCRYPT_R, Passphrase, ask, derive_key
from mcnode.wallet.draft import Account
from mcnode.wallet.errors import PassphraseNeeded, WalletFileError, WrongPassphrase
from mcnode.wallet.store import WalletStore

SCRYPT_N_MAX: Final = 1 << 20
"""What a file may ask for: 1 GiB."""
_PURPOSE: Final = b"mcnode wallet account "
_ACCOUNT, _VIEW_ACCOUNT, _SEALED = "account_key", "view_account_key", "sealed_account"


def stored_account(account: Account) -> tuple[str, str]:
    """The setting, name and text, that holds an account."""
    name = _VIEW_ACCOUNT if isinstance(account, ViewAccountKey) else _ACCOUNT
    return name, protobuf.encode(account).hex()


def save_unsealed(store: WalletStore, account: Account) -> None:
    """Store the keys without a seal of their own."""
    name, text = stored_account(account)
    store.replace_settings((_ACCOUNT, _VIEW_ACCOUNT, _SEALED), {name: text})


def has_sealed_keys(store: WalletStore) -> bool:
    """Whether the keys have a seal of their own."""
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
            return _unseal(sealed, ask(passphrase))
        view = store.setting(_VIEW_ACCOUNT)
        if view is not None:
            return protobuf.decode(ViewAccountKey, bytes.fromhex(view))
        return protobuf.decode(AccountKey, bytes.fromhex(store.setting(_ACCOUNT) or ""))
    except (PassphraseNeeded, WrongPassphrase):
        raise
    except (ValueError, LookupError, TypeError, InvalidError) as error:
        raise WalletFileError(f"{store.path} holds no account: {type(error).__name__}") from None


def _unseal(text: str, passphrase: str) -> Account:
    value: dict[str, Any] = json.loads(text)
    name, n, r, p = value["name"], value["n"], value["r"], value["p"]
    if not 1 < n <= SCRYPT_N_MAX or (r, p) != (SCRYPT_R, SCRYPT_P):
        raise ValueError("scrypt parameters")
    key = derive_key(passphrase, bytes.fromhex(value["salt"]), n, r, p)
    nonce, sealed = bytes.fromhex(value["nonce"]), bytes.fromhex(value["sealed"])
    try:
        encoded = AESGCM(key).decrypt(nonce, sealed, _PURPOSE + name.encode())
    except InvalidTag:
        raise WrongPassphrase from None
    if name == _VIEW_ACCOUNT:
        return protobuf.decode(ViewAccountKey, encoded)
    return protobuf.decode(AccountKey, encoded)
