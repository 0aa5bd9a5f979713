"""What a message implies, and what the messages of all peers add up to.

A message of balloting says more than its fields: Commit votes to prepare its value at every
counter, Externalize accepts commit of everything from C upwards, and a statement about <n, X>
covers every lower counter of the same X. `Statement` spells this out once per stored message;
`Tally` gathers the statements of all peers per ballot list, as masks of nodes, so that a question
such as "up to which counter does a quorum accept X prepared" walks a short list of counters. A new
statement changes only what its sender said before.
[docs/protocol/scp.md#7.4]
"""

import dataclasses
import itertools
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Generic, NamedTuple, TypeVar

from mcnode.scp.types import (
    INFINITY,
    Ballot,
    Commit,
    Externalize,
    Msg,
    NominatePayload,
    PreparePayload,
    Topic,
    V,
    ballot_counter_of,
    nomination_of,
    prepare_of,
)
from mcnode.scp.values import SlotBallot, ValueList, ValueTable


class CounterRange(NamedTuple):
    """Ballot counters from `low` to `high`, both included."""

    low: int
    high: int


class CommitRange(NamedTuple, Generic[V]):
    """Counters of one list that a message votes or accepts committed."""

    values: tuple[V, ...]
    counters: CounterRange
    named: int
    """The highest counter the message names for it (HN); the rest of the range is implied."""


def _prepared_ballots(payload: PreparePayload[V]) -> tuple[Ballot[V], ...]:
    """P and PP; a PP without P counts for nothing."""
    if payload.prepared is None:
        return ()
    if payload.prepared_prime is None:
        return (payload.prepared,)
    return payload.prepared, payload.prepared_prime


def accepts_prepared(topic: Topic[V]) -> tuple[Ballot[V], ...]:
    """Ballots that the sender accepts as prepared. Each covers the lower counters of its list."""
    match topic:
        case Commit():
            return (Ballot(topic.prepared_counter, topic.ballot.values),)
        case Externalize():
            return (Ballot(INFINITY, topic.commit.values),)
    payload = prepare_of(topic)
    return () if payload is None else _prepared_ballots(payload)


def votes_or_accepts_prepared(topic: Topic[V]) -> tuple[Ballot[V], ...]:
    """Ballots that the sender votes or accepts as prepared."""
    match topic:
        case Commit():
            return (Ballot(INFINITY, topic.ballot.values),)
        case Externalize():
            return (Ballot(INFINITY, topic.commit.values),)
    payload = prepare_of(topic)
    return () if payload is None else (payload.ballot, *_prepared_ballots(payload))


def accepts_commit(topic: Topic[V]) -> CommitRange[V] | None:
    """The range that the sender accepts as committed. A range turned round says nothing."""
    match topic:
        case Commit() if topic.commit_counter <= topic.high_counter:
            counters = CounterRange(topic.commit_counter, topic.high_counter)
            return CommitRange(topic.ballot.values, counters, topic.high_counter)
        case Externalize():
            counters = CounterRange(topic.commit.counter, INFINITY)
            return CommitRange(topic.commit.values, counters, topic.high_counter)
    return None


def votes_or_accepts_commit(topic: Topic[V]) -> CommitRange[V] | None:
    """The range that the sender votes or accepts as committed. Counter 0 is no vote."""
    match topic:
        case Commit():
            counters = CounterRange(topic.commit_counter, INFINITY)
            return CommitRange(topic.ballot.values, counters, topic.high_counter)
        case Externalize():
            return accepts_commit(topic)
    payload = prepare_of(topic)
    if payload is None or not 0 < payload.commit_counter <= payload.high_counter:
        return None
    counters = CounterRange(payload.commit_counter, payload.high_counter)
    return CommitRange(payload.ballot.values, counters, payload.high_counter)


class SlotCommitRange(NamedTuple, Generic[V]):
    """A `CommitRange` over the slot's one object for its list."""

    list: ValueList[V]
    counters: CounterRange
    named: int


@dataclasses.dataclass(frozen=True, slots=True)
class Statement(Generic[V]):
    """A stored message with all it implies; value sets are bits."""

    bit: int
    msg: Msg[V]
    nominates: bool
    voted: int
    accepted: int
    accepts_prepared: tuple[SlotBallot[V], ...]
    votes_prepared: tuple[SlotBallot[V], ...]
    """Votes or accepts."""
    accepts_commit: SlotCommitRange[V] | None
    votes_commit: SlotCommitRange[V] | None
    """Votes or accepts."""
    ballot_counter: int

    def lists(self) -> "Iterable[ValueList[V]]":
        """Every ballot list the statement refers to."""
        return (ballot.list for ballot in (*self.votes_prepared, *self.accepts_prepared))


def read_statement(bit: int, msg: Msg[V], table: ValueTable[V]) -> Statement[V]:
    """Spell out a message. Raises as `ValueTable.intern` when the application refuses a value."""
    topic = msg.topic
    nomination = nomination_of(topic)
    payload = nomination or NominatePayload()
    known: dict[int, ValueList[V]] = {}

    def held(ballot: Ballot[V]) -> SlotBallot[V]:
        """A ballot stands in both tuples; to look up its list is most of the work."""
        its_list = known.get(id(ballot.values))
        if its_list is None:
            its_list = known[id(ballot.values)] = table.intern(ballot.values)
        return SlotBallot(ballot.counter, its_list)

    return Statement(
        bit,
        msg,
        nomination is not None,
        table.intern(payload.voted).mask,
        table.intern(payload.accepted).mask,
        tuple(map(held, accepts_prepared(topic))),
        tuple(map(held, votes_or_accepts_prepared(topic))),
        _intern_range(accepts_commit(topic), table),
        _intern_range(votes_or_accepts_commit(topic), table),
        ballot_counter_of(topic),
    )


def _intern_range(
    commit_range: CommitRange[V] | None, table: ValueTable[V]
) -> SlotCommitRange[V] | None:
    if commit_range is None:
        return None
    values, counters, named = commit_range
    return SlotCommitRange(table.intern(values), counters, named)


Support = dict[int, int]
"""Counter to the bits of the nodes that name it; none without nodes."""

Test = Callable[[int], bool]
"""Whether a set of node bits is enough: a quorum, or a blocking set."""


class Tally(Generic[V]):
    """What the newest statements of all peers say about ballots, per list of values."""

    def __init__(self) -> None:
        self.accepts: dict[ValueList[V], Support] = {}
        self.votes: dict[ValueList[V], Support] = {}
        self.accepts_commit: dict[ValueList[V], dict[CounterRange, int]] = {}
        self.votes_commit: dict[ValueList[V], dict[tuple[CounterRange, int], int]] = {}
        """Keys are (counters, the highest of them that is named)."""
        self.counters: Support = {}

    def replace(self, old: Statement[V] | None, new: Statement[V]) -> None:
        """Count `new` instead of the same sender's `old`."""
        if old is not None:
            self._forget(old)
        bit = new.bit
        self.counters[new.ballot_counter] = self.counters.get(new.ballot_counter, 0) | bit
        for counter, values in new.accepts_prepared:
            _join(self.accepts, values, counter, bit)
        for counter, values in new.votes_prepared:
            _join(self.votes, values, counter, bit)
        if new.accepts_commit is not None:
            values, counters, named = new.accepts_commit
            _join(self.accepts_commit, values, counters, bit)
        if new.votes_commit is not None:
            values, counters, named = new.votes_commit
            _join(self.votes_commit, values, (counters, named), bit)

    def _forget(self, old: Statement[V]) -> None:
        others = ~old.bit
        _keep(self.counters, old.ballot_counter, others)
        for counter, values in old.accepts_prepared:
            _leave(self.accepts, values, counter, others)
        for counter, values in old.votes_prepared:
            _leave(self.votes, values, counter, others)
        if old.accepts_commit is not None:
            values, counters, named = old.accepts_commit
            _leave(self.accepts_commit, values, counters, others)
        if old.votes_commit is not None:
            values, counters, named = old.votes_commit
            _leave(self.votes_commit, values, (counters, named), others)


K = TypeVar("K", bound=Hashable)


def _join(tally: dict[ValueList[V], dict[K, int]], values: ValueList[V], key: K, bit: int) -> None:
    support = tally.get(values)
    if support is None:
        tally[values] = {key: bit}
    else:
        support[key] = support.get(key, 0) | bit


def _keep(support: dict[K, int], key: K, others: int) -> None:
    """Leave only `others` under a key, and nothing where there are none."""
    left = support.get(key, 0) & others
    if left:
        support[key] = left
    else:
        support.pop(key, None)


def _leave(
    tally: dict[ValueList[V], dict[K, int]], values: ValueList[V], key: K, others: int
) -> None:
    """A statement may name a ballot twice: then it is gone at the second time."""
    support = tally.get(values)
    if support is not None:
        _keep(support, key, others)
        if not support:
            del tally[values]


def highest_counter(support: Support, is_enough: Test, limit: int = INFINITY) -> int | None:
    """The highest counter up to `limit` whose supporters are enough; None when there is none.

    A supporter of a counter supports every lower one, so the supporters only grow on the way
    down. The limit itself is asked about even if no peer names it: the local node alone may be
    enough.
    """
    nodes = 0
    below = []
    for counter, bits in support.items():
        if counter >= limit:
            nodes |= bits
        else:
            below.append(counter)
    if is_enough(nodes):
        return limit
    below.sort(reverse=True)
    for counter in below:
        nodes |= support[counter]
        if is_enough(nodes):
            return counter
    return None


def iter_runs(
    ranges: Iterable[CounterRange], holds: Callable[[int], bool]
) -> Iterator[CounterRange]:
    """The contiguous runs of counters for which `holds` is true, highest first.

    `holds` may change only where one of `ranges` begins or ends and is false outside all of them,
    so one counter of each stretch between is asked about.
    """
    ends: set[int] = set()
    for first, last in ranges:
        ends.add(last)
        ends.add(first - 1)
    top: int | None = None
    bottom = 0
    for stop, below in itertools.pairwise(sorted(ends, reverse=True)):
        if holds(stop):
            top = stop if top is None else top
            bottom = below + 1
        elif top is not None:
            yield CounterRange(bottom, top)
            top = None
    if top is not None:
        yield CounterRange(bottom, top)


def supporters_at(counter: int, ranges: Iterable[tuple[CounterRange, int]]) -> int:
    """The nodes whose range holds `counter`; `ranges` says which nodes name which."""
    nodes = 0
    for (first, last), bits in ranges:
        if first <= counter <= last:
            nodes |= bits
    return nodes
