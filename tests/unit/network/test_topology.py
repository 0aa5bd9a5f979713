"""Who knows and trusts whom, as the table of the protocol page has it, down to the nodes' files."""

import json

import pytest

from mcnode.cli.network import TOPOLOGY_NAMES
from mcnode.connection.uri import CLIENT, PEER, parse_uri
from mcnode.consensus.config.network_file import load_network
from mcnode.crypto.keys import Ed25519Private
from mcnode.network.plan import load_plan, make_plan
from mcnode.network.ports import NodePorts
from mcnode.network.topology import TOPOLOGIES, UnknownTopology, topology
from mcnode.scp import NodeID

# name: {node: (peers it pushes to, peers it does not, threshold, members)}
ALL5 = ["0", "1", "2", "3", "4"]
TABLE = {
    "dense5": {
        own: ({o for o in ALL5 if o != own}, set(), 3, {o for o in ALL5 if o != own})
        for own in ALL5
    },
    "dense3": {
        "0": ({"1", "2"}, set(), 1, {"1", "2"}),
        "1": ({"0", "2"}, set(), 1, {"0", "2"}),
        "2": ({"0", "1"}, set(), 1, {"0", "1"}),
    },
    "a-b-c": {
        "a": ({"b"}, set(), 2, {"b", "c"}),
        "b": ({"a", "c"}, set(), 2, {"a", "c"}),
        "c": ({"b"}, set(), 2, {"a", "b"}),
    },
    "ring5": {
        "1": ({"5", "2"}, set(), 1, {"2"}),
        "2": ({"1", "3"}, set(), 1, {"3"}),
        "3": ({"2", "4"}, set(), 1, {"4"}),
        "4": ({"3", "5"}, set(), 1, {"5"}),
        "5": ({"4", "1"}, set(), 1, {"1"}),
    },
    "ring5b": {
        "1": ({"2"}, {"5"}, 1, {"2"}),
        "2": ({"3"}, {"1"}, 1, {"3"}),
        "3": ({"4"}, {"2"}, 1, {"4"}),
        "4": ({"5"}, {"3"}, 1, {"5"}),
        "5": ({"1"}, {"4"}, 1, {"1"}),
    },
}


def test_all_shapes_are_there_and_offered() -> None:
    assert set(TOPOLOGIES) == set(TABLE) == set(TOPOLOGY_NAMES)
    with pytest.raises(UnknownTopology, match="unknown topology: star; choose one of dense5"):
        topology("star")


@pytest.mark.parametrize("name", TABLE)
def test_shapes_are_those_of_the_table(name) -> None:
    shape = topology(name)
    assert shape.node_names == tuple(TABLE[name])
    found = {
        node.name: (
            {peer for peer, pushes in node.peers.items() if pushes},
            {peer for peer, pushes in node.peers.items() if not pushes},
            node.threshold,
            set(node.members),
        )
        for node in shape.nodes
    }
    assert found == TABLE[name]


def plan_of(name: str, directory):
    shape = topology(name)
    ports = [NodePorts(3200 + n, 3300 + n, 3400 + n, 3500 + n) for n in range(len(shape.nodes))]
    signers = [Ed25519Private(bytes([n + 1]) * 32) for n in range(len(shape.nodes))]
    return make_plan(directory, shape, ports, signers, chain_id="local", block_version=4)


@pytest.mark.parametrize("name", TABLE)
def test_every_node_can_read_its_network_file(name, tmp_path) -> None:
    plan = plan_of(name, tmp_path)
    ids = {
        node.name: (node.peer_responder_id, node.signer.public_key().to_bytes())
        for node in plan.nodes
    }
    for node in plan.nodes:
        path = tmp_path / f"{node.name}.json"
        path.write_text(json.dumps(plan.network_file(node)))
        config = load_network(path, node.peer_responder_id)
        pushed, not_pushed, threshold, members = TABLE[name][node.name]

        by_id = {uri.responder_id: uri for uri in config.broadcast_peers}
        assert set(by_id) == {ids[peer][0] for peer in pushed | not_pushed}
        for peer in pushed | not_pushed:
            uri = by_id[ids[peer][0]]
            assert uri.broadcasts_consensus_msgs is (peer in pushed)
            assert uri.consensus_msg_key().to_bytes() == ids[peer][1]
        others = set(ids) - {node.name} - pushed - not_pushed
        assert {uri.responder_id for uri in config.known_peers} == {ids[o][0] for o in others}

        resolved = config.resolve_quorum_set(NodeID(*ids[node.name]))
        assert resolved.threshold == threshold
        assert {(m.responder_id, m.public_key) for m in resolved.members} == {
            ids[member] for member in members
        }
        assert list(config.archive_urls) == [
            plan.node(peer).archive_url for peer in node.plan.peers
        ]


def test_a_plan_is_kept_for_its_owner_only_and_found_again(tmp_path) -> None:
    plan = plan_of("ring5b", tmp_path)
    plan.save()
    assert (tmp_path / "network.json").stat().st_mode & 0o777 == 0o600
    assert load_plan(tmp_path) == plan


def test_ports_and_names_are_the_usual_ones(tmp_path) -> None:
    node = plan_of("a-b-c", tmp_path).node("b")
    assert node.client_responder_id == "localhost:3201"
    assert node.peer_responder_id == "localhost:3301"
    assert parse_uri(node.client_uri, CLIENT).addr == "localhost:3201"
    assert node.admin_uri == "insecure-mca://localhost:3401/"
    assert parse_uri(node.peer_uri(pushes=False), PEER).addr == "localhost:3301"
    assert node.archive_url == f"file://{tmp_path.resolve()}/node-b/archive/"
    assert node.ledger_path == tmp_path.resolve() / "node-b" / "ledger"
