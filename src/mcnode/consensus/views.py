"""What the decision core sees of its surroundings: a ledger, values, peers' progress."""

from collections.abc import Iterable
from typing import Protocol

from mcnode.peers.consensus_value import ConsensusValue
from mcnode.scp import NodeID


class LedgerView(Protocol):
    """What the core reads of the ledger."""

    def num_blocks(self) -> int:
        """Number of blocks, at least 1."""
        ...

    def block_id(self, index: int) -> bytes | None:
        """Id (32 bytes) of a block, or None when there is none."""
        ...


class ValueView(Protocol):
    """What the core asks about values; see `ValueJudge`."""

    def is_valid(self, value: ConsensusValue) -> bool:
        """Whether it could go into the next block now."""
        ...

    def missing(self, tx_hashes: Iterable[bytes]) -> list[bytes]:
        """The hashes whose transactions are not in the cache."""
        ...

    def block_completed(self, num_blocks: int) -> None:
        """Forget what can never be in a block again."""
        ...


class NetworkView(Protocol):
    """Who has externalized what; see `mcnode.ledger.sync`."""

    def push(self, sender: NodeID, externalized_index: int) -> None:
        """Note the highest block that a node has decided."""
        ...

    def highest_block_index(self) -> int | None:
        """The highest block that a blocking quorum of peers has decided, if any."""
        ...
