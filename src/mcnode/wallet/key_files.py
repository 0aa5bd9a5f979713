"""Key files on disk; their format is `mcnode.account.key_files`. [docs/protocol/crypto.md#22]"""

import os
from pathlib import Path
from typing import Final

from mcnode.account.account_key import AccountKey
from mcnode.account.key_files import (
    PRIVATE_SUFFIX,
    PUBLIC_SUFFIX,
    UncheckedMnemonicAccount,
    key_file_contents,
    parse_key_json,
    sorted_names,
)
from mcnode.account.printable import parse_printable_address
from mcnode.account.public_address import PublicAddress
from mcnode.codec.protobuf import decode
from mcnode.files import read_bytes, read_text

FILE_BYTES_MAX: Final = 1 << 20
"""A key with a big fog authority key has a few KiB."""


def save_key_files(directory: Path, name: str, account: UncheckedMnemonicAccount) -> None:
    """Write `name.json` (readable by the owner only), `name.pub` and `name.b58pub`.

    Raises:
        InvalidMnemonic, KeyFileError: the account is not complete.
        OSError: the directory cannot be written.
    """
    contents = key_file_contents(account)
    directory.mkdir(parents=True, exist_ok=True)
    for suffix, data in contents.items():
        path = directory / f"{name}{suffix}"
        if suffix == PRIVATE_SUFFIX:
            _save_private(path, data)
        else:
            path.write_bytes(data)


def _save_private(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), 0o600)  # an older file may have been open to others
        file.write(data)


def load_account_key(path: Path) -> AccountKey:
    """The account of a `.json` file; errors as `parse_key_json` and `read_text`."""
    return parse_key_json(read_text(path, FILE_BYTES_MAX))


def load_public_address(path: Path) -> PublicAddress:
    """The address of a `.pub` file.

    Raises:
        InvalidError: the bytes are no address.
        OSError: the file cannot be read.
    """
    return decode(PublicAddress, read_bytes(path, FILE_BYTES_MAX))


def load_printable_address(path: Path) -> PublicAddress:
    """The address of a `.b58pub` file; white space around it is passed over.

    Raises:
        PrintableError: the text is no address.
        OSError: the file cannot be read.
    """
    return parse_printable_address(read_text(path, FILE_BYTES_MAX).strip())


def _load_all(directory: Path, suffix: str) -> list[Path]:
    names = (path.name for path in directory.iterdir() if path.suffix == suffix)
    return [directory / name for name in sorted_names(names)]


def load_account_keys(directory: Path) -> list[AccountKey]:
    """Every account of a directory's `.json` files, in the order of `sorted_names`."""
    return [load_account_key(path) for path in _load_all(directory, PRIVATE_SUFFIX)]


def load_public_addresses(directory: Path) -> list[PublicAddress]:
    """Every address of a directory's `.pub` files, in the order of `sorted_names`."""
    return [load_public_address(path) for path in _load_all(directory, PUBLIC_SUFFIX)]
