"""The mapping file: who runs a node, on which host, in which country. [docs/quorum.md#2]

Two forms, which one file may mix; JSON or TOML::

    [nodes."node1.example.com:8443"]        [[organisations]]
    name = "A one"                          name = "A"
    organisation = "A"                      country = "DE"
    country = "DE"                          nodes = ["node1.example.com:8443"]

Node names are ids, or names that are known already, or the only beginning of an id.
"""

import dataclasses
from typing import Any

from mcnode.quorum.errors import UnknownNode
from mcnode.quorum.model import FederatedNode, FederatedSystem
from mcnode.quorum.reader import items, optional_text, parse_document, table, text_of

_NODE_KEYS = ("name", "organisation", "host", "country")
_ALIASES = {"organization": "organisation", "operator": "organisation"}


def is_mapping(document: Any) -> bool:
    """Whether a document looks like a mapping file."""
    return isinstance(document, dict) and bool({"nodes", "organisations"} & document.keys())


def apply_mapping(system: FederatedSystem, text: str, place: str) -> FederatedSystem:
    """The system with what the mapping says about its nodes.

    Raises:
        SystemFormatError: the mapping is damaged.
        UnknownNode: it names a node that is not there.
    """
    document = table(parse_document(text, place), place)
    facts: dict[str, dict[str, str]] = {}
    for number, value in enumerate(items(document.get("organisations", []), "organisations")):
        _read_organisation(system, value, f"{place}: organisations[{number}]", facts)
    for named, value in table(document.get("nodes", {}), f"{place}: nodes").items():
        at = f"{place}: nodes.{named}"
        own = facts.setdefault(_find(system, named, at).id, {})
        for written, each in table(value, at).items():
            key = _ALIASES.get(written, written)
            found = optional_text(each, f"{at}.{key}") if key in _NODE_KEYS else None
            if found is not None:
                own[key] = found
    return system.with_nodes(_with_facts(node, facts.get(node.id, {})) for node in system)


def _read_organisation(
    system: FederatedSystem, value: Any, place: str, facts: dict[str, dict[str, str]]
) -> None:
    found = table(value, place)
    shared = {"organisation": text_of(found.get("name"), f"{place}.name")}
    for key in ("host", "country"):
        text = optional_text(found.get(key), f"{place}.{key}")
        if text is not None:
            shared[key] = text
    for number, named in enumerate(items(found.get("nodes", []), f"{place}.nodes")):
        at = f"{place}.nodes[{number}]"
        facts.setdefault(_find(system, text_of(named, at), at).id, {}).update(shared)


def _find(system: FederatedSystem, named: str, place: str) -> FederatedNode:
    try:
        return system.find(named)
    except UnknownNode as error:
        raise UnknownNode(f"{place}: {error}") from error


def _with_facts(node: FederatedNode, facts: dict[str, str]) -> FederatedNode:
    return dataclasses.replace(
        node,
        name=facts.get("name", node.name),
        organisation=facts.get("organisation", node.organisation),
        host=facts.get("host", node.host),
        country=facts.get("country", node.country),
    )
