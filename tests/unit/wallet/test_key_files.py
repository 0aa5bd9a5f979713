"""Key files on disk."""

from pathlib import Path

import pytest

from mcnode.account.key_files import DEFAULT_SEED, sample_accounts
from mcnode.files import UnfitFileError
from mcnode.wallet.key_files import (
    FILE_BYTES_MAX,
    load_account_key,
    load_account_keys,
    load_printable_address,
    load_public_address,
    load_public_addresses,
    save_key_files,
)


def test_written_files_read_back_in_order(tmp_path: Path) -> None:
    directory = tmp_path / "keys"
    accounts = sample_accounts(DEFAULT_SEED, 11)
    for number in (10, *range(10)):
        save_key_files(directory, f"account_keys_{number}", accounts[number])
    keys = [account.account_key() for account in accounts]
    assert load_account_keys(directory) == keys
    assert load_public_addresses(directory) == [key.default_subaddress() for key in keys]
    assert load_account_key(directory / "account_keys_3.json") == keys[3]
    address = keys[3].default_subaddress()
    assert load_public_address(directory / "account_keys_3.pub") == address
    assert load_printable_address(directory / "account_keys_3.b58pub") == address


def test_keys_are_for_the_owner_only(tmp_path: Path) -> None:
    older = tmp_path / "a.json"
    older.touch(0o644)
    save_key_files(tmp_path, "a", sample_accounts(DEFAULT_SEED, 1)[0])
    assert older.stat().st_mode & 0o777 == 0o600


def test_bad_files(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UnfitFileError, match="UTF-8"):
        load_account_key(path)
    with path.open("wb") as file:
        file.truncate(FILE_BYTES_MAX + 1)
    with pytest.raises(UnfitFileError, match="1048576"):
        load_account_key(path)
    with pytest.raises(FileNotFoundError):
        load_account_key(tmp_path / "none.json")
