"""Runs the vectors of handshakes and channels. [docs/protocol/enclave.md#4]"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from mcnode.attest.advisories import mitigated_advisories
from mcnode.attest.certificate import parse_pem_chain
from mcnode.attest.dcap import DcapVerifier
from mcnode.attest.identity import CONSENSUS_HARDENING_ADVISORIES, TrustedMrEnclave
from mcnode.attest.key_exchange import (
    AkeError,
    BadRemoteIdentity,
    EvidenceVerifier,
    Responder,
    answer_client,
    answer_node,
    start_client,
)
from mcnode.attest.messages import VerificationReport
from mcnode.conformance.attest import from_base64, sibling_json
from mcnode.conformance.vectors import (
    MismatchError,
    Report,
    VectorFile,
    expect,
    expect_equal,
    runs,
)
from mcnode.crypto.noise import (
    Handshake,
    Pattern,
    SymmetricState,
    Transport,
    public_key_of,
)

Json = Mapping[str, Any]


def _optional_hex(case: Json, name: str) -> bytes | None:
    text = case.get(name)
    return None if text is None else bytes.fromhex(text)


@runs("attest", r"noise/handshake_hash[^/]*\.json")
def handshake_hash(file: VectorFile, report: Report) -> None:
    """The running hash after the start and one step."""
    case = file.json()
    with report.case(case["protocol_name"]):
        state = SymmetricState(case["protocol_name"])
        state.mix_hash(case["mix_hash_data"].encode())
        expect_equal("hash", state.hash.hex(), case["expect_h_hex"])


@runs("attest", r"noise/handshakes[^/]*\.jsonl")
def public_handshakes(file: VectorFile, report: Report) -> None:
    """Public vectors of both patterns: handshake, then messages in turns."""
    for number, case in enumerate(file.json_lines()):
        with report.case(f"{case['protocol_name']} {number}"):
            _run_public(case)


def _run_public(case: Json) -> None:
    pattern = Pattern(case["protocol_name"])
    initiator, responder = (
        Handshake(
            pattern,
            initiator=side == "init",
            prologue=bytes.fromhex(case[f"{side}_prologue"]),
            ephemeral=bytes.fromhex(case[f"{side}_ephemeral"]),
            static=_optional_hex(case, f"{side}_static"),
        )
        for side in ("init", "resp")
    )
    first, second, *rest = case["messages"]
    _pass_handshake(initiator, responder, first["payload"], first["ciphertext"])
    _pass_handshake(responder, initiator, second["payload"], second["ciphertext"])
    channels = (initiator.finish(), responder.finish())
    if "handshake_hash" in case:
        expect_equal("channel id", channels[0].channel_id.hex(), case["handshake_hash"])
    for number, message in enumerate(rest):
        sender, receiver = channels if number % 2 == 0 else channels[::-1]
        plaintext = bytes.fromhex(message["payload"])
        sealed = sender.encrypt(plaintext)
        expect_equal(f"message {number}", sealed.hex(), message["ciphertext"])
        expect_equal(f"plaintext {number}", receiver.decrypt(sealed), plaintext)


def _pass_handshake(sender: Handshake, receiver: Handshake, payload: str, expected: str) -> None:
    message = sender.write_message(bytes.fromhex(payload))
    expect_equal("handshake message", message.hex(), expected)
    expect_equal("payload", receiver.read_message(message).hex(), payload)


def _bytes_of(case: Json, name: str) -> bytes:
    """A value that is given in hex or in base64."""
    if f"{name}_hex" in case:
        return bytes.fromhex(case[f"{name}_hex"])
    return from_base64(case[f"{name}_b64"])


@runs("attest", r"(noise/ake_transcripts|genuine/handshakes)[^/]*\.jsonl")
def exchanges(file: VectorFile, report: Report) -> None:
    """Whole exchanges with fixed keys, byte for byte, from both sides."""
    for case in file.json_lines():
        with report.case(case["name"]):
            _run_exchange(case)


def _run_exchange(case: Json) -> None:
    pattern = Pattern(case["protocol"])
    prologue = case["prologue_utf8"].encode()
    initiator, responder = (
        Handshake(
            pattern,
            initiator=side == "initiator",
            prologue=prologue,
            ephemeral=bytes.fromhex(case[f"{side}_ephemeral_hex"]),
            static=_optional_hex(case, f"{side}_static_hex"),
        )
        for side in ("initiator", "responder")
    )
    first, second = (_bytes_of(case, f"payload{n}").hex() for n in (1, 2))
    _pass_handshake(initiator, responder, first, _bytes_of(case, "message1").hex())
    _pass_handshake(responder, initiator, second, _bytes_of(case, "message2").hex())
    for side, other in (("initiator", responder), ("responder", initiator)):
        public = _optional_hex(case, f"{side}_static_public_hex")
        if public is not None:
            expect_equal(f"{side}'s static key", other.remote_static, public)
    channels = {"i2r": (initiator.finish(), responder.finish())}
    channels["r2i"] = channels["i2r"][::-1]
    for channel in channels["i2r"]:
        expect_equal("channel id", channel.channel_id.hex(), case["channel_id_hex"])
    for message in case["transport"]:
        _pass_transport(*channels[message["direction"]], message)


def _pass_transport(sender: Transport, receiver: Transport, message: Json) -> None:
    aad = bytes.fromhex(message["aad_hex"])
    if "plaintext_repeat" in message:
        plaintext = bytes([message["plaintext_repeat"]["byte"]])
        plaintext *= message["plaintext_repeat"]["count"]
    else:
        plaintext = bytes.fromhex(message["plaintext_hex"])
    sealed = sender.encrypt(plaintext, aad)
    if "ciphertext_hex" in message:
        expect_equal("ciphertext", sealed.hex(), message["ciphertext_hex"])
    else:
        expect_equal("length", len(sealed), message["ciphertext_len"])
        found = hashlib.sha256(sealed).hexdigest()
        expect_equal("ciphertext hash", found, message["ciphertext_sha256_hex"])
        expect_equal("tag", sealed[-16:].hex(), message["ciphertext_tail16_hex"])
    expect_equal("plaintext", receiver.decrypt(sealed, aad), plaintext)


@runs("attest", r"genuine/ake_outcomes[^/]*\.jsonl")
def key_exchange_outcomes(file: VectorFile, report: Report) -> None:
    """Single steps of the key exchange, good and bad."""
    anchor = parse_pem_chain(sibling_json(file, "sim_files.json")["root_anchor_pem"].encode())[0]
    steps: dict[str, Callable[[Json, DcapVerifier], bytes]] = {
        "nx_initiator_reads_m2": _initiator_reads,
        "ix_responder_reads_m1": _node_answers,
        "nx_responder_reads_m1": _client_is_answered,
    }
    stricter: dict[str, int] = {}
    for case in file.json_lines():
        with report.case(f"{case['role']} {case['name']}"):
            verifier = _outcome_verifier(case, anchor)
            error: AkeError | None = None
            try:
                steps[case["role"]](case, verifier)
            except AkeError as refused:
                error = refused
            reason = _deliberately_stricter(case, error)
            if reason is not None:
                stricter[reason] = stricter.get(reason, 0) + 1
                continue
            _expect_outcome(error, case["outcome"])
    report.notes += [f"{count} refused on purpose: {why}" for why, count in stricter.items()]


def _outcome_verifier(case: Json, anchor: Any) -> DcapVerifier:
    advisories = mitigated_advisories((), CONSENSUS_HARDENING_ADVISORIES)
    mr_enclave = bytes.fromhex(case.get("mr_enclave_hex", "00" * 32))
    return DcapVerifier(anchor, [TrustedMrEnclave(mr_enclave, advisories)], allow_debug=True)


def _expect_outcome(error: AkeError | None, outcome: Json) -> None:
    expect_equal("accepted", error is None, outcome["ok"])
    if error is not None:
        expect_equal("error", type(error).__name__, outcome["result"]["error"])


def _deliberately_stricter(case: Json, error: AkeError | None) -> str | None:
    """Why we refuse what the network's responder accepts, if this is such a case."""
    if error is None or not case["outcome"]["ok"]:
        return None
    if case["role"] == "ix_responder_reads_m1" and isinstance(error, BadRemoteIdentity):
        return "evidence for another key than the peer holds"
    if case["role"].endswith("responder_reads_m1") and "low order" in str(error):
        return "a public key of low order"
    return None


def _initiator_reads(case: Json, verifier: DcapVerifier) -> bytes:
    initiator = start_client(case["prologue_utf8"], bytes.fromhex(case["initiator_ephemeral_hex"]))
    expect_equal("request", initiator.request.hex(), case["message1_hex"])
    channel, _ = initiator.finish(from_base64(case["message2_b64"]), EvidenceVerifier(verifier))
    expect_equal("channel id", channel.channel_id.hex(), case["outcome"].get("channel_id_hex"))
    return channel.channel_id


def _responder_of(case: Json) -> tuple[Responder, bytes]:
    """A responder with the case's key; what it presents does not matter here."""
    static = bytes.fromhex(case["responder_static_hex"])
    ephemeral = _optional_hex(case["outcome"], "responder_ephemeral_hex") or static[::-1]
    return Responder(case["prologue_utf8"], static, VerificationReport()), ephemeral


def _node_answers(case: Json, verifier: DcapVerifier) -> bytes:
    responder, ephemeral = _responder_of(case)
    request = from_base64(case["message1_b64"])
    response, channel = answer_node(request, responder, ephemeral, EvidenceVerifier(verifier))
    _expect_answer(response, ephemeral)
    return channel.channel_id


def _client_is_answered(case: Json, _: DcapVerifier) -> bytes:
    responder, ephemeral = _responder_of(case)
    response, channel = answer_client(_bytes_of(case, "message1"), responder, ephemeral)
    _expect_answer(response, ephemeral)
    return channel.channel_id


def _expect_answer(response: bytes, ephemeral: bytes) -> None:
    expect(response.startswith(public_key_of(ephemeral)), "answer starts with another key")
    shortest = 32 + 48 + 16
    if len(response) < shortest:
        raise MismatchError(f"answer has {len(response)} bytes, needs {shortest}")
