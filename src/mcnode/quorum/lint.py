"""What is wrong, or dangerous, with a quorum set by itself; with a remedy each. [docs/quorum.md#6]

An *error* makes the set unsafe or useless: a node refuses to start with it. A *warning* names a
weakness that may be meant; a *note* is worth knowing. Whether quorums intersect is another question
(`intersection`), since it takes the sets of all nodes.
"""

import dataclasses
from collections.abc import Iterable, Iterator
from enum import Enum

from mcnode.quorum.compiled import CompiledSystem
from mcnode.quorum.model import FederatedNode, FederatedSystem, Form, Grouping, with_self
from mcnode.scp.quorum_set import DEPTH_MAX, NODES_MAX, QuorumSet

USUAL_DEPTH = 2
"""Organisations, and their nodes: what a person can still check by eye."""


class Severity(Enum):
    """How bad it is."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know: a short name for scripts, where it is, what it is, what to do."""

    severity: Severity
    code: str
    place: str
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.severity.value}: {self.place}: {self.message}. {self.remedy}."


def has_errors(findings: Iterable[Finding]) -> bool:
    """Whether any of them makes a set unusable."""
    return any(finding.severity is Severity.ERROR for finding in findings)


def lint_system(system: FederatedSystem) -> list[Finding]:
    """Every node's set, then what only the whole shows; sets that were assumed are left out."""
    findings: list[Finding] = []
    for node in system:
        if not node.is_assumed:
            findings += lint_node(system, node)
    findings += _whole_system(system)
    return findings


def lint_node(system: FederatedSystem, node: FederatedNode) -> list[Finding]:
    """What can be said about one node's set."""
    quorum_set = node.quorum_set
    if quorum_set is None:
        return []
    findings = [
        *_levels(quorum_set, node, "", 1),
        *_repetitions(quorum_set, node),
        *_size(quorum_set, node),
        *_own_id(system, quorum_set, node),
        *_unknown(system, quorum_set, node),
    ]
    if not has_errors(findings):
        findings += _majority(quorum_set, node)
        findings += _single_nodes(system, quorum_set, node)
        findings += _groups(system, quorum_set, node)
    return findings


def _finding(severity: Severity, code: str, node: FederatedNode, path: str, *said: str) -> Finding:
    place = f"{node.label}, member {path}" if path else node.label
    return Finding(severity, code, place, *said)


# -- one set by itself -----------------------------------------------------------------------------


def _levels(
    quorum_set: QuorumSet[str], node: FederatedNode, path: str, depth: int
) -> Iterator[Finding]:
    """Thresholds and absent members, level by level; `path` counts members from 1: `2.1`."""
    threshold, count = quorum_set.threshold, len(quorum_set.members)
    if threshold > count:
        yield _finding(
            Severity.ERROR,
            "threshold-above-members",
            node,
            path,
            f"asks for {threshold} of {count} members, which can never be",
            f"Set the threshold to at most {count}",
        )
    elif threshold == 0 and (count or path):
        yield _finding(
            Severity.ERROR,
            "threshold-zero",
            node,
            path,
            f"has threshold 0 over {count} members: it is satisfied by nobody at all",
            "Say how many must agree, or remove it",
        )
    elif path and 2 * threshold <= count:
        yield from _weak_inner(quorum_set, node, path)
    if depth == DEPTH_MAX + 1:
        yield _finding(
            Severity.ERROR,
            "too-deep",
            node,
            path,
            f"is more than {DEPTH_MAX} levels deep, which peers refuse",
            "Flatten it: organisations, and in them their nodes",
        )
    elif depth == USUAL_DEPTH + 1:
        yield _finding(
            Severity.NOTE,
            "deep",
            node,
            path,
            f"is at level {depth}: hard to judge by eye",
            f"Keep to {USUAL_DEPTH} levels where that is enough",
        )
    for number, member in enumerate(quorum_set.members, 1):
        at = f"{path}.{number}" if path else str(number)
        if member is None:
            yield _finding(
                Severity.ERROR,
                "absent-member",
                node,
                at,
                "is null: peers refuse the whole set",
                "Remove it",
            )
        elif isinstance(member, QuorumSet):
            yield from _levels(member, node, at, depth + 1)


def _weak_inner(quorum_set: QuorumSet[str], node: FederatedNode, path: str) -> Iterator[Finding]:
    """The inner set of the node's own organisation lacks the node itself, which counts besides."""
    threshold, count = quorum_set.threshold, len(quorum_set.members)
    asks = f"asks for {threshold} of {count}"
    if 2 * (threshold + 1) > count + 1:
        yield _finding(
            Severity.NOTE,
            "weak-inner-threshold",
            node,
            path,
            f"{asks}: enough only if these are the other nodes of the node's own organisation",
            f"If they are not, raise the threshold to {count // 2 + 1}",
        )
    else:
        yield _finding(
            Severity.WARNING,
            "weak-inner-threshold",
            node,
            path,
            f"{asks}: two halves of it can each speak for the whole",
            f"Raise the threshold to {count // 2 + 1}",
        )


def _repetitions(quorum_set: QuorumSet[str], node: FederatedNode) -> Iterator[Finding]:
    seen: set[str] = set()
    repeated: list[str] = []
    for named in quorum_set.iter_nodes():
        if named in seen and named not in repeated:
            repeated.append(named)
        seen.add(named)
    for named in repeated:
        yield _finding(
            Severity.ERROR,
            "duplicate",
            node,
            "",
            f"names {named} more than once: one node would count as several",
            "Keep it in one place",
        )


def _size(quorum_set: QuorumSet[str], node: FederatedNode) -> Iterator[Finding]:
    count = sum(1 for _ in quorum_set.iter_nodes())
    if count > NODES_MAX:
        yield _finding(
            Severity.ERROR,
            "too-large",
            node,
            "",
            f"names {count} nodes, peers accept {NODES_MAX}",
            "Remove the ones that nobody else listens to",
        )


def _own_id(
    system: FederatedSystem, quorum_set: QuorumSet[str], node: FederatedNode
) -> Iterator[Finding]:
    if node.id not in quorum_set.nodes():
        return
    if system.form is Form.NETWORK_FILES:
        yield _finding(
            Severity.ERROR,
            "own-id",
            node,
            "",
            "names the node itself; a node refuses such a network file",
            "Remove it and lower the threshold there by 1: a node always agrees with itself",
        )
    else:
        yield _finding(
            Severity.NOTE,
            "own-id",
            node,
            "",
            "names the node itself, which counts at once",
            "Nothing to do; `mcnode quorum export` leaves it out of a network file",
        )


def _unknown(
    system: FederatedSystem, quorum_set: QuorumSet[str], node: FederatedNode
) -> Iterator[Finding]:
    peers = system.peers.get(node.id)
    for named in sorted(quorum_set.nodes() - {node.id}):
        if peers is not None and named not in peers:
            yield _finding(
                Severity.ERROR,
                "unknown-member",
                node,
                "",
                f"names {named}, for which its network file has no peer URI",
                "Add the URI to broadcast_peers or known_peers, or remove the member",
            )
        elif peers is None and system.nodes[named].quorum_set is None:
            yield _finding(
                Severity.WARNING,
                "silent-member",
                node,
                "",
                f"names {system.label(named)}, whose own quorum set is not known: it counts as "
                "never answering",
                "Give its file too, or remove it if it is gone",
            )


def _majority(quorum_set: QuorumSet[str], node: FederatedNode) -> Iterator[Finding]:
    """The top level, the node itself counted: that is how peers with alike sets see it."""
    counted = with_self(quorum_set, node.id)
    threshold, count = counted.threshold, len(counted.members)
    if not count or count == 1:
        return
    shown = f"{threshold} of {count} with the node itself"
    if counted is quorum_set:
        shown = f"{threshold} of {count}"
    if 2 * threshold <= count:
        yield _finding(
            Severity.ERROR,
            "weak-threshold",
            node,
            "",
            f"asks for {shown}: two halves of the members can each go their own way",
            f"Raise the threshold by {count // 2 + 1 - threshold} at least; two thirds is usual",
        )
    elif 3 * threshold < 2 * count:
        yield _finding(
            Severity.NOTE,
            "below-two-thirds",
            node,
            "",
            f"asks for {shown}: {2 * threshold - count} lying members can split it, "
            f"{count - threshold + 1} stopped ones halt it",
            "Two thirds and more withstand as many liars as stopped nodes",
        )


# -- whom it depends on ----------------------------------------------------------------------------


def _is_satisfied(quorum_set: QuorumSet[str], present: frozenset[str]) -> bool:
    met = sum(
        _is_satisfied(m, present) if isinstance(m, QuorumSet) else m in present
        for m in quorum_set.members
    )
    return met >= quorum_set.threshold


def _single_nodes(
    system: FederatedSystem, quorum_set: QuorumSet[str], node: FederatedNode
) -> Iterator[Finding]:
    others = quorum_set.nodes() - {node.id}
    own = frozenset({node.id})
    halting = [n for n in sorted(others) if not _is_satisfied(quorum_set, (others - {n}) | own)]
    deciding = [n for n in sorted(others) if _is_satisfied(quorum_set, own | {n})]
    if halting:
        yield _finding(
            Severity.WARNING,
            "one-node-halts",
            node,
            "",
            f"stops agreeing when one of these stops: {_listed(system, halting)}",
            "Lower a threshold or add members, so that one can be restarted",
        )
    if deciding:
        yield _finding(
            Severity.WARNING,
            "one-node-decides",
            node,
            "",
            f"believes each of these alone: {_listed(system, deciding)}",
            "Raise a threshold",
        )


def _groups(
    system: FederatedSystem, quorum_set: QuorumSet[str], node: FederatedNode
) -> Iterator[Finding]:
    named = quorum_set.nodes() - {node.id}
    own = frozenset({node.id})
    for grouping in Grouping:
        if not system.has_groups(grouping):
            continue
        for name, ids in sorted(system.groups(grouping).items()):
            group = frozenset(ids) & named
            if len(group) < 2 or node.id in ids:
                continue  # one node: said already; its own group: it would stop with it
            if not _is_satisfied(quorum_set, (named - group) | own):
                yield _finding(
                    Severity.WARNING,
                    f"{grouping.value}-halts",
                    node,
                    "",
                    f"stops agreeing when {grouping.value} {name} ({len(group)} nodes) stops",
                    "Put its nodes into one inner set and ask for enough other members",
                )
            if _is_satisfied(quorum_set, group | own):
                yield _finding(
                    Severity.WARNING,
                    f"{grouping.value}-decides",
                    node,
                    "",
                    f"believes {grouping.value} {name} ({len(group)} nodes) alone",
                    "Raise the threshold, or put its nodes into one inner set",
                )


def _listed(system: FederatedSystem, ids: list[str]) -> str:
    names = ", ".join(system.label(each) for each in ids[:5])
    return names if len(ids) <= 5 else f"{names} and {len(ids) - 5} more"


# -- the whole -------------------------------------------------------------------------------------


def _whole_system(system: FederatedSystem) -> Iterator[Finding]:
    compiled = CompiledSystem(system)
    able = set(compiled.names(compiled.greatest_quorum(compiled.everybody)))
    named = {m for node in system if node.quorum_set for m in node.quorum_set.nodes() - {node.id}}
    for node in system:
        if node.quorum_set is not None and node.id not in able and not node.is_assumed:
            yield _finding(
                Severity.ERROR,
                "never-agrees",
                node,
                "",
                "can never agree: its set is not satisfied even when every known node works",
                "Lower its threshold, or give the files of the members that are not known",
            )
        if node.id not in named and len(system) > 1 and not node.is_assumed:
            yield _finding(
                Severity.NOTE,
                "unheard",
                node,
                "",
                "is in nobody's quorum set: it follows, it does not decide",
                "Ask others to list it if it is meant to decide",
            )
