"""What a slot decides on: transactions and mints. [docs/protocol/scp.md#2.2]"""

import dataclasses
import enum
import functools
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


VARIANT_NAMES = ("TxHash", "MintConfigTx", "MintTx")


@functools.total_ordering
class ConsensusValue:
    """One value, ordered by kind, then by content. Remembers its hash: it is looked up often."""

    __slots__ = ("_hash", "_key", "content", "kind")

    def __init__(self, kind: ValueKind, content: bytes | MintConfigTx | MintTx) -> None:
        self.kind = kind
        self.content = content
        self._key: tuple[int, Any] = (
            int(kind),
            content if isinstance(content, bytes) else order_key(content),
        )
        self._hash = hash(self._key)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, ConsensusValue) and self._key == other._key)

    def __lt__(self, other: "ConsensusValue") -> bool:
        return self._key < other._key

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
