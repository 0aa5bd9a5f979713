"""The graph of a system for other drawing programs: what the picture shows, without places.
[docs/quorum.md#10]"""

from typing import Any

from mcnode.quorum.compiled import CompiledSystem, MaskSet, bits
from mcnode.quorum.model import Grouping
from mcnode.quorum.summary import Check


def graph_json(found: Check, grouping: Grouping | None) -> dict[str, Any]:
    """Nodes by id, groups, distinct sets by number, and arrows from who listens to whom.

    Sets have their own node counted in, and are numbered as in the picture. A node's `set` is None
    when nobody told it; its `witness` is 1 or 2 where it is in one of two disjoint quorums.
    """
    system = found.system
    sets = system.sets_by_use()
    number_of = {each: number for number, (each, _) in enumerate(sets, 1)}
    sides = found.intersection.witness or ()
    nodes = []
    for number, node in enumerate(system.system):
        quorum_set = system.set_of[number]
        nodes.append(
            {
                "id": node.id,
                "name": node.name,
                "group": None if grouping is None else node.group(grouping),
                "set": None if quorum_set is None else number_of[quorum_set],
                "decides": bool(system.core >> number & 1),
                "witness": next((n for n, side in enumerate(sides, 1) if side >> number & 1), None),
            }
        )
    return {
        **found.to_json(),
        "nodes": nodes,
        "groups": {} if grouping is None else system.system.groups(grouping),
        "sets": {
            number: _set_json(system, quorum_set) for number, (quorum_set, _) in enumerate(sets, 1)
        },
        "arrows": [
            {"from": node_id, "to": system.ids[other]}
            for number, node_id in enumerate(system.ids)
            for other in bits(system.listens_to(number))
        ],
    }


def _set_json(system: CompiledSystem, quorum_set: MaskSet) -> dict[str, Any]:
    return {
        "threshold": quorum_set.threshold,
        "nodes": system.names(quorum_set.nodes),
        "inner": [_set_json(system, inner) for inner in quorum_set.inner],
    }
