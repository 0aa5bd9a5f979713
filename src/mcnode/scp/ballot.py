"""Balloting: the nodes commit to one list of values, whatever the order in which messages arrive.

A ballot is <counter, list>. To *prepare* a ballot is to abort every lower one with another list;
to *commit* it is to make its list the outcome. Each statement goes through vote, accept, confirm:
accept when a quorum votes or accepts or a blocking set accepts, confirm when a quorum accepts.

    phase             leaves it when
    NOMINATE_PREPARE  some ballot is confirmed prepared -> PREPARE (nomination ends)
    PREPARE           commit of a range of counters is accepted -> COMMIT (the list is fixed)
    COMMIT            commit of a part of the range is confirmed -> EXTERNALIZE
    EXTERNALIZE       never; the upper end of the range may still rise

and what is held (letters of the wire in brackets):

    ballot (B)           voted prepared; its counter never falls
    prepared (P)         highest accepted prepared
    prepared_prime (PP)  highest accepted prepared below `prepared` with another list
    high (H)             PREPARE: highest confirmed prepared; then upper end of the commit range
    commit (C)           PREPARE: lowest voted commit, absent while aborted; then lower end of it

`advance` repeats the pass of the current phase until nothing moves. A pass reruns only when a
blocking set has dragged the counter up; the counter never falls, so this ends.

Where a rule of the network's own software is known to misfire, this module takes the sound reading,
in the numbering of [docs/protocol/scp.md#7.9]: a loop instead of recursion (D1); each counter of
each list tested on its own (D2, D3); votes for commit without upper end (D4); commit votes that
begin at 1 and are sought for the list of `high` (D6); counters that stay at their end (D10); a next
list that keeps to what is held (D12); no move to a ballot that is already aborted (D13). Left as
the network has it: a node accepts by quorum only ballots that it holds itself (D5). Numbers of
steps below are those of [docs/protocol/scp.md#7.5].
"""

import enum
from collections.abc import Callable
from typing import Generic

from mcnode.scp.search import QuorumSearch
from mcnode.scp.statements import (
    CounterRange,
    Tally,
    highest_counter,
    iter_runs,
    supporters_at,
)
from mcnode.scp.timers import Tick, Timer, Timing
from mcnode.scp.types import INFINITY, V
from mcnode.scp.values import SlotBallot, ValueList, ValueTable


class Phase(enum.IntEnum):
    """How far a slot is; the numbers are those of the phase gauge."""

    NOMINATE_PREPARE = 2
    PREPARE = 3
    COMMIT = 4
    EXTERNALIZE = 5


Composite = Callable[[], "ValueList[V] | None"]
"""The list to ballot on, from all confirmed nominated values; None while there are none."""


def _conflicts_above(ballot: SlotBallot[V] | None, other: SlotBallot[V]) -> bool:
    """Whether `ballot` is greater than `other` and of another list: it aborts `other`."""
    return ballot is not None and ballot.list is not other.list and ballot > other


def _cut(ballot: SlotBallot[V], limit: SlotBallot[V]) -> SlotBallot[V]:
    """`ballot` at the highest counter at which it is not above `limit`."""
    if ballot <= limit:
        return ballot
    return SlotBallot(limit.counter - (limit.list < ballot.list), ballot.list)


class BallotProtocol(Generic[V]):
    """The balloting half of one slot."""

    def __init__(
        self,
        search: QuorumSearch,
        table: ValueTable[V],
        timing: Timing,
        composite: "Composite[V]",
    ) -> None:
        self._search = search
        self._timing = timing
        self._composite = composite
        self.phase = Phase.NOMINATE_PREPARE
        self.ballot: SlotBallot[V] = SlotBallot(0, table.empty)
        self.prepared: SlotBallot[V] | None = None
        self.prepared_prime: SlotBallot[V] | None = None
        self.high: SlotBallot[V] | None = None
        self.commit: SlotBallot[V] | None = None
        self.timer = Timer()
        self._timer_counter = 0

    def is_started(self) -> bool:
        """Whether there is a ballot at all."""
        return self.ballot.counter != 0

    def start(self) -> None:
        """Begin the first ballot if there is something to ballot on. [#7.3 step 5]"""
        if not self.is_started():
            values = self._composite()
            if values is not None:
                self.ballot = SlotBallot(1, values)

    def advance(self, tally: Tally[V], now: Tick) -> None:
        """Do everything that the peers' statements allow."""
        self._start_timer(tally, now)
        while self.phase <= Phase.PREPARE and self._prepare_pass(tally, now):
            pass
        while self.phase == Phase.COMMIT and self._commit_pass(tally, now):
            pass
        if self.phase == Phase.EXTERNALIZE:
            self._raise_externalized(tally)

    # -- the counter and its timer ---------------------------------------------------------------

    def take_timeout(self, now: Tick) -> bool:
        """Move to the next counter if the ballot timer has fired. [#6.2]"""
        if not self.timer.take(now):
            return False
        counter = min(self.ballot.counter + 1, INFINITY)
        if self.phase == Phase.COMMIT:
            self.ballot = SlotBallot(counter, self.ballot.list)
        else:
            values = self._next_list()
            if values is not None:
                self.ballot = SlotBallot(counter, values)
        return True

    def restore_timer(self, deadline: Tick | None) -> None:
        """Take up a timer that was started for the present counter."""
        self.timer.deadline = deadline
        self._timer_counter = self.ballot.counter

    def _start_timer(self, tally: Tally[V], now: Tick) -> None:
        """Start the timer once a quorum has reached this counter."""
        if self.phase == Phase.EXTERNALIZE:
            return
        counter = self.ballot.counter
        if self._timing.restart_ballot_timer and self._timer_counter != counter:
            self.timer.stop()
        if self.timer.deadline is None:
            nodes = 0
            for peer_counter, bits in tally.counters.items():
                if peer_counter >= counter:
                    nodes |= bits
            if self._search.is_quorum(nodes):
                self.timer.start(now, self._timing.ballot_ms(counter))
                self._timer_counter = counter

    def _next_list(self) -> ValueList[V] | None:
        """What to ballot on next. [#7.6]"""
        if self.high is not None:
            return self.high.list
        composite = self._composite()
        if composite is not None:
            return composite
        if self.prepared is not None:
            return self.prepared.list
        return self.ballot.list if self.is_started() else None

    def _catch_up(self, tally: Tally[V], now: Tick) -> bool:
        """Step 9: follow a blocking set to its counter. True when the ballot moved."""
        counter = highest_counter(tally.counters, self._search.is_blocking) or 0
        if self.ballot.counter >= counter:
            return False
        values = self.ballot.list if self.phase == Phase.COMMIT else self._next_list()
        if values is None:
            return False
        self.ballot = SlotBallot(counter, values)
        self.timer.stop()
        if self.phase != Phase.COMMIT or self._timing.restart_ballot_timer:
            self._start_timer(tally, now)
        return True

    def _move_ballot(self, target: SlotBallot[V]) -> None:
        """Take up the list of `target`, on a new counter if that is a change. [steps 4, 8]"""
        counter = self.ballot.counter
        if self.ballot.list is not target.list:
            counter = min(counter + 1, INFINITY)
        self.ballot = SlotBallot(max(counter, target.counter), target.list)

    def sendable_prepared(self) -> tuple[SlotBallot[V] | None, SlotBallot[V] | None]:
        """P and PP as a message may show them: P not above B, PP below P. [#7.7]

        A ballot that is too high is cut to the highest counter at which it fits; accepting it
        prepared there is implied.
        """
        if self.prepared is None:
            return None, None
        prepared = _cut(self.prepared, self.ballot)
        prime = self.prepared_prime
        if prime is None or prime.counter == 0:
            return prepared, None
        if prime > prepared:
            if prepared.counter == 0 and prepared.list < prime.list:
                return prepared, None
            prime = _cut(prime, prepared)
        return prepared, prime

    # -- prepare ---------------------------------------------------------------------------------

    def _prepare_pass(self, tally: Tally[V], now: Tick) -> bool:
        """Steps 1 to 4, 8, 9 while preparing. True when the pass must run again."""
        accepted = self._accepted_prepared(tally)
        if accepted:
            top = max(accepted)
            if self.prepared is not None and top < self.prepared:
                return False
            self.prepared = top
            self.prepared_prime = max((b for b in accepted if b is not top), default=None)
        if self.commit is not None and (
            _conflicts_above(self.prepared, self.commit)
            or _conflicts_above(self.prepared_prime, self.commit)
        ):
            self.commit = None
        self._confirm_prepared(tally, accepted)
        if self.high is not None:
            self._vote_commit(self.high)
        if self._accept_commit(tally):
            return False
        if self.high is not None and not _conflicts_above(self.prepared, self.high):
            self._move_ballot(self.high)  # else two lists could chase each other without end
        return self._catch_up(tally, now)

    def _accepted_prepared(self, tally: Tally[V]) -> list[SlotBallot[V]]:
        """Step 1: per list, the highest counter accepted prepared."""
        counters: dict[ValueList[V], int] = {}
        for values, support in tally.accepts.items():
            counter = highest_counter(support, self._search.is_blocking)
            if counter is not None:
                counters[values] = counter
        own: dict[ValueList[V], int] = {}
        for ballot in (self.ballot, self.prepared, self.prepared_prime):
            if ballot is not None and ballot.counter:
                own[ballot.list] = max(ballot.counter, own.get(ballot.list, 0))
        for values, limit in own.items():
            support = tally.votes.get(values, {})
            counter = highest_counter(support, self._search.is_quorum, limit)
            if counter is not None:
                counters[values] = max(counter, counters.get(values, 0))
        return [SlotBallot(counter, values) for values, counter in counters.items()]

    def _confirm_prepared(self, tally: Tally[V], accepted: list[SlotBallot[V]]) -> None:
        """Step 2: the highest ballot that a quorum accepts prepared."""
        for limit, values in accepted:
            support = tally.accepts.get(values, {})
            counter = highest_counter(support, self._search.is_quorum, limit)
            if counter is not None:
                confirmed = SlotBallot(counter, values)
                self.high = confirmed if self.high is None else max(self.high, confirmed)
                self.phase = Phase.PREPARE

    def _vote_commit(self, high: SlotBallot[V]) -> None:
        """Step 3: vote to commit from the lowest counter that nothing accepted prepared
        aborts."""
        if self.commit is not None or self.ballot > high or high.counter == 0:
            return
        aborters = (self.prepared, self.prepared_prime)
        if any(_conflicts_above(ballot, high) for ballot in aborters):
            return
        counter = self.ballot.counter + (high.list < self.ballot.list)
        commit = SlotBallot(max(counter, 1), high.list)
        for ballot in aborters:
            if ballot is not None and _conflicts_above(ballot, commit):
                above = ballot.list < commit.list
                commit = SlotBallot(ballot.counter + (not above), commit.list)
        self.commit = commit

    # -- commit ----------------------------------------------------------------------------------

    def _accepted_commit(self, tally: Tally[V], values: ValueList[V]) -> CounterRange | None:
        """The highest run of counters of one list whose commit is accepted.

        A blocking set accepts a counter, or a quorum votes for it. Of such a quorum the local node
        can be part only where it votes itself: from `commit` to `high`. Once committing it votes
        without upper end, so the run may go on upwards as far as anybody names a counter.
        """
        accepts = tally.accepts_commit.get(values, {})
        ranges = [*accepts]
        votes: list[tuple[CounterRange, int]] = []
        low, high, named = 1, 0, 0
        if self.commit is not None and self.high is not None and self.commit.list is values:
            low, high = self.commit.counter, self.high.counter
            for (counters, its_named), nodes in tally.votes_commit.get(values, {}).items():
                votes.append((counters, nodes))
                named = max(named, its_named)
            ranges += [CounterRange(low, high), *(counters for counters, _ in votes)]

        def is_accepted(counter: int) -> bool:
            return self._search.is_blocking(supporters_at(counter, accepts.items())) or (
                low <= counter <= high and self._search.is_quorum(supporters_at(counter, votes))
            )

        accepted = next(iter_runs(ranges, is_accepted), None)
        if self.phase != Phase.COMMIT or named <= high:
            return accepted
        high = named
        ranges.append(CounterRange(low, high))
        for run in iter_runs(ranges, is_accepted):
            if accepted is None or run.low <= accepted.high <= run.high:
                return run
        return None

    def _accept_commit(self, tally: Tally[V]) -> bool:
        """Step 4: on to the commit phase when commit of anything is accepted."""
        lists = set(tally.accepts_commit)
        if self.commit is not None:
            lists.add(self.commit.list)
        found = [
            (SlotBallot(run.low, values), run.high)
            for values in lists
            if (run := self._accepted_commit(tally, values)) is not None
        ]
        if not found:
            return False
        self.commit, high_counter = min(found)
        self.high = SlotBallot(high_counter, self.commit.list)
        self._move_ballot(self.high)
        self.phase = Phase.COMMIT
        if self.prepared is not None and self.prepared.list is not self.high.list:
            self.prepared = None  # what was accepted committed was accepted prepared: found below
        self.prepared_prime = None
        self._raise_prepared(tally)
        return True

    def _raise_prepared(self, tally: Tally[V]) -> None:
        """Step 5: in the commit phase only ballots of the fixed list matter."""
        for ballot in self._accepted_prepared(tally):
            if ballot.list is self.ballot.list and (
                self.prepared is None or ballot > self.prepared
            ):
                self.prepared = ballot

    def _commit_pass(self, tally: Tally[V], now: Tick) -> bool:
        """Steps 5 to 9 while committing. True when the pass must run again."""
        self._raise_prepared(tally)
        values = self.ballot.list
        accepted = self._accepted_commit(tally, values)
        if accepted is not None:
            self.commit = SlotBallot(accepted.low, values)
            self.high = SlotBallot(accepted.high, values)
        confirmed = self._confirmed_commit(tally)
        if confirmed is not None:
            self.commit = SlotBallot(confirmed.low, values)
            self.high = SlotBallot(confirmed.high, values)
            self.phase = Phase.EXTERNALIZE
            self.timer.stop()
            return False
        assert self.high is not None
        self.ballot = SlotBallot(max(self.ballot.counter, self.high.counter), values)
        return self._catch_up(tally, now)

    def _confirmed_commit(self, tally: Tally[V]) -> CounterRange | None:
        """Step 7: the highest run within commit..high that a quorum accepts committed."""
        assert self.commit is not None
        assert self.high is not None
        return self._quorum_accepts(tally, CounterRange(self.commit.counter, self.high.counter))

    def _quorum_accepts(self, tally: Tally[V], within: CounterRange) -> CounterRange | None:
        accepts = tally.accepts_commit.get(self.ballot.list, {})

        def is_confirmed(counter: int) -> bool:
            return within.low <= counter <= within.high and self._search.is_quorum(
                supporters_at(counter, accepts.items())
            )

        return next(iter_runs([within, *accepts], is_confirmed), None)

    def _raise_externalized(self, tally: Tally[V]) -> None:
        """Externalized: the outcome stands; its highest counter may rise and is worth telling."""
        accepted = self._accepted_commit(tally, self.ballot.list)
        confirmed = None if accepted is None else self._quorum_accepts(tally, accepted)
        assert self.high is not None
        if confirmed is not None and confirmed.high > self.high.counter:
            self.high = SlotBallot(confirmed.high, self.high.list)
