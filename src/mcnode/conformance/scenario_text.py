"""Reading scenarios told in words: `given`, `when` and `then` of a few fixed phrases each.

A text is read from left to right, phrase after phrase; braces and punctuation between phrases mean
nothing, so `{A} with B` is A changed by B. A text with anything that no phrase matches is a failure
of its case: nothing is ever passed over.
"""

import re
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from mcnode.conformance.vectors import MismatchError, Report, VectorFile, expect
from mcnode.errors import McNodeError
from mcnode.transaction.errors import network_name

World = TypeVar("World")
Phrase = Callable[..., object]

_BETWEEN = re.compile(r"[\s,;:{}]*(?:(?:and|then)\s+)?")
_END = re.compile(r"[\s,;:{}.]*")

COUNTS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "eight": 8, "ten": 10}


class UnreadableScenario(MismatchError):
    """A text holds words that no phrase matches."""

    def __init__(self, rest: str) -> None:
        super().__init__(f"cannot read: {rest!r}")


class Phrases(Generic[World]):
    """Patterns with what they mean; a meaning is a function of the world and the groups."""

    def __init__(self) -> None:
        self._table: list[tuple[re.Pattern[str], Phrase]] = []

    def __call__(self, *patterns: str) -> Callable[[Phrase], Phrase]:
        """Register a meaning for patterns, which are tried in the order of registration."""

        def register(meaning: Phrase) -> Phrase:
            self._table += [(re.compile(pattern), meaning) for pattern in patterns]
            return meaning

        return register

    def read(self, text: str, world: World) -> None:
        """Read a whole text into a world.

        Raises:
            UnreadableScenario: some words match no phrase.
        """
        position = 0
        while not _END.fullmatch(text, position):
            position = self._read_one(text, position, world)

    def _read_one(self, text: str, position: int, world: World) -> int:
        between = _BETWEEN.match(text, position)
        assert between is not None
        for start in (between.end(), position):
            for pattern, meaning in self._table:
                found = pattern.match(text, start)
                if found is not None and found.end() > start:
                    meaning(world, *found.groups())
                    return found.end()
        raise UnreadableScenario(text[between.end() :])


class Language(Generic[World]):
    """The phrases of one kind of scenario, and the world in which they are played.

    `finish` looks at the world when a case has been read to its end.
    """

    def __init__(
        self, make_world: Callable[[], World], finish: Callable[[World], None] | None = None
    ) -> None:
        self._make_world = make_world
        self._finish = finish
        self.given: Phrases[World] = Phrases()
        self.when: Phrases[World] = Phrases()
        self.then: Phrases[World] = Phrases()

    def run(self, file: VectorFile, report: Report) -> None:
        """Play each case of a file."""
        for case in file.json_lines():
            with report.case(case["id"]):
                world = self._make_world()
                self.given.read(case["given"], world)
                self.when.read(case["when"], world)
                self.then.read(case["then"], world)
                if self._finish is not None:
                    self._finish(world)


class Outcomes:
    """What the `when` of a scenario gave, one outcome for each variation that was tried."""

    def __init__(self) -> None:
        self.all: dict[str, str] = {}

    def note(self, name: str, call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """Call something; its outcome is `ok` or the name of the error it raised."""
        try:
            result = call(*arguments, **options)
        except McNodeError as error:
            self.all[name] = network_name(error)
            return None
        self.all[name] = "ok"
        return result

    def expect_all(self, expected: str) -> None:
        """Every outcome must be as expected.

        Raises:
            MismatchError: one is not, or there is none.
        """
        expect(bool(self.all), "nothing was tried")
        for name, found in self.all.items():
            expect(is_outcome(found, expected), f"{name}: found {found}, expected {expected}")


def is_outcome(found: str, expected: str) -> bool:
    """Whether an outcome is the expected one.

    `error` is any, `error (X)` one that has X in it, `X(_)` and `X(any)` leave out what is inside
    of X, and a bare X leaves out its numbers; everything else must be equal. Numbers may be wrapped
    in the names of their types or not.
    """
    found, expected = _unwrapped(found), _unwrapped(expected)
    if expected == "error":
        return found != "ok"
    if named := re.fullmatch(r"error \((\w+)\)", expected):
        return re.search(rf"\b{named[1]}\b", found) is not None
    if open_ended := re.fullmatch(r"(.*)\((?:_|any)\)+", expected):
        return found.startswith(f"{open_ended[1]}(")
    return (
        found == expected or re.fullmatch(rf"{re.escape(expected)}\([\d, ]+\)", found) is not None
    )


def _unwrapped(outcome: str) -> str:
    return re.sub(r"\b(?:TokenId|BlockVersion)\((\d+)\)", r"\1", outcome)


OUTCOME = r"(ok|error \(\w+\)|error|[A-Z]\w+(?:\((?:[^()]|\([^()]*(?:\([^()]*\))?[^()]*\))*\))?)"
"""Matches what `is_outcome` understands."""


def repeated_byte(text: str) -> bytes:
    """`32x09` is 32 bytes of 09."""
    count, value = text.split("x")
    return bytes([int(value, 16)]) * int(count)


def number(text: str) -> int:
    """`7`, `2^56`, `2^56-1`, `1475e9`."""
    if "^" in text:
        base, _, rest = text.partition("^")
        exponent, _, minus = rest.partition("-")
        power: int = int(base) ** int(exponent)
        return power - int(minus or 0)
    if "e" in text:
        digits, zeros = text.split("e")
        return int(digits + "0" * int(zeros))
    return int(text)


def count_of(text: str) -> int:
    """A count in digits or as a word.

    Raises:
        UnreadableScenario: neither.
    """
    if text.isdigit():
        return int(text)
    if text not in COUNTS:
        raise UnreadableScenario(text)
    return COUNTS[text]
