"""Where everything stands in the picture of a system: groups on a circle, their nodes inside.

Only arithmetic, in one order: the same system gives the same picture everywhere. `svg` writes it.
[docs/quorum.md#10]
"""

import dataclasses
import math

from mcnode.quorum.compiled import CompiledSystem, MaskSet, bits
from mcnode.quorum.model import Grouping

NODE_RADIUS = 17.0
CELL_WIDTH = 104.0
CELL_HEIGHT = 66.0
TITLE_HEIGHT = 44.0
GAP = 56.0

NODE_LINES_MAX = 24
"""Lines between nodes up to which they are drawn one by one; above, lines join groups, if there are
groups."""

LINES_MAX = 100
"""Lines above which a network where everybody lists everybody is drawn without any: they would say
nothing that one sentence does not."""


@dataclasses.dataclass(frozen=True, slots=True)
class PlacedNode:
    """A node: its number, its centre, the number of its set (None: not known)."""

    number: int
    x: float
    y: float
    set_number: int | None


@dataclasses.dataclass(frozen=True, slots=True)
class PlacedGroup:
    """A group: its box and its nodes. `title` is empty for a node that stands alone."""

    title: str
    subtitle: str
    x: float
    y: float
    width: float
    height: float
    nodes: tuple[PlacedNode, ...]
    mask: int

    @property
    def centre(self) -> tuple[float, float]:
        """The middle of the box."""
        return self.x + self.width / 2, self.y + self.height / 2


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """From a place to another, with heads; `weight` from 0 to 1 is how much of what could be listed
    is."""

    start: tuple[float, float]
    end: tuple[float, float]
    head_at_start: bool
    weight: float


@dataclasses.dataclass(frozen=True, slots=True)
class Picture:
    """Everything but the colours.

    `joins_groups`: the lines are between groups. `is_complete`: everybody lists everybody, and the
    lines are left out.
    """

    groups: tuple[PlacedGroup, ...]
    lines: tuple[Line, ...]
    joins_groups: bool
    is_complete: bool
    sets: tuple[tuple[MaskSet, int], ...]
    width: float
    height: float


def lay_out(system: CompiledSystem, grouping: Grouping | None) -> Picture:
    """Place a system's nodes, grouped where groups are known."""
    sets = system.sets_by_use()
    number_of = {found: number for number, (found, _) in enumerate(sets, 1)}
    groups = _on_circle(_boxes(system, grouping, number_of))
    lines = _node_lines(system, groups)
    joins_groups = len(lines) > NODE_LINES_MAX and any(len(group.nodes) > 1 for group in groups)
    if joins_groups:
        lines = _group_lines(system, groups)
    pairs = len(groups) * (len(groups) - 1) // 2
    is_complete = (
        len(lines) == pairs > LINES_MAX
        and all(line.head_at_start for line in lines)
        and (joins_groups or len(groups) == len(system))
    )
    if is_complete:
        groups, lines = _in_rows(groups), []
    left, top = min(g.x for g in groups), min(g.y for g in groups)
    groups = [_moved(group, GAP / 2 - left, GAP / 2 - top) for group in groups]
    across, down = GAP / 2 - left, GAP / 2 - top
    return Picture(
        tuple(groups),
        tuple(_moved_line(line, across, down) for line in lines),
        joins_groups,
        is_complete,
        tuple(sets),
        max(g.x + g.width for g in groups) + GAP / 2,
        max(g.y + g.height for g in groups) + GAP / 2,
    )


# -- places ----------------------------------------------------------------------------------------


def _boxes(
    system: CompiledSystem, grouping: Grouping | None, number_of: dict[MaskSet, int]
) -> list[PlacedGroup]:
    named = (
        {node_id: [node_id] for node_id in system.ids}
        if grouping is None
        else system.system.groups(grouping)
    )
    boxes = []
    for name, ids in named.items():
        group = system.system.nodes[ids[0]].group(grouping) if grouping is not None else None
        boxes.append(_box(system, name if group else "", system.mask(ids), number_of))
    return boxes


def _on_circle(boxes: list[PlacedGroup]) -> list[PlacedGroup]:
    """Around a circle that is large enough for all, in order, the first on top."""
    if len(boxes) == 1:
        return boxes
    shares = [math.hypot(box.width, box.height) + GAP for box in boxes]
    radius = max(sum(shares) / (2 * math.pi), max(shares) / 1.6)
    placed, gone = [], 0.0
    for box, share in zip(boxes, shares, strict=True):
        angle = 2 * math.pi * (gone + (share - shares[0]) / 2) / sum(shares) - math.pi / 2
        gone += share
        x, y = radius * 1.25 * math.cos(angle), radius * math.sin(angle)
        placed.append(_moved(box, x - box.width / 2, y - box.height / 2))
    return placed


def _in_rows(groups: list[PlacedGroup]) -> list[PlacedGroup]:
    """In rows, left to right; every place is as large as the largest box."""
    across = max(group.width for group in groups) + GAP / 2
    down = max(group.height for group in groups) + GAP / 2
    columns = math.ceil(math.sqrt(len(groups) * down / across * 1.6))
    return [
        _moved(group, place % columns * across - group.x, place // columns * down - group.y)
        for place, group in enumerate(groups)
    ]


def _box(
    system: CompiledSystem, title: str, mask: int, number_of: dict[MaskSet, int]
) -> PlacedGroup:
    count = mask.bit_count()
    columns = math.ceil(math.sqrt(count))
    top = TITLE_HEIGHT if title else 4.0
    nodes = []
    for place, number in enumerate(bits(mask)):
        found = system.set_of[number]
        nodes.append(
            PlacedNode(
                number,
                (place % columns + 0.5) * CELL_WIDTH,
                top + (place // columns) * CELL_HEIGHT + NODE_RADIUS + 4,
                None if found is None else number_of[found],
            )
        )
    width, height = columns * CELL_WIDTH, top + math.ceil(count / columns) * CELL_HEIGHT
    return PlacedGroup(title, _voice(system, mask), 0.0, 0.0, width, height, tuple(nodes), mask)


def _voice(system: CompiledSystem, mask: int) -> str:
    """How many of a group's nodes speak for it, where all sets have it as one same inner set."""
    thresholds = {
        inner.threshold
        for found, _ in system.sets
        for inner in found.inner
        if inner.named() == mask and not inner.inner
    }
    if len(thresholds) != 1:
        return "1 node" if mask.bit_count() == 1 else f"{mask.bit_count()} nodes"
    return f"{thresholds.pop()} of its {mask.bit_count()} speak for it"


def _moved(group: PlacedGroup, x: float, y: float) -> PlacedGroup:
    return dataclasses.replace(
        group,
        x=group.x + x,
        y=group.y + y,
        nodes=tuple(dataclasses.replace(node, x=node.x + x, y=node.y + y) for node in group.nodes),
    )


# -- lines -----------------------------------------------------------------------------------------


def _moved_line(line: Line, x: float, y: float) -> Line:
    start, end = line.start, line.end
    return dataclasses.replace(
        line, start=(start[0] + x, start[1] + y), end=(end[0] + x, end[1] + y)
    )


def _node_lines(system: CompiledSystem, groups: list[PlacedGroup]) -> list[Line]:
    placed = {node.number: node for group in groups for node in group.nodes}
    lines = []
    for number, node in placed.items():
        for other in bits(system.listens_to(number)):
            is_mutual = bool(system.listens_to(other) >> number & 1)
            if is_mutual and other < number:
                continue
            end = placed[other]
            start_at = _towards(node.x, node.y, end.x, end.y)
            end_at = _towards(end.x, end.y, node.x, node.y)
            lines.append(Line(start_at, end_at, is_mutual, 0.4))
    return lines


def _towards(x: float, y: float, to_x: float, to_y: float) -> tuple[float, float]:
    """The point on a node's edge that faces another."""
    length = math.hypot(to_x - x, to_y - y) or 1.0
    reach = NODE_RADIUS + 3
    return x + (to_x - x) / length * reach, y + (to_y - y) / length * reach


def _group_lines(system: CompiledSystem, groups: list[PlacedGroup]) -> list[Line]:
    weights: dict[tuple[int, int], float] = {}
    for one, group in enumerate(groups):
        for other, listed in enumerate(groups):
            if one != other:
                count = sum(
                    (system.listens_to(node.number) & listed.mask).bit_count()
                    for node in group.nodes
                )
                weights[one, other] = count / (len(group.nodes) * len(listed.nodes))
    lines = []
    for (one, other), weight in weights.items():
        back = weights[other, one]
        if not weight or (back and other < one):
            continue
        start = _box_edge(groups[one], groups[other].centre)
        end = _box_edge(groups[other], groups[one].centre)
        lines.append(Line(start, end, bool(back), max(weight, back)))
    return lines


def _box_edge(group: PlacedGroup, to: tuple[float, float]) -> tuple[float, float]:
    """Where the line from a box's middle to a point leaves the box."""
    x, y = group.centre
    across, down = to[0] - x, to[1] - y
    scale = min(
        (group.width / 2 + 4) / abs(across) if across else math.inf,
        (group.height / 2 + 4) / abs(down) if down else math.inf,
    )
    scale = min(scale, 0.5)
    return x + across * scale, y + down * scale
