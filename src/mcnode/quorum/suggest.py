"""A quorum set from a list of organisations. [docs/quorum.md#9]

The rules, which the answer repeats with its numbers:

* An organisation speaks through more than half of its nodes: one of three may be down, and two
  halves cannot say two things.
* Organisations of one tier: all but a third, that is n - floor((n - 1) / 3) of n, so that as many
  may lie or stop as can be withstood at all. Tier `critical`: all of them.
* Tiers are nested: critical, high, medium, low; the set of a lower tier is one member of the next
  higher one, so that any number of small organisations weighs as much as one large one.

The file, JSON or TOML::

    [[organisations]]
    name = "A"
    tier = "high"            # critical, high (default), medium, low
    nodes = ["node1.a.example:443", "node2.a.example:443", "node3.a.example:443"]
"""

import dataclasses
from collections.abc import Sequence
from enum import Enum

from mcnode.quorum.errors import SuggestionError
from mcnode.quorum.model import (
    FederatedNode,
    FederatedSystem,
    Form,
    Grouping,
    complete,
    host_of,
    without_self,
)
from mcnode.quorum.reader import items, optional_text, parse_document, table, text_of
from mcnode.scp.quorum_set import QuorumSet

USUAL_NODES = 3
"""With fewer an organisation cannot restart one node and still speak."""


class Tier(Enum):
    """How much an organisation counts, the most first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclasses.dataclass(frozen=True, slots=True)
class Organisation:
    """Who runs which nodes."""

    name: str
    nodes: tuple[str, ...]
    tier: Tier = Tier.HIGH
    country: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Suggestion:
    """A set that names every node, and why it is as it is."""

    organisations: tuple[Organisation, ...]
    quorum_set: QuorumSet[str]
    reasons: tuple[str, ...]

    def for_node(self, node_id: str) -> QuorumSet[str]:
        """The set for one node's file, which does not name that node."""
        return without_self(self.quorum_set, node_id)

    def system(self) -> FederatedSystem:
        """The network in which everybody takes the suggestion."""
        nodes = [
            FederatedNode(node, self.for_node(node), "", each.name, host_of(node), each.country)
            for each in self.organisations
            for node in each.nodes
        ]
        return FederatedSystem(complete(nodes), Form.NETWORK_FILES)


def read_organisations(text: str, place: str) -> list[Organisation]:
    """The organisations of a file.

    Raises:
        SystemFormatError: the file is damaged.
        SuggestionError: it names a tier that is none.
    """
    found = []
    document = table(parse_document(text, place), place)
    for number, value in enumerate(items(document.get("organisations"), f"{place}: organisations")):
        at = f"{place}: organisations[{number}]"
        fields = table(value, at)
        name = text_of(fields.get("name"), f"{at}.name")
        tier = optional_text(fields.get("tier"), f"{at}.tier") or Tier.HIGH.value
        if tier not in {each.value for each in Tier}:
            known = ", ".join(each.value for each in Tier)
            raise SuggestionError(f"{at}: tier is {tier}, must be one of {known}")
        nodes = items(fields.get("nodes"), f"{at}.nodes")
        found.append(
            Organisation(
                name,
                tuple(text_of(node, f"{at}.nodes[{n}]") for n, node in enumerate(nodes)),
                Tier(tier),
                optional_text(fields.get("country"), f"{at}.country"),
            )
        )
    return found


def organisations_of(system: FederatedSystem) -> list[Organisation]:
    """The organisations of a system, all of tier high.

    Raises:
        SuggestionError: the mapping of nodes to organisations is not known.
    """
    if not system.has_groups(Grouping.ORGANISATION):
        raise SuggestionError("no node has an organisation: give a mapping file with --mapping")
    return [
        Organisation(name, tuple(ids)) for name, ids in system.groups(Grouping.ORGANISATION).items()
    ]


def suggest(organisations: Sequence[Organisation]) -> Suggestion:
    """Make the set.

    Raises:
        SuggestionError: there is no organisation, one without nodes, or a node of two.
    """
    _check(organisations)
    reasons: list[str] = []
    below: str | QuorumSet[str] | None = None
    for tier in reversed(Tier):
        members = [_inner(each, reasons) for each in organisations if each.tier is tier]
        if not members:
            continue
        if below is not None:
            members.append(below)
        if len(members) == 1:
            (below,) = members
            reasons.append(f"tier {tier.value}: one organisation, which speaks for the tier")
            continue
        count = len(members)
        threshold = count if tier is Tier.CRITICAL else count - (count - 1) // 3
        below = QuorumSet(threshold, tuple(members))
        reasons.append(_tier_reason(tier, threshold, count))
    assert below is not None
    made = below if isinstance(below, QuorumSet) else QuorumSet(1, (below,))
    return Suggestion(tuple(organisations), made, tuple(reasons))


def _check(organisations: Sequence[Organisation]) -> None:
    if not organisations:
        raise SuggestionError("no organisation to make a quorum set from")
    owners: dict[str, str] = {}
    for each in organisations:
        if not each.nodes:
            raise SuggestionError(f"organisation {each.name} has no nodes")
        for node in each.nodes:
            if node in owners:
                raise SuggestionError(f"{node} is of {owners[node]} and of {each.name}")
            owners[node] = each.name


def _inner(each: Organisation, reasons: list[str]) -> str | QuorumSet[str]:
    count = len(each.nodes)
    threshold = count // 2 + 1
    text = f"{each.name}: {threshold} of its {count} nodes"
    if count < USUAL_NODES:
        text += f"; fewer than {USUAL_NODES}: it is silent whenever one of its nodes is down"
    else:
        text += f"; {count - threshold} may be down"
    reasons.append(text)
    return each.nodes[0] if count == 1 else QuorumSet(threshold, each.nodes)


def _tier_reason(tier: Tier, threshold: int, count: int) -> str:
    text = f"tier {tier.value}: {threshold} of {count}"
    if tier is Tier.CRITICAL:
        return f"{text}: each of them must agree, and each of them alone can halt the network"
    withstood = count - threshold
    text += f", all but a third: {withstood} may lie or be down"
    if not withstood:
        text += " (4 are the fewest that withstand one)"
    return text
