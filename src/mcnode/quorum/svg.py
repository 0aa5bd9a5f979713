"""The picture of a system as SVG, with its legend. [docs/quorum.md#10]"""

import math
from collections.abc import Iterator, Sequence
from html import escape

from mcnode.quorum.compiled import CompiledSystem, MaskSet, bits
from mcnode.quorum.graph import NODE_RADIUS, Line, Picture, PlacedGroup, PlacedNode, lay_out
from mcnode.quorum.intersection import Intersection, Verdict
from mcnode.quorum.model import Grouping

SET_COLOURS = ("#2f6f9f", "#b3611b", "#4f7f3a", "#7a4f9f", "#9f3f5f", "#3f8f8f", "#7f6a2f")
OTHER_SET_COLOUR = "#666666"
UNKNOWN_COLOUR = "#ffffff"
GROUP_COLOURS = ("#eaf2f8", "#fdf1e3", "#edf5e9", "#f3ecf8", "#f9e9ee", "#e6f4f4", "#f5f1e0")
WITNESS_COLOURS = ("#f0a000", "#d81b8c")
LINE_COLOUR = "#7c8794"
UNABLE_COLOUR = "#c01818"
INK = "#20262c"

HALO = 0.7
"""How much of the lines behind a label its white edge hides."""

MARGIN = 28.0
LINE_HEIGHT = 20.0
TITLE_LINES = 2
LABEL_LENGTH_MAX = 17
LEGEND_CHARACTERS_MAX = 118
WIDTH_MIN = 900.0


def draw(
    system: CompiledSystem, found: Intersection, grouping: Grouping | None, headline: str
) -> str:
    """The whole SVG document."""
    picture = lay_out(system, grouping)
    legend = list(_legend_lines(system, picture, found))
    top = MARGIN + TITLE_LINES * LINE_HEIGHT
    width = max(WIDTH_MIN, picture.width + 2 * MARGIN)
    height = top + picture.height + (len(legend) + 2) * LINE_HEIGHT + MARGIN
    left = (width - picture.width) / 2
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(width)} {_n(height)}" '
        f'width="{_n(width)}" height="{_n(height)}" font-family="sans-serif" fill="{INK}">',
        f'<rect width="{_n(width)}" height="{_n(height)}" fill="#ffffff"/>',
        _text(MARGIN, MARGIN + 8, headline, size=19, weight="bold"),
        _text(MARGIN, MARGIN + 30, _verdict_line(found), size=14),
        f'<g transform="translate({_n(left)} {_n(top)})">',
        *(_line(line) for line in picture.lines),
    ]
    for number, group in enumerate(picture.groups):
        parts += _group(system, group, number, found)
    parts.append("</g>")
    at = top + picture.height + LINE_HEIGHT
    parts.append(
        f'<line x1="{_n(MARGIN)}" y1="{_n(at)}" x2="{_n(width - MARGIN)}" y2="{_n(at)}" '
        'stroke="#d0d5da"/>'
    )
    for row, (marks, text) in enumerate(legend, 1):
        y = at + row * LINE_HEIGHT
        parts += [mark.format(y=_n(y - 4), y2=_n(y)) for mark in marks]
        parts.append(_text(MARGIN + 44, y, text, size=13))
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def _verdict_line(found: Intersection) -> str:
    match found.verdict:
        case Verdict.INTERSECTING:
            return "Every two quorums share a node: the network cannot split while nobody lies."
        case Verdict.SPLIT:
            return "THE NETWORK CAN SPLIT: the two ringed quorums share no node."
        case Verdict.NO_QUORUM:
            return "THERE IS NO QUORUM: the network cannot agree on anything."


# -- parts -----------------------------------------------------------------------------------------


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _text(
    x: float, y: float, text: str, *, size: int, weight: str = "normal", anchor: str = "start"
) -> str:
    return (
        f'<text x="{_n(x)}" y="{_n(y)}" font-size="{size}" font-weight="{weight}" '
        f'text-anchor="{anchor}" paint-order="stroke" stroke="#ffffff" stroke-width="3" '
        f'stroke-opacity="{HALO if anchor == "middle" else 0}">{escape(text)}</text>'
    )


def _line(line: Line) -> str:
    (x1, y1), (x2, y2) = line.start, line.end
    width = 0.8 + 2.4 * line.weight
    drawn = (
        f'<line x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}" '
        f'stroke="{LINE_COLOUR}" stroke-width="{_n(width)}"/>'
    )
    drawn += _head(line.start, line.end)
    return drawn + (_head(line.end, line.start) if line.head_at_start else "")


def _head(start: tuple[float, float], end: tuple[float, float]) -> str:
    angle = math.atan2(end[1] - start[1], end[0] - start[0])
    points = [end]
    for side in (2.7, -2.7):
        points.append((end[0] + 9 * math.cos(angle + side), end[1] + 9 * math.sin(angle + side)))
    shape = " ".join(f"{_n(x)},{_n(y)}" for x, y in points)
    return f'<polygon points="{shape}" fill="{LINE_COLOUR}"/>'


def _group(
    system: CompiledSystem, group: PlacedGroup, number: int, found: Intersection
) -> Iterator[str]:
    if group.title:
        yield (
            f'<rect x="{_n(group.x)}" y="{_n(group.y)}" width="{_n(group.width)}" '
            f'height="{_n(group.height)}" rx="12" stroke="#aab3bc" '
            f'fill="{GROUP_COLOURS[number % len(GROUP_COLOURS)]}"/>'
        )
        middle = group.x + group.width / 2
        yield _text(
            middle,
            group.y + 19,
            _short(group.title, group),
            size=15,
            weight="bold",
            anchor="middle",
        )
        yield _text(middle, group.y + 35, group.subtitle, size=11, anchor="middle")
    for node in group.nodes:
        yield from _node(system, node, found)


def _node(system: CompiledSystem, node: PlacedNode, found: Intersection) -> Iterator[str]:
    federated = system.system.nodes[system.ids[node.number]]
    is_able = bool(system.core >> node.number & 1)
    place = f'cx="{_n(node.x)}" cy="{_n(node.y)}"'
    for side, colour in zip(found.witness or (), WITNESS_COLOURS, strict=False):
        if side >> node.number & 1:
            yield (
                f'<circle {place} r="{_n(NODE_RADIUS + 4)}" fill="none" stroke="{colour}" '
                'stroke-width="5"/>'
            )
    fill = _set_colour(node.set_number)
    edge = f'stroke="{INK}"' if is_able else f'stroke="{UNABLE_COLOUR}" stroke-dasharray="4 3"'
    yield (
        f'<circle {place} r="{_n(NODE_RADIUS)}" fill="{fill}" {edge} stroke-width="2">'
        f"<title>{escape(federated.id)}</title></circle>"
    )
    inside = "?" if node.set_number is None else str(node.set_number)
    ink = INK if node.set_number is None else "#ffffff"
    yield (
        f'<text x="{_n(node.x)}" y="{_n(node.y + 5)}" font-size="14" text-anchor="middle" '
        f'fill="{ink}">{inside}</text>'
    )
    label = federated.name or federated.id
    yield _text(
        node.x, node.y + NODE_RADIUS + 17, _cut(label, LABEL_LENGTH_MAX), size=11, anchor="middle"
    )


def _set_colour(set_number: int | None) -> str:
    if set_number is None:
        return UNKNOWN_COLOUR
    return SET_COLOURS[set_number - 1] if set_number <= len(SET_COLOURS) else OTHER_SET_COLOUR


def _short(title: str, group: PlacedGroup) -> str:
    return _cut(title, max(8, int(group.width / 9)))


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


# -- legend ----------------------------------------------------------------------------------------


def _legend_lines(
    system: CompiledSystem, picture: Picture, found: Intersection
) -> Iterator[tuple[Sequence[str], str]]:
    """Marks (with a place for y) and their text, line by line."""
    shown = picture.sets[: len(SET_COLOURS)]
    for number, (quorum_set, users) in enumerate(shown, 1):
        who = "all nodes" if users == system.everybody else f"{users.bit_count()} nodes"
        asks = f"{who} ask"
        if users.bit_count() == 1:
            asks = f"{system.system.label(system.names(users)[0])} asks"
        text = f"{number}: {asks} for {described(system, quorum_set)}"
        yield (_dot(_set_colour(number), INK),), _cut(text, LEGEND_CHARACTERS_MAX)
    if len(picture.sets) > len(shown):
        yield (
            (_dot(OTHER_SET_COLOUR, INK),),
            f"{len(picture.sets) - len(shown)} more sets; `mcnode quorum export` lists them",
        )
    if None in system.set_of:
        yield (_dot(UNKNOWN_COLOUR, INK),), "?: its quorum set is not known; it never answers"
    if system.core != system.everybody:
        yield (_dot(UNKNOWN_COLOUR, UNABLE_COLOUR),), "dashed: in no quorum that decides"
    for colour, name in zip(WITNESS_COLOURS, ("first", "second"), strict=True):
        if found.witness is not None:
            yield (_ring(colour),), f"in the {name} of two quorums without a common node"
    if picture.lines:
        yield (_stroke(),), _line_text(picture)
    if picture.is_complete:
        yield (), "everybody listens to everybody: arrows are left out"


def _line_text(picture: Picture) -> str:
    if picture.joins_groups:
        return (
            "from a group to those its nodes listen to; two heads: both ways; thicker: more of them"
        )
    return "from a node to those it listens to; two heads: both ways"


def _dot(fill: str, edge: str) -> str:
    dashes = ' stroke-dasharray="4 3"' if edge == UNABLE_COLOUR else ""
    return (
        f'<circle cx="{_n(MARGIN + 18)}" cy="{{y}}" r="7" fill="{fill}" stroke="{edge}" '
        f'stroke-width="1.5"{dashes}/>'
    )


def _ring(colour: str) -> str:
    return (
        f'<circle cx="{_n(MARGIN + 18)}" cy="{{y}}" r="6" fill="none" stroke="{colour}" '
        'stroke-width="4"/>'
    )


def _stroke() -> str:
    return (
        f'<line x1="{_n(MARGIN + 2)}" y1="{{y}}" x2="{_n(MARGIN + 34)}" y2="{{y}}" '
        f'stroke="{LINE_COLOUR}" stroke-width="2"/>'
    )


def described(system: CompiledSystem, quorum_set: MaskSet) -> str:
    """A set in words, its own node counted in: `8 of 10: A one, A two, …`."""
    shapes = {(inner.threshold, inner.nodes.bit_count(), inner.inner) for inner in quorum_set.inner}
    if not quorum_set.nodes and len(shapes) == 1 and len(quorum_set.inner) > 4:
        threshold, count, inside = shapes.pop()
        if not inside:
            total = f"{quorum_set.threshold} of {quorum_set.member_count} groups"
            return f"{total}, each by {threshold} of its {count} nodes"
    names = [system.system.label(system.ids[number]) for number in bits(quorum_set.nodes)]
    if quorum_set.nodes == system.everybody:
        names = ["every node"]
    for inner in quorum_set.inner:
        names.append(f"({_inner_text(system, inner)})")
    return f"{quorum_set.threshold} of {quorum_set.member_count}: {', '.join(names)}"


def _inner_text(system: CompiledSystem, inner: MaskSet) -> str:
    nodes = system.names(inner.nodes)
    organisations = {system.system.nodes[node].organisation for node in nodes}
    if not inner.inner and len(organisations) == 1 and None not in organisations:
        return f"{inner.threshold} of {len(nodes)} of {organisations.pop()}"
    return described(system, inner)
