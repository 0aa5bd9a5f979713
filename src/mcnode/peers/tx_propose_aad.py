"""What travels in the clear beside transactions between nodes. [docs/protocol/service.md#12.4]"""

import dataclasses

from mcnode.codec.cbor import TEXT, CborError, Member, Struct, from_bytes, to_bytes
from mcnode.peers.wire import NODE_ID_SHAPE
from mcnode.scp import NodeID

AAD_BYTES_MAX = 4096
"""Two host names and a key; more is not looked at."""


@dataclasses.dataclass(frozen=True, slots=True)
class TxProposeAAD:
    """At which node a transaction came in, and who passed it on to us."""

    origin_node: NodeID
    relayed_by: str

    def to_bytes(self) -> bytes:
        """The CBOR form."""
        return to_bytes(_AAD, self)


_AAD = Struct(TxProposeAAD, Member("origin_node", NODE_ID_SHAPE), Member("relayed_by", TEXT))


def parse_tx_propose_aad(data: bytes) -> TxProposeAAD | None:
    """The origin as far as it can be read; None counts as "from a client of that peer"."""
    if len(data) > AAD_BYTES_MAX:
        return None
    try:
        return from_bytes(_AAD, data)
    except CborError:
        return None
