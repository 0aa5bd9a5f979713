"""Faults as text that a person can read and write.

A specification is a list of items with commas between. An item is either a wish, which the seed
turns into particulars, or a particular:

    wish                       particular                         meaning
    loss=5%                    (the same)                         messages lost
    duplicate=2%               (the same)                         messages that arrive twice
    reorder=10%                (the same)                         messages overtaken by later ones
    latency=50ms..200ms        (the same)                         one way
    partition=1                partition@20s..40s:0+1|2+3+4       groups that cannot hear each other
    partition@20s..40s                                            the same, groups by seed
    crash=2                    crash@12s..30s:3                   down; memory is lost, disk is not
    pause=1                    pause@12s..15s:3                   stands still, forgets nothing
    slow=1                     slow@5s..20s:2=500ms               all its messages take longer
    clock=2%                   clock:3=-1.5%                      its clock runs at another rate
    quorum=1                   quorum@15s..17s:3=4                restarts, needs 4 others from then
    silent=1 twins=1 …         silent:4                           a Byzantine node, see `behaviours`
    byzantine=2                                                   of any kind

`standard` stands for a mixture drawn by seed that stays within what the network tolerates, and
`overload` for one with more Byzantine nodes than that.
"""

import dataclasses
import re
from collections.abc import Iterable

from mcnode.errors import InvalidError

SECOND_US = 1_000_000

BEHAVIOURS = ("silent", "equivocate", "twins", "stale", "mutate", "flood", "externalize")
"""How a Byzantine node may behave."""
LINK_RATES = ("loss", "duplicate", "reorder")
TIMED = ("partition", "crash", "pause", "slow", "quorum")
PRESETS = ("standard", "overload")
_KINDS = (*LINK_RATES, "latency", "clock", "byzantine", *TIMED, *BEHAVIOURS)

_ITEM = re.compile(
    r"(?P<kind>[a-z]+)(?:@(?P<start>[\d.]+m?s)\.\.(?P<end>[\d.]+m?s))?(?::(?P<where>[\d+|]+))?(?:=(?P<what>\S+))?"
)
_DURATION = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>ms|s)")
_PERCENT = re.compile(r"-?\d+(?:\.\d+)?%")


class FaultSyntaxError(InvalidError):
    """The text is no specification of faults."""


@dataclasses.dataclass(frozen=True, slots=True)
class Fault:
    """One item. Times in microseconds from the beginning, rates in millionths.

    `groups`: positions of nodes; more than one group only for a partition; empty in a wish.
    `amount`: rate, latency range, extra delay, threshold, or the number wished for; by kind.
    """

    kind: str
    start_us: int | None = None
    end_us: int | None = None
    groups: tuple[tuple[int, ...], ...] = ()
    amount: tuple[int, ...] = ()

    @property
    def node(self) -> int:
        """The one node that it is about."""
        return self.groups[0][0]

    @property
    def is_particular(self) -> bool:
        """Whether nothing is left to the seed."""
        return bool(self.groups) or self.kind in LINK_RATES or self.kind == "latency"

    def __str__(self) -> str:
        text = self.kind
        if self.start_us is not None and self.end_us is not None:
            text += f"@{duration_text(self.start_us)}..{duration_text(self.end_us)}"
        if self.groups:
            text += ":" + "|".join("+".join(map(str, group)) for group in self.groups)
        if self.amount:
            text += "=" + self._amount_text()
        return text

    def _amount_text(self) -> str:
        if self.kind in LINK_RATES or self.kind == "clock":
            return f"{self.amount[0] / 10_000:g}%"
        if self.kind == "latency" or (self.kind == "slow" and self.groups):
            return "..".join(map(duration_text, self.amount))
        return str(self.amount[0])


def duration_text(us: int) -> str:
    """A duration as it is written: `1.5s`, `20ms`."""
    number, unit = (us / 1000, "ms") if 0 < us < SECOND_US else (us / SECOND_US, "s")
    return f"{number:.3f}".rstrip("0").rstrip(".") + unit


def parse_duration(text: str) -> int:
    """Microseconds. Raises `FaultSyntaxError`."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise FaultSyntaxError(f"duration is {text!r}, needs something like 20s or 50ms")
    unit = SECOND_US if found["unit"] == "s" else 1000
    return round(float(found["number"]) * unit)


def parse_faults(text: str) -> tuple[Fault | str, ...]:
    """The items of a specification; presets stay names.

    Raises:
        FaultSyntaxError: an item is not understood.
    """
    items = [item.strip() for item in text.split(",")]
    return tuple(
        item if item in PRESETS else _parse_item(item) for item in items if item not in ("", "none")
    )


def faults_text(faults: Iterable[Fault | str]) -> str:
    """The specification again; `none` for no fault."""
    return ",".join(map(str, faults)) or "none"


def _parse_item(item: str) -> Fault:
    found = _ITEM.fullmatch(item)
    if found is None or found["kind"] not in _KINDS:
        known = ", ".join((*PRESETS, *_KINDS))
        raise FaultSyntaxError(f"fault {item!r} is not known; there are {known}")
    kind, where, what = found["kind"], found["where"], found["what"]
    start = end = None
    if found["start"] is not None:
        start, end = parse_duration(found["start"]), parse_duration(found["end"])
        if kind not in TIMED or start >= end:
            raise FaultSyntaxError(f"fault {item!r}: needs no times, or a later end")
    groups = () if where is None else _parse_groups(item, where)
    if len(groups) > 1 and kind != "partition":
        raise FaultSyntaxError(f"fault {item!r} names {len(groups)} groups, limit 1")
    if groups and kind in TIMED and start is None:
        raise FaultSyntaxError(f"fault {item!r} names nodes and needs times: {kind}@5s..9s:…")
    return Fault(kind, start, end, groups, _parse_amount(item, kind, bool(groups), what))


def _parse_groups(item: str, where: str) -> tuple[tuple[int, ...], ...]:
    try:
        return tuple(tuple(map(int, group.split("+"))) for group in where.split("|"))
    except ValueError:
        raise FaultSyntaxError(f"fault {item!r}: nodes are written 0+1|2+3") from None


def _parse_amount(item: str, kind: str, is_particular: bool, what: str | None) -> tuple[int, ...]:
    if what is None:
        if kind in (*LINK_RATES, "latency", "clock") or (
            is_particular and kind in ("slow", "quorum")
        ):
            raise FaultSyntaxError(f"fault {item!r} needs an amount: {kind}=…")
        return ()
    if kind in LINK_RATES or kind == "clock":
        if _PERCENT.fullmatch(what) is None:
            raise FaultSyntaxError(f"fault {item!r} needs a percentage")
        return (round(float(what[:-1]) * 10_000),)
    if kind == "latency":
        ends = tuple(map(parse_duration, what.split("..")))
        if len(ends) > 2 or ends[0] > ends[-1]:
            raise FaultSyntaxError(f"fault {item!r} needs a duration or a rising range")
        return (ends[0], ends[-1])
    if kind == "slow" and is_particular:
        return (parse_duration(what),)
    if not what.isdecimal():
        raise FaultSyntaxError(f"fault {item!r} needs a whole number")
    return (int(what),)
