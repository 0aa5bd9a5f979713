"""Edits of a system on paper: what would be, if. [docs/quorum.md#8]"""

import dataclasses
import re
from collections.abc import Callable, Sequence
from typing import TypeAlias

from mcnode.quorum.errors import EditError
from mcnode.quorum.model import (
    FederatedNode,
    FederatedSystem,
    complete,
    host_of,
    map_sets,
    most_usual_set,
    with_self,
    without_self,
)
from mcnode.scp.quorum_set import QuorumSet

Edit: TypeAlias = Callable[[FederatedSystem], FederatedSystem]

_THRESHOLD = re.compile(r"(?:(?P<node>.+?)(?:#(?P<path>[0-9]+(?:\.[0-9]+)*))?=)?(?P<value>[0-9]+)")


def stop_node(named: str) -> Edit:
    """The node is silent; the others still list it."""

    def edit(system: FederatedSystem) -> FederatedSystem:
        node = system.find(named)
        return _replaced(system, dataclasses.replace(node, quorum_set=None))

    return edit


def drop_node(named: str) -> Edit:
    """The node leaves, and everybody takes it out of their sets. Thresholds stay, but for those
    that would be above the number of members; an inner set that is left empty goes too."""

    def edit(system: FederatedSystem) -> FederatedSystem:
        return _dropped(system, {system.find(named).id})

    return edit


def drop_group(named: str) -> Edit:
    """Every node of an organisation leaves."""

    def edit(system: FederatedSystem) -> FederatedSystem:
        ids = {node.id for node in system if node.organisation == named}
        if not ids:
            known = sorted({node.organisation for node in system if node.organisation})
            raise EditError(f"no organisation {named}; there are {', '.join(known) or 'none'}")
        return _dropped(system, ids)

    return edit


def _dropped(system: FederatedSystem, ids: set[str]) -> FederatedSystem:
    def without(level: QuorumSet[str]) -> QuorumSet[str]:
        members = tuple(
            m
            for m in level.members
            if m not in ids and not (isinstance(m, QuorumSet) and not m.members)
        )
        return QuorumSet(min(level.threshold, len(members)), members)

    kept = [node for node in system if node.id not in ids]
    if not kept:
        raise EditError("no node would be left")
    return system.with_nodes(
        dataclasses.replace(node, quorum_set=node.quorum_set and map_sets(node.quorum_set, without))
        for node in kept
    )


def set_threshold(text: str) -> Edit:
    """`N` for every node, `NODE=N` for one, `NODE#2.1=N` for an inner set of it: the first member
    of the second member. `*` is every node.

    Raises:
        EditError: the text is none of these.
    """
    match = _THRESHOLD.fullmatch(text)
    if match is None:
        raise EditError(f"{text} is no threshold: write N, NODE=N or NODE#2=N (member 2)")
    named, value = match["node"] or "*", int(match["value"])
    path = [int(each) for each in (match["path"] or "").split(".") if each]

    def edit(system: FederatedSystem) -> FederatedSystem:
        chosen = list(system) if named == "*" else [system.find(named)]
        changed = []
        for node in chosen:
            if node.quorum_set is not None:
                quorum_set = _with_threshold(node.quorum_set, path, value, node)
                changed.append(dataclasses.replace(node, quorum_set=quorum_set))
        if not changed:
            raise EditError(f"the quorum set of {named} is not known")
        return _replaced(system, *changed)

    return edit


def _with_threshold(
    quorum_set: QuorumSet[str], path: Sequence[int], value: int, node: FederatedNode
) -> QuorumSet[str]:
    if not path:
        if value > len(quorum_set.members):
            count = len(quorum_set.members)
            raise EditError(f"{node.label}: threshold {value} is above the {count} members")
        return QuorumSet(value, quorum_set.members)
    members = list(quorum_set.members)
    inner = members[path[0] - 1] if 0 < path[0] <= len(members) else None
    if not isinstance(inner, QuorumSet):
        raise EditError(f"{node.label}: member {path[0]} is no inner set")
    members[path[0] - 1] = _with_threshold(inner, path[1:], value, node)
    return QuorumSet(quorum_set.threshold, tuple(members))


def add_organisation(text: str) -> Edit:
    """`NAME=node,node,node`, with `/N` after it for how many of them must agree (default: more than
    half).

    Where sets have inner sets, the organisation joins as one member; where they list nodes, each of
    its nodes joins. Thresholds keep their share of the members, rounded up. Its nodes ask for what
    most of the others ask for.

    Raises:
        EditError: the text is not of that form.
    """
    name, equals, rest = text.partition("=")
    listed, _, inner_threshold = rest.partition("/")
    ids = [each.strip() for each in listed.split(",") if each.strip()]
    if not name or not equals or not ids or len(set(ids)) != len(ids):
        raise EditError(f"{text} is no organisation: write NAME=node,node,node or NAME=…/2")
    if inner_threshold and not (inner_threshold.isdigit() and 0 < int(inner_threshold) <= len(ids)):
        raise EditError(f"{text}: {inner_threshold} is no threshold over {len(ids)} nodes")
    threshold = int(inner_threshold) if inner_threshold else len(ids) // 2 + 1

    def edit(system: FederatedSystem) -> FederatedSystem:
        known = [each for each in ids if each in system.nodes]
        if known:
            raise EditError(f"{known[0]} is in the system already")
        if all(node.quorum_set is None for node in system):
            raise EditError("no quorum set is known")
        shared = most_usual_set(system)
        joined = [
            dataclasses.replace(
                node,
                quorum_set=node.quorum_set
                and without_self(
                    _joined(with_self(node.quorum_set, node.id), ids, threshold), node.id
                ),
            )
            for node in system
        ]
        wanted = _joined(shared, ids, threshold)
        added = [
            FederatedNode(each, without_self(wanted, each), "", name, host_of(each)) for each in ids
        ]
        return system.with_nodes(complete([*joined, *added]).values())

    return edit


def _joined(quorum_set: QuorumSet[str], ids: Sequence[str], threshold: int) -> QuorumSet[str]:
    members = quorum_set.members
    if not members:
        return quorum_set
    is_nested = any(isinstance(m, QuorumSet) for m in members)
    more: tuple[str | QuorumSet[str], ...] = (
        (QuorumSet(threshold, tuple(ids)),) if is_nested else tuple(ids)
    )
    count = len(members) + len(more)
    share = -(-quorum_set.threshold * count // len(members))
    return QuorumSet(min(share, count), (*members, *more))


def _replaced(system: FederatedSystem, *nodes: FederatedNode) -> FederatedSystem:
    changed = {node.id: node for node in nodes}
    return system.with_nodes(changed.get(node.id, node) for node in system)
