"""The network file: peers, archives and the quorum set. [docs/protocol/service.md#4]

Three steps. `parse_network` reads the shape, `NetworkConfig.check` makes the network's own checks
in its order, `NetworkConfig.resolve_quorum_set` turns responder ids into identities and refuses
sets that cannot work; each fault of the last kind says what to do. A node makes all three before
it serves, so that a bad file ends it at once.
"""

import contextlib
import dataclasses
from pathlib import Path
from typing import Any, Final

from mcnode.connection.uri import PEER, ConsensusMsgKeyError, Uri, UriError, parse_uri
from mcnode.consensus.config.documents import Document, load_document
from mcnode.consensus.config.errors import (
    ConfigError,
    DuplicateResponderId,
    KnownPeersContainOwnId,
    MissingTxSourceUrls,
    NetworkLoadError,
    QuorumSetError,
    UnsupportedTxSource,
    UriConversion,
)
from mcnode.scp.errors import InvalidQuorumSetError
from mcnode.scp.quorum_set import DEPTH_MAX, QuorumSet, check_quorum_set
from mcnode.scp.timers import Timing
from mcnode.scp.types import NodeID

TX_SOURCE_SCHEMES: Final = ("https://", "http://", "file://")

TIMER_MS_MIN: Final = 50
"""Of a base interval: a timer that ends before an answer can come back only makes more rounds."""

TIMER_MS_MAX: Final = 60_000
"""Of a base interval: each further round takes one more, so that a node away would cost hours."""

_PARSE_DEPTH_MAX: Final = 64
"""Levels of a quorum set that are read at all; the check for use is stricter."""


@dataclasses.dataclass(frozen=True, slots=True)
class NetworkConfig:
    """A network file as it was read."""

    broadcast_peers: tuple[Uri, ...]
    """Connected to, broadcast to, and whose messages are accepted."""
    tx_source_urls: tuple[str, ...]
    quorum_set: QuorumSet[str]
    known_peers: tuple[Uri, ...] | None = None
    """Only there to resolve members of the quorum set."""
    timers: Timing | None = None
    """Of nomination rounds and ballots, where the file says so: a network may have its own."""

    @property
    def peers(self) -> tuple[Uri, ...]:
        """Broadcast peers, then known ones."""
        return self.broadcast_peers + (self.known_peers or ())

    @property
    def timing(self) -> Timing:
        """How long rounds and ballots last: as the file says, or the network's own."""
        return Timing() if self.timers is None else self.timers

    @property
    def archive_urls(self) -> tuple[str, ...]:
        """The sources of blocks, each ended by `/`."""
        return tuple(url if url.endswith("/") else f"{url}/" for url in self.tx_source_urls)

    def check(self, own_responder_id: str) -> None:
        """The checks that every node of the network makes, in their order.

        Raises:
            UriConversion, KnownPeersContainOwnId, DuplicateResponderId: for each peer in turn.
            MissingTxSourceUrls: there are peers to catch up from, but no archives.
            UnsupportedTxSource: our own check.
        """
        seen: set[str] = set()
        for uri in self.peers:
            responder_id = uri.responder_id
            if ":" not in responder_id:
                raise UriConversion(uri, f"Invalid Format for {responder_id}")
            if responder_id == own_responder_id:
                raise KnownPeersContainOwnId(responder_id)
            if responder_id in seen:
                raise DuplicateResponderId(responder_id)
            seen.add(responder_id)
        if self.broadcast_peers and not self.tx_source_urls:
            raise MissingTxSourceUrls
        for url in self.tx_source_urls:
            if not url.startswith(TX_SOURCE_SCHEMES):
                raise UnsupportedTxSource(url, TX_SOURCE_SCHEMES)

    def resolve_quorum_set(self, own: NodeID) -> QuorumSet[NodeID]:
        """The quorum set over identities.

        Raises:
            QuorumSetError: the set is invalid, names a node that no peer URI describes, this node
                itself or one node twice, has a threshold of 0 over members, or a peer's URI has no
                usable key.
        """
        _check_members(self.quorum_set, own.responder_id)
        try:
            check_quorum_set(self.quorum_set)
        except InvalidQuorumSetError as error:
            raise QuorumSetError(f"invalid quorum set: {error}") from error
        identities = {}
        for uri in self.peers:
            if uri.responder_id in self.quorum_set.nodes():
                identities[uri.responder_id] = _node_id(uri)
        _check_keys(identities, own)
        return _resolve(self.quorum_set, identities)

    def message_keys(self) -> dict[str, bytes]:
        """The key (32 bytes) that each peer should sign statements with, where its URI says so."""
        keys = {}
        for uri in self.peers:
            with contextlib.suppress(ConsensusMsgKeyError):
                keys[uri.responder_id] = uri.consensus_msg_key().to_bytes()
        return keys

    def to_json(self) -> dict[str, Any]:
        """The content as it was read, for operators who ask. URIs are whole and normalised."""
        known, timers = self.known_peers, self.timers
        shown: dict[str, Any] = {
            "broadcast_peers": [uri.url for uri in self.broadcast_peers],
            "known_peers": None if known is None else [uri.url for uri in known],
            "quorum_set": _quorum_set_json(self.quorum_set),
        }
        if timers is not None:
            shown["timers"] = {
                "ballot_ms": timers.ballot_base_ms,
                "nomination_ms": timers.nomination_base_ms,
            }
        return shown | {"tx_source_urls": list(self.tx_source_urls)}


def load_network(path: Path, own_responder_id: str) -> NetworkConfig:
    """Read and check a network file.

    Raises:
        NetworkLoadError: with the cause in its text.
    """
    try:
        config = parse_network(load_document(path))
        config.check(own_responder_id)
    except ConfigError as error:
        raise NetworkLoadError(path, error) from error
    return config


def parse_network(document: Document) -> NetworkConfig:
    """A network file's content from its document.

    Raises:
        FileSyntaxError: a field is absent or of the wrong type, or a URI is no peer URI.
    """
    known, timers = document.optional("known_peers"), document.optional("timers")
    return NetworkConfig(
        broadcast_peers=tuple(map(_parse_peer, document.member("broadcast_peers").items())),
        tx_source_urls=tuple(url.text() for url in document.member("tx_source_urls").items()),
        quorum_set=_parse_quorum_set(document.member("quorum_set"), 1),
        known_peers=None if known is None else tuple(map(_parse_peer, known.items())),
        timers=None if timers is None else _parse_timers(timers),
    )


def _parse_timers(document: Document) -> Timing:
    """Base intervals in whole milliseconds; one that is left out is the network's, 1000."""
    usual = Timing()
    return Timing(
        _parse_interval(document.optional("nomination_ms"), usual.nomination_base_ms),
        _parse_interval(document.optional("ballot_ms"), usual.ballot_base_ms),
    )


def _parse_interval(document: Document | None, usual: int) -> int:
    if document is None:
        return usual
    length = document.unsigned(32)
    if not TIMER_MS_MIN <= length <= TIMER_MS_MAX:
        raise document.fault(
            f"{length} ms is not usable: give {TIMER_MS_MIN} to {TIMER_MS_MAX}, "
            "the same on every node"
        )
    return length


def _parse_peer(document: Document) -> Uri:
    text = document.text()
    try:
        return parse_uri(text, PEER)
    except UriError as error:
        raise document.fault(f'invalid value: string "{text}", expected {error}') from error


def _parse_quorum_set(document: Document, depth: int) -> QuorumSet[str]:
    if depth > _PARSE_DEPTH_MAX:
        raise document.fault(f"more than {_PARSE_DEPTH_MAX} nested quorum sets")
    members = tuple(
        None if member.value is None else _parse_member(member, depth)
        for member in document.member("members").items()
    )
    return QuorumSet(document.member("threshold").unsigned(32), members)


def _parse_member(document: Document, depth: int) -> str | QuorumSet[str]:
    kind, args = document.member("type"), document.member("args")
    match kind.text():
        case "Node":
            return args.text()
        case "InnerSet":
            return _parse_quorum_set(args, depth + 1)
        case other:
            raise kind.fault(f"unknown variant `{other}`, expected `Node` or `InnerSet`")


def _check_members(quorum_set: QuorumSet[str], own_responder_id: str, depth: int = 1) -> None:
    """Our own checks of a set and those inside it; bounded, since files are written by people."""
    if depth > DEPTH_MAX:
        raise QuorumSetError(f"invalid quorum set: more than {DEPTH_MAX} levels deep")
    if quorum_set.threshold == 0 and quorum_set.members:
        raise QuorumSetError(
            f"quorum set has threshold 0 over {len(quorum_set.members)} members: "
            "say how many of them must agree, or remove them for a network of one node"
        )
    seen: set[str] = set()
    for member in quorum_set.members:
        if isinstance(member, QuorumSet):
            _check_members(member, own_responder_id, depth + 1)
        elif member == own_responder_id:
            raise QuorumSetError(
                f"quorum set names this node itself ({member}): remove it, "
                "a node always agrees with itself"
            )
        elif member is not None and member in seen:
            raise QuorumSetError(f"quorum set names {member} twice in one set: remove one of them")
        elif member is not None:
            seen.add(member)


def _node_id(uri: Uri) -> NodeID:
    try:
        return NodeID(uri.responder_id, uri.consensus_msg_key().to_bytes())
    except ConsensusMsgKeyError as error:
        raise QuorumSetError(
            f"unable to get node_id for {uri}: {error}: add ?consensus-msg-key=<public key> to it"
        ) from error


def _check_keys(identities: dict[str, NodeID], own: NodeID) -> None:
    """Nodes are told apart by their keys, so two members must not share one."""
    owners = {own.public_key: own.responder_id}
    for node_id in identities.values():
        other = owners.setdefault(node_id.public_key, node_id.responder_id)
        if other != node_id.responder_id:
            raise QuorumSetError(
                f"{other} and {node_id.responder_id} have the same consensus-msg-key "
                f"{node_id.public_key.hex()}: give each node a key of its own"
            )


def _resolve(quorum_set: QuorumSet[str], identities: dict[str, NodeID]) -> QuorumSet[NodeID]:
    members: list[NodeID | QuorumSet[NodeID] | None] = []
    for member in quorum_set.members:
        if isinstance(member, QuorumSet):
            members.append(_resolve(member, identities))
        elif member in identities:
            members.append(identities[member])
        else:
            raise QuorumSetError(
                f"Unknown responder_id {member} in quorum set: "
                "add its URI to broadcast_peers or known_peers"
            )
    return QuorumSet(quorum_set.threshold, tuple(members))


def _quorum_set_json(quorum_set: QuorumSet[str]) -> dict[str, Any]:
    members: list[dict[str, Any] | None] = []
    for member in quorum_set.members:
        if member is None:
            members.append(None)
        elif isinstance(member, QuorumSet):
            members.append({"type": "InnerSet", "args": _quorum_set_json(member)})
        else:
            members.append({"type": "Node", "args": member})
    return {"threshold": quorum_set.threshold, "members": members}
