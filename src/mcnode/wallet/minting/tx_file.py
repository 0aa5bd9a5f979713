"""Files in which minting transactions travel from signer to signer. [docs/protocol/service.md#16.2]

JSON, one member that names the kind: `{"MintTx": {"prefix": …, "signature": …}}`, byte strings as
arrays of numbers.
"""

import json
import os
from pathlib import Path
from typing import Any, Final

from mcnode.consensus.config.documents import parse_json
from mcnode.consensus.config.errors import FileSyntaxError
from mcnode.crypto.errors import KeyFormatError
from mcnode.crypto.keys import Ed25519Public, RistrettoPublic
from mcnode.crypto.multisig import SignerSet
from mcnode.files import UnfitFileError, read_text
from mcnode.transaction.hashing import mint_config_tx_prefix_hash, mint_tx_prefix_hash
from mcnode.transaction.json_layout import JsonLayoutError, message_from_json, message_to_json
from mcnode.transaction.messages import MintConfigTx, MintTx
from mcnode.wallet.minting.errors import CannotWrite, TxFileError

MintingTx = MintConfigTx | MintTx

TX_FILE_BYTES_MAX: Final = 4 * 1024 * 1024
"""A transaction with hundreds of signers, one number a line, has a tenth of it."""

_KINDS: Final[dict[str, type[MintConfigTx] | type[MintTx]]] = {
    "MintConfigTx": MintConfigTx,
    "MintTx": MintTx,
}


def kind_of(tx: MintingTx) -> str:
    """The name of the kind, as files give it."""
    return type(tx).__name__


def prefix_hash(tx: MintingTx) -> bytes:
    """The 32 bytes that signers sign."""
    if isinstance(tx, MintConfigTx):
        return mint_config_tx_prefix_hash(tx.prefix)
    return mint_tx_prefix_hash(tx.prefix)


def tx_file_text(tx: MintingTx) -> str:
    """A transaction as the content of a file."""
    return json.dumps({kind_of(tx): message_to_json(tx)}, indent=2)


def parse_tx_file(text: str) -> MintingTx:
    """The transaction of a file's content.

    Raises:
        TxFileError: it holds something else, or a key in it is no point.
    """
    try:
        value = parse_json(text).value
    except FileSyntaxError as error:
        raise TxFileError(str(error)) from error
    if not isinstance(value, dict) or len(value) != 1 or next(iter(value)) not in _KINDS:
        raise TxFileError(f"needs one member that is one of {', '.join(_KINDS)}")
    ((kind, content),) = value.items()
    try:
        tx = message_from_json(_KINDS[kind], _with_optional_members(content), kind)
        _check_keys(tx)
    except (JsonLayoutError, KeyFormatError, RecursionError) as error:
        raise TxFileError(str(error) or type(error).__name__) from error
    return tx


def _with_optional_members(content: Any) -> Any:
    """Files of older releases have no fog hint."""
    if not isinstance(content, dict) or not isinstance(content.get("prefix"), dict):
        return content
    return {**content, "prefix": {"e_fog_hint": None, **content["prefix"]}}


def _check_keys(tx: MintingTx) -> None:
    if isinstance(tx, MintTx):
        RistrettoPublic(tx.prefix.view_public_key)
        RistrettoPublic(tx.prefix.spend_public_key)
        return
    for config in tx.prefix.configs:
        _check_signers(config.signer_set)


def _check_signers(signer_set: SignerSet) -> None:
    for signer in signer_set.individual_signers:
        Ed25519Public.from_bytes(signer)
    for nested in signer_set.multi_signers:
        _check_signers(nested)


def load_tx_file(path: Path) -> MintingTx:
    """The transaction in a file. Raises `TxFileError`."""
    text = load_text(path)
    try:
        return parse_tx_file(text)
    except TxFileError as error:
        raise TxFileError(f"{path}: {error}") from error


def load_text(path: Path) -> str:
    """A whole small file. Raises `TxFileError` when it cannot be read, is big, or is no UTF-8."""
    try:
        return read_text(path, TX_FILE_BYTES_MAX)
    except OSError as error:
        raise TxFileError(f"{path} cannot be read: {error.strerror}") from error
    except UnfitFileError as error:
        raise TxFileError(str(error)) from error


def save_tx_file(path: Path, tx: MintingTx) -> None:
    """Write a transaction; a file that is there is replaced in one step, or stays as it is.

    Raises:
        CannotWrite: the file cannot be written.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(tx_file_text(tx))
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise CannotWrite(f"cannot write {path}: {error.strerror}") from error
