"""Pairs of statements about one slot that no node makes which follows the protocol.

What an honest node says only ever grows, in the order of topics: it takes back no vote for a value,
no accepted value, no counter; it ballots on one list at each counter, and on one list for good once
it commits. Two signed statements that break this prove that their author tells different things to
different peers, runs twice, or has forgotten what it said: a node that restarts begins an open slot
anew.

Only what must hold whatever a node hears is asked, also of the network's own software with its
defects, so that nobody is accused for those. The highest counter is left out, where counters can
rise no more. [docs/protocol/scp.md#2.5]
"""

from mcnode.scp.types import (
    INFINITY,
    Ballot,
    Commit,
    Externalize,
    NominatePayload,
    Topic,
    V,
    compare_topics,
    nomination_of,
    prepare_of,
)


def contradiction(one: Topic[V], other: Topic[V]) -> str | None:
    """Why no honest node says both about one slot, in whatever order; None when it may."""
    lower, higher = (one, other) if compare_topics(one, other) <= 0 else (other, one)
    return (
        _outcomes(lower, higher)
        or _ballots(lower, higher)
        or _prepared(lower, higher)
        or _nominations(lower, higher)
    )


def _outcomes(lower: Topic[V], higher: Topic[V]) -> str | None:
    """Whoever commits keeps to one list."""
    lists = [final for topic in (lower, higher) if (final := _final_list(topic)) is not None]
    if len(lists) == 2 and lists[0] != lists[1]:
        kind = "externalizes" if isinstance(lower, Externalize) else "commits"
        return f"{kind} two lists of values"
    return None


def _final_list(topic: Topic[V]) -> tuple[V, ...] | None:
    match topic:
        case Commit():
            return topic.ballot.values
        case Externalize():
            return topic.commit.values
    return None


def _ballots(lower: Topic[V], higher: Topic[V]) -> str | None:
    """One list at each counter, and counters that do not fall."""
    before, after = _ballot(lower), _ballot(higher)
    if before is None or after is None or before.counter == INFINITY:
        return None
    if before.counter == after.counter and before.values != after.values:
        return f"votes for two lists of values in ballot {before.counter}"
    if before.counter > after.counter:
        return f"goes back from ballot {before.counter} to {after.counter}"
    return None


def _ballot(topic: Topic[V]) -> Ballot[V] | None:
    """What the sender ballots on; None before and after that."""
    if isinstance(topic, Commit):
        return topic.ballot
    payload = prepare_of(topic)
    return None if payload is None else payload.ballot


def _prepared(lower: Topic[V], higher: Topic[V]) -> str | None:
    """What is accepted prepared stays so.

    A message shows it cut to its own ballot, so that it tells nothing where it may have been cut.
    """
    before, after = prepare_of(lower), prepare_of(higher)
    if before is None or after is None or before.prepared is None:
        return None
    if after.prepared is None:
        return "takes back that it accepts a ballot prepared"
    may_be_cut = after.prepared.counter + 1 >= after.ballot.counter
    if not may_be_cut and after.prepared < before.prepared:
        counters = f"{before.prepared.counter} and then only {after.prepared.counter}"
        return f"accepts ballot {counters} prepared"
    return None


def _nominations(lower: Topic[V], higher: Topic[V]) -> str | None:
    """Values voted stay voted or become accepted, and accepted values stay so.

    Which of two statements of one kind came first is left open: a ballot that is cut to fit may
    rank the later one lower.
    """
    before, after = nomination_of(lower), nomination_of(higher)
    if before is None or after is None:
        return None
    lost = _taken_back(before, after)
    if lost is None or (type(lower) is type(higher) and _taken_back(after, before) is None):
        return None
    return lost


def _taken_back(before: NominatePayload[V], after: NominatePayload[V]) -> str | None:
    accepted = set(after.accepted)
    lost = set(before.accepted) - accepted
    if lost:
        return f"takes back that it accepts {len(lost)} nominated values"
    lost = set(before.voted) - accepted.union(after.voted)
    return f"takes back its vote to nominate {len(lost)} values" if lost else None
