"""The signed envelope around a statement. [docs/protocol/scp.md#4]

A statement is signed together with the id of the block that it builds on, so it can never count for
another chain. Relays pass the author's bytes on as they came.
"""

import dataclasses

from mcnode.codec.digest import Aggregate, Primitive, Transcript, digest32
from mcnode.crypto.keys import Ed25519Private, Ed25519Public
from mcnode.errors import InvalidError
from mcnode.peers.consensus_value import ConsensusValue, ValueKind, value_node
from mcnode.peers.wire import Envelope, decode_envelope, encode_envelope
from mcnode.scp.digest import msg_node
from mcnode.scp.types import Msg
from mcnode.scp.values_of import values_of


class ZeroSlot(InvalidError):
    """Slot 0 is the origin block, which nobody agrees on."""

    def __init__(self) -> None:
        super().__init__("slot index is 0, needs at least 1")


@dataclasses.dataclass(frozen=True, slots=True)
class ConsensusMsg:
    """A statement, the id (32 bytes) of the block before its slot, and the author's signature.

    `payload` are the bytes on the wire, kept for passing on.
    """

    scp_msg: Msg[ConsensusValue]
    prev_block_id: bytes
    signature: bytes
    payload: bytes = dataclasses.field(repr=False, compare=False)

    @classmethod
    def sign(
        cls, scp_msg: Msg[ConsensusValue], prev_block_id: bytes, signer: Ed25519Private
    ) -> "ConsensusMsg":
        """Sign a statement of ours.

        Raises:
            ZeroSlot: it is about slot 0.
        """
        if scp_msg.slot_index == 0:
            raise ZeroSlot
        signature = signer.sign(contents_hash(scp_msg, prev_block_id))
        return cls.from_parts(scp_msg, prev_block_id, signature)

    @classmethod
    def from_parts(
        cls, scp_msg: Msg[ConsensusValue], prev_block_id: bytes, signature: bytes
    ) -> "ConsensusMsg":
        """An envelope of given parts, with the bytes that we would send for it."""
        payload = encode_envelope(Envelope(scp_msg, prev_block_id, signature))
        return cls(scp_msg, prev_block_id, signature, payload)

    @classmethod
    def from_bytes(cls, payload: bytes) -> "ConsensusMsg":
        """Decode; the signature is not looked at.

        Raises:
            CborError: the bytes are no envelope.
        """
        return cls(*decode_envelope(payload), payload)


def contents_hash(scp_msg: Msg[ConsensusValue], prev_block_id: bytes) -> bytes:
    """The 32 bytes that the author signs. [docs/protocol/scp.md#4.1]"""
    transcript = Transcript("peer-message")
    transcript.append_node("scp_msg", msg_node(scp_msg, value_node))
    transcript.append_node("prev_block_id", Primitive("bytes", prev_block_id))
    return transcript.digest()


def broadcast_digest(msg: ConsensusMsg) -> bytes:
    """The 32 bytes by which the network's broadcasters recognise copies; local use only."""
    node = Aggregate(
        "ConsensusMsg",
        {
            "scp_msg": msg_node(msg.scp_msg, value_node),
            "prev_block_id": Primitive("bytes", msg.prev_block_id),
            "signature": Primitive("ed25519-sig", msg.signature),
        },
    )
    return digest32("broadcast", node)


def check_signature(msg: ConsensusMsg) -> None:
    """Verify that the author signed the statement for this chain.

    Raises:
        SignatureError: not the author's signature.
        KeyFormatError: the author's key is no key.
    """
    author = Ed25519Public.from_bytes(msg.scp_msg.sender_id.public_key)
    author.verify(contents_hash(msg.scp_msg, msg.prev_block_id), msg.signature)


def tx_hashes_of(scp_msg: Msg[ConsensusValue]) -> list[bytes]:
    """The hashes of all transactions that a statement names, ascending."""
    return sorted(
        value.content
        for value in set(values_of(scp_msg.topic))
        if value.kind is ValueKind.TX_HASH and isinstance(value.content, bytes)
    )
