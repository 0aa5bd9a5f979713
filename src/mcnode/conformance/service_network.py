"""Recordings of a real network of two nodes: sessions, payments, blocks, calls."""

import json
from typing import Any, Final

from mcnode.api.gen.attest_pb2 import AuthMessage, Message
from mcnode.api.gen.consensus_peer_pb2 import GetTxsRequest, GetTxsResponse
from mcnode.api.services import METHODS
from mcnode.attest.key_exchange import decode_evidence
from mcnode.attest.messages import DcapEvidence
from mcnode.blockchain.archive_conversion import parse_archive_block
from mcnode.blockchain.block_data import BlockData, archive_block_bytes
from mcnode.codec.protobuf import decode
from mcnode.codec.schema import message, repeated
from mcnode.conformance.vectors import (
    MismatchError,
    Report,
    VectorFile,
    expect,
    expect_equal,
    read_unpacked,
    runs,
)
from mcnode.connection.chain_id import ChainIdMismatch, check_chain_id
from mcnode.connection.uri import PEER, parse_uri
from mcnode.consensus.config.documents import parse_json
from mcnode.consensus.config.tokens_file import parse_tokens
from mcnode.crypto.keys import Ed25519Private, X25519Private, X25519Public
from mcnode.crypto.noise import Handshake, Pattern, Transport
from mcnode.transaction.hashing import tx_hash
from mcnode.transaction.messages import Tx

Case = dict[str, Any]

_FOLDER: Final = r"genuine-tools/network/"
_PATHS: Final = {method.path for method in METHODS}


@message
class RecordedTxList:
    """What travels inside a session between nodes."""

    txs: tuple[Tx, ...] = repeated(1, Tx)


def _hex(case: Case, key: str) -> bytes:
    return bytes.fromhex(case[key])


@runs("service", _FOLDER + r"wallet_session[^/]*\.json")
def run_wallet_session(file: VectorFile, report: Report) -> None:
    """A real wallet against a server whose private keys are known: we answer as it did."""
    session = file.json()
    transports: dict[bytes, Transport] = {}
    for number, case in enumerate(session["handshakes"]):
        with report.case(f"handshake {number}"):
            transport = _answer_wallet(case, session["client_responder_id"])
            transports[transport.channel_id] = transport
    for number, call in enumerate(session["calls"]):
        with report.case(f"call {number} {call['method']}"):
            _check_wallet_call(call, session, transports)


def _answer_wallet(case: Case, responder_id: str) -> Transport:
    handshake = Handshake(
        Pattern.NX,
        initiator=False,
        prologue=responder_id.encode(),
        ephemeral=_hex(case, "server_ephemeral_private_hex"),
        static=_hex(case, "server_static_private_hex"),
    )
    handshake.read_message(_hex(case, "message1_hex"))
    payload = _hex(case, "payload2_hex")
    expect_equal("message 2", handshake.write_message(payload).hex(), case["message2_hex"])
    evidence = decode_evidence(payload)
    if not isinstance(evidence, DcapEvidence) or evidence.report_data is None:
        raise MismatchError("payload is no DCAP evidence")
    static = X25519Private(_hex(case, "server_static_private_hex")).public_key()
    expect_equal("key in the evidence", X25519Public(evidence.report_data.key), static)
    transport = handshake.finish()
    expect_equal("channel id", transport.channel_id.hex(), case["channel_id_hex"])
    return transport


def _check_wallet_call(call: Case, session: Case, transports: dict[bytes, Transport]) -> None:
    expect(call["method"] in _PATHS, "method is not served")
    check_chain_id([(key, value) for key, value in call["headers"]], session["chain_id"])
    request = _hex(call, "request_hex")
    if call["method"].endswith("/Auth"):
        first = AuthMessage.FromString(request).data
        expect_equal(
            "message 1 is one of the handshakes",
            first.hex() in {each["message1_hex"] for each in session["handshakes"]},
            True,
        )
    if "plaintext_tx_prost_hex" in call:
        proposal = Message.FromString(request)
        transport = transports.get(proposal.channel_id)
        if transport is None:
            raise MismatchError(f"no session {proposal.channel_id.hex()}")
        plaintext = transport.decrypt(proposal.data, proposal.aad)
        expect_equal("plaintext", plaintext.hex(), call["plaintext_tx_prost_hex"])
        expect(bool(decode(Tx, plaintext).prefix.inputs), "transaction has no inputs")


@runs("service", _FOLDER + r"peer_session[^/]*\.json")
def run_peer_session(file: VectorFile, report: Report) -> None:
    """A peer's session with a real node, from the initiator's side, and what it fetched."""
    session = file.json()
    shaken: list[Transport] = []
    with report.case("handshake"):
        shaken.append(_repeat_peer_handshake(session))
    for transport in shaken:
        with report.case("fetched transactions"):
            _check_fetched(session, transport)


def _check_fetched(session: Case, transport: Transport) -> None:
    request = GetTxsRequest.FromString(_hex(session, "get_txs_request_hex"))
    expect_equal("session", request.channel_id, transport.channel_id)
    asked = [each.hex() for each in request.tx_hashes]
    expect_equal("asked for", asked, session["tx_hashes_hex"])
    answer = GetTxsResponse.FromString(_hex(session, "get_txs_response_hex")).success
    plaintext = transport.decrypt(answer.data, answer.aad)
    expect_equal("plaintext", plaintext.hex(), session["get_txs_plaintext_txlist_hex"])
    found = [tx_hash(tx).hex() for tx in decode(RecordedTxList, plaintext).txs]
    expect_equal("hashes in the order asked for", found, asked)


def _repeat_peer_handshake(session: Case) -> Transport:
    case = session["handshake"]
    handshake = Handshake(
        Pattern.IX,
        initiator=True,
        prologue=case["prologue_utf8"].encode(),
        ephemeral=_hex(case, "initiator_ephemeral_hex"),
        static=_hex(case, "initiator_static_hex"),
    )
    own_payload = _hex(case, "message1_hex")[64:]
    made = handshake.write_message(own_payload)
    expect_equal("message 1", made.hex(), case["message1_hex"])
    decode(DcapEvidence, own_payload)
    payload = handshake.read_message(_hex(case, "message2_hex"))
    expect_equal("payload 2", payload.hex(), case["payload2_hex"])
    expect(isinstance(decode_evidence(payload), DcapEvidence), "payload is no DCAP evidence")
    expect(
        case["prologue_utf8"].endswith(f"-{session['config_digest_hex']}"),
        "prologue does not end in the configuration digest",
    )
    transport = handshake.finish()
    expect_equal("channel id", transport.channel_id.hex(), case["channel_id_hex"])
    return transport


@runs("service", _FOLDER + r"block_(\d+)_node_[^/]*\.pb")
def run_network_block(file: VectorFile, report: Report) -> None:
    """An archived block: every check of its own, and the same bytes when written again."""
    data = file.read_bytes()
    with report.case("accepted"):
        block_data = parse_archive_block(data)
        index = int(file.path.name.split("_")[1])
        expect_equal("index", block_data.block.index, index)
    with report.case("written again"):
        expect_equal("bytes", archive_block_bytes(parse_archive_block(data)).hex(), data.hex())


@runs("service", _FOLDER + r"payments[^/]*\.json")
def run_payments(file: VectorFile, report: Report) -> None:
    """Transactions in the clear, beside the blocks that they made."""
    tokens = parse_tokens(parse_json(read_unpacked(file.sibling("tokens.signed.json")).decode()))
    digest = tokens.fee_map().canonical_digest()
    for case in file.json():
        with report.case(f"block {case['block_index']}"):
            _check_payment(case, digest, _block(file, case["block_index"]))


def _block(file: VectorFile, index: int) -> BlockData:
    path = file.sibling(f"block_{index}_node_a.pb")
    return parse_archive_block(read_unpacked(path))


def _check_payment(case: Case, fee_map_digest: bytes, block_data: BlockData) -> None:
    tx = decode(Tx, _hex(case, "tx_prost_hex"))
    expect_equal("hash", tx_hash(tx).hex(), case["tx_hash_hex"])
    prefix = tx.prefix
    found = {
        "fee": prefix.fee,
        "fee_token_id": prefix.fee_token_id,
        "tombstone_block": prefix.tombstone_block,
        "fee_map_digest_hex": tx.fee_map_digest.hex(),
    }
    expect_equal("fields", found, {key: case[key] for key in found})
    expect_equal("digest of the fees", fee_map_digest.hex(), case["fee_map_digest_hex"])
    images = {ring.key_image for ring in tx.signature.ring_signatures}
    expect_equal("key images of the block", set(block_data.contents.key_images), images)
    outputs = set(block_data.contents.outputs)
    expect(set(prefix.outputs) <= outputs, "an output is not in the block")
    expect_equal("outputs beside those of the payment", len(outputs) - len(prefix.outputs), 1)


@runs("service", _FOLDER + r"network\.json")
def run_network_facts(file: VectorFile, report: Report) -> None:
    """Seeds of message keys, which the other node's network file names."""
    for name, node in file.json()["nodes"].items():
        with report.case(name):
            key = Ed25519Private(_hex(node, "msg_signer_seed_hex")).public_key()
            others = [other for other in file.json()["nodes"] if other != name]
            for other in others:
                text = read_unpacked(file.sibling(f"network_node_{other}.json")).decode()
                _check_named(json.loads(text), node["peer_responder_id"], key.to_bytes())


def _check_named(network: Case, responder_id: str, key: bytes) -> None:
    uris = [parse_uri(text, PEER) for text in network["broadcast_peers"]]
    keys = {uri.responder_id: uri.consensus_msg_key().to_bytes() for uri in uris}
    expect_equal("key in the other node's file", keys.get(responder_id), key)


@runs("service", _FOLDER + r"wire_sequence[^/]*\.jsonl")
def run_wire_sequence(file: VectorFile, report: Report) -> None:
    """Every call that the network's programs made is one that we serve."""
    for number, case in enumerate(file.json_lines()):
        with report.case(f"{number} {case['method']}"):
            expect(case["method"] in _PATHS, "method is not served")
            if case["status"] == "FAILED_PRECONDITION":
                _check_wrong_chain(case)


def _check_wrong_chain(case: Case) -> None:
    """The answer names the node's own chain id; ours does so in the same words."""
    own = case["message"].removeprefix("chain-id mismatch: '").removesuffix("'")
    try:
        check_chain_id([(key, value) for key, value in case["headers"]], own)
    except ChainIdMismatch as error:
        expect_equal("message", str(error), case["message"])
    else:
        raise MismatchError("these headers are accepted")
