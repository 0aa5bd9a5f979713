import pytest

from mcnode.attest.dcap import DcapVerifier
from mcnode.attest.evidence import ReportDataContents
from mcnode.attest.ias import NoChain
from mcnode.attest.identity import TrustedMrEnclave
from mcnode.attest.key_exchange import (
    HANDSHAKE_MESSAGE_BYTES_MAX,
    AttestationEvidenceDeserialization,
    AttestationEvidenceVerification,
    BadRemoteIdentity,
    EvidenceVerifier,
    HandshakeRead,
    HandshakeWrite,
    Responder,
    answer_client,
    answer_node,
    decode_evidence,
    encode_evidence,
    start_client,
    start_node,
)
from mcnode.attest.messages import DcapEvidence, Quote3, VerificationReport
from mcnode.attest.report import ReportBody
from mcnode.attest.simulation import DEFAULT_SEED, SimulatedPlatform, simulation_anchor
from mcnode.codec import protobuf
from mcnode.crypto.noise import Handshake, Pattern, public_key_of
from support.seeds import random_bytes_of

random_bytes = random_bytes_of(__name__)

NOW = 1_800_000_000
MR_ENCLAVE = b"\x11" * 32
ONE, TWO = b"\x01" * 32, b"\x02" * 32
NAME = "node.test:443"
PLATFORM = SimulatedPlatform.issue(DEFAULT_SEED, NOW, random_bytes)


def evidence_for(private_key, mr_enclave=MR_ENCLAVE):
    contents = ReportDataContents(random_bytes(16), public_key_of(private_key))
    body = ReportBody(mr_enclave=mr_enclave, report_data=contents.sha256() + bytes(32))
    quote = Quote3(PLATFORM.quote(body, random_bytes))
    return DcapEvidence(quote, PLATFORM.collateral, contents.to_message())


EVIDENCE = {ONE: evidence_for(ONE), TWO: evidence_for(TWO)}
VERIFIER = EvidenceVerifier(
    DcapVerifier(simulation_anchor(), (TrustedMrEnclave(MR_ENCLAVE),), allow_debug=False)
)


def fresh():
    return random_bytes(32)


def responder(static=TWO, name=NAME, evidence=None):
    return Responder(name, static, evidence or EVIDENCE[static])


def test_client_channel():
    client = start_client(NAME, fresh())
    assert len(client.request) == 32
    response, theirs = answer_client(client.request, responder(), fresh())
    ours, evidence = client.finish(response, VERIFIER)
    assert evidence == EVIDENCE[TWO]
    assert ours.channel_id == theirs.channel_id
    assert theirs.decrypt(ours.encrypt(b"tx")) == b"tx"


def test_node_channel():
    node = start_node(NAME, fresh(), ONE, EVIDENCE[ONE])
    response, theirs = answer_node(node.request, responder(), fresh(), VERIFIER)
    ours, evidence = node.finish(response, VERIFIER)
    assert evidence == EVIDENCE[TWO]
    assert ours.decrypt(theirs.encrypt(b"txs", b"aad"), b"aad") == b"txs"


def test_unverified_look_at_a_server():
    client = start_client(NAME, fresh())
    response, _ = answer_client(client.request, responder(), fresh())
    assert client.finish_unverified(response) == EVIDENCE[TWO]


def test_names_must_agree():
    client = start_client("other.test:443", fresh())
    response, _ = answer_client(client.request, responder(), fresh())
    with pytest.raises(HandshakeRead):
        client.finish(response, VERIFIER)


@pytest.mark.parametrize("size", [0, 31, HANDSHAKE_MESSAGE_BYTES_MAX + 1])
def test_requests_of_a_wrong_size(size):
    with pytest.raises(HandshakeWrite):
        answer_client(b"\x09" * size, responder(), fresh())
    with pytest.raises(HandshakeWrite):
        answer_node(b"\x09" * size, responder(), fresh(), VERIFIER)
    with pytest.raises(HandshakeRead):
        start_client(NAME, fresh()).finish(b"\x09" * size, VERIFIER)


def test_evidence_for_another_key_is_refused_by_both_sides():
    client = start_client(NAME, fresh())
    response, _ = answer_client(client.request, responder(evidence=EVIDENCE[ONE]), fresh())
    with pytest.raises(BadRemoteIdentity):
        client.finish(response, VERIFIER)
    node = start_node(NAME, fresh(), ONE, EVIDENCE[TWO])
    with pytest.raises(BadRemoteIdentity):
        answer_node(node.request, responder(), fresh(), VERIFIER)


def test_evidence_of_another_enclave_is_refused_by_both_sides():
    other = evidence_for(ONE, mr_enclave=bytes(32))
    node = start_node(NAME, fresh(), ONE, other)
    with pytest.raises(AttestationEvidenceVerification, match="enclave identity"):
        answer_node(node.request, responder(), fresh(), VERIFIER)
    client = start_client(NAME, fresh())
    response, _ = answer_client(client.request, responder(ONE, evidence=other), fresh())
    with pytest.raises(AttestationEvidenceVerification, match="enclave identity"):
        client.finish(response, VERIFIER)


def test_dates_count_for_who_passes_a_time():
    late = EvidenceVerifier(VERIFIER.dcap, time_unix=NOW + 40 * 86400)
    client = start_client(NAME, fresh())
    response, _ = answer_client(client.request, responder(), fresh())
    with pytest.raises(AttestationEvidenceVerification, match="expired"):
        client.finish(response, late)


def raw_request(payload):
    handshake = Handshake(
        Pattern.IX, initiator=True, prologue=NAME.encode(), ephemeral=fresh(), static=ONE
    )
    return handshake.write_message(payload)


@pytest.mark.parametrize(
    "payload", [b"", b"\xff", encode_evidence(EVIDENCE[ONE])], ids=["empty", "garbage", "wrapped"]
)
def test_payloads_that_are_no_bare_evidence(payload):
    with pytest.raises(AttestationEvidenceDeserialization):
        answer_node(raw_request(payload), responder(), fresh(), VERIFIER)


def raw_answer(client, payload):
    handshake = Handshake(
        Pattern.NX, initiator=False, prologue=NAME.encode(), ephemeral=fresh(), static=TWO
    )
    handshake.read_message(client.request)
    return handshake.write_message(payload)


def test_payloads_that_are_no_wrapped_evidence():
    client = start_client(NAME, fresh())
    bare = raw_answer(client, protobuf.encode(EVIDENCE[TWO]))
    with pytest.raises(AttestationEvidenceDeserialization):
        client.finish(bare, VERIFIER)
    client = start_client(NAME, fresh())
    with pytest.raises(AttestationEvidenceVerification) as caught:
        client.finish(raw_answer(client, b""), VERIFIER)
    assert isinstance(caught.value.error, NoChain)
    report = VerificationReport(b"sig", (b"cert",), "{}")
    client = start_client(NAME, fresh())
    with pytest.raises(AttestationEvidenceVerification, match="not signed"):
        client.finish(raw_answer(client, encode_evidence(report)), VERIFIER)


def test_both_kinds_of_evidence_round_trip():
    report = VerificationReport(b"sig", (b"cert",), "{}")
    for evidence in (EVIDENCE[ONE], report):
        assert decode_evidence(encode_evidence(evidence)) == evidence


def test_static_keys_are_hidden():
    assert TWO.hex() not in repr(responder())
    assert repr(TWO) not in repr(responder())
