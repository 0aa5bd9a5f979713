"""A small network of recorded nodes under virtual time."""

import heapq
import itertools

import pytest

from mcnode.errors import InvalidError
from mcnode.peers.consensus_value import tx_hash_value
from mcnode.scp import Externalize, Node, NodeID, QuorumSet, Send, Timing
from mcnode.slots.events import FORMAT_VERSION, SlotRecord, SlotStart
from mcnode.slots.recorder import RecordedJudge, RecordedNode

UNIX_MS = 1_700_000_000_000
START_MS = 5_000


def node_id(number):
    return NodeID(f"node{number}.example.com:8443", bytes([number]) * 32)


def value(number):
    return tx_hash_value(bytes([number]) * 32)


class Sink(dict):
    """Events by slot."""

    def record(self, slot_index, event):
        self.setdefault(slot_index, []).append(event)


class Mesh:
    """`count` nodes, each needs `threshold` of the others; `latency_ms` between any two.

    A combination is in descending order, so that no test takes ascending order for granted. Values
    in `invalid` are refused by every node.
    """

    def __init__(self, count, threshold, *, slot_index=7, latency_ms=10, timing=None):
        self.timing = timing or Timing()
        self.delay_of = lambda sender, receiver: latency_ms + abs(sender - receiver)
        """None: the message is lost."""
        self.numbers = range(1, count + 1)
        self.stopped = set()
        self.invalid = set()
        self.outcomes = {}
        self.sinks = {number: Sink() for number in self.numbers}
        self.now = START_MS
        self._slot_index = slot_index
        self._order = itertools.count()
        self._due = []
        self._deadlines = {}
        self.quorum_sets = {
            number: QuorumSet(threshold, tuple(map(node_id, self.others(number))))
            for number in self.numbers
        }
        self.nodes = {number: self._node(number) for number in self.numbers}

    def others(self, number):
        return [other for other in self.numbers if other != number]

    def _node(self, number):
        judge = RecordedJudge(self._check, lambda values: sorted(values, reverse=True))
        node = Node(
            node_id(number),
            self.quorum_sets[number],
            judge.check,
            judge.combine,
            slot_index=self._slot_index,
            timing=self.timing,
        )
        return RecordedNode(node, judge, self.sinks[number])

    def _check(self, its_value):
        if its_value in self.invalid:
            raise InvalidError(f"{its_value} is spent, limit 1")

    def propose(self, number, *values):
        self._follow(number, self.nodes[number].propose(map(value, values), self.now))

    def run(self, until_ms):
        """Deliver and fire timers until `until_ms` after the start."""
        limit = START_MS + until_ms
        while True:
            timers = [
                (node.next_deadline + 1, number)
                for number, node in self.nodes.items()
                if number not in self.stopped and node.next_deadline is not None
            ]
            at, number = min(timers, default=(limit + 1, 0))
            if self._due and self._due[0][0] <= at:
                at, _, number, msg = heapq.heappop(self._due)
                if at > limit:
                    break
                self.now = at
                if number not in self.stopped:
                    self._follow(number, self.nodes[number].handle([msg], at))
            elif at <= limit:
                self.now = at
                self._follow(number, self.nodes[number].handle_timers(at))
            else:
                break
        self.now = limit

    def _follow(self, number, actions):
        for action in actions:
            if isinstance(action, Externalize):
                self.outcomes.setdefault(action.slot_index, {})[number] = action.values
            if isinstance(action, Send):
                for other in self.others(number):
                    delay = self.delay_of(number, other)
                    if delay is not None:
                        entry = (self.now + delay, next(self._order), other, action.msg)
                        heapq.heappush(self._due, entry)

    def start_of(self, number, slot_index=7):
        events = self.sinks[number][slot_index]
        return SlotStart(
            FORMAT_VERSION,
            node_id(number),
            self.quorum_sets[number],
            slot_index,
            self.timing,
            events[0].tick,
            UNIX_MS,
        )

    def record(self, number, slot_index=7):
        """What node `number` recorded of a slot."""
        events = tuple(self.sinks[number][slot_index])
        return SlotRecord(self.start_of(number, slot_index), events)


@pytest.fixture
def make_mesh():
    return Mesh


@pytest.fixture
def make_value():
    return value


@pytest.fixture
def make_node_id():
    return node_id


@pytest.fixture
def decided():
    """Four nodes that agreed on three values; one more was refused."""
    mesh = Mesh(4, 2)
    mesh.invalid.add(value(9))
    for number in mesh.numbers:
        mesh.propose(number, 1, 2, 3, 9)
    mesh.run(3_000)
    assert set(mesh.outcomes[7]) == set(mesh.numbers)
    return mesh


@pytest.fixture
def stuck():
    """Five nodes, each needs three others; node4 and node5 stop when nothing is accepted yet."""
    mesh = Mesh(5, 3)
    mesh.stopped = {4, 5}
    for number in (1, 2, 3):
        mesh.propose(number, 1, 2)
    mesh.run(20_000)
    assert not mesh.outcomes
    return mesh
