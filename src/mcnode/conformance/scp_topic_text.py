"""Statements, ballots and quorum sets as the transcripts of scenarios write them.

{1 2}                     values: numbers or words
<1: 1 2>                  a ballot; `inf` is the highest counter, `-` stands for none
2 of [2 3 1 of [4 5]]     a quorum set over the numbers of nodes
Prepare B=<1: 5> HN=1     a statement in the letters of the wire; what is left out is absent or 0
"""

import re
from typing import Any

from mcnode.errors import InvalidError
from mcnode.scp import INFINITY, Ballot, Topic
from mcnode.scp.types import (
    Commit,
    Externalize,
    Nominate,
    NominatePayload,
    NominatePrepare,
    Prepare,
    PreparePayload,
    nomination_of,
    prepare_of,
)

ASSIGNMENT = re.compile(r"(\w+)=(\{[^}]*\}|<[^>]*>|\S+)")
"""A letter of the wire and what it stands for."""


class TranscriptError(InvalidError):
    """A line that cannot be read."""


def _read_value(word: str) -> Any:
    return int(word) if word.isdecimal() else word


def read_values(text: str) -> tuple[Any, ...]:
    """`{1 2}`, with or without braces."""
    return tuple(map(_read_value, text.strip("{}").split()))


def read_counter(text: str) -> int:
    """A number or `inf`."""
    return INFINITY if text == "inf" else int(text)


def read_ballot(text: str) -> Ballot[Any] | None:
    """`<1: 5>` or `-`."""
    if text == "-":
        return None
    counter, _, values = text.strip("<>").partition(":")
    return Ballot(read_counter(counter), read_values(values))


def write_values(values: tuple[Any, ...]) -> str:
    """As `read_values` takes them."""
    return "{" + " ".join(map(str, values)) + "}"


def write_counter(counter: int) -> str:
    """As `read_counter` takes it."""
    return "inf" if counter == INFINITY else str(counter)


def write_ballot(ballot: Ballot[Any] | None) -> str:
    """As `read_ballot` takes it."""
    if ballot is None:
        return "-"
    return f"<{write_counter(ballot.counter)}: {' '.join(map(str, ballot.values))}>"


def read_topic(text: str) -> Topic[Any]:
    """`Prepare B=<1: 5> P=<1: 5>`; what is left out is absent or 0.

    Raises:
        TranscriptError: it is no statement.
    """
    kind, _, rest = text.partition(" ")
    given = dict(ASSIGNMENT.findall(rest))

    def ballot(key: str) -> Ballot[Any]:
        return read_ballot(given[key]) or Ballot(0, ())

    def number(key: str) -> int:
        return read_counter(given.get(key, "0"))

    nomination = NominatePayload(
        read_values(given.get("X", "{}")), read_values(given.get("Y", "{}"))
    )
    try:
        match kind:
            case "Nominate":
                return Nominate(nomination)
            case "Prepare" | "NominatePrepare":
                prepared, prime = (read_ballot(given.get(key, "-")) for key in ("P", "PP"))
                payload = PreparePayload(ballot("B"), prepared, prime, number("CN"), number("HN"))
                if kind == "Prepare":
                    return Prepare(payload)
                return NominatePrepare(nomination, payload)
            case "Commit":
                return Commit(ballot("B"), number("PN"), number("CN"), number("HN"))
            case "Externalize":
                return Externalize(ballot("C"), number("HN"))
    except (KeyError, ValueError) as error:
        raise TranscriptError(f"statement {text!r} lacks or spoils {error}") from error
    raise TranscriptError(f"statement {text!r}: there is no {kind!r}")


def write_topic(topic: Topic[Any]) -> str:
    """A statement as `read_topic` takes it."""
    parts = [type(topic).__name__]
    nomination, prepare = nomination_of(topic), prepare_of(topic)
    if nomination is not None:
        parts.append(f"X={write_values(nomination.voted)} Y={write_values(nomination.accepted)}")
    numbers: dict[str, int] = {}
    if prepare is not None:
        parts.append(f"B={write_ballot(prepare.ballot)}")
        for key, ballot in (("P", prepare.prepared), ("PP", prepare.prepared_prime)):
            if ballot is not None:
                parts.append(f"{key}={write_ballot(ballot)}")
        if prepare.high_counter:
            numbers = {"CN": prepare.commit_counter, "HN": prepare.high_counter}
    match topic:
        case Commit():
            parts.append(f"B={write_ballot(topic.ballot)}")
            numbers = {
                "PN": topic.prepared_counter,
                "CN": topic.commit_counter,
                "HN": topic.high_counter,
            }
        case Externalize():
            parts.append(f"C={write_ballot(topic.commit)}")
            numbers = {"HN": topic.high_counter}
    parts += [f"{key}={write_counter(number)}" for key, number in numbers.items()]
    return " ".join(parts)


def read_quorum_set(text: str) -> Any:
    """`2 of [2 3 1 of [4 5]]` as [threshold, members].

    Raises:
        TranscriptError: it is no quorum set.
    """
    words = re.findall(r"\d+(?= of)|of|\[|\]|\d+", text)

    def take(position: int) -> tuple[list[Any], int]:
        threshold, members = int(words[position]), list[Any]()
        position += 3  # number, `of`, `[`
        while words[position] != "]":
            if words[position + 1] == "of":
                inner, position = take(position)
                members.append(inner)
            else:
                members.append(int(words[position]))
                position += 1
        return [threshold, members], position + 1

    try:
        read, end = take(0)
    except (IndexError, ValueError) as error:
        raise TranscriptError(f"quorum set {text!r} is not like `2 of [2 3]`") from error
    if end != len(words):
        raise TranscriptError(f"quorum set {text!r} has something behind its end")
    return read
