"""Quorum sets as block metadata records them. [docs/protocol/ledger.md#1.5]

These are for hashing, storing and archiving; agreement works on `mcnode.scp.quorum_set`. Members
stay in the order given, because the digest does not sort them.
"""

from mcnode.codec.schema import (
    ED25519_PUBLIC,
    REQUIRED,
    RESPONDER_ID,
    UINT32,
    field,
    message,
    oneof,
    repeated,
)
from mcnode.scp.quorum_set import QuorumSet
from mcnode.scp.types import NodeID

QUORUM_SET_DEPTH_MAX = 40
"""Levels of nested sets that are looked into: as deep as the peers' envelopes can carry them."""


@message(digest_name="NodeID")
class MetadataNode:
    """A node: its responder id (`host:port`) and message-signing key."""

    responder_id: str = field(1, RESPONDER_ID)
    public_key: bytes = field(2, ED25519_PUBLIC)


@message(digest_name="QuorumSetMemberWrapper")
class MetadataQuorumSetMember:
    """A node or an inner set."""

    member: "MetadataNode | MetadataQuorumSet | None" = oneof(
        {1: MetadataNode, 2: "MetadataQuorumSet"},
        digest_enum=("QuorumSetMember", ("Node", "InnerSet")),
    )


@message(digest_name="QuorumSet")
class MetadataQuorumSet:
    """`threshold` of `members` must agree."""

    threshold: int = field(1, UINT32, presence=REQUIRED)
    members: tuple[MetadataQuorumSetMember, ...] = repeated(2, MetadataQuorumSetMember)


def metadata_quorum_set(quorum_set: QuorumSet[NodeID]) -> MetadataQuorumSet:
    """The recorded form of the quorum set that agreement works on."""
    return MetadataQuorumSet(
        quorum_set.threshold, tuple(_recorded_member(member) for member in quorum_set.members)
    )


def _recorded_member(member: NodeID | QuorumSet[NodeID] | None) -> MetadataQuorumSetMember:
    if member is None:
        return MetadataQuorumSetMember(None)
    if isinstance(member, QuorumSet):
        return MetadataQuorumSetMember(metadata_quorum_set(member))
    return MetadataQuorumSetMember(MetadataNode(member.responder_id, member.public_key))


def quorum_set_of(recorded: MetadataQuorumSet) -> QuorumSet[NodeID]:
    """The quorum set that agreement works on, from its recorded form."""
    return QuorumSet(recorded.threshold, tuple(_member_of(each) for each in recorded.members))


def _member_of(recorded: MetadataQuorumSetMember) -> NodeID | QuorumSet[NodeID] | None:
    match recorded.member:
        case MetadataNode(responder_id, public_key):
            return NodeID(responder_id, public_key)
        case MetadataQuorumSet() as inner:
            return quorum_set_of(inner)
        case None:
            return None
