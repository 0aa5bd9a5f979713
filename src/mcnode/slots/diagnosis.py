"""How far a slot is, and which votes of which nodes are missing. Pure.

Everything a slot decides is a question to the statements that it holds: does a quorum, the local
node included, support this? `open_questions` asks those that the slot is waiting on, one step ahead
of where it is, with the same search and tallies that the slot uses:

    nomination    accept: voted or accepted by a quorum      confirm: accepted by a quorum
    a ballot      accept prepared, confirm prepared, accept commit, confirm commit
    its counter   a quorum on it (or above) starts the timer that moves on to the next

A question names who supports, who does not, and the least number of those that would have to.
"""

import dataclasses
import enum
from collections.abc import Callable, Iterable
from typing import Generic

from mcnode.scp import Msg, NodeID, Phase, QuorumSet, SlotState, Topic
from mcnode.scp.search import LOCAL, QuorumSearch
from mcnode.scp.statements import (
    CommitRange,
    accepts_commit,
    accepts_prepared,
    votes_or_accepts_commit,
    votes_or_accepts_prepared,
)
from mcnode.scp.types import Ballot, NominatePayload, V, ballot_counter_of, nomination_of


class Rung(enum.IntEnum):
    """How far a slot is. A slot only climbs; ballot counters are no progress."""

    NOTHING = 0
    VOTED = 1
    ACCEPTED_NOMINATED = 2
    BALLOTING = 3
    ACCEPTED_PREPARED = 4
    CONFIRMED_PREPARED = 5
    COMMITTING = 6
    EXTERNALIZED = 7


class Predicate(enum.Enum):
    """What is asked about; the value is how a person says it."""

    ACCEPT_NOMINATION = "accept nomination of"
    CONFIRM_NOMINATION = "confirm nomination of"
    ACCEPT_PREPARED = "accept prepared"
    CONFIRM_PREPARED = "confirm prepared"
    ACCEPT_COMMIT = "accept commit of"
    CONFIRM_COMMIT = "confirm commit of"
    START_TIMER = "start the timer of"


@dataclasses.dataclass(frozen=True, slots=True)
class OpenQuestion(Generic[V]):
    """A predicate that does not hold."""

    predicate: Predicate
    values: tuple[V, ...]
    """What is nominated; of a ballot, its list."""
    counter: int | None
    """Of the ballot; None in nomination."""
    supporters: tuple[NodeID, ...]
    """Peers that say it."""
    missing: tuple[NodeID, ...]
    """Peers that would help and do not say it."""
    needed: int
    """The least number of `missing` without which it cannot hold."""


@dataclasses.dataclass(frozen=True, slots=True)
class Diagnosis(Generic[V]):
    """Why a slot is not further."""

    rung: Rung
    questions: tuple[OpenQuestion[V], ...]
    silent: tuple[NodeID, ...]
    """Members of the local quorum set that have said nothing in this slot."""
    leaders: tuple[NodeID, ...]
    silent_leaders: tuple[NodeID, ...]
    """Leaders that have said nothing, while there is nothing to vote for."""

    @property
    def cause(self) -> OpenQuestion[V] | None:
        """The question that comes first; None while there is nothing to vote for."""
        for question in self.questions:
            if question.predicate is not Predicate.START_TIMER:
                return question
        return None

    @property
    def missing(self) -> tuple[NodeID, ...]:
        """Nodes whose votes are missing in the question that comes first, or who are silent."""
        if self.cause is not None:
            return self.cause.missing
        return self.silent_leaders or self.silent


def rung_of(state: SlotState[V]) -> Rung:
    """How far a slot is."""
    if state.phase == Phase.EXTERNALIZE:
        return Rung.EXTERNALIZED
    if state.phase == Phase.COMMIT:
        return Rung.COMMITTING
    if state.phase == Phase.PREPARE:
        return Rung.CONFIRMED_PREPARED
    if state.prepared is not None:
        return Rung.ACCEPTED_PREPARED
    if state.ballot.counter:
        return Rung.BALLOTING
    if state.accepted:
        return Rung.ACCEPTED_NOMINATED
    return Rung.VOTED if state.voted else Rung.NOTHING


def is_under_way(state: SlotState[V], quorum_set: QuorumSet[NodeID]) -> bool:
    """Whether there is anything to agree on. A stranger's word alone does not count."""
    if state.proposed or rung_of(state) > Rung.NOTHING:
        return True
    members = set(quorum_set.nodes())
    return any(msg.sender_id in members for msg in state.msgs)


def diagnose(state: SlotState[V], quorum_set: QuorumSet[NodeID]) -> Diagnosis[V]:
    """Why a slot of a node with this quorum set is not further."""
    peers = _Peers(state, quorum_set)
    questions = tuple(peers.open_questions())
    heard = {msg.sender_id for msg in state.msgs}
    silent = tuple(node for node in peers.members if node not in heard)
    rung = rung_of(state)
    silent_leaders: tuple[NodeID, ...] = ()
    if rung is Rung.NOTHING:
        silent_leaders = tuple(node for node in state.leaders if node in silent)
    return Diagnosis(rung, questions, silent, state.leaders, silent_leaders)


class _Peers(Generic[V]):
    """The statements that a slot holds, and who has to say what."""

    def __init__(self, state: SlotState[V], quorum_set: QuorumSet[NodeID]) -> None:
        self._state = state
        self._quorum_set = quorum_set
        self.members = _members(quorum_set, state.node_id)
        self._search = QuorumSearch(state.node_id, quorum_set)
        self._msgs: dict[int, Msg[V]] = {}
        self._sets = {state.node_id: quorum_set}
        waiting = list(state.msgs)
        while waiting:  # a set may name the senders of other messages
            named = [msg for msg in waiting if self._search.bit_of(msg.sender_id) is not None]
            if not named:
                break
            for msg in named:
                waiting.remove(msg)
                bit = self._search.bit_of(msg.sender_id)
                assert bit is not None
                self._search.set_peer(bit, msg.quorum_set)
                self._msgs[bit] = msg
                self._sets[msg.sender_id] = msg.quorum_set

    def open_questions(self) -> Iterable[OpenQuestion[V]]:
        state = self._state
        if state.phase == Phase.EXTERNALIZE:
            return
        if state.phase == Phase.NOMINATE_PREPARE:
            yield from self._nomination()
        if state.phase == Phase.COMMIT:
            yield from self._committing()
        elif state.ballot.counter:
            yield from self._preparing()
        if state.ballot.counter:
            yield from self._counter()

    # -- nomination ------------------------------------------------------------------------------

    def _nomination(self) -> Iterable[OpenQuestion[V]]:
        state = self._state
        confirmed = set(state.confirmed)
        rising = [value for value in state.accepted if value not in confirmed]
        yield from self._about_values(
            Predicate.CONFIRM_NOMINATION, rising, lambda said: said.accepted
        )
        yield from self._about_values(
            Predicate.ACCEPT_NOMINATION, state.voted, lambda said: (*said.voted, *said.accepted)
        )

    def _about_values(
        self,
        predicate: Predicate,
        values: Iterable[V],
        said: Callable[[NominatePayload[V]], tuple[V, ...]],
    ) -> Iterable[OpenQuestion[V]]:
        """Values with the same supporters make one question."""
        sets = {
            bit: set(said(payload))
            for bit, msg in self._msgs.items()
            if (payload := nomination_of(msg.topic)) is not None
        }
        groups: dict[int, list[V]] = {}
        for value in values:
            supporters = sum(bit for bit, named in sets.items() if value in named)
            groups.setdefault(supporters, []).append(value)
        for supporters, group in groups.items():
            yield from self._ask(predicate, tuple(group), None, supporters)

    # -- ballots ---------------------------------------------------------------------------------

    def _preparing(self) -> Iterable[OpenQuestion[V]]:
        state = self._state
        if state.commit is not None and state.high is not None:
            yield from self._about_commit(
                Predicate.ACCEPT_COMMIT, state.commit, votes_or_accepts_commit
            )
        prepared, high = state.prepared, state.high
        if prepared is not None and (high is None or prepared > high):
            yield from self._about_prepared(Predicate.CONFIRM_PREPARED, prepared, accepts_prepared)
        if prepared is None or state.ballot > prepared:
            yield from self._about_prepared(
                Predicate.ACCEPT_PREPARED, state.ballot, votes_or_accepts_prepared
            )

    def _committing(self) -> Iterable[OpenQuestion[V]]:
        commit = self._state.commit
        if commit is not None:
            yield from self._about_commit(Predicate.CONFIRM_COMMIT, commit, accepts_commit)

    def _about_prepared(
        self,
        predicate: Predicate,
        ballot: Ballot[V],
        said: Callable[[Topic[V]], tuple[Ballot[V], ...]],
    ) -> Iterable[OpenQuestion[V]]:
        def covers(topic: Topic[V]) -> bool:
            return any(
                b.values == ballot.values and b.counter >= ballot.counter for b in said(topic)
            )

        yield from self._ask(predicate, ballot.values, ballot.counter, self._who(covers))

    def _about_commit(
        self,
        predicate: Predicate,
        commit: Ballot[V],
        said: Callable[[Topic[V]], CommitRange[V] | None],
    ) -> Iterable[OpenQuestion[V]]:
        """At the lowest counter; a peer may begin above it, then the node waits there too."""
        high = self._state.high
        last = commit.counter if high is None else high.counter
        ranges: dict[int, tuple[int, int]] = {}
        for bit, msg in self._msgs.items():
            its_range = said(msg.topic)
            if its_range is not None and its_range.values == commit.values:
                ranges[bit] = (its_range.counters.low, its_range.counters.high)
        starts = {commit.counter, *(low for low, _ in ranges.values())}
        best = max(
            (counter for counter in sorted(starts) if commit.counter <= counter <= last),
            key=lambda counter: _supporters_at(counter, ranges).bit_count(),
        )
        yield from self._ask(predicate, commit.values, best, _supporters_at(best, ranges))

    def _counter(self) -> Iterable[OpenQuestion[V]]:
        """Without a quorum on its counter a node does not even give a ballot up."""
        state = self._state
        if state.ballot_deadline is not None:
            return
        on_it = self._who(lambda topic: ballot_counter_of(topic) >= state.ballot.counter)
        yield from self._ask(
            Predicate.START_TIMER, state.ballot.values, state.ballot.counter, on_it
        )

    # -- who -------------------------------------------------------------------------------------

    def _who(self, says: Callable[[Topic[V]], bool]) -> int:
        return sum(bit for bit, msg in self._msgs.items() if says(msg.topic))

    def _ask(
        self, predicate: Predicate, values: tuple[V, ...], counter: int | None, supporters: int
    ) -> Iterable[OpenQuestion[V]]:
        if self._search.is_quorum(supporters):
            return
        yes = self._search.nodes(supporters)
        short = self._short_of_slice(supporters)
        missing: dict[NodeID, None] = {}
        for node in short:
            for member in _members(self._sets[node], node):
                if member not in yes and member != self._state.node_id:
                    missing[member] = None
        supported = yes | {self._state.node_id}
        needed = max(_lacking(self._sets[node], supported | {node}) for node in short)
        yield OpenQuestion(predicate, values, counter, tuple(sorted(yes)), tuple(missing), needed)

    def _short_of_slice(self, supporters: int) -> list[NodeID]:
        """The local node if its own set is short; else the supporters whose sets are."""
        local = self._state.node_id
        if not self._search.local_set.is_satisfied_by(supporters | LOCAL):
            return [local]
        yes = self._search.nodes(supporters | LOCAL)
        short = [node for node in yes if node in self._sets and _lacking(self._sets[node], yes)]
        return sorted(short) or [local]


def _supporters_at(counter: int, ranges: dict[int, tuple[int, int]]) -> int:
    return sum(bit for bit, (low, high) in ranges.items() if low <= counter <= high)


def _members(quorum_set: QuorumSet[NodeID], own: NodeID) -> tuple[NodeID, ...]:
    """All nodes of a set but one, each once, as listed."""
    return tuple(node for node in dict.fromkeys(quorum_set.iter_nodes()) if node != own)


NEVER = 1 << 30
"""Votes lacking where a member is absent: none can make up for it."""


def _lacking(quorum_set: QuorumSet[NodeID], supporters: Iterable[NodeID]) -> int:
    """The least number of further nodes that would satisfy a set, each inner set on its own."""
    yes = frozenset(supporters)
    costs = []
    for member in quorum_set.members:
        if isinstance(member, QuorumSet):
            costs.append(_lacking(member, yes))
        elif member is None:
            costs.append(NEVER)
        else:
            costs.append(0 if member in yes else 1)
    return min(sum(sorted(costs)[: quorum_set.threshold]), NEVER)
