"""Scenarios of the agreement protocol as text that a person reads from top to bottom.

    == two of three prepare
    # Free text.
    node 1 needs 2 of [2 3]        quorum sets; an inner set stands in brackets of its own
    slot 7, node 1                 whose slot it is, or `slot 7, all nodes`
    given X={5} B=<1: 5>           what the slot holds before; `given said`: and has said so
    given 2: Prepare B=<1: 5>      a statement that it holds; `given leader 2`, `given leaders 2 3`
    > 2 3: Prepare B=<1: 5>        2 says this, then 3 says the same
    > propose 5 6                  also `> ballot timer`, `> next leader 4`
    < Prepare B=<1: 5> P=<1: 5>    what the node says then, `< nothing` if it does not
    = P=<1: 5>                     what has changed in what it holds
      network < nothing            where the network's rules or stellar-core would say otherwise
      stellar < Prepare B=<1: 5>
      differs: why it is neither

With `all nodes`, whatever a node says reaches all others in the order in which it was said: then
there are `> 1 proposes 5` and `> timers`, and each `<` line has who says it.

`perform` does the steps and writes the lines that begin with `<` and `=` anew; everything else
stays as it is. A transcript holds if that changes nothing.
"""

import dataclasses
import re
from collections import deque
from collections.abc import Iterator
from typing import Any

from mcnode.conformance.scp_notation import NODES, combine, validate_except
from mcnode.conformance.scp_topic_text import (
    ASSIGNMENT,
    TranscriptError,
    read_ballot,
    read_quorum_set,
    read_topic,
    read_values,
    write_ballot,
    write_topic,
    write_values,
)
from mcnode.scp import Msg, Node, Phase, QuorumSet, Send, SlotState, Timing
from mcnode.scp.actions import Externalize as Decided
from mcnode.scp.invariants import check_invariants
from mcnode.scp.slot import Slot

_TIMING = Timing(nomination_base_ms=10**15, restart_ballot_timer=False)
"""Of a single node: nomination rounds end only on request."""

_FIELDS = {
    "W": "proposed",
    "X": "voted",
    "Y": "accepted",
    "Z": "confirmed",
    "B": "ballot",
    "P": "prepared",
    "PP": "prepared_prime",
    "H": "high",
    "C": "commit",
    "phase": "phase",
}
_PHASES = {
    "NominatePrepare": Phase.NOMINATE_PREPARE,
    "Prepare": Phase.PREPARE,
    "Commit": Phase.COMMIT,
    "Externalize": Phase.EXTERNALIZE,
}
_PHASE_NAMES = {phase: name for name, phase in _PHASES.items()}


# -- a scenario ---------------------------------------------------------------------------------


@dataclasses.dataclass(slots=True)
class _Setting:
    """What stands above the first step."""

    sets: dict[int, QuorumSet[Any]] = dataclasses.field(default_factory=dict)
    slot_index: int = 1
    local: int | None = None
    given: list[str] = dataclasses.field(default_factory=list)


class _OneNode:
    """One slot of one node, which hears what the transcript says."""

    def __init__(self, setting: _Setting, local: int) -> None:
        self._setting = setting
        self._local = local
        self._now = 0
        self.slot = self._fresh()
        for line in setting.given:
            self._give(line)

    def _fresh(self) -> Slot[Any]:
        return Slot(
            self._setting.slot_index,
            NODES[self._local],
            self._setting.sets[self._local],
            validate=validate_except(()),
            combine=combine("sort"),
            timing=_TIMING,
        )

    def _become(self, **changes: Any) -> None:
        state = dataclasses.replace(self.slot.state(), **changes)
        self.slot = self._fresh()
        self.slot.restore(state)

    def _give(self, line: str) -> None:
        state = self.slot.state()
        head, _, rest = line.partition(":")
        if line == "said":
            self._become(last_sent=self.slot.msg())
        elif line.startswith("leaders "):
            self._become(leaders=tuple(NODES[int(n)] for n in line.split()[1:]))
        elif line.startswith("leader "):
            self._become(leaders=(*state.leaders, NODES[int(line.split()[1])]))
        elif head.isdecimal():
            self._become(msgs=(*state.msgs, self._msg(int(head), rest.strip())))
        else:
            self._become(
                **{_FIELDS[key]: _read_field(key, text) for key, text in ASSIGNMENT.findall(line)}
            )

    def _msg(self, sender: int, text: str) -> Msg[Any]:
        return Msg(
            NODES[sender],
            self._setting.slot_index,
            self._setting.sets[sender],
            read_topic(text),
        )

    def do(self, step: str) -> Iterator[str]:
        """The lines that come of a step."""
        before = self.slot.state()
        said = list(self._said(step))
        check_invariants(self.slot.state())
        yield from (f"< {write_topic(msg.topic)}" for msg in said)
        if not said:
            yield "< nothing"
        changes = _changes(before, self.slot.state())
        if changes:
            yield f"= {changes}"

    def _said(self, step: str) -> Iterator[Msg[Any]]:
        head, _, rest = step.partition(":")
        words = step.split()
        if step == "ballot timer":
            self._now += 1
            self._become(ballot_deadline=self._now - 1)
            yield from _some(self.slot.handle_timers(self._now))
        elif words[0] == "propose":
            yield from _some(self.slot.propose(read_values(" ".join(words[1:])), self._now))
        elif step.startswith("next leader "):
            self._become(leaders=(*self.slot.state().leaders, NODES[int(words[2])]))
            yield from _some(self.slot.reconsider(self._now))
        elif step == "look again":
            yield from _some(self.slot.reconsider(self._now))
        elif rest and all(word.isdecimal() for word in head.split()):
            for sender in map(int, head.split()):
                yield from _some(self.slot.handle([self._msg(sender, rest.strip())], self._now))
        else:
            raise TranscriptError(f"step {step!r} is not known")


def _some(msg: Msg[Any] | None) -> tuple[Msg[Any], ...]:
    return () if msg is None else (msg,)


def _read_field(key: str, text: str) -> Any:
    if key == "phase":
        return _PHASES[text]
    return read_values(text) if key in "WXYZ" else read_ballot(text)


def _write_field(key: str, value: Any) -> str:
    if key == "phase":
        return _PHASE_NAMES[value]
    return write_values(value) if key in "WXYZ" else write_ballot(value)


def _changes(before: SlotState[Any], after: SlotState[Any]) -> str:
    parts = [
        f"{key}={_write_field(key, getattr(after, field))}"
        for key, field in _FIELDS.items()
        if getattr(before, field) != getattr(after, field)
    ]
    armed = before.ballot_deadline is not None, after.ballot_deadline is not None
    if armed[0] != armed[1]:
        parts.append("ballot timer runs" if armed[1] else "ballot timer stands")
    return " ".join(parts)


class _AllNodes:
    """A whole network, each statement delivered to all others in the order of speaking."""

    def __init__(self, setting: _Setting) -> None:
        if setting.given:
            raise TranscriptError("nothing can be given where all nodes act")
        self._nodes: dict[int, Node[Any]] = {
            number: Node(
                NODES[number],
                quorum_set,
                validate_except(()),
                combine("sort"),
                slot_index=setting.slot_index,
                timing=Timing(),
            )
            for number, quorum_set in setting.sets.items()
        }
        self._now = 0
        self._waiting: deque[tuple[int, Msg[Any]]] = deque()

    def do(self, step: str) -> Iterator[str]:
        """The lines that come of a step, up to silence."""
        words = step.split()
        lines: list[str] = []
        if step == "timers":
            deadlines = [n.next_deadline for n in self._nodes.values()]
            self._now = 1 + min((d for d in deadlines if d is not None), default=self._now)
            for number, node in self._nodes.items():
                self._follow(number, node.handle_timers(self._now), lines)
        elif words[1:2] == ["proposes"] and words[0].isdecimal():
            values, number = read_values(" ".join(words[2:])), int(words[0])
            self._follow(number, self._nodes[number].propose(values, self._now), lines)
        else:
            raise TranscriptError(f"step {step!r} is not known where all nodes act")
        while self._waiting:
            author, msg = self._waiting.popleft()
            for number, node in self._nodes.items():
                if number != author:
                    self._follow(number, node.handle([msg], self._now), lines)
        yield from lines or ["< nothing"]

    def _follow(self, number: int, actions: list[Any], lines: list[str]) -> None:
        for action in actions:
            match action:
                case Send(msg):
                    self._waiting.append((number, msg))
                    lines.append(f"< {number}: {write_topic(msg.topic)}")
                case Decided(_, values):
                    lines.append(f"= {number} has decided {write_values(tuple(values))}")


# -- a file -------------------------------------------------------------------------------------


class _Reader:
    """Goes through the lines of a file and does what they say."""

    def __init__(self) -> None:
        self._setting = _Setting()
        self._scene: _OneNode | _AllNodes | None = None
        self._said = ""
        self._alternatives: dict[str, str] = {}

    def lines(self, line: str) -> Iterator[str]:
        """The line, or what takes its place."""
        mark = line[:1]
        if mark in ("<", "="):
            if not line.startswith("=="):
                return
            yield from self._close()
            self._setting, self._scene = _Setting(), None
        elif mark == ">":
            yield from self._close()
            yield line
            made = list(self._act().do(line[1:].strip()))
            self._said = [each[2:] for each in made if each.startswith("<")][-1]
            yield from made
            return
        elif line.startswith("  ") and (found := re.match(r" +(network|stellar) < (.*)", line)):
            self._alternatives[found[1]] = found[2]
        elif line.strip().startswith("differs:"):
            self._alternatives["differs"] = line
        elif line and mark != "#":
            self._set(line)
        yield line

    def _act(self) -> "_OneNode | _AllNodes":
        if self._scene is None:
            local = self._setting.local
            self._scene = (
                _AllNodes(self._setting) if local is None else _OneNode(self._setting, local)
            )
        return self._scene

    def _set(self, line: str) -> None:
        if found := re.fullmatch(r"node (\d+) needs (.*)", line):
            self._setting.sets[int(found[1])] = NODES.quorum_set(read_quorum_set(found[2]))
        elif found := re.fullmatch(r"slot (\d+), (?:node (\d+)|all nodes)", line):
            self._setting.slot_index = int(found[1])
            self._setting.local = None if found[2] is None else int(found[2])
        elif found := re.fullmatch(r"given (.*)", line):
            self._setting.given.append(found[1])
        else:
            raise TranscriptError("it says nothing that is known")

    def _close(self) -> Iterator[str]:
        """A step is over: where others would say otherwise, we are with one, or there is a why."""
        others, self._alternatives = self._alternatives, {}
        said = self._said.replace("NominatePrepare X={} Y={}", "Prepare")
        if others and "differs" not in others and said not in others.values():
            raise TranscriptError(f"{self._said!r} is neither {' nor '.join(others.values())}")
        yield from ()

    def end(self) -> None:
        """The file is over."""
        list(self._close())


def perform(text: str) -> str:
    """The transcript again, with what this build says and holds.

    Raises:
        TranscriptError: a line cannot be read, or what is said is none of the expected.
        BugError: an invariant is broken.
    """
    reader = _Reader()
    made: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            made += reader.lines(line.rstrip())
        except TranscriptError as error:
            raise TranscriptError(f"line {number}: {line!r}: {error}") from error
    reader.end()
    return "\n".join(made) + "\n"
