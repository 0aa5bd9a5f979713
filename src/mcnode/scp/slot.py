"""One slot of one node: peers' messages in, at most one message out per event.

Every event (values proposed, a batch of messages, timers) runs the same line:

    store what is higher than before -> nomination step (while nominating) -> balloting -> message

The message says everything the node holds; it goes out only if it differs from the last one. A
slot remembers only the highest message of each peer, so peers may lose, repeat and reorder
messages as they like. The slot knows no clock: each event brings its tick.
[docs/protocol/scp.md#7]
"""

import dataclasses
import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Generic

from mcnode.errors import InvalidError
from mcnode.scp.actions import Action, CombineFailed, Refuse
from mcnode.scp.ballot import BallotProtocol, Phase
from mcnode.scp.errors import InvalidMsgError
from mcnode.scp.msg_rules import check_msg, check_topic
from mcnode.scp.nomination import Nomination
from mcnode.scp.quorum_set import QuorumSet
from mcnode.scp.search import QuorumSearch
from mcnode.scp.state import SlotMetrics, SlotState
from mcnode.scp.statements import Statement, Tally, read_statement
from mcnode.scp.timers import Tick, Timer, Timing
from mcnode.scp.types import (
    Ballot,
    Commit,
    Externalize,
    Msg,
    NodeID,
    Nominate,
    NominatePayload,
    NominatePrepare,
    Prepare,
    PreparePayload,
    SlotIndex,
    Topic,
    V,
    compare_topics,
)
from mcnode.scp.values import SlotBallot, ValueList, ValueTable

STRANGERS_MAX = 1000
"""Senders outside the local quorum set whose messages a slot keeps. They matter once a peer's
quorum set names them; anyone with a key can be one."""


class Slot(Generic[V]):
    """The agreement on one block."""

    def __init__(
        self,
        slot_index: SlotIndex,
        local_id: NodeID,
        quorum_set: QuorumSet[NodeID],
        *,
        validate: Callable[[V], None],
        combine: Callable[[Sequence[V]], Sequence[V]],
        timing: Timing,
    ) -> None:
        self.slot_index = slot_index
        self.local_id = local_id
        self.quorum_set = quorum_set
        self._combine = combine
        self._timing = timing
        self._search = QuorumSearch(local_id, quorum_set)
        self._table: ValueTable[V] = ValueTable(validate)
        self._statements: dict[int, Statement[V]] = {}
        self._tally: Tally[V] = Tally()
        self._strangers: dict[NodeID, Statement[V]] = {}
        self._nomination = Nomination(slot_index, local_id, quorum_set, self._search)
        self._ballots = BallotProtocol(self._search, self._table, timing, self._composite)
        self._nomination_timer = Timer()
        self._last_sent: Msg[V] | None = None
        self._events: list[Action[V]] = []

    # -- events ----------------------------------------------------------------------------------

    def propose(self, values: Iterable[V], now: Tick) -> Msg[V] | None:
        """Offer values of this node's own. Values refused by `validate` are left out. [#7.1]"""
        if self._ballots.phase == Phase.NOMINATE_PREPARE and not self._nomination.confirmed:
            valid = 0
            for value in values:
                try:
                    valid |= self._table.mask((value,))
                except InvalidError:
                    continue
            if not valid:
                return None
            self._nomination.proposed |= valid
            return self.reconsider(now)
        return self._take_msg()

    def handle(self, msgs: Iterable[Msg[V]], now: Tick) -> Msg[V] | None:
        """Fold a batch of verified messages of peers into the slot. [#7.2]"""
        batch = list(msgs)
        if len(batch) > 1:
            batch.sort(key=lambda msg: _BY_TOPIC(msg.topic), reverse=True)
        if not sum(self._store(msg) for msg in batch):
            return None
        return self.reconsider(now)

    def reconsider(self, now: Tick) -> Msg[V] | None:
        """Do everything that the stored messages allow."""
        if self._ballots.phase == Phase.NOMINATE_PREPARE:
            self._nominate(now)
        self._advance_ballots(now)
        return self._take_msg()

    def handle_timers(self, now: Tick) -> Msg[V] | None:
        """Do what is due at `now`. Nomination goes first; both together give one message.
        [#6.2]"""
        nomination_fired = self._nomination_timer.take(now)
        if nomination_fired:
            self._nomination.next_round()
            self._nominate(now)
        ballot_fired = self._ballots.take_timeout(now)
        if ballot_fired:
            self._advance_ballots(now)
        return self._take_msg() if nomination_fired or ballot_fired else None

    def next_deadline(self) -> Tick | None:
        """The earlier of the two timers' deadlines."""
        deadlines = (self._nomination_timer.deadline, self._ballots.timer.deadline)
        return min((d for d in deadlines if d is not None), default=None)

    def take_events(self) -> list[Action[V]]:
        """What happened besides the message since the last call."""
        events, self._events = self._events, []
        return events

    # -- what it holds ---------------------------------------------------------------------------

    @property
    def phase(self) -> Phase:
        """How far the slot is."""
        return self._ballots.phase

    def externalized_values(self) -> tuple[V, ...] | None:
        """The outcome, or None while there is none."""
        commit = self._ballots.commit
        if self._ballots.phase != Phase.EXTERNALIZE or commit is None:
            return None
        return commit.list.values

    def metrics(self) -> SlotMetrics:
        """Figures for gauges. [#8]"""
        nomination = self._nomination
        return SlotMetrics(
            self._ballots.phase,
            nomination.voted.bit_count(),
            nomination.accepted.bit_count(),
            nomination.confirmed.bit_count(),
            nomination.round,
            self._ballots.ballot.counter,
        )

    def state(self) -> SlotState[V]:
        """Everything the slot holds."""
        ascending, ballots, nomination = self._table.ascending, self._ballots, self._nomination
        return SlotState(
            slot_index=self.slot_index,
            node_id=self.local_id,
            msgs=tuple(s.msg for s in (*self._statements.values(), *self._strangers.values())),
            proposed=ascending(nomination.proposed),
            voted=ascending(nomination.voted),
            accepted=ascending(nomination.accepted),
            confirmed=ascending(nomination.confirmed),
            ballot=ballots.ballot.ballot,
            prepared=_ballot_of(ballots.prepared),
            prepared_prime=_ballot_of(ballots.prepared_prime),
            high=_ballot_of(ballots.high),
            commit=_ballot_of(ballots.commit),
            phase=ballots.phase,
            last_sent=self._last_sent,
            leaders=tuple(nomination.leaders),
            nomination_round=nomination.round,
            valid_values=self._table.all(),
            nomination_deadline=self._nomination_timer.deadline,
            ballot_deadline=ballots.timer.deadline,
        )

    def restore(self, state: SlotState[V]) -> None:
        """Take up a state as `state()` gave it, in a slot that nothing has happened to yet.

        For debuggers and tests: a node that restarts begins with an empty slot.
        """
        table, nomination, ballots = self._table, self._nomination, self._ballots
        for msg in state.msgs:
            self._store(msg)
        table.mask(state.valid_values)
        nomination.proposed = table.mask(state.proposed)
        nomination.voted = table.mask(state.voted)
        nomination.accepted = table.mask(state.accepted)
        nomination.confirmed = table.mask(state.confirmed)
        nomination.restore_leaders(state.leaders, state.nomination_round)
        ballots.ballot = table.ballot(state.ballot)
        ballots.prepared, ballots.prepared_prime, ballots.high, ballots.commit = (
            None if ballot is None else table.ballot(ballot)
            for ballot in (state.prepared, state.prepared_prime, state.high, state.commit)
        )
        ballots.phase = state.phase
        if state.phase == Phase.EXTERNALIZE:
            table.stop_validating()
        self._last_sent = state.last_sent
        self._nomination_timer.deadline = state.nomination_deadline
        ballots.restore_timer(state.ballot_deadline)

    # -- inside ----------------------------------------------------------------------------------

    def _store(self, msg: Msg[V]) -> bool:
        """Keep a message if it is valid and higher than the one kept of its sender."""
        sender = msg.sender_id
        if sender == self.local_id or msg.slot_index != self.slot_index:
            about = f"{sender.responder_id} about slot {msg.slot_index}"
            self._events.append(Refuse(msg, f"not a peer's message of this slot: by {about}"))
            return False
        bit = self._search.bit_of(sender)
        stored = self._strangers.get(sender) if bit is None else self._statements.get(bit)
        if stored is not None and compare_topics(msg.topic, stored.msg.topic) <= 0:
            return False
        same_set = stored is not None and stored.msg.quorum_set == msg.quorum_set
        try:
            if same_set:
                check_topic(msg.topic)
            else:
                check_msg(msg)
            if self._table.is_full():
                self._table.keep_lists(self._lists_in_use())
            statement = read_statement(bit or 0, msg, self._table)
            if bit is None:
                self._store_stranger(statement)
            else:
                self._adopt(statement, same_set=same_set)
        except InvalidError as error:
            self._events.append(Refuse(msg, str(error)))
            return False
        self._welcome_strangers()
        return True

    def _store_stranger(self, statement: Statement[V]) -> None:
        """Keep the message of a node that no quorum set reached from here names, so far."""
        sender = statement.msg.sender_id
        if sender not in self._strangers and len(self._strangers) >= STRANGERS_MAX:
            raise InvalidMsgError(f"slot keeps messages of {STRANGERS_MAX} strangers, the limit")
        self._strangers[sender] = statement

    def _adopt(self, statement: Statement[V], *, same_set: bool) -> None:
        """Let a statement count from now on, in place of the sender's last one."""
        if not same_set:
            self._search.set_peer(statement.bit, statement.msg.quorum_set)
        old = self._statements.get(statement.bit)
        self._statements[statement.bit] = statement
        self._tally.replace(old, statement)
        self._nomination.tally.replace(old, statement)

    def _welcome_strangers(self) -> None:
        """Count those in that a quorum set has come to name, and whom their own sets name."""
        if not self._strangers:
            return
        for node in self._search.named_nodes():  # grows while sets are compiled
            statement = self._strangers.pop(node, None)
            bit = self._search.bit_of(node)
            if statement is not None and bit is not None:
                try:
                    self._adopt(dataclasses.replace(statement, bit=bit), same_set=False)
                except InvalidError as error:
                    self._events.append(Refuse(statement.msg, str(error)))

    def _lists_in_use(self) -> list[ValueList[V]]:
        ballots = self._ballots
        own = (
            ballots.ballot,
            ballots.prepared,
            ballots.prepared_prime,
            ballots.high,
            ballots.commit,
        )
        held = [ballot.list for ballot in own if ballot is not None]
        for statement in (*self._statements.values(), *self._strangers.values()):
            held.extend(statement.lists())
        return held

    def _nominate(self, now: Tick) -> None:
        """The nomination step, and the first ballot if it confirmed a value. [#7.3]"""
        self._nomination_timer.start(now, self._timing.nomination_ms(self._nomination.round))
        self._nomination.step(self._statements.values())
        self._ballots.start()

    def _advance_ballots(self, now: Tick) -> None:
        self._ballots.advance(self._tally, now)
        if self._ballots.phase != Phase.NOMINATE_PREPARE:
            self._nomination_timer.stop()
        if self._ballots.phase == Phase.EXTERNALIZE:
            self._table.stop_validating()

    def _composite(self) -> ValueList[V] | None:
        """All confirmed values as the application combines them."""
        if not self._nomination.confirmed:
            return None
        try:
            combined = self._combine(self._table.ascending(self._nomination.confirmed))
            return self._table.intern(tuple(combined))
        except InvalidError as error:
            self._events.append(CombineFailed(self.slot_index, str(error)))
            return None

    # -- the message -----------------------------------------------------------------------------

    def msg(self) -> Msg[V] | None:
        """What the slot has to say as it stands, sent or not; None while that is nothing. [#7.7]"""
        topic = self._topic()
        if topic is None:
            return None
        return Msg(self.local_id, self.slot_index, self.quorum_set, topic)

    def _take_msg(self) -> Msg[V] | None:
        """The current message if it differs from the last one taken."""
        msg = self.msg()
        if msg is None or (self._last_sent is not None and self._last_sent.topic == msg.topic):
            return None
        self._last_sent = msg
        return msg

    def _topic(self) -> Topic[V] | None:
        ballots = self._ballots
        match ballots.phase:
            case Phase.NOMINATE_PREPARE:
                nomination = self._nomination
                if not (ballots.is_started() or nomination.voted or nomination.accepted):
                    return None
                ascending = self._table.ascending
                payload = NominatePayload(
                    ascending(nomination.voted), ascending(nomination.accepted)
                )
                if not ballots.is_started():
                    return Nominate(payload)
                return NominatePrepare(payload, self._prepare_payload())
            case Phase.PREPARE:
                return Prepare(self._prepare_payload())
        assert ballots.commit is not None
        assert ballots.high is not None
        if ballots.phase == Phase.EXTERNALIZE:
            return Externalize(ballots.commit.ballot, ballots.high.counter)
        prepared, _ = ballots.sendable_prepared()
        return Commit(
            ballots.ballot.ballot,
            0 if prepared is None else prepared.counter,
            ballots.commit.counter,
            ballots.high.counter,
        )

    def _prepare_payload(self) -> PreparePayload[V]:
        ballots = self._ballots
        prepared, prime = ballots.sendable_prepared()
        high, commit = ballots.high, ballots.commit
        votes = high is not None and high.list is ballots.ballot.list
        high_counter = high.counter if high is not None and votes else 0
        return PreparePayload(
            ballots.ballot.ballot,
            _ballot_of(prepared),
            _ballot_of(prime),
            commit.counter if commit is not None and high_counter else 0,
            high_counter,
        )


def _ballot_of(ballot: SlotBallot[V] | None) -> Ballot[V] | None:
    return None if ballot is None else ballot.ballot


_BY_TOPIC = functools.cmp_to_key(compare_topics)
