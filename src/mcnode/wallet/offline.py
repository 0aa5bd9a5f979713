"""Files between a wallet that sees and a signer that spends. [docs/protocol/transaction.md#15]

The formats are those of the network's own signer: JSON files, keys as hex, transactions in the
layout of `transaction.json_layout`. What an account id is made of is not said there: here it is the
digest of the account's default address.
"""

import dataclasses
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from mcnode.account.account_key import AccountKey, ViewAccountKey
from mcnode.account.public_address import address_digest
from mcnode.crypto.keys import RistrettoPublic
from mcnode.crypto.onetime_keys import recover_onetime_private_key
from mcnode.crypto.ring_signature import key_image
from mcnode.errors import InvalidError
from mcnode.files import read_bytes
from mcnode.transaction.builder.unsigned_tx import UnsignedTx
from mcnode.transaction.hashing import tx_prefix_hash
from mcnode.transaction.json_layout import (
    message_from_json,
    message_to_json,
    unsigned_tx_from_json,
    unsigned_tx_to_json,
)
from mcnode.transaction.messages import Tx
from mcnode.transaction.ring_ct.rings import AccountSigner, PresignedRing
from mcnode.transaction.ring_ct.signing_digest import extended_message_digest
from mcnode.transaction.summary.report import SummaryReport
from mcnode.transaction.summary.verifier import verify_tx_summary
from mcnode.wallet.draft import Account
from mcnode.wallet.records import OwnedOutput

FILE_BYTES_MAX: Final = 1 << 26
"""A transaction of 16 inputs has some 3 MB as JSON."""
_SUFFIX: Final = ".json"
_KEY_BYTES: Final = 32


class OfflineFileError(InvalidError):
    """A file between wallet and signer cannot be read or written."""


class OtherAccount(InvalidError):
    """A file is about another account."""

    def __init__(self, found: bytes, expected: bytes) -> None:
        super().__init__(
            f"file is about account {found.hex().upper()}, this is {expected.hex().upper()}"
        )


class PresignedRingRefused(InvalidError):
    """The signer signs for its account alone."""

    def __init__(self) -> None:
        super().__init__("transaction has an input that somebody else has signed")


@dataclasses.dataclass(frozen=True, slots=True)
class SyncedOutput:
    """An output and what a block holds when it is spent, 32 bytes each."""

    public_key: bytes
    key_image: bytes


def account_id(account: Account) -> bytes:
    """32 bytes that tell accounts apart."""
    return address_digest(account.default_subaddress())


# ---- files --------------------------------------------------------------------------------------


def check_name(path: Path) -> None:
    """Raise `OfflineFileError` unless the file's name ends in `.json`."""
    if path.suffix != _SUFFIX:
        raise OfflineFileError(f"unsupported output file format: {path}")


def save_json(path: Path, value: Any, *, is_secret: bool = False) -> None:
    """Write a file; a secret one never over another, and for its owner only.

    Raises:
        OfflineFileError: the name does not end in `.json`, or a secret file is there already.
        OSError: it cannot be written.
    """
    check_name(path)
    flags = os.O_WRONLY | os.O_CREAT | (os.O_EXCL if is_secret else os.O_TRUNC)
    try:
        descriptor = os.open(path, flags, 0o600 if is_secret else 0o644)
    except FileExistsError:
        raise OfflineFileError(f"{path} exists already; it is not overwritten") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(value, file)


def load_json(path: Path) -> dict[str, Any]:
    """The object in a file.

    Raises:
        UnfitFileError: it is too big.
        OfflineFileError: it is no JSON or no object.
        OSError: it cannot be read.
    """
    data = read_bytes(path, FILE_BYTES_MAX)
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise OfflineFileError(f"{path} is not JSON") from None
    if not isinstance(value, dict):
        raise OfflineFileError(f"{path} holds no object")
    return value


def _hex(value: dict[str, Any], name: str) -> bytes:
    text = value.get(name)
    try:
        data = bytes.fromhex(text) if isinstance(text, str) else b""
    except ValueError:
        data = b""
    if len(data) != _KEY_BYTES:
        raise OfflineFileError(f"{name} is not {_KEY_BYTES} bytes in hex")
    return data


def _items(value: dict[str, Any], name: str) -> list[dict[str, Any]]:
    items = value.get(name)
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise OfflineFileError(f"{name} is not a list of objects")
    return items


def check_account(value: dict[str, Any], account: Account) -> None:
    """Raise `OtherAccount` unless a file is about this account."""
    found, expected = _hex(value, "account_id"), account_id(account)
    if found != expected:
        raise OtherAccount(found, expected)


# ---- the account --------------------------------------------------------------------------------


def account_info(account: AccountKey, account_index: int) -> dict[str, Any]:
    """What a wallet needs to see."""
    view = account.view_account_key()
    return {
        "view_private": view.view_private_key.hex(),
        "spend_public": view.spend_public_key.hex(),
        "account_index": account_index,
    }


def parse_account_info(value: dict[str, Any]) -> ViewAccountKey:
    """The keys that see. Raises `InvalidError`."""
    account = ViewAccountKey(_hex(value, "view_private"), _hex(value, "spend_public"))
    _ = account.view_private, account.spend_public  # they are keys
    return account


# ---- key images ---------------------------------------------------------------------------------


def sync_request(account: Account, outputs: Sequence[OwnedOutput]) -> dict[str, Any]:
    """Ask for the key images of outputs."""
    return {
        "account_id": account_id(account).hex(),
        "txos": [
            {
                "subaddress": str(output.subaddress_index),
                "tx_out_public_key": output.public_key.hex(),
            }
            for output in outputs
        ],
    }


def answer_sync_request(account: AccountKey, request: dict[str, Any]) -> dict[str, Any]:
    """The key images.

    Raises:
        OtherAccount: the request is about another account.
        InvalidError: it is none.
    """
    check_account(request, account)
    found = []
    for item in _items(request, "txos"):
        text = item.get("subaddress")
        if not isinstance(text, str) or not text.isascii() or not text.isdigit():
            raise OfflineFileError("subaddress is not a decimal number as text")
        index = int(text[:20])
        if len(text) > 20 or index >= 1 << 64:
            raise OfflineFileError(f"subaddress is {text[:24]}, limit {(1 << 64) - 1}")
        public_key = _hex(item, "tx_out_public_key")
        key = recover_onetime_private_key(
            RistrettoPublic(public_key),
            account.view_private,
            account.subaddress_spend_private(index),
        )
        found.append(SyncedOutput(public_key, key_image(key)))
    return {"account_id": account_id(account).hex(), "txos": _synced_to_json(found)}


def parse_sync_answer(value: dict[str, Any], account: Account) -> list[SyncedOutput]:
    """The outputs of an answer, or of a signed transaction. Raises `InvalidError`."""
    check_account(value, account)
    return [
        SyncedOutput(_hex(item, "tx_out_public_key"), _hex(item, "key_image"))
        for item in _items(value, "txos")
    ]


def _synced_to_json(outputs: Sequence[SyncedOutput]) -> list[dict[str, str]]:
    return [
        {"tx_out_public_key": each.public_key.hex(), "key_image": each.key_image.hex()}
        for each in outputs
    ]


# ---- transactions -------------------------------------------------------------------------------


def sign_request(account: Account, unsigned: UnsignedTx) -> dict[str, Any]:
    """Ask for a signature."""
    return {"account_id": account_id(account).hex(), **unsigned_tx_to_json(unsigned)}


def parse_sign_request(value: dict[str, Any], account: Account) -> UnsignedTx:
    """The transaction to sign, also of older wallets, which send `output_secrets`.

    Raises:
        OtherAccount: the request is about another account.
        InvalidError: it is none; the message names the place.
    """
    check_account(value, account)
    if "tx_out_unblinding_data" not in value and "output_secrets" in value:
        value = {**value, "tx_out_unblinding_data": _of_secrets(_items(value, "output_secrets"))}
    return unsigned_tx_from_json(value)


def _of_secrets(secrets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    converted = []
    for secret in secrets:
        amount = secret.get("amount")
        if not isinstance(amount, dict):
            raise OfflineFileError("amount of output_secrets is no object")
        unmasked = {**amount, "blinding": {"scalar": secret.get("blinding")}}
        converted.append({"unmasked_amount": unmasked, "address": None, "tx_private_key": None})
    return converted


def report_of(unsigned: UnsignedTx, account: Account) -> SummaryReport:
    """What a transaction changes, from the summary that is signed: what to look at before.

    Raises:
        SummaryError: the summary does not hold, so it should not be signed.
        RingSignatureFailed: the values do not add up.
    """
    data = unsigned.make_signing_data(os.urandom)
    summary, unblinding = unsigned.summarize(data)
    digest = extended_message_digest(
        tx_prefix_hash(unsigned.prefix),
        data.pseudo_output_commitments,
        data.range_proof_bytes,
        data.range_proofs,
    )
    return verify_tx_summary(digest, summary, unblinding, account.view_private)[1]


def answer_sign_request(account: AccountKey, unsigned: UnsignedTx) -> dict[str, Any]:
    """Sign.

    Raises:
        PresignedRingRefused: an input is not the account's to sign.
        RingSignatureFailed: an input is not the account's, or the values do not add up.
    """
    if any(isinstance(ring, PresignedRing) for ring in unsigned.rings):
        raise PresignedRingRefused
    tx = unsigned.sign(AccountSigner(account), os.urandom)
    spent = [
        SyncedOutput(ring.members[ring.real_input_index].public_key, signature.key_image)
        for ring, signature in zip(unsigned.rings, tx.signature.ring_signatures, strict=True)
        if not isinstance(ring, PresignedRing)
    ]
    return {
        "account_id": account_id(account).hex(),
        "tx": message_to_json(tx),
        "txos": _synced_to_json(spent),
    }


def parse_sign_answer(value: dict[str, Any], account: Account) -> tuple[Tx, list[SyncedOutput]]:
    """A signed transaction and what it spends. Raises `InvalidError`."""
    spent = parse_sync_answer(value, account)
    return message_from_json(Tx, value.get("tx"), "tx"), spent
