"""Statements that wait: the newest of each author and slot, within limits."""

import dataclasses

from mcnode.consensus.message_queue import (
    FUTURE_SLOTS_MAX,
    QUEUED_BYTES_MAX,
    QUEUED_MAX,
    SOURCES_MAX,
    MessageQueue,
    QueuedMsg,
)
from mcnode.peers.consensus_msg import ConsensusMsg
from mcnode.peers.consensus_value import tx_hash_value
from mcnode.scp import Msg, NodeID, QuorumSet
from mcnode.scp.types import Nominate, NominatePayload


def queued(author: int, count: int = 1, slot: int = 3, *, size: int | None = None) -> QueuedMsg:
    """A statement of `author` that votes for `count` values; `size` makes its bytes so many."""
    sender = NodeID("node:1", author.to_bytes(32))
    msg = Msg(sender, slot, QuorumSet(0), Nominate(NominatePayload(values(count))))
    payload = bytes(size if size is not None else 10)
    return QueuedMsg.create(ConsensusMsg(msg, bytes(32), bytes(64), payload), "neighbour:1")


def values(count: int):
    return tuple(tx_hash_value(number.to_bytes(32)) for number in range(count))


def test_a_statement_knows_its_transactions_and_its_neighbour() -> None:
    statement = queued(7, 2)
    assert statement.tx_hashes == (bytes(32), (1).to_bytes(32))
    assert statement.received_from == "neighbour:1"
    assert statement.key == (3, (7).to_bytes(32))


def test_statements_come_out_in_order_of_arrival_up_to_a_slot() -> None:
    queue = MessageQueue()
    for author, slot in ((1, 4), (2, 3), (3, 2), (4, 5)):
        queue.push(queued(author, slot=slot))
    assert [each.key[0] for each in queue.take_up_to(4)] == [4, 3, 2]
    assert len(queue) == 1
    assert [each.key[0] for each in queue.take_up_to(5)] == [5]
    assert queue.size_bytes == 0


def test_a_higher_statement_replaces_a_lower_one_and_never_the_other_way() -> None:
    queue = MessageQueue()
    low, high = queued(1, 1), queued(1, 2)
    queue.push(low)
    queue.push(high)
    queue.push(low)
    assert queue.take_up_to(3) == [high]


def test_the_time_of_waiting_is_inherited() -> None:
    queue = MessageQueue()
    queue.push(dataclasses.replace(queued(1, 1), waiting_since=5.0))
    queue.push(queued(1, 2))
    [taken] = queue.take_up_to(3)
    assert taken.waiting_since == 5.0

    queue.push(dataclasses.replace(queued(1, 1), waiting_since=5.0))
    queue.push(dataclasses.replace(queued(1, 2), waiting_since=6.0))
    [taken] = queue.take_up_to(3)
    assert taken.waiting_since == 6.0


def test_slots_beyond_the_window_are_dropped() -> None:
    queue = MessageQueue()
    queue.push(queued(1, slot=3 + FUTURE_SLOTS_MAX))
    queue.push(queued(2, slot=4 + FUTURE_SLOTS_MAX))
    assert queue.take_up_to(3) == []
    assert len(queue) == 1


def test_neighbours_are_remembered_up_to_a_limit() -> None:
    queue = MessageQueue()
    queue.push(queued(1))
    author = (1).to_bytes(32)
    assert queue.add_source(3, author, "second:1")
    assert not queue.add_source(3, author, "second:1")
    assert not queue.add_source(4, author, "second:1")
    for number in range(2 * SOURCES_MAX):
        queue.add_source(3, author, f"other:{number}")
    [taken] = queue.take_up_to(3)
    assert len(taken.sources) == SOURCES_MAX
    assert taken.sources[:2] == ("neighbour:1", "second:1")


def test_the_number_is_bounded_and_the_oldest_goes() -> None:
    queue = MessageQueue()
    for author in range(QUEUED_MAX + 3):
        queue.push(queued(author))
    assert len(queue) == QUEUED_MAX
    assert queue.take_up_to(3)[0].key == queued(3).key


def test_the_bytes_are_bounded() -> None:
    queue = MessageQueue()
    third = QUEUED_BYTES_MAX // 3
    for author in range(4):
        queue.push(queued(author, size=third))
    assert len(queue) == 3
    queue.push(queued(3, 2, size=10))  # the same author's, smaller
    assert queue.size_bytes == 2 * third + 10
    queue.push(queued(9, size=QUEUED_BYTES_MAX + 1))
    assert len(queue) == 0
    assert queue.size_bytes == 0
