"""Vectors of accounts: roots, subaddresses, printable addresses, key files."""

from typing import Any

from mcnode.account.account_key import AccountKey
from mcnode.account.key_files import sample_accounts
from mcnode.account.mnemonic import (
    account_key_from_mnemonic,
    entropy_from_mnemonic,
    mnemonic_from_entropy,
    slip10_key,
    wide_spend_key,
    wide_view_key,
)
from mcnode.account.printable import parse_printable, to_printable
from mcnode.account.public_address import PublicAddress, check_fog_authority
from mcnode.account.root_identity import account_key_from_root_entropy
from mcnode.conformance.vectors import Report, VectorFile, expect_equal, runs

Case = dict[str, Any]


def _bytes(case: Case, key: str) -> bytes:
    return bytes(case[key])


@runs("crypto", r"slip10_key[^/]*\.jsonl")
def run_slip10_keys(file: VectorFile, report: Report) -> None:
    """A SLIP-0010 key to both wide keys."""
    for number, case in enumerate(file.json_lines()):
        with report.case(number):
            _check_wide_keys(bytes.fromhex(case["slip10_hex"]), case)


@runs("crypto", r"slip10_mnemonic[^/]*\.jsonl")
def run_slip10_mnemonics(file: VectorFile, report: Report) -> None:
    """A phrase to both wide keys."""
    for number, case in enumerate(file.json_lines()):
        with report.case(number):
            _check_wide_keys(slip10_key(case["phrase"], case["account_index"]), case)


def _check_wide_keys(key: bytes, case: Case) -> None:
    expect_equal("view", wide_view_key(key).hex(), case["view_hex"])
    expect_equal("spend", wide_spend_key(key).hex(), case["spend_hex"])


@runs("crypto", r"keyfile_default_seed[^/]*\.jsonl")
def run_sample_accounts(file: VectorFile, report: Report) -> None:
    """The accounts that the key tools write for a seed."""
    for case in file.json_lines():
        with report.case(case["index"]):
            account = sample_accounts(bytes.fromhex(case["seed"]), case["index"] + 1)[-1]
            expect_equal("mnemonic", account.mnemonic, case["mnemonic"])
            expect_equal("account index", account.account_index, case["account_index"])
            entropy = entropy_from_mnemonic(case["mnemonic"])
            expect_equal("entropy", entropy.hex(), case["entropy"])


@runs("crypto", r"upstream/account_keys/acct_priv_keys_from_bip39[^/]*\.jsonl")
def run_keys_from_bip39(file: VectorFile, report: Report) -> None:
    """Entropy, phrase and root keys."""
    for number, case in enumerate(file.json_lines()):
        with report.case(number):
            entropy = _bytes(case, "entropy")
            expect_equal("mnemonic", mnemonic_from_entropy(entropy), case["mnemonic"])
            expect_equal("entropy", entropy_from_mnemonic(case["mnemonic"]), entropy)
            account = account_key_from_mnemonic(case["mnemonic"], case["account_index"])
            _check_root_keys(account, case)


@runs("crypto", r"upstream/account_keys/acct_priv_keys_from_root_entropy[^/]*\.jsonl")
def run_keys_from_root_entropy(file: VectorFile, report: Report) -> None:
    """Root entropy to root keys."""
    for number, case in enumerate(file.json_lines()):
        with report.case(number):
            account = account_key_from_root_entropy(_bytes(case, "root_entropy"))
            _check_root_keys(account, case)


def _check_root_keys(account: AccountKey, case: Case) -> None:
    expect_equal("view", account.view_private_key, _bytes(case, "view_private_key"))
    expect_equal("spend", account.spend_private_key, _bytes(case, "spend_private_key"))


@runs("crypto", r"upstream/account_keys/(default_)?subaddr_keys_from_acct_priv_keys[^/]*\.jsonl")
def run_subaddresses(file: VectorFile, report: Report) -> None:
    """Root keys to a subaddress's keys, by the full and by the viewing account."""
    for number, case in enumerate(file.json_lines()):
        with report.case(number):
            account = AccountKey(
                _bytes(case, "view_private_key"), _bytes(case, "spend_private_key"), "", "", b""
            )
            index = case.get("subaddress_index", 0)
            found = {
                "subaddress_view_private_key": account.subaddress_view_private(index).to_bytes(),
                "subaddress_spend_private_key": account.subaddress_spend_private(index).to_bytes(),
                "subaddress_view_public_key": account.subaddress(index).view_public_key,
                "subaddress_spend_public_key": account.subaddress(index).spend_public_key,
            }
            for key, value in found.items():
                expect_equal(key, value, _bytes(case, key))
            seen = account.view_account_key().subaddress(index)
            expect_equal("by view account", seen, account.subaddress(index))


@runs("crypto", r"upstream/b58_encodings/b58_encode_public_address_with(out)?_fog[^/]*\.jsonl")
def run_printable_addresses(file: VectorFile, report: Report) -> None:
    """Addresses to text and back; with fog, the owner's signature over an empty authority key."""
    for number, case in enumerate(file.json_lines()):
        with report.case(number):
            address = PublicAddress(
                _bytes(case, "view_public_key"),
                _bytes(case, "spend_public_key"),
                case.get("fog_report_url", ""),
                case.get("fog_report_id", ""),
                bytes(case.get("fog_authority_sig", ())),
            )
            expect_equal("printable", to_printable(address), case["b58_encoded"])
            expect_equal("address", parse_printable(case["b58_encoded"]), address)
            if address.has_fog:
                check_fog_authority(address, b"")
