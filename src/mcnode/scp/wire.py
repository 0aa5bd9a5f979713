"""Messages as CBOR, generic over the value and over what is checked of a key.

The field names are the wire's letters. X and Y are sets: they are written ascending, and whatever
order and repetition they arrive in, they are read as ascending without repetition. Ballot lists are
kept as they are. [docs/protocol/scp.md#4.3]
"""

from collections.abc import Iterable
from typing import Any

from mcnode.codec.cbor import (
    TEXT,
    U32,
    U64,
    ByteString,
    Enum,
    Later,
    Mapped,
    Member,
    Option,
    Seq,
    Shape,
    Struct,
    TaggedEnum,
    TupleStruct,
    Variant,
)
from mcnode.scp.quorum_set import QuorumSet
from mcnode.scp.types import (
    Ballot,
    Commit,
    Externalize,
    Msg,
    NodeID,
    Nominate,
    NominatePayload,
    NominatePrepare,
    Prepare,
    PreparePayload,
    Topic,
    V,
)

PUBLIC_KEY_BYTES = 32

PUBLIC_KEY: Shape[bytes] = ByteString(PUBLIC_KEY_BYTES)
"""Any 32 bytes. Whoever reads from the network passes a shape that also checks for a point."""


def node_id_shape(public_key: Shape[bytes] = PUBLIC_KEY) -> Shape[NodeID]:
    """A node id: `responder_id` as text, `public_key` as byte string."""
    return Struct(NodeID, Member("responder_id", TEXT), Member("public_key", public_key))


def quorum_set_shape(public_key: Shape[bytes] = PUBLIC_KEY) -> Shape[QuorumSet[NodeID]]:
    """A quorum set; a member is {`type`: Node or InnerSet, `args`}, an absent one null."""
    member: Shape[Any] = Option(
        TaggedEnum(
            Variant("Node", NodeID, node_id_shape(public_key)),
            Variant("InnerSet", QuorumSet, Later(lambda: quorum_set)),
        )
    )
    quorum_set: Shape[QuorumSet[NodeID]] = Struct(
        QuorumSet, Member("threshold", U32), Member("members", Seq(member))
    )
    return quorum_set


def _ascending(values: Iterable[V]) -> tuple[V, ...]:
    return tuple(sorted(set(values)))


def ballot_shape(value: Shape[V]) -> Shape[Ballot[V]]:
    """A ballot; its list is kept in its order."""
    return Struct(Ballot, Member("N", U32, "counter"), Member("X", Seq(value), "values"))


def topic_shape(value: Shape[V]) -> Shape[Topic[V]]:
    """A topic: a map of one entry from its name."""
    values: Shape[tuple[V, ...]] = Mapped(Seq(value), _ascending, _ascending)
    ballot = ballot_shape(value)
    nominate: Shape[NominatePayload[V]] = Struct(
        NominatePayload, Member("X", values, "voted"), Member("Y", values, "accepted")
    )
    prepare: Shape[PreparePayload[V]] = Struct(
        PreparePayload,
        Member("B", ballot, "ballot"),
        Member("P", Option(ballot), "prepared"),
        Member("PP", Option(ballot), "prepared_prime"),
        Member("CN", U32, "commit_counter"),
        Member("HN", U32, "high_counter"),
    )
    commit: Shape[Commit[V]] = Struct(
        Commit,
        Member("B", ballot, "ballot"),
        Member("PN", U32, "prepared_counter"),
        Member("CN", U32, "commit_counter"),
        Member("HN", U32, "high_counter"),
    )
    externalize: Shape[Externalize[V]] = Struct(
        Externalize, Member("C", ballot, "commit"), Member("HN", U32, "high_counter")
    )
    return Enum(
        Variant("Nominate", Nominate, Mapped(nominate, Nominate, lambda t: t.nomination)),
        Variant(
            "NominatePrepare",
            NominatePrepare,
            TupleStruct(
                NominatePrepare, Member("nomination", nominate), Member("prepare", prepare)
            ),
        ),
        Variant("Prepare", Prepare, Mapped(prepare, Prepare, lambda t: t.prepare)),
        Variant("Commit", Commit, commit),
        Variant("Externalize", Externalize, externalize),
    )


def msg_shape(value: Shape[V], public_key: Shape[bytes] = PUBLIC_KEY) -> Shape[Msg[V]]:
    """A message without its envelope."""
    return Struct(
        Msg,
        Member("sender_id", node_id_shape(public_key)),
        Member("slot_index", U64),
        Member("quorum_set", quorum_set_shape(public_key)),
        Member("topic", topic_shape(value)),
    )
