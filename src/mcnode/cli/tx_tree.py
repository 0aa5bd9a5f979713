"""Reading transactions from files and showing them; what `mcnode tx` is made of."""

import base64
import binascii
import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from mcnode.codec import protobuf
from mcnode.codec.schema import spec_of
from mcnode.errors import InvalidError
from mcnode.transaction.messages import MaskedAmountV1, TxOutMembershipProof

TX_FILE_BYTES_MAX: Final = 4 << 20
"""The largest transaction that validates has 309,238 bytes, twice that as hex; root proofs of 176
ring members as hex are as large."""


class UnreadableFile(InvalidError):
    """A file does not hold what it should."""


def bytes_of_file(data: bytes, encoding: str = "auto") -> bytes:
    """The bytes that a file holds raw, as hex or as base64; white space is skipped in both.

    `auto` takes for text what consists of nothing but the letters of hex or base64.

    Raises:
        UnreadableFile: the file is too long, or not in the encoding that is asked for.
    """
    if len(data) > TX_FILE_BYTES_MAX:
        raise UnreadableFile(f"file has more than {TX_FILE_BYTES_MAX} bytes")
    if encoding == "raw":
        return data
    text = b"".join(data.split())
    if encoding in ("auto", "hex"):
        try:
            return binascii.unhexlify(text) if text or encoding == "hex" else data
        except binascii.Error as error:
            if encoding == "hex":
                raise UnreadableFile(f"file is not hex: {error}") from None
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        if encoding == "base64":
            raise UnreadableFile(f"file is not base64: {error}") from None
        return data


def parse_root_proofs(data: bytes, indices: Sequence[int]) -> list[TxOutMembershipProof]:
    """Root proofs from JSON: an object from index to hex, or a list in the order of `indices`.

    Raises:
        UnreadableFile: the JSON is something else, or lacks an index.
        DecodeError: a proof cannot be decoded.
    """
    if len(data) > TX_FILE_BYTES_MAX:
        raise UnreadableFile(f"file of proofs has more than {TX_FILE_BYTES_MAX} bytes")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UnreadableFile(f"file of proofs is not JSON: {error}") from None
    if isinstance(value, dict):
        missing = next((index for index in indices if str(index) not in value), None)
        if missing is not None:
            raise UnreadableFile(f"file of proofs has none for index {missing}")
        made = {index: _proof(value[str(index)]) for index in dict.fromkeys(indices)}
        return [made[index] for index in indices]
    if isinstance(value, list):
        return [_proof(element) for element in value]
    raise UnreadableFile("file of proofs holds neither an object nor a list")


def _proof(value: Any) -> TxOutMembershipProof:
    if not isinstance(value, str):
        raise UnreadableFile("a proof in the file is not a string of hex")
    try:
        data = bytes.fromhex(value)
    except ValueError:
        raise UnreadableFile("a proof in the file is not a string of hex") from None
    return protobuf.decode(TxOutMembershipProof, data)


def message_tree(message: Any, *, is_full: bool) -> Any:
    """A declared message as objects, lists, numbers and hex strings.

    Members that are absent are left out; unless `is_full`, the elements of membership proofs are
    only counted.
    """
    if isinstance(message, TxOutMembershipProof) and not is_full:
        return {
            "index": message.index,
            "highest_index": message.highest_index,
            "elements": f"{len(message.elements)} elements",
        }
    tree: dict[str, Any] = {}
    for attribute, field in spec_of(type(message)).fields.items():
        value = getattr(message, attribute)
        if value is None:
            continue
        name = field.name or attribute
        if field.alternatives:
            name += "_v1" if isinstance(value, MaskedAmountV1) else "_v2"
        tree[name] = (
            [_value_tree(element, is_full=is_full) for element in value]
            if field.repeated
            else _value_tree(value, is_full=is_full)
        )
    return tree


def _value_tree(value: Any, *, is_full: bool) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return value if isinstance(value, int | str) else message_tree(value, is_full=is_full)


def tree_lines(name: str, tree: Any, depth: int = 0) -> Iterator[str]:
    """A tree as indented lines."""
    margin = "  " * depth
    if isinstance(tree, dict):
        yield f"{margin}{name}"
        for member, value in tree.items():
            yield from tree_lines(member, value, depth + 1)
    elif isinstance(tree, list) and tree and isinstance(tree[0], dict | list):
        for position, element in enumerate(tree):
            yield from tree_lines(f"{name}[{position}]", element, depth)
    elif isinstance(tree, list):
        yield f"{margin}{name} ({len(tree)})"
        yield from (f"{margin}  {element}" for element in tree)
    else:
        yield f"{margin}{name}: {tree}"
