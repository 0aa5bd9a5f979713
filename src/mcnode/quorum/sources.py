"""From files to a federated system; the form of each is told by its content. [docs/quorum.md#1]

    network file          {"quorum_set": …, "broadcast_peers": […]}      one node's view
    what a node tells     {"config": …, "network": …, "status": …}       one node's view, its id
                          (GetInfo's config_json, /info), or the sets it has heard of besides
    stellarbeat list      [{"publicKey": …, "quorumSet": …}, …]          many nodes

Several of the first two kinds, one per node, make one system. A network file does not say whose it
is: the caller names the node, or it is the only node that the other files know and this one does
not. Nodes whose set nobody told are assumed to ask for what most of the known ones ask for (a note
says so), since that is how this network's operators configure their nodes.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from mcnode.quorum.errors import SystemFormatError
from mcnode.quorum.mapping import is_mapping
from mcnode.quorum.model import (
    FederatedNode,
    FederatedSystem,
    Form,
    complete,
    host_of,
    most_usual_set,
    without_self,
)
from mcnode.quorum.reader import (
    items,
    network_quorum_set,
    optional_text,
    parse_document,
    stellarbeat_quorum_set,
    table,
    text_of,
)
from mcnode.scp.quorum_set import QuorumSet

THIS_NODE = "(this node)"
"""Stands for the owner of a single network file that nobody named."""

DEFAULT_PORTS = {"mcp": 8443, "insecure-mcp": 8080}
"""Of the two schemes of peer URIs. [docs/protocol/service.md#7.1]"""

Assume = Literal["same", "none"]
"""What nodes ask for whose quorum set nobody told: the same as those that are known, or nothing."""


@dataclasses.dataclass(frozen=True, slots=True)
class SourceText:
    """One file's text; `owner` is the node whose view it is, if the caller knows."""

    text: str
    place: str
    owner: str | None = None


@dataclasses.dataclass(slots=True)
class _View:
    """What one node's file says."""

    place: str
    owner: str | None
    quorum_set: QuorumSet[str]
    peers: frozenset[str]


def read_system(texts: Sequence[SourceText], assume: Assume = "same") -> FederatedSystem:
    """The system that these files describe together.

    Raises:
        SystemFormatError: a file is of no known form or damaged, forms are mixed, or it cannot be
            told whose a network file is.
    """
    documents = [(source, parse_document(source.text, source.place)) for source in texts]
    if not documents:
        raise SystemFormatError("no file to read")
    lists = [_stellarbeat_nodes(document) for _, document in documents]
    if len(documents) == 1 and lists[0] is not None:
        source = texts[0]
        return _read_stellarbeat(lists[0], source.place)
    if any(found is not None for found in lists):
        raise SystemFormatError("a list of many nodes cannot be combined with other files")
    views: list[_View] = []
    heard: list[FederatedNode] = []
    for source, document in documents:
        views.append(_read_view(source, table(document, source.place)))
        heard += _read_heard(document, source.place)
    _find_owners(views)
    return _combine(views, heard, assume)


def _stellarbeat_nodes(document: Any) -> list[Any] | None:
    if isinstance(document, dict) and isinstance(document.get("nodes"), list):
        document = document["nodes"]
    return document if isinstance(document, list) else None


# -- stellarbeat -----------------------------------------------------------------------------------


def _read_stellarbeat(values: list[Any], place: str) -> FederatedSystem:
    nodes: dict[str, FederatedNode] = {}
    for number, value in enumerate(values):
        node = _stellarbeat_node(value, f"{place}: [{number}]")
        if node.id in nodes:
            raise SystemFormatError(f"{place}: [{number}]: {node.id} is listed twice")
        nodes[node.id] = node
    if not nodes:
        raise SystemFormatError(f"{place}: a list without nodes")
    return FederatedSystem(complete(nodes.values()), Form.STELLARBEAT)


def _stellarbeat_node(value: Any, place: str) -> FederatedNode:
    found = table(value, place)
    node_id = text_of(found.get("publicKey"), f"{place}.publicKey")
    listed = found.get("quorumSet")
    place_of_set = f"{place}.quorumSet"
    country = found.get("country")
    geo = found.get("geoData")
    if country is None and isinstance(geo, dict):
        country = geo.get("countryName") or geo.get("countryCode")
    organisation = found.get("organizationId") or found.get("organisation")
    return FederatedNode(
        node_id,
        None if listed is None else stellarbeat_quorum_set(listed, place_of_set),
        optional_text(found.get("name"), f"{place}.name") or "",
        optional_text(organisation, f"{place}.organizationId"),
        optional_text(found.get("host"), f"{place}.host") or host_of(node_id),
        optional_text(country, f"{place}.country"),
    )


# -- network files ---------------------------------------------------------------------------------


def _read_view(source: SourceText, document: dict[str, Any]) -> _View:
    """A network file, or what a node tells about itself."""
    owner = source.owner
    told = document.get("config")
    if isinstance(told, dict) and "network" in told and "network" not in document:
        document = told  # /info of the gateway: config_json is below `config`
        told = document.get("config")
    if isinstance(told, dict) and "network" in document:
        own = optional_text(told.get("peer_responder_id"), f"{source.place}: peer_responder_id")
        owner = owner or own
        document = table(document["network"], f"{source.place}: network")
    if "quorum_set" not in document:
        hint = "; give a mapping file with --mapping" if is_mapping(document) else ""
        raise SystemFormatError(
            f"{source.place}: no network file, no info of a node, no list of nodes{hint}"
        )
    place = f"{source.place}: quorum_set"
    return _View(
        source.place,
        owner,
        network_quorum_set(document["quorum_set"], place),
        frozenset(
            responder_id
            for key in ("broadcast_peers", "known_peers")
            for responder_id in _peer_ids(document.get(key), f"{source.place}: {key}")
        ),
    )


def _peer_ids(value: Any, place: str) -> list[str]:
    uris = items([] if value is None else value, place)
    return [responder_id_of(text_of(uri, f"{place}[{n}]"), place) for n, uri in enumerate(uris)]


def responder_id_of(uri: str, place: str) -> str:
    """The responder id that a peer URI stands for. [docs/protocol/service.md#7.3]

    Raises:
        SystemFormatError: the text is no peer URI.
    """
    try:
        parts = urlsplit(uri)
        given = parse_qs(parts.query).get("responder-id")
        port = parts.port or DEFAULT_PORTS.get(parts.scheme)
    except ValueError as error:
        raise SystemFormatError(f"{place}: {uri} is no peer URI: {error}") from error
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise SystemFormatError(f"{place}: {uri} is no peer URI ({' or '.join(DEFAULT_PORTS)})")
    return given[0] if given else f"{parts.hostname}:{port}"


def _read_heard(document: Any, place: str) -> list[FederatedNode]:
    """The sets that a node has heard its peers announce, as `/info` of our nodes tells them."""
    inside = document.get("config")
    if isinstance(inside, dict) and "quorum" in inside:
        document = inside
    found = document.get("quorum")
    if not isinstance(found, dict):
        return []
    heard = items(found.get("announced", []), f"{place}: quorum.announced")
    nodes = []
    for number, value in enumerate(heard):
        at = f"{place}: quorum.announced[{number}]"
        node_id = text_of(table(value, at).get("responder_id"), f"{at}.responder_id")
        quorum_set = network_quorum_set(value.get("quorum_set"), f"{at}.quorum_set")
        nodes.append(FederatedNode(node_id, quorum_set, host=host_of(node_id)))
    return nodes


def _find_owners(views: list[_View]) -> None:
    """Name the owner of each file that has none."""
    if len(views) == 1:
        views[0].owner = views[0].owner or THIS_NODE
        return
    known = {view.owner for view in views if view.owner}
    everybody = known.union(*(view.peers for view in views))
    for view in views:
        if view.owner is None:
            candidates = everybody - view.peers - known
            if len(candidates) != 1:
                raise SystemFormatError(
                    f"{view.place}: cannot tell whose file this is ({len(candidates)} nodes fit): "
                    "write it as host:port=FILE"
                )
            view.owner = candidates.pop()
    owners = [view.owner for view in views]
    for view in views:
        if owners.count(view.owner) > 1:
            raise SystemFormatError(
                f"{view.place}: another file is of {view.owner} too: write host:port=FILE"
            )


def _combine(views: list[_View], heard: list[FederatedNode], assume: Assume) -> FederatedSystem:
    owned = {}
    for view in views:
        assert view.owner is not None
        owned[view.owner] = FederatedNode(view.owner, view.quorum_set, host=host_of(view.owner))
    for node in heard:
        owned.setdefault(node.id, node)
    nodes = complete(owned.values())
    silent = [node.id for node in nodes.values() if node.quorum_set is None]
    notes = []
    if silent and assume == "same":
        shared = most_usual_set(owned.values())
        for node_id in silent:
            nodes[node_id] = dataclasses.replace(
                nodes[node_id], quorum_set=without_self(shared, node_id), is_assumed=True
            )
        notes.append(_assumption(list(owned), silent))
    elif silent:
        notes.append(
            f"quorum sets not known, counted as never answering: {', '.join(sorted(silent))}"
        )
    peers = {view.owner: view.peers for view in views if view.owner is not None}
    return FederatedSystem(nodes, Form.NETWORK_FILES, peers, tuple(notes))


def _assumption(known: list[str], silent: list[str]) -> str:
    if len(known) == 1:
        return (
            f"one node's view: the {len(silent)} others are assumed to ask for the same, with "
            f"{known[0]} as one member more; give the files of all nodes to know"
        )
    return (
        f"{len(known)} sets are known; assumed to ask for what most of these ask for: "
        f"{', '.join(sorted(silent))}"
    )
