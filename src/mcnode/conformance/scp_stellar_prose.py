"""stellar-core cases that are told in words.

Nomination: each known case has its steps here, with what this network's rules make of them where
they differ (all values of a leader are followed, an accepted value leaves the votes, a value is
accepted by quorum only if voted here). Quorum sets: the phrases are read, and what stellar-core
calls sane and normal is compared with the bounds and the meaning of sets here. A case that cannot
be read is named in the notes.
"""

import dataclasses
import itertools
import re
from typing import Any, NamedTuple

from mcnode.conformance.scp_notation import NODES, combine, validate_except
from mcnode.conformance.vectors import Report, VectorFile, expect, expect_equal, runs
from mcnode.scp import Ballot, Msg, NodeID, Phase, QuorumSet, Timing, check_quorum_set
from mcnode.scp.errors import InvalidQuorumSetError
from mcnode.scp.search import QuorumSearch
from mcnode.scp.slot import Slot
from mcnode.scp.types import Nominate, NominatePayload, nomination_of, prepare_of

# -- nomination ----------------------------------------------------------------------------------

_SLOT = 1
_CORE5 = tuple(
    QuorumSet(3, tuple(NODES[other] for other in range(5) if other != node)) for node in range(5)
)


class Peer(NamedTuple):
    """Node `sender` states its votes and accepted values."""

    sender: int
    voted: str = ""
    accepted: str = ""


class Propose(NamedTuple):
    """The local node v0 offers values."""

    values: str


class Lead(NamedTuple):
    """A nomination timeout has added a leader."""

    node: int


class Says(NamedTuple):
    """What v0 says after the step before: votes, accepted values, list of its ballot."""

    voted: str = ""
    accepted: str = ""
    ballot: str | None = None


_TO_PREPARE = (
    Propose("x"),
    Says("x"),
    Peer(1, "x"),
    Peer(2, "x"),
    Peer(3, "x"),
    Says("", "x"),
    Peer(4, "x"),
    Peer(1, "", "x"),
    Peer(2, "", "x"),
    Peer(3, "", "x"),
    Says("", "x", "x"),
)
_FOLLOW_TO_PREPARE = (
    Peer(1, "x"),
    Says("x"),
    Peer(2, "x"),
    Peer(3, "x"),
    Says("", "x"),
    Peer(1, "", "x"),
    Peer(2, "", "x"),
    Peer(3, "", "x"),
    Says("", "x", "x"),
)
_SILENT_LEADER = (Propose("x"), Peer(2, "kx"))

_CASES: dict[str, tuple[int, tuple[Any, ...]]] = {
    "SN-01": (0, (*_TO_PREPARE, Peer(4, "", "x"))),
    "SN-02": (
        0,
        (
            *_TO_PREPARE,
            Peer(1, "", "xy"),
            Peer(2, "", "xy"),
            Says("", "xy", "x"),
            Peer(3, "", "xy"),
            Peer(4, "", "xy"),
        ),
    ),
    "SN-05": (0, (Propose("x"), Says("x"), Peer(1, "k"), Peer(2, "y"), Lead(1), Says("kx"))),
    "SN-07": (0, (Propose("x"), Says("x"), Lead(1), Peer(1, "z", "y"), Says("xyz"))),
    "SN-08": (
        0,
        (Propose("x"), Says("x"), Peer(1, "y"), Peer(2, "y"), Peer(3, "y"), Peer(4, "y")),
    ),
    "SN-10": (1, (*_FOLLOW_TO_PREPARE, Lead(0), Propose("k"))),
    "SN-11": (
        1,
        (*_SILENT_LEADER, Peer(1, "xy"), Says("xy"), Peer(4, "kx"), Says("y", "x")),
    ),
    "SN-13": (1, (*_SILENT_LEADER, Lead(2), Says("kx"))),
    "SN-14": (1, (*_SILENT_LEADER, Lead(3))),
}
"""First leader, then steps; a step without `Says` after it is one at which v0 says nothing."""

_RESTARTED = {"SN-04": "k"}
"""Cases that begin in the prepare phase on a ballot of these values: nomination is over."""


class _Nominator:
    """v0 of five nodes, each needing three of the other four."""

    def __init__(self, leader: int) -> None:
        self._slot = self._fresh()
        self._become(leaders=(NODES[leader],))

    @staticmethod
    def _fresh() -> Slot[str]:
        return Slot(
            _SLOT,
            NODES[0],
            _CORE5[0],
            validate=validate_except(()),
            combine=combine("sort"),
            timing=Timing(),
        )

    def _become(self, **changes: Any) -> None:
        state = dataclasses.replace(self._slot.state(), **changes)
        self._slot = self._fresh()
        self._slot.restore(state)

    def begin_ballot(self, values: str) -> None:
        """Start over in the prepare phase on ballot <1, values>, already told."""
        self._become(phase=Phase.PREPARE, ballot=Ballot(1, tuple(values)))
        self._become(last_sent=self._slot.msg())

    def do(self, step: Any) -> Says | None:
        """One step; what v0 says because of it."""
        match step:
            case Propose(values):
                return _said(self._slot.propose(list(values), 0))
            case Peer(sender, voted, accepted):
                payload = NominatePayload(tuple(voted), tuple(accepted))
                msg: Msg[str] = Msg(NODES[sender], _SLOT, _CORE5[sender], Nominate(payload))
                return _said(self._slot.handle([msg], 0))
            case Lead(node):
                self._become(leaders=(*self._slot.state().leaders, NODES[node]))
                return _said(self._slot.reconsider(0))
        raise TypeError(f"{step} is no step")


def _said(msg: Msg[str] | None) -> Says | None:
    if msg is None:
        return None
    nomination = nomination_of(msg.topic) or NominatePayload()
    prepare = prepare_of(msg.topic)
    ballot = None if prepare is None else "".join(prepare.ballot.values)
    return Says("".join(nomination.voted), "".join(nomination.accepted), ballot)


@runs("scp", r"stellar_nomination_scenarios[^/]*\.jsonl")
def stellar_nomination_scenarios(file: VectorFile, report: Report) -> None:
    """The nomination cases whose steps are written out above."""
    for case in file.json_lines():
        name = case["id"]
        if name in _CASES:
            with report.case(name):
                leader, steps = _CASES[name]
                _follow(_Nominator(leader), steps)
        elif name in _RESTARTED:
            with report.case(name):
                nominator = _Nominator(0)
                nominator.begin_ballot(_RESTARTED[name])
                peers = [step for step in _TO_PREPARE if isinstance(step, Peer)]
                _follow(nominator, tuple(peers))
        else:
            report.notes.append(f"{name} ({case['name']}) is told in words only; not run")


def _follow(nominator: _Nominator, steps: tuple[Any, ...]) -> None:
    for step, after in itertools.zip_longest(steps, steps[1:]):
        if not isinstance(step, Says):
            expected = after if isinstance(after, Says) else None
            expect_equal(f"after {step}", nominator.do(step), expected)


# -- quorum sets ---------------------------------------------------------------------------------

_NUMBERS = {"no": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "ten": 10}


class _UnreadableError(Exception):
    """A phrase that is not understood."""


def _count(word: str) -> int:
    if word.isdigit():
        return int(word)
    if word not in _NUMBERS:
        raise _UnreadableError(word)
    return _NUMBERS[word]


def _read_set(phrase: str) -> QuorumSet[NodeID]:
    """A quorum set from its phrase."""
    if found := re.fullmatch(r"threshold (\w+), (\w+) (?:nodes?|members?)", phrase):
        return QuorumSet(_count(found[1]), tuple(NODES[n] for n in range(_count(found[2]))))
    if found := re.fullmatch(
        r"nesting (?:exactly (\w+)|one level deeper than (\w+))(?: deep)?", phrase
    ):
        return _nested(_count(found[1]) if found[1] else _count(found[2]) + 1)
    reader = _Phrase(phrase)
    quorum_set = reader.quorum_set()
    reader.expect_end()
    return quorum_set


def _nested(levels: int) -> QuorumSet[NodeID]:
    """A set with `levels` inner sets, one in the other."""
    quorum_set: QuorumSet[NodeID] = QuorumSet(1, (NODES[0],))
    for level in range(1, levels + 1):
        quorum_set = QuorumSet(1, (NODES[level], quorum_set))
    return quorum_set


class _Phrase:
    """Reads `1 of {v0, 1 of {v1}}`, `1 of 1001 nodes`, `ten inner sets of 1 of 100`."""

    def __init__(self, phrase: str) -> None:
        self._words: list[str] = re.findall(r"[{},]|\w+", phrase)
        self._fresh = itertools.count(100)

    def _take(self, *wanted: str) -> str:
        if not self._words or (wanted and self._words[0] not in wanted):
            raise _UnreadableError(" ".join(self._words) or "end")
        return self._words.pop(0)

    def expect_end(self) -> None:
        """Nothing may follow."""
        if self._words:
            raise _UnreadableError(" ".join(self._words))

    def quorum_set(self) -> QuorumSet[NodeID]:
        """A threshold and its members."""
        threshold = _count(self._take())
        self._take("of")
        if not self._words or self._words[0] != "{":
            count = _count(self._take())
            if self._words and self._words[0] in ("nodes", "node"):
                self._take()
            return QuorumSet(threshold, tuple(_stand_in(next(self._fresh)) for _ in range(count)))
        self._take("{")
        members = self._member()
        while self._take(",", "}") == ",":
            members += self._member()
        return QuorumSet(threshold, tuple(members))

    def _member(self) -> list[NodeID | QuorumSet[NodeID]]:
        if self._words and re.fullmatch(r"v\d+", self._words[0]):
            return [NODES[int(self._take()[1:])]]
        if self._words[1:4] == ["inner", "sets", "of"]:
            count = _count(self._take())
            del self._words[:3]
            words = list(self._words)
            inner: list[NodeID | QuorumSet[NodeID]] = []
            for _ in range(count):
                self._words = list(words)
                inner.append(self.quorum_set())
            return inner
        return [self.quorum_set()]


def _stand_in(number: int) -> NodeID:
    """A node that is only counted."""
    return NodeID(f"stand-in-{number}:0", number.to_bytes(32))


@runs("scp", r"stellar_quorum_set_sanity[^/]*\.jsonl")
def stellar_quorum_set_sanity(file: VectorFile, report: Report) -> None:
    """What stellar-core deems sane is taken here; what it deems too big or too deep is not."""
    for case in file.json_lines():
        try:
            quorum_set = _read_set(case["quorum_set"])
            normalised = case["normalised"]
            simpler = None if normalised in ("unchanged", "-") else _read_set(normalised)
        except _UnreadableError as error:
            report.notes.append(f"{case['id']} is told in words only ({error}); not run")
            continue
        with report.case(case["id"]):
            _check_sanity(quorum_set, case["sane_in_stellar_core"])
            if simpler is not None:
                _check_same_meaning(quorum_set, simpler)


def _check_sanity(quorum_set: QuorumSet[NodeID], sane: bool) -> None:
    """Here a threshold of 0 and a repeated node are valid, which stellar-core does not allow."""
    taken = True
    try:
        check_quorum_set(quorum_set)
    except InvalidQuorumSetError:
        taken = False
    nodes = list(quorum_set.iter_nodes())
    only_here = _has_zero(quorum_set) or len(set(nodes)) < len(nodes)
    expect_equal("taken", taken, sane or only_here)


def _has_zero(quorum_set: QuorumSet[NodeID]) -> bool:
    inner = (member for member in quorum_set.members if isinstance(member, QuorumSet))
    return quorum_set.threshold == 0 or any(map(_has_zero, inner))


def _check_same_meaning(written: QuorumSet[NodeID], simpler: QuorumSet[NodeID]) -> None:
    """The simpler form is satisfied and blocked by the same nodes."""
    nodes = sorted(written.nodes())
    expect(len(nodes) <= 10, f"{len(nodes)} nodes are too many to try all sets, limit 10")
    search = QuorumSearch(_stand_in(0), QuorumSet(0))
    left, right = search.compile(written), search.compile(simpler)
    bits = [search.bit_of(node) or 0 for node in nodes]
    for chosen in itertools.product((0, 1), repeat=len(nodes)):
        mask = sum(bit for bit, taken in zip(bits, chosen, strict=True) if taken)
        expect_equal("satisfied", left.is_satisfied_by(mask), right.is_satisfied_by(mask))
        expect_equal("blocked", left.is_blocked_by(mask), right.is_blocked_by(mask))
