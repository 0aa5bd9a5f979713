"""What is read, from what, and what is refused with which words."""

import json
import tomllib

import pytest

from mcnode.quorum.errors import SystemFormatError, UnknownNode
from mcnode.quorum.export import network_file, stellarbeat_list, to_json, to_toml
from mcnode.quorum.mapping import apply_mapping
from mcnode.quorum.model import Form, Grouping, with_self, without_self
from mcnode.quorum.sources import THIS_NODE, SourceText, read_system, responder_id_of
from mcnode.scp import QuorumSet


def network(threshold, members, peers=None, key="broadcast_peers"):
    peers = members if peers is None else peers
    return {
        key: [f"insecure-mcp://{peer}/?consensus-msg-key=x" for peer in peers],
        "tx_source_urls": ["file:///archive/"],
        "quorum_set": {
            "threshold": threshold,
            "members": [{"type": "Node", "args": member} for member in members],
        },
    }


def read(*documents, assume="same", owners=()):
    owners = list(owners) or [None] * len(documents)
    texts = [
        SourceText(each if isinstance(each, str) else json.dumps(each), f"file{n}", owner)
        for n, (each, owner) in enumerate(zip(documents, owners, strict=True))
    ]
    return read_system(texts, assume)


def test_one_view_assumes_that_the_others_ask_for_the_same():
    system = read(network(3, ["b:1", "c:1", "d:1", "e:1"]))
    assert list(system.nodes) == [THIS_NODE, "b:1", "c:1", "d:1", "e:1"]
    assert system.nodes["c:1"].quorum_set == QuorumSet(3, (THIS_NODE, "b:1", "d:1", "e:1"))
    assert [node.id for node in system if node.is_assumed] == ["b:1", "c:1", "d:1", "e:1"]
    assert "one node's view" in system.notes[0]


def test_one_view_without_assuming():
    system = read(network(1, ["b:1", "c:1"]), assume="none")
    assert system.nodes["b:1"].quorum_set is None
    assert "counted as never answering: b:1, c:1" in system.notes[0]


def test_several_files_tell_whose_they_are():
    ids = ["a:1", "b:1", "c:1"]
    documents = [network(1, [other for other in ids if other != own]) for own in ids]
    system = read(*documents)
    assert system.nodes["b:1"].quorum_set == QuorumSet(1, ("a:1", "c:1"))
    assert not system.notes
    assert system.peers["a:1"] == {"b:1", "c:1"}


def test_files_that_do_not_tell_whose_they_are():
    with pytest.raises(SystemFormatError, match="write it as host:port=FILE"):
        read(network(1, ["b:1"]), network(1, ["b:1"]))
    system = read(network(1, ["b:1"]), network(1, ["c:1"]), owners=["a:1", "b:1"])
    assert list(system.nodes) == ["a:1", "b:1", "c:1"]
    with pytest.raises(SystemFormatError, match="another file is of a:1 too"):
        read(network(1, ["b:1"]), network(1, ["c:1"]), owners=["a:1", "a:1"])


def test_what_a_node_tells():
    info = {
        "config": {"peer_responder_id": "a:1"},
        "network": network(1, ["b:1", "c:1"]),
        "status": {},
        "quorum": {
            "announced": [
                {"responder_id": "b:1", "quorum_set": network(1, ["a:1"])["quorum_set"]},
                {"responder_id": "a:1", "quorum_set": network(1, ["z:1"])["quorum_set"]},
            ]
        },
    }
    for document in (info, {"name": "Consensus Service", "config": info}):
        system = read(document, assume="none")
        assert system.nodes["a:1"].quorum_set == QuorumSet(1, ("b:1", "c:1"))
        assert system.nodes["b:1"].quorum_set == QuorumSet(1, ("a:1",))
        assert system.nodes["c:1"].quorum_set is None
        assert list(system.nodes) == ["a:1", "b:1", "c:1"]
    assumed = read(info)
    assert assumed.nodes["c:1"].quorum_set == QuorumSet(1, ("a:1", "b:1"))
    assert assumed.notes == (
        "2 sets are known; assumed to ask for what most of these ask for: c:1",
    )


def test_toml_and_nested_sets_with_identities():
    text = """
        broadcast_peers = ["mcp://b.example/?responder-id=b:9"]
        tx_source_urls = []
        known_peers = ["insecure-mcp://c.example"]
        [quorum_set]
        threshold = 1
        [[quorum_set.members]]
        type = "InnerSet"
        args = {threshold = 1, members = [
            {type = "Node", args = {responder_id = "b:9", public_key = "00"}}]}
    """
    system = read(text)
    assert system.peers[THIS_NODE] == {"b:9", "c.example:8080"}
    assert system.nodes[THIS_NODE].quorum_set == QuorumSet(1, (QuorumSet(1, ("b:9",)),))


def test_stellarbeat():
    nodes = [
        {
            "publicKey": "GA",
            "name": "one",
            "quorumSet": {
                "threshold": 2,
                "validators": ["GA"],
                "innerQuorumSets": [{"threshold": 1, "validators": ["GB", "GC"]}],
            },
            "organizationId": "org",
            "geoData": {"countryName": "Norway"},
        },
        {"publicKey": "GB", "quorumSet": None},
    ]
    for document in (nodes, {"nodes": nodes}):
        system = read(document)
        assert system.form is Form.STELLARBEAT
        assert system.nodes["GA"].quorum_set == QuorumSet(2, ("GA", QuorumSet(1, ("GB", "GC"))))
        assert system.nodes["GA"].country == "Norway"
        assert list(system.nodes) == ["GA", "GB", "GC"]
    again = read(stellarbeat_list(system))
    assert again.nodes == system.nodes


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("[1", "neither JSON nor TOML"),
        ("{", "neither JSON nor TOML"),
        ("a b", "neither JSON nor TOML"),
        ({}, "no network file, no info of a node, no list"),
        ({"nodes": {"a:1": {}}}, "give a mapping file with --mapping"),
        ([], "a list without nodes"),
        ([{"publicKey": "a"}, 1], r"\[1\]: int where a table is expected"),
        ([{"publicKey": ""}], "publicKey: str where a text is expected"),
        ([{"publicKey": "a"}, {"publicKey": "a"}], "a is listed twice"),
        ([{"publicKey": "a", "quorumSet": {"threshold": -1}}], "-1 is no threshold"),
        ([{"publicKey": "a", "quorumSet": {"threshold": True}}], "True is no threshold"),
        ({"quorum_set": {"threshold": 1}}, "members: NoneType where a list"),
        ({"quorum_set": {"threshold": 1, "members": [{"type": "X"}]}}, "type is 'X'"),
        (network(1, ["b:1"], ["b:1:2:3"]), "is no peer URI"),
        ({**network(1, ["b:1"]), "broadcast_peers": ["mc://b/"]}, "is no peer URI"),
    ],
)
def test_refused(document, reason):
    with pytest.raises(SystemFormatError, match=reason):
        read(document)


def test_refused_together_and_without_end():
    with pytest.raises(SystemFormatError, match="cannot be combined"):
        read(network(1, ["b:1"]), [{"publicKey": "a"}])
    with pytest.raises(SystemFormatError, match="no file"):
        read()
    nested = {"threshold": 1, "members": []}
    for _ in range(40):
        nested = {"threshold": 1, "members": [{"type": "InnerSet", "args": nested}]}
    with pytest.raises(SystemFormatError, match="more than 32 levels"):
        read({"quorum_set": nested})
    flat = {"threshold": 1}
    for _ in range(40):
        flat = {"threshold": 1, "innerQuorumSets": [flat]}
    with pytest.raises(SystemFormatError, match="more than 32 levels"):
        read([{"publicKey": "a", "quorumSet": flat}])
    with pytest.raises(UnknownNode, match="limit 2000"):
        read(network(1, [f"n{number}:1" for number in range(2000)]))


def test_ports_of_peer_uris():
    assert responder_id_of("mcp://a/", "x") == "a:8443"
    assert responder_id_of("insecure-mcp://a:5/?responder-id=b:6", "x") == "b:6"


def test_own_node_in_and_out():
    """Adding a node to its own set and taking it out again says the same all the way."""
    others = QuorumSet(7, tuple("abcdefghi"))
    assert with_self(others, "z") == QuorumSet(8, tuple("abcdefghiz"))
    assert without_self(with_self(others, "z"), "z") == others
    nested = QuorumSet(2, (QuorumSet(1, ("z", "a")), QuorumSet(2, ("z", "b")), "c"))
    assert without_self(nested, "z") == QuorumSet(1, (QuorumSet(1, ("b",)), "c"))
    assert with_self(nested, "z") is nested


# -- mapping ---------------------------------------------------------------------------------------


def test_mapping(ten):
    text = """
        [[organisations]]
        name = "North"
        country = "NO"
        nodes = ["A1", "node2.example:8443"]
        [nodes.node3]
        operator = "South"
        host = "h"
        name = "third"
    """
    system = apply_mapping(ten, text, "map")
    assert system.find("A1").country == "NO"
    assert system.find("A2").organisation == "North"
    third = system.find("third")
    assert (third.id, third.organisation, third.host) == ("node3.example:8443", "South", "h")
    assert system.groups(Grouping.ORGANISATION)["North"] == list(ten.nodes)[:2]
    assert Grouping.ORGANISATION in system.groupings()


@pytest.mark.parametrize(
    ("text", "error", "reason"),
    [
        ('{"nodes": {"nobody": {}}}', UnknownNode, "no node nobody"),
        ('{"nodes": {"node1": {}}}', UnknownNode, "fits 2 nodes"),
        ('{"organisations": [{}]}', SystemFormatError, r"organisations\[0\].name"),
        ('{"nodes": []}', SystemFormatError, "list where a table"),
    ],
)
def test_mapping_refused(ten, text, error, reason):
    with pytest.raises(error, match=reason):
        apply_mapping(ten, text, "map")


# -- export ----------------------------------------------------------------------------------------


def test_network_files_in_both_forms_say_the_same(ten):
    base = {**network(1, ["x:1"]), "known_peers": None}
    document = network_file(ten.find("A1"), base)
    assert document["broadcast_peers"] == base["broadcast_peers"]
    assert json.loads(to_json(document)) == document
    del document["known_peers"]
    assert tomllib.loads(to_toml(document)) == document
    again = read(to_toml(document), owners=[ten.find("A1").id])
    assert again.find(ten.find("A1").id).quorum_set == ten.find("A1").quorum_set


def test_odd_texts_survive_toml():
    document = {
        "a key": ['quote " and \\ and \x7f and \u00e9\U0001f600'],
        "n": {"deep": [{"x": 1}]},
    }
    assert tomllib.loads(to_toml(document)) == document


def test_what_cannot_be_exported(ten):
    system = read([{"publicKey": "a"}])
    with pytest.raises(SystemFormatError, match="quorum set of a is not known"):
        network_file(system.nodes["a"])
    absent = read({"quorum_set": {"threshold": 1, "members": [None]}})
    with pytest.raises(SystemFormatError, match="absent member"):
        stellarbeat_list(absent)
    with pytest.raises(SystemFormatError, match="TOML cannot say None"):
        to_toml(network_file(absent.nodes[THIS_NODE]))
