"""Signed envelopes of the service area: decoding, digests, signatures, refusals."""

from typing import Any

from mcnode.codec.cbor import CborError, to_bytes
from mcnode.codec.digest import digest32
from mcnode.conformance.vectors import (
    MismatchError,
    Report,
    VectorFile,
    expect,
    expect_equal,
    runs,
)
from mcnode.crypto.errors import KeyFormatError, SignatureError
from mcnode.crypto.keys import Ed25519Private
from mcnode.peers.consensus_msg import (
    ConsensusMsg,
    broadcast_digest,
    check_signature,
    contents_hash,
)
from mcnode.peers.consensus_value import value_node
from mcnode.peers.tx_propose_aad import TxProposeAAD, parse_tx_propose_aad
from mcnode.peers.wire import MSG_SHAPE, NODE_ID_SHAPE
from mcnode.scp import NodeID, QuorumSet
from mcnode.scp.digest import msg_node
from mcnode.scp.errors import InvalidMsgError, InvalidQuorumSetError
from mcnode.scp.msg_rules import check_msg
from mcnode.scp.quorum_set import DEPTH_MAX


def _is_signed(msg: ConsensusMsg) -> bool:
    try:
        check_signature(msg)
    except (SignatureError, KeyFormatError):
        return False
    return True


def _is_valid(msg: ConsensusMsg) -> bool:
    try:
        check_msg(msg.scp_msg)
    except (InvalidMsgError, InvalidQuorumSetError):
        return False
    return True


def _resigned(msg: ConsensusMsg, seed: str) -> ConsensusMsg:
    signer = Ed25519Private.from_bytes(bytes.fromhex(seed))
    return ConsensusMsg.sign(msg.scp_msg, msg.prev_block_id, signer)


@runs("service", r"(genuine/)?consensus_msgs[^/]*\.jsonl")
def consensus_msgs(file: VectorFile, report: Report) -> None:
    """Envelopes with every part: ours must decode, sign and encode to the same bytes."""
    for case in file.json_lines():
        with report.case(case["id"]):
            _check_whole(case)


def _check_whole(case: dict[str, Any]) -> None:
    msg = ConsensusMsg.from_bytes(bytes.fromhex(case["cbor"]))
    scp_msg = msg.scp_msg
    expect_equal("slot index", str(scp_msg.slot_index), case["slot_index"])
    expect_equal("sender", to_bytes(NODE_ID_SHAPE, scp_msg.sender_id).hex(), case["cbor_sender_id"])
    expect_equal("scp_msg", to_bytes(MSG_SHAPE, scp_msg).hex(), case["cbor_scp_msg"])
    digest = digest32("scp_msg", msg_node(scp_msg, value_node))
    expect_equal("digest of scp_msg", digest.hex(), case["scp_msg_digest32"])
    found = contents_hash(scp_msg, msg.prev_block_id)
    expect_equal("contents hash", found.hex(), case["contents_hash"])
    expect_equal("broadcast digest", broadcast_digest(msg).hex(), case["broadcast_digest32"])
    expect_equal("signature holds", _is_signed(msg), case["verifies"])
    expect_equal("structure is valid", _is_valid(msg), case["valid"])
    made = _resigned(msg, case["signer_seed"])
    expect_equal("signature", made.signature.hex(), case["signature"])
    expect_equal("envelope", made.payload.hex(), case["cbor"])


@runs("service", r"(genuine/)?consensus_msg_signatures[^/]*\.jsonl")
def consensus_msg_signatures(file: VectorFile, report: Report) -> None:
    """Envelopes changed after signing."""
    for case in file.json_lines():
        with report.case(case["id"]):
            msg = ConsensusMsg.from_bytes(bytes.fromhex(case["cbor"]))
            expect_equal("signature holds", _is_signed(msg), case["verifies"])


@runs("service", r"(genuine/)?consensus_msg_decode[^/]*\.jsonl")
def consensus_msg_decode(file: VectorFile, report: Report) -> None:
    """Odd CBOR forms, taken and refused."""
    too_deep = 0
    for case in file.json_lines():
        with report.case(case["id"]):
            too_deep += _check_decoding(case)
    if too_deep:
        report.notes.append(
            f"{too_deep} valid on the network are refused here: quorum sets of more than "
            f"{DEPTH_MAX} levels"
        )


def _check_decoding(case: dict[str, Any]) -> bool:
    """True for a message that only our own limit on the depth of quorum sets refuses."""
    try:
        msg = ConsensusMsg.from_bytes(bytes.fromhex(case["cbor"]))
    except CborError as error:
        if case["decodes"]:
            raise MismatchError(f"refused: {error}") from error
        return False
    expect(case["decodes"], "decoded what must be refused")
    again = ConsensusMsg.from_parts(msg.scp_msg, msg.prev_block_id, msg.signature)
    expect_equal("encoded again", again.payload.hex(), case["reencoded"])
    found = contents_hash(msg.scp_msg, msg.prev_block_id)
    expect_equal("contents hash", found.hex(), case["contents_hash"])
    expect_equal("signature holds", _is_signed(msg), case["verifies"])
    if case["valid"] and _depth(msg.scp_msg.quorum_set) > DEPTH_MAX:
        expect(not _is_valid(msg), "a quorum set beyond our limit is taken")
        return True
    expect_equal("structure is valid", _is_valid(msg), case["valid"])
    return False


def _depth(quorum_set: QuorumSet[NodeID]) -> int:
    inner = [_depth(member) for member in quorum_set.members if isinstance(member, QuorumSet)]
    return 1 + max(inner, default=0)


@runs("service", r"consensus_msg\.jsonl")
def consensus_msg_parts(file: VectorFile, report: Report) -> None:
    """Envelopes from a seed and their parts."""
    for case in file.json_lines():
        with report.case(case["name"]):
            msg = ConsensusMsg.from_bytes(bytes.fromhex(case["cbor_hex"]))
            expect_equal("slot index", msg.scp_msg.slot_index, case["slot_index"])
            sender = msg.scp_msg.sender_id
            expect_equal("sender", sender.responder_id, case["sender"]["responder_id"])
            expect_equal("key", sender.public_key.hex(), case["sender"]["public_key_hex"])
            found = contents_hash(msg.scp_msg, msg.prev_block_id)
            expect_equal("signing digest", found.hex(), case["signing_digest_hex"])
            expect_equal("previous block", msg.prev_block_id.hex(), case["prev_block_id_hex"])
            made = _resigned(msg, case["signer_seed_hex"])
            expect_equal("signature", made.signature.hex(), case["signature_hex"])
            expect_equal("envelope", made.payload.hex(), case["cbor_hex"])
            check_signature(msg)


@runs("service", r"genuine-tools/consensus_msgs_wire[^/]*\.jsonl")
def consensus_msgs_wire(file: VectorFile, report: Report) -> None:
    """Envelopes captured between real nodes."""
    for case in file.json_lines():
        with report.case(case["name"]):
            msg = ConsensusMsg.from_bytes(bytes.fromhex(case["cbor_hex"]))
            check_signature(msg)
            check_msg(msg.scp_msg)
            expect_equal("author", msg.scp_msg.sender_id.responder_id, case["author"])
            again = ConsensusMsg.from_parts(msg.scp_msg, msg.prev_block_id, msg.signature)
            expect_equal("encoded again", again.payload.hex(), case["cbor_hex"])


@runs("service", r"(genuine/)?tx_propose_aad[^/]*\.jsonl")
def tx_propose_aad(file: VectorFile, report: Report) -> None:
    """What travels beside transactions."""
    for case in file.json_lines():
        with report.case(case["id"]):
            data = bytes.fromhex(case["cbor"])
            aad = parse_tx_propose_aad(data)
            if aad is None:
                raise MismatchError("does not decode")
            expect_equal("relayed by", aad.relayed_by, case["relayed_by"])
            made = TxProposeAAD(aad.origin_node, aad.relayed_by)
            expect_equal("encoded again", made.to_bytes().hex(), case["cbor"])
