"""What a transaction changes, told to whoever signs it. [docs/protocol/transaction.md#14]"""

import dataclasses
import enum
import itertools
from typing import Final

from mcnode.transaction.summary.errors import BufferOverflow, NumericOverflow

BALANCE_CHANGES_MAX: Final = 32
"""A signing device has this much room; 16 inputs and 16 outputs cannot need more."""
_I64_MAX: Final = 2**63 - 1


class Party(enum.IntEnum):
    """Whose balance changes, in the order of the report."""

    OURSELF = 0
    ADDRESS = 1
    SWAP = 2


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Entity:
    """A party; for an address also its short hash, 16 bytes."""

    party: Party
    address_hash: bytes = b""

    def __str__(self) -> str:
        match self.party:
            case Party.OURSELF:
                return "Self"
            case Party.ADDRESS:
                return f"Address hash {self.address_hash.hex()}"
            case Party.SWAP:
                return "Swap counterparty"


OURSELF: Final = Entity(Party.OURSELF)
SWAP: Final = Entity(Party.SWAP)


@dataclasses.dataclass(slots=True)
class SummaryReport:
    """Balance changes by entity and token; the fee is nobody's."""

    network_fee: int = 0
    fee_token_id: int = 0
    tombstone_block: int = 0
    _changes: dict[tuple[Entity, int], int] = dataclasses.field(default_factory=dict)

    def add(self, entity: Entity, token_id: int, value: int) -> None:
        """Count a value, negative for what is spent.

        Raises:
            NumericOverflow: the value or the sum does not fit into 64 bits with a sign.
            BufferOverflow: the report has no room for another entity and token.
        """
        if abs(value) > _I64_MAX:
            raise NumericOverflow(value)
        key = (entity, token_id)
        if key not in self._changes and len(self._changes) == BALANCE_CHANGES_MAX:
            raise BufferOverflow(BALANCE_CHANGES_MAX)
        total = self._changes.get(key, 0) + value
        if not -_I64_MAX - 1 <= total <= _I64_MAX:
            raise NumericOverflow(total)
        self._changes[key] = total

    @property
    def balance_changes(self) -> list[tuple[Entity, int, int]]:
        """(entity, token id, sum), by entity, then token."""
        return [(entity, token_id, total) for (entity, token_id), total in self._sorted()]

    def _sorted(self) -> list[tuple[tuple[Entity, int], int]]:
        return sorted(self._changes.items())

    def __str__(self) -> str:
        lines = []
        for entity, changes in itertools.groupby(self._sorted(), key=lambda item: item[0][0]):
            lines.append(f"{entity}:")
            lines += [f"\t{token_id}: {total}" for (_, token_id), total in changes]
        lines.append(f"Network fee: {self.fee_token_id}: {self.network_fee}")
        lines.append(f"Tombstone block: {self.tombstone_block}")
        return "\n".join(lines) + "\n"
