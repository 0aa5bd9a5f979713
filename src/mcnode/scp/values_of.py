"""The values that a topic mentions."""

from collections.abc import Iterator

from mcnode.scp.types import Commit, Externalize, Topic, V, nomination_of, prepare_of


def values_of(topic: Topic[V]) -> Iterator[V]:
    """Every value of X, Y and of the ballots, with repetitions. [docs/protocol/scp.md#7.2]"""
    nomination, prepare = nomination_of(topic), prepare_of(topic)
    if nomination is not None:
        yield from nomination.voted
        yield from nomination.accepted
    if prepare is not None:
        for ballot in (prepare.ballot, prepare.prepared, prepare.prepared_prime):
            if ballot is not None:
                yield from ballot.values
    if isinstance(topic, Commit):
        yield from topic.ballot.values
    if isinstance(topic, Externalize):
        yield from topic.commit.values
