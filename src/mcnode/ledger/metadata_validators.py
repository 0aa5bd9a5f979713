"""Which keys may sign the metadata of which blocks. [docs/protocol/ledger.md#9]"""

import binascii
import dataclasses
import json
import tomllib
from pathlib import Path
from typing import Any

from mcnode.blockchain.errors import InvalidSignature
from mcnode.blockchain.metadata import BlockMetadata, check_metadata_signature
from mcnode.crypto.der import ed25519_public_from_der, parse_pem
from mcnode.crypto.errors import KeyFormatError
from mcnode.crypto.keys import KEY_BYTES, Ed25519Public
from mcnode.errors import InvalidError
from mcnode.files import UnfitFileError, read_text
from mcnode.transaction.constants import U64_MAX

FILE_BYTES_MAX = 1 << 22
"""A node's entry has some 200 bytes; the network has tens of nodes."""
_PEM_LABEL = "PUBLIC KEY"
_LIST_NAMES = ("configs", "node")


class KeyRangeFileError(InvalidError):
    """A list of key ranges cannot be used."""

    network_name: str | None = None
    """The network's name of the error, where it is not the class's."""


class UnrecognizedExtension(KeyRangeFileError):
    """The file is neither `.toml` nor `.json`."""


class InvalidPubKeyValue(KeyRangeFileError):
    """A key is neither a file, nor PEM text, nor 64 hexadecimal digits."""


class InvalidPemTag(KeyRangeFileError):
    """A PEM block is not a public key."""


class InvalidKey(KeyRangeFileError):
    """A key does not decode."""

    network_name = "Key"


class FileUnreadable(KeyRangeFileError):
    """A file cannot be read."""

    network_name = "Io"


class InvalidHex(KeyRangeFileError):
    """A key of 64 characters that are not all hexadecimal."""

    network_name = "Hex"


class InvalidToml(KeyRangeFileError):
    """The file is not a TOML list of nodes."""

    network_name = "Toml"


class InvalidJson(KeyRangeFileError):
    """The file is not a JSON list of nodes."""

    network_name = "Json"


class ValidationError(InvalidError):
    """Metadata is not to be believed."""


class UnknownPubKey(ValidationError):
    """The key is not in the list."""


class InvalidPubKey(ValidationError):
    """The key may not sign for this block."""


class MetadataSignature(ValidationError):
    """The signature does not verify."""

    network_name = "Signature"


@dataclasses.dataclass(frozen=True, slots=True)
class KeyRange:
    """Blocks `first` to `last`, both included; none when reversed."""

    first: int
    last: int = U64_MAX

    def contains(self, index: int) -> bool:
        """Whether the block is among them."""
        return self.first <= index <= self.last


@dataclasses.dataclass(frozen=True, slots=True)
class MetadataValidator:
    """Ranges by key, 32 bytes."""

    ranges: dict[bytes, tuple[KeyRange, ...]]

    def check_key(self, node_key: bytes, index: int) -> None:
        """Check that a key may sign for block `index`.

        Raises:
            UnknownPubKey, InvalidPubKey: it may not.
        """
        ranges = self.ranges.get(node_key)
        if ranges is None:
            raise UnknownPubKey(f"key {node_key.hex()} is not listed")
        if not any(each.contains(index) for each in ranges):
            raise InvalidPubKey(f"key {node_key.hex()} may not sign for block {index}")

    def check_metadata(self, metadata: BlockMetadata, index: int) -> None:
        """Check key and signature of the metadata of block `index`.

        Raises:
            UnknownPubKey, InvalidPubKey: the key may not sign for it.
            MetadataSignature: the signature does not verify.
        """
        self.check_key(metadata.node_key, index)
        try:
            check_metadata_signature(metadata)
        except InvalidSignature as error:
            raise MetadataSignature(str(error)) from error


def load_metadata_validator(path: Path) -> MetadataValidator:
    """Read a list of key ranges.

    Raises:
        KeyRangeFileError: one class per fault.
    """
    nodes = _load_nodes(path)
    ranges: dict[bytes, tuple[KeyRange, ...]] = {}
    fault = InvalidToml if path.suffix == ".toml" else InvalidJson
    for position, node in enumerate(nodes):
        text = node.get("pub_key", node.get("message_signing_pub_key"))
        first = _index(node.get("first_block_index"))
        last = _index(node.get("last_block_index", U64_MAX))
        if not isinstance(text, str) or first is None or last is None:
            raise fault(
                f"{path}: node {position} needs pub_key, first_block_index and, if any, "
                "last_block_index"
            )
        key = _resolve_key(text.strip(), path.parent).to_bytes()
        ranges[key] = (*ranges.get(key, ()), KeyRange(first, last))
    return MetadataValidator(ranges)


def _index(value: object) -> int | None:
    """A block index, or None for anything else."""
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value <= U64_MAX else None


def _load_nodes(path: Path) -> list[dict[str, Any]]:
    content: Any
    fault: type[KeyRangeFileError]
    if path.suffix == ".toml":
        fault = InvalidToml
        try:
            content = tomllib.loads(_load_text(path))
        except tomllib.TOMLDecodeError as error:
            raise InvalidToml(f"{path} is not TOML: {error}") from error
    elif path.suffix == ".json":
        fault = InvalidJson
        try:
            content = json.loads(_load_text(path))
        except ValueError as error:
            raise InvalidJson(f"{path} is not JSON: {error}") from error
    else:
        raise UnrecognizedExtension(f"{path} ends neither in .toml nor in .json")
    if not isinstance(content, dict):
        raise fault(f"{path} holds no table")
    names = [name for name in _LIST_NAMES if name in content]
    if len(names) != 1:
        raise fault(f"{path} has {len(names)} lists named configs or node, needs 1")
    nodes = content[names[0]]
    if not isinstance(nodes, list) or not all(isinstance(node, dict) for node in nodes):
        raise fault(f"{path}: {names[0]} is not a list of tables")
    return nodes


def _load_text(path: Path) -> str:
    try:
        return read_text(path, FILE_BYTES_MAX)
    except OSError as error:
        raise FileUnreadable(f"cannot read {path}: {error.strerror}") from error
    except UnfitFileError as error:
        raise FileUnreadable(str(error)) from error


def _resolve_key(text: str, folder: Path) -> Ed25519Public:
    """A key from a file beside the list, PEM text, or hexadecimal digits."""
    if "\n" not in text and (folder / text).exists():
        return _key_of_pem(_load_text(folder / text))
    if text.startswith("-----BEGIN"):
        return _key_of_pem(text)
    if len(text) != 2 * KEY_BYTES:
        raise InvalidPubKeyValue(f"{text!r} is neither a file, nor PEM, nor 64 hexadecimal digits")
    try:
        encoding = binascii.unhexlify(text)
    except ValueError as error:
        raise InvalidHex(f"{text!r} is not hexadecimal") from error
    try:
        return Ed25519Public.from_bytes(encoding)
    except KeyFormatError as error:
        raise InvalidKey(str(error)) from error


def _key_of_pem(text: str) -> Ed25519Public:
    try:
        blocks = parse_pem(text)
    except InvalidError as error:
        raise InvalidPubKeyValue(f"not PEM: {error}") from error
    if not blocks:
        raise InvalidPubKeyValue("no PEM block in the text")
    label, der = blocks[0]
    if label != _PEM_LABEL:
        raise InvalidPemTag(f"PEM tag is {label}, needs {_PEM_LABEL}")
    try:
        return ed25519_public_from_der(der)
    except KeyFormatError as error:
        raise InvalidKey(str(error)) from error
