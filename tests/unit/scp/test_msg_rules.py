"""Which messages are taken, and the text for those that are not. [docs/protocol/scp.md#2.6]"""

import pytest

from mcnode.scp import INFINITY, Ballot, InvalidMsgError, Msg, NodeID, QuorumSet
from mcnode.scp.msg_rules import check_msg, check_topic
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

X1, X2, X3, Y1 = Ballot(1, (1,)), Ballot(2, (1,)), Ballot(3, (1,)), Ballot(1, (2,))

WRONG: list[tuple[str, Topic[int]]] = [
    ("X intersects Y", Nominate(NominatePayload((1, 2), (2, 3)))),
    ("X intersects Y", NominatePrepare(NominatePayload((1,), (1,)), PreparePayload(X1, X2))),
    ("B < P", Prepare(PreparePayload(X1, X2))),
    ("B < P", Prepare(PreparePayload(X1, Y1))),
    ("PP >= P", Prepare(PreparePayload(X3, X2, X2))),
    ("PP >= P", Prepare(PreparePayload(X3, X1, X2))),
    ("CN > HN", Prepare(PreparePayload(X3, X2, None, 2, 1))),
    ("CN > HN", Commit(X1, 1, 2, 1)),
    ("HN > BN", Prepare(PreparePayload(X1, X1, None, 0, 2))),
]


@pytest.mark.parametrize(("text", "topic"), WRONG)
def test_a_broken_rule_is_named(text: str, topic: Topic[int]) -> None:
    with pytest.raises(InvalidMsgError, match=f"^{text}: "):
        check_topic(topic)


@pytest.mark.parametrize(
    "topic",
    [
        Nominate(NominatePayload()),
        Nominate(NominatePayload((1,), (2,))),
        Prepare(PreparePayload(X3, X1, None, 0, 3)),  # HN above P
        Prepare(PreparePayload(X1, None, X2)),  # PP without P
        Prepare(PreparePayload(X3, X2, X1)),  # PP of the list of P
        Prepare(PreparePayload(Ballot(0, ()))),
        Commit(X1, 0, 0, INFINITY),  # PN below HN, CN 0, HN above B
        Externalize(X3, 1),  # HN below C
        Prepare(PreparePayload(Ballot(1, (2, 2, 1)))),  # values repeated and in no order
    ],
)
def test_what_honest_nodes_may_send_is_taken(topic: Topic[int]) -> None:
    check_topic(topic)


def test_the_quorum_set_comes_first() -> None:
    node = NodeID("a:1", bytes(32))
    msg = Msg(node, 1, QuorumSet(2, (node,)), Nominate(NominatePayload((1,), (1,))))
    with pytest.raises(InvalidMsgError, match=r"^Invalid quorum set: threshold is 2, members 1$"):
        check_msg(msg)
