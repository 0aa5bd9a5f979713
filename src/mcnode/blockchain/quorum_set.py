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
