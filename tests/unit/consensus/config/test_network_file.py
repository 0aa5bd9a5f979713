import json
from pathlib import Path
from typing import Any

import pytest

from mcnode.consensus.config.documents import parse_json, parse_toml
from mcnode.consensus.config.errors import (
    DuplicateResponderId,
    FileReadError,
    FileSyntaxError,
    KnownPeersContainOwnId,
    MissingTxSourceUrls,
    NetworkLoadError,
    PathExtension,
    QuorumSetError,
    UnrecognizedExtension,
    UnsupportedTxSource,
    UriConversion,
)
from mcnode.consensus.config.network_file import NetworkConfig, load_network, parse_network
from mcnode.crypto.keys import Ed25519Private
from mcnode.scp.quorum_set import QuorumSet
from mcnode.scp.timers import Timing
from mcnode.scp.types import NodeID

OWN = NodeID("own:1", Ed25519Private(bytes(32)).public_key().to_bytes())


def key_hex(number: int) -> str:
    return Ed25519Private(bytes([number]) * 32).public_key().to_bytes().hex()


def peer(number: int) -> str:
    return f"insecure-mcp://node{number}:8080/?consensus-msg-key={key_hex(number)}"


def node(number: int) -> dict[str, Any]:
    return {"type": "Node", "args": f"node{number}:8080"}


def inner(threshold: int, *members: Any) -> dict[str, Any]:
    return {"type": "InnerSet", "args": {"threshold": threshold, "members": list(members)}}


def content(**changes: Any) -> dict[str, Any]:
    return {
        "quorum_set": {"threshold": 2, "members": [node(1), inner(1, node(2), node(3))]},
        "broadcast_peers": [peer(1), peer(2)],
        "tx_source_urls": ["https://a/x", "file:///y/"],
        "known_peers": [peer(3)],
    } | changes


def parsed(**changes: Any) -> NetworkConfig:
    return parse_network(parse_json(json.dumps(content(**changes))))


def quorum(threshold: int, *members: Any) -> NetworkConfig:
    return parsed(quorum_set={"threshold": threshold, "members": list(members)})


def test_a_good_file() -> None:
    config = parsed(unknown_key=1)
    config.check(OWN.responder_id)
    assert config.archive_urls == ("https://a/x/", "file:///y/")
    resolved = config.resolve_quorum_set(OWN)
    one, two, three = (
        NodeID(f"node{number}:8080", bytes.fromhex(key_hex(number))) for number in (1, 2, 3)
    )
    assert resolved == QuorumSet(2, (one, QuorumSet(1, (two, three))))
    assert config.to_json() == content()
    assert list(config.to_json()) == sorted(config.to_json())


def test_a_node_alone() -> None:
    config = parse_network(
        parse_toml(
            "broadcast_peers = []\ntx_source_urls = []\n"
            "quorum_set = { threshold = 0, members = [] }\n"
        )
    )
    config.check(OWN.responder_id)
    assert config.resolve_quorum_set(OWN) == QuorumSet(0, ())
    assert config.to_json()["known_peers"] is None


@pytest.mark.parametrize(
    ("timers", "expected"),
    [
        ({}, Timing()),
        ({"nomination_ms": 250}, Timing(nomination_base_ms=250)),
        ({"nomination_ms": 50, "ballot_ms": 60_000}, Timing(50, 60_000)),
    ],
)
def test_a_network_may_have_timers_of_its_own(timers: dict[str, int], expected: Timing) -> None:
    config = parsed(timers=timers)
    assert config.timers == expected
    shown = config.to_json()
    assert shown["timers"] == {
        "nomination_ms": expected.nomination_base_ms,
        "ballot_ms": expected.ballot_base_ms,
    }
    assert list(shown) == sorted(shown)
    assert parsed().timers is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"timers": 1000}, "timers"),
        ({"timers": {"ballot_ms": "1s"}}, "timers.ballot_ms: text where a whole number"),
        (
            {"timers": {"nomination_ms": 49}},
            "timers.nomination_ms: 49 ms is not usable: give 50 to 60000, the same on every node",
        ),
        ({"timers": {"ballot_ms": 60_001}}, "timers.ballot_ms: 60001 ms is not usable"),
        ({"quorum_set": None}, "JSON: missing field `quorum_set`"),
        ({"tx_source_urls": "x"}, "JSON: tx_source_urls: text where a list is expected"),
        ({"broadcast_peers": ["http://x"]}, 'invalid value: string "http://x", expected Unknown'),
        ({"quorum_set": {"threshold": -1, "members": []}}, "quorum_set.threshold: -1 does not fit"),
        ({"quorum_set": {"threshold": True, "members": []}}, "boolean where a whole number"),
        (
            {"quorum_set": {"threshold": 1, "members": [{"type": "Ring", "args": 1}]}},
            r"quorum_set.members\[0\].type: unknown variant `Ring`",
        ),
    ],
)
def test_wrong_shapes(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(FileSyntaxError, match=message):
        parsed(**changes)


def test_deep_nesting_is_refused_not_followed() -> None:
    nested: dict[str, Any] = node(1)
    for _ in range(70):
        nested = inner(1, nested)
    with pytest.raises(FileSyntaxError, match="more than 64 nested quorum sets"):
        quorum(1, nested)
    with pytest.raises(FileSyntaxError):
        parse_json("[" * 200_000)
    with pytest.raises(FileSyntaxError):
        parse_toml("a = " + "[" * 200_000)


@pytest.mark.parametrize(
    ("changes", "own", "error", "message"),
    [
        ({}, "node2:8080", KnownPeersContainOwnId, r"our peer responder id \(node2:8080\)"),
        ({"known_peers": [peer(1)]}, "own:1", DuplicateResponderId, "configuration: node1:8080"),
        ({"tx_source_urls": []}, "own:1", MissingTxSourceUrls, "Missing tx_source_urls"),
        ({"tx_source_urls": ["ftp://x"]}, "own:1", UnsupportedTxSource, "ftp://x"),
        (
            {"broadcast_peers": ["mcp://h/?responder-id=plain"]},
            "own:1",
            UriConversion,
            "URI conversion of mcp://h:8443/: Invalid Format for plain",
        ),
    ],
)
def test_checks(changes: dict[str, Any], own: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        parsed(**changes).check(own)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (quorum(3, node(1), node(2)), "invalid quorum set: threshold is 3, members 2"),
        (quorum(1, None), "invalid quorum set: quorum set has an absent member"),
        (quorum(0, node(1)), "threshold 0 over 1 members: say how many"),
        (quorum(1, node(1), inner(0, node(2))), "threshold 0 over 1 members"),
        (quorum(1, node(9)), "Unknown responder_id node9:8080 in quorum set: add its URI"),
        (quorum(2, node(1), node(1)), "names node1:8080 twice in one set: remove one"),
        (
            quorum(1, {"type": "Node", "args": "own:1"}),
            r"names this node itself \(own:1\): remove it",
        ),
        (
            parsed(broadcast_peers=["insecure-mcp://node1:8080/", peer(2)]),
            "unable to get node_id for insecure-mcp://node1:8080/: .*: add .consensus-msg-key=",
        ),
        (
            parsed(broadcast_peers=[peer(1), peer(1).replace("node1", "node2")]),
            "node1:8080 and node2:8080 have the same consensus-msg-key",
        ),
    ],
)
def test_quorum_sets_that_cannot_work(config: NetworkConfig, message: str) -> None:
    with pytest.raises(QuorumSetError, match=message):
        config.resolve_quorum_set(OWN)


def test_a_member_with_our_own_key_is_refused() -> None:
    uri = f"insecure-mcp://node1:8080/?consensus-msg-key={OWN.public_key.hex()}"
    with pytest.raises(QuorumSetError, match="own:1 and node1:8080 have the same"):
        parsed(broadcast_peers=[uri, peer(2)]).resolve_quorum_set(OWN)


@pytest.mark.parametrize(
    ("name", "text", "cause"),
    [
        ("network", "{}", PathExtension),
        ("network.JSON", "{}", UnrecognizedExtension),
        ("network.json", "{", FileSyntaxError),
        ("network.json", '{"a": 1, "a": 2}', FileSyntaxError),
        ("network.json", None, FileReadError),
        ("network.toml", "x", FileSyntaxError),
    ],
)
def test_files(tmp_path: Path, name: str, text: str | None, cause: type[Exception]) -> None:
    path = tmp_path / name
    if text is not None:
        path.write_text(text)
    with pytest.raises(NetworkLoadError) as caught:
        load_network(path, "own:1")
    assert isinstance(caught.value.__cause__, cause)
    assert str(caught.value).startswith(f'Failed loading network configuration from "{path}": ')
