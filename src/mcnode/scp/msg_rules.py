"""The structural rules of a message: what can be judged without knowing anything else.

The order of the checks and the head of each text are the network's. Honest nodes do send a
Prepare whose HN exceeds the counter of P, a Commit with PN below HN or CN 0, and any counter up
to INFINITY: none of that is refused. [docs/protocol/scp.md#2.6]
"""

from mcnode.scp.errors import InvalidMsgError, InvalidQuorumSetError
from mcnode.scp.quorum_set import check_quorum_set
from mcnode.scp.types import (
    Commit,
    Msg,
    NominatePayload,
    PreparePayload,
    Topic,
    V,
    nomination_of,
    prepare_of,
)


def check_msg(msg: Msg[V]) -> None:
    """Raise unless the message is well formed.

    Raises:
        InvalidMsgError: the quorum set or the topic breaks a rule.
    """
    try:
        check_quorum_set(msg.quorum_set)
    except InvalidQuorumSetError as error:
        raise InvalidMsgError(f"Invalid quorum set: {error}") from error
    check_topic(msg.topic)


def check_topic(topic: Topic[V]) -> None:
    """The part of `check_msg` about the topic. Raises `InvalidMsgError`."""
    nomination, prepare = nomination_of(topic), prepare_of(topic)
    if nomination is not None:
        _check_nomination(nomination)
    if prepare is not None:
        _check_prepare(prepare)
    if isinstance(topic, Commit):
        _check_range(topic.commit_counter, topic.high_counter)


def _check_nomination(payload: NominatePayload[V]) -> None:
    if payload.voted and payload.accepted:
        common = set(payload.voted).intersection(payload.accepted)
        if common:
            raise InvalidMsgError(f"X intersects Y: {len(common)} values in both, limit 0")


def _check_prepare(payload: PreparePayload[V]) -> None:
    ballot, prepared, prime = payload.ballot, payload.prepared, payload.prepared_prime
    if prepared is not None:
        if ballot < prepared:
            raise InvalidMsgError(f"B < P: counters {ballot.counter} and {prepared.counter}")
        if prime is not None and prime >= prepared:
            raise InvalidMsgError(f"PP >= P: counters {prime.counter} and {prepared.counter}")
    _check_range(payload.commit_counter, payload.high_counter)
    if payload.high_counter > ballot.counter:
        raise InvalidMsgError(f"HN > BN: {payload.high_counter}, limit {ballot.counter}")


def _check_range(commit_counter: int, high_counter: int) -> None:
    if commit_counter > high_counter:
        raise InvalidMsgError(f"CN > HN: {commit_counter}, limit {high_counter}")
