"""What the nodes say to each other: identities, ballots, topics, messages.

Names follow the field; the wire's letters stand beside them. [docs/protocol/scp.md#2]

    here                          wire    meaning
    voted, accepted               X, Y    values voted, accepted as nominated
    ballot                        B       what the sender works on
    prepared                      P       highest ballot accepted prepared
    prepared_prime                PP      highest below it with another list
    commit_counter, high_counter  CN, HN  commit range voted (Prepare) or accepted (Commit)
    prepared_counter              PN      counter of P while committing
    commit                        C       lowest confirmed-committed ballot
"""

import dataclasses
import functools
from typing import Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from mcnode.scp.quorum_set import QuorumSet

INFINITY = 2**32 - 1
"""The ballot counter that stands for every counter: what Externalize votes for. [#2.3]"""

SlotIndex: TypeAlias = int
"""Index of the block being agreed, u64."""


class Orderable(Protocol):
    """What a value must offer: hashing, equality and a total order."""

    def __lt__(self, other: Any, /) -> bool: ...
    def __hash__(self) -> int: ...


V = TypeVar("V", bound=Orderable)


@functools.total_ordering
@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class NodeID:
    """Who signs. The key alone decides equality, order and hash. [#2.1]

    `responder_id` is `host:port`, `public_key` the 32 bytes of an Ed25519 key.
    """

    responder_id: str
    public_key: bytes

    # Written out: every message names a whole quorum set, and what is generated makes two tuples.

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NodeID) and self.public_key == other.public_key

    def __lt__(self, other: "NodeID") -> bool:
        return self.public_key < other.public_key

    def __hash__(self) -> int:
        return hash(self.public_key)

    def __str__(self) -> str:
        return f"{self.responder_id}:{self.public_key.hex()}"


class Ballot(NamedTuple, Generic[V]):
    """A counter and an ordered list of values. Orders by counter, then by the list. [#2.3]

    Two ballots are compatible when their lists are equal, order included.
    """

    counter: int
    values: tuple[V, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class NominatePayload(Generic[V]):
    """Values voted and accepted as nominated; both ascending without repetition, disjoint."""

    voted: tuple[V, ...] = ()
    accepted: tuple[V, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Nominate(Generic[V]):
    """Topic 0: nomination only."""

    nomination: NominatePayload[V]


@dataclasses.dataclass(frozen=True, slots=True)
class PreparePayload(Generic[V]):
    """Votes and accepts about preparing ballots."""

    ballot: Ballot[V]
    prepared: Ballot[V] | None = None
    prepared_prime: Ballot[V] | None = None
    commit_counter: int = 0
    high_counter: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Prepare(Generic[V]):
    """Topic 2: balloting, nomination is over."""

    prepare: PreparePayload[V]


@dataclasses.dataclass(frozen=True, slots=True)
class NominatePrepare(Generic[V]):
    """Topic 1: balloting has begun while nomination goes on."""

    nomination: NominatePayload[V]
    prepare: PreparePayload[V]


@dataclasses.dataclass(frozen=True, slots=True)
class Commit(Generic[V]):
    """Topic 3: the sender accepted commit of `ballot.values` for a range of counters."""

    ballot: Ballot[V]
    prepared_counter: int
    commit_counter: int
    high_counter: int


@dataclasses.dataclass(frozen=True, slots=True)
class Externalize(Generic[V]):
    """Topic 4: the sender confirmed commit; `commit.values` is the slot's outcome."""

    commit: Ballot[V]
    high_counter: int


Topic: TypeAlias = Nominate[V] | NominatePrepare[V] | Prepare[V] | Commit[V] | Externalize[V]

TOPICS: tuple[type[Any], ...] = (Nominate, NominatePrepare, Prepare, Commit, Externalize)
"""In the order of the wire's numbering."""

_RANK: dict[type[Any], int] = {topic: rank for rank, topic in enumerate(TOPICS)}


@dataclasses.dataclass(frozen=True, slots=True)
class Msg(Generic[V]):
    """One statement of one node about one slot. It carries the sender's whole quorum set.
    [#2.4]"""

    sender_id: NodeID
    slot_index: SlotIndex
    quorum_set: QuorumSet[NodeID]
    topic: Topic[V]


def nomination_of(topic: Topic[V]) -> NominatePayload[V] | None:
    """The nomination part of a topic, if it has one."""
    return topic.nomination if isinstance(topic, Nominate | NominatePrepare) else None


def prepare_of(topic: Topic[V]) -> PreparePayload[V] | None:
    """The prepare part of a topic, if it has one."""
    return topic.prepare if isinstance(topic, NominatePrepare | Prepare) else None


def ballot_counter_of(topic: Topic[V]) -> int:
    """The counter the sender works on (bN): 0 while nominating, INFINITY when done. [#6.2]"""
    if isinstance(topic, Nominate):
        return 0
    if isinstance(topic, Externalize):
        return INFINITY
    return topic.ballot.counter if isinstance(topic, Commit) else topic.prepare.ballot.counter


def _prepare_key(payload: PreparePayload[V]) -> tuple[Any, ...]:
    """An absent optional ballot sorts lowest, hence the one-element tuples."""
    prepared = () if payload.prepared is None else (payload.prepared,)
    prime = () if payload.prepared_prime is None else (payload.prepared_prime,)
    return payload.ballot, prepared, prime, payload.high_counter


def _nominate_key(payload: NominatePayload[V] | None) -> tuple[Any, ...]:
    if payload is None:
        return ()
    return len(payload.accepted), payload.accepted, len(payload.voted), payload.voted


def _commit_key(commit: Commit[V]) -> tuple[Any, ...]:
    return commit.ballot, commit.prepared_counter, commit.high_counter


def _sign(left: tuple[Any, ...], right: tuple[Any, ...]) -> int:
    return (left > right) - (left < right)


def compare_topics(left: Topic[V], right: Topic[V]) -> int:
    """-1, 0 or 1: the total order that decides whether a message replaces an older one. [#2.5]

    The commit counter takes no part, and neither does C of Externalize: 0 is not equality. For
    NominatePrepare the nomination part counts only when the prepare parts are equal in full,
    their commit counters included, so that a change of the commit counter hides a grown
    nomination. That is the network's rule; both ends of a wire must rank alike.
    """
    by_rank = _RANK[type(left)] - _RANK[type(right)]
    if by_rank:
        return 1 if by_rank > 0 else -1
    if isinstance(left, Commit) and isinstance(right, Commit):
        return _sign(_commit_key(left), _commit_key(right))
    if isinstance(left, Externalize) and isinstance(right, Externalize):
        return _sign((left.high_counter,), (right.high_counter,))
    prepares = [payload for t in (left, right) if (payload := prepare_of(t)) is not None]
    if prepares and prepares[0] != prepares[1]:
        return _sign(_prepare_key(prepares[0]), _prepare_key(prepares[1]))
    return _sign(_nominate_key(nomination_of(left)), _nominate_key(nomination_of(right)))
