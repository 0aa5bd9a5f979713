"""The attested key exchange: Noise handshakes whose payloads prove who answers.

[docs/protocol/enclave.md#4.2]

    client  ── NX: e ─────────────────────────────────────────────>  node
            <─ NX: e, ee, s, es  + evidence under tag 4 ───────────
    node    ── IX: e, s          + evidence, bare and unencrypted ─>  node
            <─ IX: e, ee, se, s, es  + evidence under tag 4 ───────

An initiator starts with `start_client` or `start_node` and finishes with `Initiator.finish`; a
responder needs one call, `answer_client` or `answer_node`. The prologue is the responder's id as
either side knows it; if they differ, the initiator cannot read the answer.

Evidence proves that an enclave holds a certain X25519 key. It is worth something only if that key
is the static key of the very handshake, so both sides compare the two. (The network's own responder
leaves that out; without it evidence could be presented by someone who does not hold the key.)

Keys are raw 32-byte private keys; ephemeral ones must be fresh.
"""

import dataclasses
from typing import Final

from mcnode.attest.dcap import DcapVerifier
from mcnode.attest.errors import AttestationError, ConversionError
from mcnode.attest.evidence import Evidence
from mcnode.attest.ias import IasVerifier
from mcnode.attest.messages import (
    AttestationEvidence,
    DcapEvidence,
    EvidenceMessage,
    VerificationReport,
)
from mcnode.codec import protobuf
from mcnode.codec.errors import DecodeError
from mcnode.crypto.noise import Handshake, NoiseError, Pattern, Transport
from mcnode.errors import InvalidError

HANDSHAKE_MESSAGE_BYTES_MAX: Final = 1 << 20
"""Evidence has 10 to 20 kB. The network itself sets no limit."""


class AkeError(InvalidError):
    """A key exchange failed."""


class HandshakeRead(AkeError):
    """The initiator cannot read the answer: altered, or made for another prologue."""


class HandshakeWrite(AkeError):
    """The responder cannot read the request. (The network names it after the answer it was for.)"""


class AttestationEvidenceDeserialization(AkeError):
    """The payload is not evidence."""


class AttestationEvidenceVerification(AkeError):
    """The evidence does not verify; `error` says why."""

    def __init__(self, error: InvalidError) -> None:
        super().__init__(f"evidence does not verify: {error}")
        self.error = error


class BadRemoteIdentity(AkeError):
    """The evidence names another key than the one that the other side holds."""

    def __init__(self, named: bytes, held: bytes) -> None:
        super().__init__(f"evidence names key {named.hex()}, handshake has {held.hex()}")


class MissingRemoteIdentity(AkeError):
    """The handshake ended without a static key of the other side."""

    def __init__(self) -> None:
        super().__init__("handshake has no static key of the other side")


@dataclasses.dataclass(frozen=True, slots=True)
class EvidenceVerifier:
    """What one side accepts of the other. Without `ias`, older reports are refused."""

    dcap: DcapVerifier
    ias: IasVerifier | None = None
    time_unix: int | None = None
    """When dates in the evidence must be valid; clients pass the present, enclaves nothing."""

    def check(self, evidence: AttestationEvidence, key: bytes) -> None:
        """Check evidence that must be of the holder of `key` (X25519, 32 bytes).

        Raises:
            BadRemoteIdentity: it names another key.
            AttestationEvidenceDeserialization: a part of it does not parse.
            AttestationEvidenceVerification: it does not verify.
        """
        try:
            if isinstance(evidence, VerificationReport):
                self._check_report(evidence, key)
            else:
                self._check_dcap(Evidence.from_message(evidence), key)
        except ConversionError as error:
            raise AttestationEvidenceDeserialization(str(error)) from error
        except AttestationError as error:
            raise AttestationEvidenceVerification(error) from error

    def _check_dcap(self, evidence: Evidence, key: bytes) -> None:
        if evidence.report_data.key != key:
            raise BadRemoteIdentity(evidence.report_data.key, key)
        self.dcap.check(evidence, self.time_unix)

    def _check_report(self, report: VerificationReport, key: bytes) -> None:
        verifier = self.ias or IasVerifier((), (), allow_debug=False)
        verifier.check(report, report_data_start=key)


def encode_evidence(evidence: AttestationEvidence) -> bytes:
    """Evidence as a responder presents it."""
    if isinstance(evidence, VerificationReport):
        return protobuf.encode(evidence)
    return protobuf.encode(EvidenceMessage(evidence))


def decode_evidence(data: bytes) -> AttestationEvidence:
    """Evidence of either kind, as a responder presents it.

    Raises:
        AttestationEvidenceDeserialization: the bytes are neither.
    """
    try:
        wrapped = protobuf.decode(EvidenceMessage, data).dcap_evidence
        return protobuf.decode(VerificationReport, data) if wrapped is None else wrapped
    except DecodeError as error:
        raise AttestationEvidenceDeserialization(str(error)) from error


class Initiator:
    """A handshake under way, from the side that began it."""

    __slots__ = ("_handshake", "request")

    def __init__(self, handshake: Handshake, payload: bytes) -> None:
        self._handshake = handshake
        self.request = handshake.write_message(payload)
        """The first message, to be sent to the responder."""

    def finish(
        self, response: bytes, verifier: EvidenceVerifier
    ) -> tuple[Transport, AttestationEvidence]:
        """Read the answer and check who gave it. To be called once.

        Raises:
            HandshakeRead: the answer does not authenticate, or is too short or too long.
            AttestationEvidenceDeserialization, AttestationEvidenceVerification,
            BadRemoteIdentity: the evidence in it is not good enough.
        """
        evidence = self.finish_unverified(response)
        key = self._handshake.remote_static
        if key is None:
            raise MissingRemoteIdentity
        verifier.check(evidence, key)
        return self._handshake.finish(), evidence

    def finish_unverified(self, response: bytes) -> AttestationEvidence:
        """Read the answer only to see what the responder presents; there is no channel then."""
        try:
            payload = self._handshake.read_message(_bounded(response))
        except NoiseError as error:
            raise HandshakeRead(str(error)) from error
        return decode_evidence(payload)


def start_client(responder_id: str, ephemeral: bytes) -> Initiator:
    """Begin a client's handshake with the node of that id (`host:port`)."""
    handshake = Handshake(
        Pattern.NX, initiator=True, prologue=responder_id.encode(), ephemeral=ephemeral
    )
    return Initiator(handshake, b"")


def start_node(
    responder_id: str, ephemeral: bytes, static: bytes, evidence: DcapEvidence
) -> Initiator:
    """Begin a node's handshake with a peer of that id, which ends in the configuration digest."""
    handshake = Handshake(
        Pattern.IX,
        initiator=True,
        prologue=responder_id.encode(),
        ephemeral=ephemeral,
        static=static,
    )
    return Initiator(handshake, protobuf.encode(evidence))


@dataclasses.dataclass(frozen=True, slots=True)
class Responder:
    """What a responder is: its id, its static private key and the evidence for that key."""

    responder_id: str
    static: bytes = dataclasses.field(repr=False)
    evidence: AttestationEvidence = dataclasses.field(repr=False)

    def begin(self, pattern: Pattern, ephemeral: bytes) -> Handshake:
        """Its side of a new handshake."""
        return Handshake(
            pattern,
            initiator=False,
            prologue=self.responder_id.encode(),
            ephemeral=ephemeral,
            static=self.static,
        )


def answer_client(
    request: bytes, responder: Responder, ephemeral: bytes
) -> tuple[bytes, Transport]:
    """Answer a client; its payload is ignored. Returns the message to send and the channel.

    Raises:
        HandshakeWrite: the request is too short or too long, or its key is no proper one.
    """
    handshake = responder.begin(Pattern.NX, ephemeral)
    _read_request(handshake, request)
    return _write_answer(handshake, responder.evidence)


def answer_node(
    request: bytes, responder: Responder, ephemeral: bytes, verifier: EvidenceVerifier
) -> tuple[bytes, Transport]:
    """Answer a peer whose evidence verifies. Returns the message to send and the channel.

    Raises:
        HandshakeWrite: the request is too short or too long, or its key is no proper one.
        AttestationEvidenceDeserialization, AttestationEvidenceVerification, BadRemoteIdentity: the
            peer's evidence is not good enough.
    """
    handshake = responder.begin(Pattern.IX, ephemeral)
    payload = _read_request(handshake, request)
    try:
        presented = protobuf.decode(DcapEvidence, payload)
    except DecodeError as error:
        raise AttestationEvidenceDeserialization(str(error)) from error
    if handshake.remote_static is None:
        raise MissingRemoteIdentity
    verifier.check(presented, handshake.remote_static)
    return _write_answer(handshake, responder.evidence)


def _read_request(handshake: Handshake, request: bytes) -> bytes:
    try:
        return handshake.read_message(_bounded(request))
    except NoiseError as error:
        raise HandshakeWrite(str(error)) from error


def _write_answer(handshake: Handshake, evidence: AttestationEvidence) -> tuple[bytes, Transport]:
    try:
        response = handshake.write_message(encode_evidence(evidence))
    except NoiseError as error:
        raise HandshakeWrite(str(error)) from error
    return response, handshake.finish()


def _bounded(message: bytes) -> bytes:
    if len(message) > HANDSHAKE_MESSAGE_BYTES_MAX:
        raise NoiseError(
            f"handshake message has {len(message)} bytes, limit {HANDSHAKE_MESSAGE_BYTES_MAX}"
        )
    return message
