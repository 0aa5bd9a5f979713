"""Messages as nodes of the structured hash, for the author's signature.

Generic over the value, whose own node the caller gives. Members of quorum sets are hashed in the
order in which they stand. [docs/protocol/scp.md#4.2]
"""

import functools
from collections.abc import Callable

from mcnode.codec.digest import (
    Aggregate,
    List,
    NeverOmit,
    Node,
    Primitive,
    Variant,
    WorkedOut,
    appends,
    text,
    uint,
)
from mcnode.scp.quorum_set import QuorumSet
from mcnode.scp.types import (
    TOPICS,
    Ballot,
    Commit,
    Externalize,
    Msg,
    NodeID,
    Nominate,
    NominatePayload,
    NominatePrepare,
    PreparePayload,
    Topic,
    V,
)

REMEMBERED_MAX = 64
"""Senders, and quorum sets, whose part of the digest is remembered: more than published networks
have nodes."""
REMEMBERED_NODES_MAX = 100
"""Larger quorum sets are worked out each time. A node takes about 4 kB, so all that is remembered
stays below 30 MB whatever strangers send."""

ValueNode = Callable[[V], Node]
"""Makes the node of one value."""


def node_id_node(node_id: NodeID) -> Node:
    """The node of a node id."""
    responder_id = Aggregate("ResponderId", {"0": NeverOmit(text(node_id.responder_id))})
    public_key = Aggregate("Ed25519Public", {"0": Primitive("ed25519", node_id.public_key)})
    return Aggregate("NodeID", {"responder_id": responder_id, "public_key": public_key})


def quorum_set_node(quorum_set: QuorumSet[NodeID]) -> Node:
    """The node of a quorum set."""
    members = [
        Aggregate("QuorumSetMemberWrapper", {"member": _member_node(member)})
        for member in quorum_set.members
    ]
    return Aggregate(
        "QuorumSet", {"threshold": uint(quorum_set.threshold, 32), "members": List(members)}
    )


def _member_node(member: NodeID | QuorumSet[NodeID] | None) -> Node:
    if member is None:
        return None
    if isinstance(member, QuorumSet):
        return Variant("QuorumSetMember", 1, "InnerSet", quorum_set_node(member))
    return Variant("QuorumSetMember", 0, "Node", node_id_node(member))


@functools.lru_cache(maxsize=REMEMBERED_MAX)
def _sender_part(responder_id: str, public_key: bytes) -> WorkedOut:
    return WorkedOut(tuple(appends("sender_id", node_id_node(NodeID(responder_id, public_key)))))


class _AsListed:
    """A quorum set that equals another only if it hashes alike: names and order count too."""

    __slots__ = ("_key", "quorum_set")

    def __init__(self, quorum_set: QuorumSet[NodeID]) -> None:
        self.quorum_set = quorum_set
        self._key = _listed(quorum_set)

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _AsListed) and self._key == other._key


def _listed(quorum_set: QuorumSet[NodeID]) -> tuple[object, ...]:
    members = (
        _listed(member)
        if isinstance(member, QuorumSet)
        else None
        if member is None
        else (member.responder_id, member.public_key)
        for member in quorum_set.members
    )
    return quorum_set.threshold, *members


def _quorum_set_in_msg(quorum_set: QuorumSet[NodeID]) -> Node:
    if sum(1 for _ in quorum_set.iter_nodes()) > REMEMBERED_NODES_MAX:
        return quorum_set_node(quorum_set)
    return _quorum_set_part(_AsListed(quorum_set))


@functools.lru_cache(maxsize=REMEMBERED_MAX)
def _quorum_set_part(listed: _AsListed) -> WorkedOut:
    return WorkedOut(tuple(appends("quorum_set", quorum_set_node(listed.quorum_set))))


def msg_node(msg: Msg[V], value_node: "ValueNode[V]") -> Node:
    """The node of a message without its envelope.

    A node sends the same id and quorum set with every message, and they are most of a small one:
    their part is worked out once.
    """
    return Aggregate(
        "Msg",
        {
            "sender_id": _sender_part(msg.sender_id.responder_id, msg.sender_id.public_key),
            "slot_index": uint(msg.slot_index, 64),
            "quorum_set": _quorum_set_in_msg(msg.quorum_set),
            "topic": _topic_node(msg.topic, value_node),
        },
    )


def _topic_node(topic: Topic[V], value_node: "ValueNode[V]") -> Node:
    def values(of: tuple[V, ...]) -> Node:
        return List([value_node(value) for value in of])

    def ballot(of: Ballot[V] | None) -> Node:
        if of is None:
            return None
        return Aggregate("Ballot", {"N": uint(of.counter, 32), "X": values(of.values)})

    def nominate(of: NominatePayload[V]) -> Node:
        return Aggregate("NominatePayload", {"X": values(of.voted), "Y": values(of.accepted)})

    def prepare(of: PreparePayload[V]) -> Node:
        members = {
            "B": ballot(of.ballot),
            "P": ballot(of.prepared),
            "PP": ballot(of.prepared_prime),
            "CN": uint(of.commit_counter, 32),
            "HN": uint(of.high_counter, 32),
        }
        return Aggregate("PreparePayload", members)

    def payload() -> Node:
        match topic:
            case Nominate():
                return nominate(topic.nomination)
            case NominatePrepare():
                return Aggregate("", {"0": nominate(topic.nomination), "1": prepare(topic.prepare)})
            case Commit():
                members = {
                    "B": ballot(topic.ballot),
                    "PN": uint(topic.prepared_counter, 32),
                    "CN": uint(topic.commit_counter, 32),
                    "HN": uint(topic.high_counter, 32),
                }
                return Aggregate("CommitPayload", members)
            case Externalize():
                members = {"C": ballot(topic.commit), "HN": uint(topic.high_counter, 32)}
                return Aggregate("ExternalizePayload", members)
            case _:
                return prepare(topic.prepare)

    kind = type(topic)
    return Variant("Topic", TOPICS.index(kind), kind.__name__, payload())
