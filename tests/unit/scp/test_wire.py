"""Messages as CBOR and as digest nodes. [docs/protocol/scp.md#4]"""

from typing import Any

import pytest

from mcnode.codec.cbor import U32, ByteString, CborError, Mapped, Shape, from_bytes, to_bytes
from mcnode.codec.digest import digest32, uint
from mcnode.errors import InvalidError
from mcnode.scp import Ballot, Msg, NodeID, QuorumSet
from mcnode.scp.digest import msg_node, quorum_set_node
from mcnode.scp.types import (
    Commit,
    Externalize,
    Nominate,
    NominatePayload,
    NominatePrepare,
    Prepare,
    PreparePayload,
    Topic,
)
from mcnode.scp.wire import msg_shape, quorum_set_shape

A, B = (NodeID(f"n{n}:0", n.to_bytes(32)) for n in (1, 2))
SET: QuorumSet[NodeID] = QuorumSet(2, (B, QuorumSet(1, (A,)), None))
SHAPE = msg_shape(U32)
P = PreparePayload(Ballot(3, (2, 1, 1)), Ballot(2, (1,)), None, 0, 1)
TOPICS: list[Topic[int]] = [
    Nominate(NominatePayload((1, 2), (3,))),
    NominatePrepare(NominatePayload(), P),
    Prepare(P),
    Commit(Ballot(3, (1,)), 3, 1, 2),
    Externalize(Ballot(3, (1,)), 4),
]


@pytest.mark.parametrize("topic", TOPICS)
def test_round_trip(topic: Topic[int]) -> None:
    msg = Msg(A, 9, SET, topic)
    data = to_bytes(SHAPE, msg)
    read = from_bytes(SHAPE, data)
    assert read == msg
    assert read.quorum_set.members == SET.members
    assert to_bytes(SHAPE, read) == data
    for end in range(len(data)):
        with pytest.raises(CborError):
            from_bytes(SHAPE, data[:end])


def test_sets_are_brought_into_order_and_ballot_lists_are_not() -> None:
    written = to_bytes(SHAPE, Msg(A, 9, SET, TOPICS[0]))
    votes, accepted = bytes.fromhex("820102"), bytes.fromhex("8103")
    assert written.endswith(b"aX" + votes + b"aY" + accepted)
    other = written.replace(b"aX" + votes + b"aY" + accepted, b"aX\x83\x02\x01\x02aY\x82\x03\x03")
    assert other != written
    assert from_bytes(SHAPE, other).topic == TOPICS[0]
    assert from_bytes(SHAPE, to_bytes(SHAPE, Msg(A, 9, SET, TOPICS[2]))).topic == TOPICS[2]


def test_the_caller_decides_what_a_key_is() -> None:
    def no_zero(key: bytes) -> bytes:
        if key == bytes(32):
            raise InvalidError("key is zero")
        return key

    key: Shape[bytes] = Mapped(ByteString(32), no_zero, lambda value: value)
    quorum_set: QuorumSet[NodeID] = QuorumSet(1, (NodeID("z:0", bytes(32)),))
    data = to_bytes(quorum_set_shape(), quorum_set)
    assert from_bytes(quorum_set_shape(), data) == quorum_set
    with pytest.raises(CborError, match="key is zero"):
        from_bytes(quorum_set_shape(key), data)


def node_of(value: int) -> Any:
    return uint(value, 32)


def test_everything_that_is_signed_changes_the_digest() -> None:
    base = Msg(A, 9, SET, TOPICS[1])
    others = [
        Msg(B, 9, SET, TOPICS[1]),
        Msg(NodeID("other:0", A.public_key), 9, SET, TOPICS[1]),
        Msg(A, 10, SET, TOPICS[1]),
        Msg(A, 9, QuorumSet(1, SET.members), TOPICS[1]),
        Msg(A, 9, QuorumSet(2, SET.members[::-1]), TOPICS[1]),
        Msg(A, 9, QuorumSet(2, SET.members[:2]), TOPICS[1]),
        *(Msg(A, 9, SET, topic) for topic in (TOPICS[0], *TOPICS[2:])),
    ]
    digests = {digest32("scp_msg", msg_node(msg, node_of)) for msg in (base, *others)}
    assert len(digests) == len(others) + 1
    many: QuorumSet[NodeID] = QuorumSet(1, (B,) * 101)  # too many to be remembered
    assert digest32("scp_msg", msg_node(Msg(A, 9, many, TOPICS[1]), node_of)) not in digests
    assert digest32("q", quorum_set_node(SET)) != digest32("q", quorum_set_node(SET.sorted()))
