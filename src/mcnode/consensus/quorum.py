"""Quorum sets from agreement's form into the form that block metadata stores."""

from mcnode.blockchain.quorum_set import (
    MetadataNode,
    MetadataQuorumSet,
    MetadataQuorumSetMember,
)
from mcnode.scp import NodeID, QuorumSet


def metadata_quorum_set(quorum_set: QuorumSet[NodeID]) -> MetadataQuorumSet:
    """The same set, members in the same order."""
    return MetadataQuorumSet(
        threshold=quorum_set.threshold,
        members=tuple(MetadataQuorumSetMember(_member(m)) for m in quorum_set.members),
    )


def _member(
    member: NodeID | QuorumSet[NodeID] | None,
) -> MetadataNode | MetadataQuorumSet | None:
    match member:
        case NodeID(responder_id, public_key):
            return MetadataNode(responder_id, public_key)
        case QuorumSet():
            return metadata_quorum_set(member)
        case _:
            return None
