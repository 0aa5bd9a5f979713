"""Signed envelopes around messages with transaction hashes, from their parts."""

from typing import Any

from mcnode.codec.cbor import from_bytes, to_bytes
from mcnode.conformance.vectors import Report, VectorFile, expect_equal, runs
from mcnode.crypto.keys import Ed25519Private
from mcnode.peers.consensus_msg import (
    ConsensusMsg,
    broadcast_digest,
    check_signature,
    contents_hash,
)
from mcnode.peers.consensus_value import ConsensusValue, tx_hash_value
from mcnode.peers.value_wire import ED25519_PUBLIC_SHAPE, VALUE_SHAPE
from mcnode.scp import Msg, NodeID, QuorumSet
from mcnode.scp.types import (
    Ballot,
    Commit,
    Externalize,
    Nominate,
    NominatePayload,
    NominatePrepare,
    Prepare,
    PreparePayload,
    Topic,
)
from mcnode.scp.wire import msg_shape

_MSG = msg_shape(VALUE_SHAPE, ED25519_PUBLIC_SHAPE)


def _node_id(written: dict[str, str]) -> NodeID:
    return NodeID(written["responder_id"], bytes.fromhex(written["public_key"]))


def _quorum_set(written: dict[str, Any]) -> QuorumSet[NodeID]:
    readers = {"Node": _node_id, "InnerSet": _quorum_set}
    members = (readers[member["type"]](member["args"]) for member in written["members"])
    return QuorumSet(written["threshold"], tuple(members))  # type: ignore[arg-type]


def _values(written: list[str]) -> tuple[ConsensusValue, ...]:
    return tuple(tx_hash_value(bytes.fromhex(value)) for value in written)


def _ballot(written: dict[str, Any]) -> Ballot[ConsensusValue]:
    return Ballot(written["N"], _values(written["X"]))


def _topic(written: dict[str, Any]) -> Topic[ConsensusValue]:
    ((name, payload),) = written.items()
    match name:
        case "Nominate":
            return Nominate(_nomination(payload))
        case "NominatePrepare":
            return NominatePrepare(_nomination(payload[0]), _prepare(payload[1]))
        case "Prepare":
            return Prepare(_prepare(payload))
        case "Commit":
            return Commit(_ballot(payload["B"]), payload["PN"], payload["CN"], payload["HN"])
        case _:
            return Externalize(_ballot(payload["C"]), payload["HN"])


def _nomination(written: dict[str, Any]) -> NominatePayload[ConsensusValue]:
    return NominatePayload(*(tuple(sorted(_values(written[key]))) for key in "XY"))


def _prepare(written: dict[str, Any]) -> PreparePayload[ConsensusValue]:
    prepared, prime = (written[key] and _ballot(written[key]) for key in ("P", "PP"))
    ballot = _ballot(written["B"])
    return PreparePayload(ballot, prepared, prime, written["CN"], written["HN"])


@runs("scp", r"consensus_msgs?[^/]*\.jsonl")
def consensus_msgs(file: VectorFile, report: Report) -> None:
    """Bytes, signed hash, signature and the broadcaster's digest of each envelope."""
    for case in file.json_lines():
        with report.case(case["name"]):
            _check(case)


def _check(case: dict[str, Any]) -> None:
    written = case["scp_msg"]
    scp_msg = Msg(
        _node_id(written["sender_id"]),
        written["slot_index"],
        _quorum_set(written["quorum_set"]),
        _topic(written["topic"]),
    )
    prev_block_id = bytes.fromhex(case["prev_block_id"])
    hashed = contents_hash(scp_msg, prev_block_id)
    expect_equal("contents hash", hashed.hex(), case["contents_hash"])
    expect_equal("bytes", to_bytes(_MSG, scp_msg).hex(), case["scp_msg_cbor"])
    expect_equal("read", from_bytes(_MSG, bytes.fromhex(case["scp_msg_cbor"])), scp_msg)
    signer = Ed25519Private(bytes.fromhex(case["signer_private_seed"]))
    msg = ConsensusMsg.sign(scp_msg, prev_block_id, signer)
    expect_equal("signature", msg.signature.hex(), case["signature"])
    expect_equal("envelope", msg.payload.hex(), case["consensus_msg_cbor"])
    expect_equal("digest", broadcast_digest(msg).hex(), case["broadcast_digest32"])
    received = ConsensusMsg.from_bytes(bytes.fromhex(case["consensus_msg_cbor"]))
    expect_equal("envelope read", received, msg)
    check_signature(received)
