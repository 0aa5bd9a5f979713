"""What a slot decides on: transactions and mints. [docs/protocol/scp.md#2.2]"""

import dataclasses
import enum
from collections.abc import Iterable
from typing import Any

from mcnode.codec.digest import Aggregate, NeverOmit, Node, Primitive, Variant
from mcnode.peers.order_key import order_key
from mcnode.transaction.messages import MintConfigTx, MintTx


class ValueKind(enum.IntEnum):
    """The variants, numbered as on the wire."""

    TX_HASH = 0
    MINT_CONFIG_TX = 1
    MINT_TX = 2


_KINDS = tuple(ValueKind)
VARIANT_NAMES = ("TxHash", "MintConfigTx", "MintTx")


class ConsensusValue(tuple[int, Any]):
    """One value, ordered by kind, then by content.

    It is the tuple (kind, key of its content), so that equality, order and hash are the tuple's:
    statements repeat long lists of values, and a method written here would take most of the time.
    """

    _mint: MintConfigTx | MintTx

    def __new__(cls, kind: ValueKind, content: bytes | MintConfigTx | MintTx) -> "ConsensusValue":
        """A value of a kind: a hash of 32 bytes, or the mint."""
        if isinstance(content, bytes):
            return super().__new__(cls, (int(kind), content))
        value = super().__new__(cls, (int(kind), order_key(content)))
        value._mint = content
        return value

    def __getnewargs__(self) -> tuple[ValueKind, bytes | MintConfigTx | MintTx]:
        return self.kind, self.content

    @property
    def kind(self) -> ValueKind:
        """Which variant it is."""
        return _KINDS[self[0]]

    @property
    def content(self) -> bytes | MintConfigTx | MintTx:
        """The hash of a transaction, or the mint itself."""
        key = self[1]
        return key if isinstance(key, bytes) else self._mint

    def __repr__(self) -> str:
        shown = self.content.hex() if isinstance(self.content, bytes) else "…"
        return f"{VARIANT_NAMES[self.kind]}({shown})"


def tx_hash_value(tx_hash: bytes) -> ConsensusValue:
    """The value that stands for a transaction: its 32-byte hash."""
    return ConsensusValue(ValueKind.TX_HASH, tx_hash)


def mint_config_tx_value(tx: MintConfigTx) -> ConsensusValue:
    """The value of a mint configuration, carried whole."""
    return ConsensusValue(ValueKind.MINT_CONFIG_TX, tx)


def mint_tx_value(tx: MintTx) -> ConsensusValue:
    """The value of a mint, carried whole."""
    return ConsensusValue(ValueKind.MINT_TX, tx)


@dataclasses.dataclass(frozen=True, slots=True)
class ValuesByKind:
    """Values told apart, each list in the order in which they came."""

    tx_hashes: list[bytes]
    mint_config_txs: list[MintConfigTx]
    mint_txs: list[MintTx]

    def joined(self) -> list[ConsensusValue]:
        """All values again: transactions, then configurations, then mints."""
        return [
            *map(tx_hash_value, self.tx_hashes),
            *map(mint_config_tx_value, self.mint_config_txs),
            *map(mint_tx_value, self.mint_txs),
        ]


def split_by_kind(values: Iterable[ConsensusValue]) -> ValuesByKind:
    """Tell values apart."""
    split = ValuesByKind([], [], [])
    for value in values:
        match value.content:
            case bytes():
                split.tx_hashes.append(value.content)
            case MintConfigTx():
                split.mint_config_txs.append(value.content)
            case MintTx():
                split.mint_txs.append(value.content)
    return split


def value_node(value: ConsensusValue) -> Node:
    """The value's shape in digests. [docs/protocol/scp.md#4.2]"""
    name = VARIANT_NAMES[value.kind]
    child: Node = value.content
    if isinstance(value.content, bytes):
        child = Aggregate("TxHash", {"0": NeverOmit(Primitive("bytes", value.content))})
    return Variant("ConsensusValue", int(value.kind), name, child)
