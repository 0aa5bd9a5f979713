"""The envelope around a statement, as CBOR. [docs/protocol/scp.md#4.3]"""

from typing import NamedTuple

from mcnode.codec.cbor import IntArray, Member, Shape, Struct, from_bytes, to_bytes
from mcnode.peers.consensus_value import ConsensusValue
from mcnode.peers.value_wire import ED25519_PUBLIC_SHAPE, SIGNATURE_BYTES, VALUE_SHAPE
from mcnode.scp import Msg
from mcnode.scp.wire import msg_shape, node_id_shape

BLOCK_ID_BYTES = 32

NODE_ID_SHAPE = node_id_shape(ED25519_PUBLIC_SHAPE)
MSG_SHAPE: Shape[Msg[ConsensusValue]] = msg_shape(VALUE_SHAPE, ED25519_PUBLIC_SHAPE)


class Envelope(NamedTuple):
    """The three parts, in the order of the wire."""

    scp_msg: Msg[ConsensusValue]
    prev_block_id: bytes
    signature: bytes


ENVELOPE_SHAPE: Shape[Envelope] = Struct(
    Envelope,
    Member("scp_msg", MSG_SHAPE),
    Member("prev_block_id", IntArray(BLOCK_ID_BYTES)),
    Member("signature", IntArray(SIGNATURE_BYTES, or_byte_string=True)),
)


def encode_envelope(envelope: Envelope) -> bytes:
    """The bytes that travel."""
    return to_bytes(ENVELOPE_SHAPE, envelope)


def decode_envelope(payload: bytes) -> Envelope:
    """The envelope in `payload`.

    Raises:
        CborError: it is none, or it nests or grows beyond the limits.
    """
    return from_bytes(ENVELOPE_SHAPE, payload)
