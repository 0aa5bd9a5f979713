"""A system as a stellarbeat list, as network files, as JSON and TOML texts. [docs/quorum.md#1]"""

import json
from collections.abc import Mapping
from typing import Any

from mcnode.quorum.errors import SystemFormatError
from mcnode.quorum.model import FederatedNode, FederatedSystem
from mcnode.scp.quorum_set import QuorumSet


def network_set(quorum_set: QuorumSet[str]) -> dict[str, Any]:
    """The form of network files. [docs/protocol/service.md#4]"""
    members: list[dict[str, Any] | None] = []
    for member in quorum_set.members:
        if isinstance(member, QuorumSet):
            members.append({"type": "InnerSet", "args": network_set(member)})
        else:
            members.append(None if member is None else {"type": "Node", "args": member})
    return {"threshold": quorum_set.threshold, "members": members}


def stellarbeat_set(quorum_set: QuorumSet[str]) -> dict[str, Any]:
    """The form of stellarbeat lists: nodes first, then inner sets.

    Raises:
        SystemFormatError: a member is absent, which that form cannot say.
    """
    if any(member is None for member in quorum_set.members):
        raise SystemFormatError("a quorum set has an absent member: remove it first")
    return {
        "threshold": quorum_set.threshold,
        "validators": [m for m in quorum_set.members if isinstance(m, str)],
        "innerQuorumSets": [
            stellarbeat_set(m) for m in quorum_set.members if isinstance(m, QuorumSet)
        ],
    }


def stellarbeat_list(system: FederatedSystem) -> list[dict[str, Any]]:
    """Every node of the system."""
    return [_stellarbeat_node(node) for node in system]


def _stellarbeat_node(node: FederatedNode) -> dict[str, Any]:
    made: dict[str, Any] = {"publicKey": node.id}
    if node.name:
        made["name"] = node.name
    if node.quorum_set is not None:
        made["quorumSet"] = stellarbeat_set(node.quorum_set)
    facts = {"organizationId": node.organisation, "host": node.host}
    made |= {key: value for key, value in facts.items() if value is not None}
    if node.country is not None:
        made["geoData"] = {"countryName": node.country}
    return made


def network_file(node: FederatedNode, base: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A network file with the node's quorum set.

    `base` is an existing file whose peers and archives are kept. Without it the lists are empty:
    keys and archives of peers are not part of a system, and the operator has to add them.

    Raises:
        SystemFormatError: the node's quorum set is not known.
    """
    if node.quorum_set is None:
        raise SystemFormatError(f"the quorum set of {node.label} is not known")
    made: dict[str, Any] = {"broadcast_peers": [], "tx_source_urls": []}
    made |= dict(base or {})
    made["quorum_set"] = network_set(node.quorum_set)
    return made


def to_json(value: Any) -> str:
    """Indented JSON with a line end."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def to_toml(document: Mapping[str, Any]) -> str:
    """TOML of a table of texts, numbers, lists and tables, which is what network files hold.

    Raises:
        SystemFormatError: a value that TOML has no form for.
    """
    lines = [
        f"{_toml_key(key)} = {_toml(value, 0)}"
        for key, value in document.items()
        if value is not None
    ]
    return "\n".join(lines) + "\n"


def _toml(value: Any, indent: int) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case str():
            # a JSON text is a TOML basic string, but for one character
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case list():
            return _toml_list(value, indent)
        case dict():
            inside = ", ".join(
                f"{_toml_key(key)} = {_toml(each, indent)}" for key, each in value.items()
            )
            return f"{{ {inside} }}"
        case _:
            raise SystemFormatError(f"TOML cannot say {value!r}: remove the absent member first")


def _toml_list(values: list[Any], indent: int) -> str:
    """One element a line: in lists line ends are allowed, even within an inline table."""
    if not values:
        return "[]"
    margin = "  " * (indent + 1)
    lines = "".join(f"{margin}{_toml(each, indent + 1)},\n" for each in values)
    return f"[\n{lines}{'  ' * indent}]"


def _toml_key(key: str) -> str:
    plain = key.isascii() and key.replace("_", "").replace("-", "").isalnum()
    return key if plain else json.dumps(key, ensure_ascii=False)
