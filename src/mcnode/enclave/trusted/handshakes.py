"""Attested handshakes of the enclave, and the channels they give. [docs/protocol/enclave.md#4]"""

import dataclasses
import threading
from typing import Final

from mcnode.attest.key_exchange import (
    AkeError,
    Initiator,
    Responder,
    answer_client,
    answer_node,
    start_node,
)
from mcnode.crypto.noise import KEY_BYTES, public_key_of
from mcnode.crypto.rng import RandomBytes
from mcnode.enclave.errors import Kex, NotFound
from mcnode.enclave.interface import Accepted, Connected, EnclaveMessage
from mcnode.enclave.trusted.evidence_keeper import EvidenceKeeper
from mcnode.enclave.trusted.sessions import CLIENTS_MAX, PEERS_MAX, PENDING_MAX, Channels, LruTable

_INBOUND: Final = 0
_OUTBOUND: Final = 1


@dataclasses.dataclass(frozen=True, slots=True)
class ResponderIds:
    """The names under which others speak to this enclave."""

    client: str
    peer: str
    """Ends in the configuration digest."""


class Handshakes:
    """All channels of the enclave, under one X25519 identity that lives as long as the process."""

    def __init__(self, evidence: EvidenceKeeper, random_bytes: RandomBytes) -> None:
        self._evidence = evidence
        self._random_bytes = random_bytes
        self._static = random_bytes(KEY_BYTES)
        self.identity = public_key_of(self._static)
        """The X25519 public key."""
        self._clients = Channels(CLIENTS_MAX)
        self._peers = Channels(PEERS_MAX, PEERS_MAX)
        self._pending: LruTable[str, Initiator] = LruTable(PENDING_MAX)
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Handshakes(identity={self.identity.hex()})"

    def client_accept(self, ids: ResponderIds, request: bytes) -> Accepted:
        """Answer a client.

        Raises:
            Kex: its message is not acceptable.
        """
        responder = Responder(ids.client, self._static, self._evidence.current())
        try:
            response, transport = answer_client(request, responder, self._fresh_key())
        except AkeError as error:
            raise Kex(error) from error
        return Accepted(response, self._clients.add(0, transport))

    def peer_accept(self, ids: ResponderIds, request: bytes) -> Accepted:
        """Answer a peer.

        Raises:
            Kex: its message or its evidence is not acceptable.
        """
        responder = Responder(ids.peer, self._static, self._evidence.current())
        verifier = self._evidence.peer_verifier
        try:
            response, transport = answer_node(request, responder, self._fresh_key(), verifier)
        except AkeError as error:
            raise Kex(error) from error
        return Accepted(response, self._peers.add(_INBOUND, transport))

    def peer_init(self, responder_id: str) -> bytes:
        """Begin with a peer of that (suffixed) id; an earlier beginning with it is forgotten."""
        evidence = self._evidence.current()
        initiator = start_node(responder_id, self._fresh_key(), self._static, evidence)
        with self._lock:
            self._pending.put(responder_id, initiator)
        return initiator.request

    def peer_connect(self, responder_id: str, response: bytes) -> Connected:
        """Finish with a peer. What was begun is used up, also by a failure.

        Raises:
            NotFound: nothing was begun with it.
            Kex: its answer or its evidence is not acceptable.
        """
        with self._lock:
            initiator = self._pending.pop(responder_id)
        if initiator is None:
            raise NotFound("pending handshake")
        try:
            transport, evidence = initiator.finish(response, self._evidence.peer_verifier)
        except AkeError as error:
            raise Kex(error) from error
        return Connected(self._peers.add(_OUTBOUND, transport), evidence)

    def client_close(self, session: bytes) -> None:
        """Forget a client."""
        self._clients.close(session)

    def peer_close(self, session: bytes) -> None:
        """Forget a peer's channel, whoever opened it."""
        self._peers.close(session)

    def decrypt_from_client(self, message: EnclaveMessage) -> bytes:
        """A client's next message."""
        return self._clients.get(message.channel_id).decrypt(message.data, message.aad)

    def decrypt_from_peer(self, message: EnclaveMessage) -> bytes:
        """A peer's next message."""
        return self._peers.get(message.channel_id).decrypt(message.data, message.aad)

    def check_peer_session(self, session: bytes) -> None:
        """Raise `NotFound` unless the channel is open."""
        self._peers.get(session)

    def encrypt_for_peer(self, plaintext: bytes, aad: bytes, session: bytes) -> EnclaveMessage:
        """The next message to a peer."""
        data = self._peers.get(session).encrypt(plaintext, aad)
        return EnclaveMessage(aad=aad, channel_id=session, data=data)

    def _fresh_key(self) -> bytes:
        return self._random_bytes(KEY_BYTES)
