"""The wire between the node and the trusted process. [docs/protocol/enclave.md#9.3]

TCP on the loopback interface, because under SGX neither pipes nor UNIX sockets reach a process
outside of the enclave. Frames are a length (u32, big-endian) and that many bytes:

    node    ── MCE1 ‖ start token (32) ──>  trusted process     wrong token: closed without a word
            <── Hello ────────────────────
            ── Request(id, call, body) ──>                      any number at a time
            <── Response(id, body or error)                     in order of completion

Neither side trusts the other's bytes: frames are bounded, unknown calls are refused, bodies are
decoded strictly. There is no encryption, as what must be secret is ciphertext already.
"""

import dataclasses
import enum
from collections.abc import Sequence
from typing import Any, Final

from mcnode.attest.messages import DcapEvidence
from mcnode.blockchain.block import Block
from mcnode.codec import protobuf
from mcnode.codec.schema import BYTES, OPTIONAL, TEXT, UINT32, UINT64, field, message, repeated
from mcnode.enclave.config import BlockchainConfigMessage
from mcnode.enclave.interface import (
    Accepted,
    Connected,
    EnclaveMessage,
    EnclaveStarted,
    EncryptedTxWithProofs,
    FeePublicKey,
    FormBlockInputs,
    FormedBlock,
    MintTxWithConfig,
    PendingEvidence,
    TxContext,
    WellFormedTx,
)
from mcnode.errors import InvalidError
from mcnode.transaction.messages import MintConfigTx, TxOutMembershipElement, TxOutMembershipProof

MAGIC: Final = b"MCE1"
TOKEN_BYTES: Final = 32
GREETING_BYTES: Final = len(MAGIC) + TOKEN_BYTES
PROTOCOL_VERSION: Final = 1
LENGTH_BYTES: Final = 4
FRAME_BYTES_MAX: Final = 64 << 20
"""A block of 5,000 small transactions with their proofs stays below this; a frame is held in memory
whole."""


class BoundaryError(InvalidError):
    """Bytes from the other side that follow no rule of this page."""


class FrameTooLong(BoundaryError):
    """A frame announces more than 64 MiB."""

    def __init__(self, length: int) -> None:
        super().__init__(f"frame has {length} bytes, limit {FRAME_BYTES_MAX}")
        self.length = length


class UnknownCall(BoundaryError):
    """A request names no call."""

    def __init__(self, call: int) -> None:
        super().__init__(f"call {call} is unknown")
        self.call = call


def frame(body: bytes) -> bytes:
    """The body with its length before it.

    Raises:
        FrameTooLong: the body is above the limit.
    """
    if len(body) > FRAME_BYTES_MAX:
        raise FrameTooLong(len(body))
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def frame_length(header: bytes) -> int:
    """How many bytes follow a 4-byte header.

    Raises:
        FrameTooLong: more than the limit.
    """
    length = int.from_bytes(header, "big")
    if length > FRAME_BYTES_MAX:
        raise FrameTooLong(length)
    return length


@message
class Hello:
    """The trusted process's first frame."""

    version: int = field(1, UINT32)
    mode: str = field(2, TEXT)


@message
class BoundaryRequest:
    """One call. `id` is the node's to choose and comes back with the answer."""

    id: int = field(1, UINT64)
    call: int = field(2, UINT32)
    body: bytes = field(3, BYTES)


@message
class BoundaryResponse:
    """The answer to one call: a body, or an error as `mcnode.enclave.error_codec` writes it."""

    id: int = field(1, UINT64)
    body: bytes = field(2, BYTES)
    error: bytes | None = field(3, BYTES, presence=OPTIONAL)


@message
class Nothing:
    """For calls that take or give nothing."""


@message
class EnclaveInitRequest:
    """Arguments of `enclave_init`."""

    peer_responder_id: str = field(1, TEXT)
    client_responder_id: str = field(2, TEXT)
    sealed_key: bytes | None = field(3, BYTES, presence=OPTIONAL)
    config: BlockchainConfigMessage = field(4, BlockchainConfigMessage)


@message
class TokenIdRequest:
    """A token."""

    token_id: int = field(1, UINT64)


@message
class MinimumFeeResponse:
    """A minimum fee, absent when the token has none."""

    fee: int | None = field(1, UINT64, presence=OPTIONAL)


@message
class OpaqueBytes:
    """A key, a session or a handshake message."""

    data: bytes = field(1, BYTES)


@message
class PeerHandshakeRequest:
    """A peer's id, and its answer once there is one."""

    responder_id: str = field(1, TEXT)
    auth_response: bytes = field(2, BYTES)


@message
class TxContexts:
    """Contexts in the order of the transactions."""

    contexts: tuple[TxContext, ...] = repeated(1, TxContext)


@message
class PackedProofs:
    """Proofs with repetitions: each once, and the positions of the list's elements among them.

    The members of a ring mostly name the same highest index, so a list of 22 proofs often holds
    one.
    """

    distinct: tuple[TxOutMembershipProof, ...] = repeated(1, TxOutMembershipProof)
    positions: tuple[int, ...] = repeated(2, UINT32)


@message
class TxIsWellFormedRequest:
    """Arguments of `tx_is_well_formed`."""

    locally_encrypted_tx: bytes = field(1, BYTES)
    block_index: int = field(2, UINT64)
    proofs: PackedProofs = field(3, PackedProofs)


@message
class TxsForPeerRequest:
    """Arguments of `txs_for_peer`."""

    well_formed_encrypted_txs: tuple[bytes, ...] = repeated(1, BYTES)
    aad: bytes = field(2, BYTES)
    session: bytes = field(3, BYTES)


@message
class PackedTxWithProofs:
    """A checked transaction with its proofs."""

    well_formed_encrypted_tx: bytes = field(1, BYTES)
    proofs: PackedProofs = field(2, PackedProofs)


@message
class FormBlockRequest:
    """Arguments of `form_block`."""

    parent_block: Block = field(1, Block)
    txs: tuple[PackedTxWithProofs, ...] = repeated(2, PackedTxWithProofs)
    mint_config_txs: tuple[MintConfigTx, ...] = repeated(3, MintConfigTx)
    mint_txs_with_config: tuple[MintTxWithConfig, ...] = repeated(4, MintTxWithConfig)
    root_element: TxOutMembershipElement = field(5, TxOutMembershipElement)


def pack_proofs(proofs: Sequence[TxOutMembershipProof]) -> PackedProofs:
    """Proofs as they travel."""
    distinct: list[TxOutMembershipProof] = []
    places: dict[int, int] = {}
    positions = []
    for proof in proofs:
        place = places.get(proof.index)
        if place is None or (distinct[place] is not proof and distinct[place] != proof):
            place = places[proof.index] = len(distinct)
            distinct.append(proof)
        positions.append(place)
    return PackedProofs(tuple(distinct), tuple(positions))


def unpack_proofs(packed: PackedProofs) -> tuple[TxOutMembershipProof, ...]:
    """The proofs in their order; equal ones are one object.

    Raises:
        BoundaryError: a position is beyond the proofs.
    """
    count = len(packed.distinct)
    if any(position >= count for position in packed.positions):
        raise BoundaryError(f"position {max(packed.positions)} is beyond {count} proofs")
    return tuple(packed.distinct[position] for position in packed.positions)


def form_block_request(
    parent_block: Block, inputs: FormBlockInputs, root_element: TxOutMembershipElement
) -> FormBlockRequest:
    """The request of a `form_block` call."""
    txs = tuple(
        PackedTxWithProofs(tx.well_formed_encrypted_tx, pack_proofs(tx.membership_proofs))
        for tx in inputs.well_formed_encrypted_txs_with_proofs
    )
    return FormBlockRequest(
        parent_block, txs, inputs.mint_config_txs, inputs.mint_txs_with_config, root_element
    )


def form_block_inputs(request: FormBlockRequest) -> FormBlockInputs:
    """The inputs that a request holds.

    Raises:
        BoundaryError: a position is beyond the proofs.
    """
    txs = tuple(
        EncryptedTxWithProofs(tx.well_formed_encrypted_tx, unpack_proofs(tx.proofs))
        for tx in request.txs
    )
    return FormBlockInputs(txs, request.mint_config_txs, request.mint_txs_with_config)


class Call(enum.IntEnum):
    """Number of each call; never reused for another."""

    ENCLAVE_INIT = 1
    GET_MINIMUM_FEE = 2
    GET_IDENTITY = 3
    GET_SIGNER = 4
    GET_FEE_RECIPIENT = 5
    GET_MINTING_TRUST_ROOT = 6
    BEGIN_ATTESTATION = 7
    VERIFY_ATTESTATION_EVIDENCE = 8
    GET_ATTESTATION_EVIDENCE = 9
    CLIENT_ACCEPT = 10
    CLIENT_CLOSE = 11
    CLIENT_DISCARD_MESSAGE = 12
    CLIENT_TX_PROPOSE = 13
    PEER_INIT = 14
    PEER_ACCEPT = 15
    PEER_CONNECT = 16
    PEER_CLOSE = 17
    PEER_TX_PROPOSE = 18
    TX_IS_WELL_FORMED = 19
    TXS_FOR_PEER = 20
    FORM_BLOCK = 21


class Lane(enum.IntEnum):
    """What goes first when the workers are busy."""

    CONSENSUS = 0
    CHECKS = 1
    """Whole validation of a transaction: a peer may be waiting for it, so before new clients."""
    CLIENTS = 2


@dataclasses.dataclass(frozen=True, slots=True)
class CallShape:
    """What a call takes and gives."""

    request: type[Any]
    response: type[Any]
    lane: Lane = Lane.CONSENSUS


CALLS: Final[dict[Call, CallShape]] = {
    Call.ENCLAVE_INIT: CallShape(EnclaveInitRequest, EnclaveStarted),
    Call.GET_MINIMUM_FEE: CallShape(TokenIdRequest, MinimumFeeResponse),
    Call.GET_IDENTITY: CallShape(Nothing, OpaqueBytes),
    Call.GET_SIGNER: CallShape(Nothing, OpaqueBytes),
    Call.GET_FEE_RECIPIENT: CallShape(Nothing, FeePublicKey),
    Call.GET_MINTING_TRUST_ROOT: CallShape(Nothing, OpaqueBytes),
    Call.BEGIN_ATTESTATION: CallShape(Nothing, PendingEvidence),
    Call.VERIFY_ATTESTATION_EVIDENCE: CallShape(DcapEvidence, Nothing),
    Call.GET_ATTESTATION_EVIDENCE: CallShape(Nothing, DcapEvidence),
    Call.CLIENT_ACCEPT: CallShape(OpaqueBytes, Accepted, Lane.CLIENTS),
    Call.CLIENT_CLOSE: CallShape(OpaqueBytes, Nothing, Lane.CLIENTS),
    Call.CLIENT_DISCARD_MESSAGE: CallShape(EnclaveMessage, Nothing, Lane.CLIENTS),
    Call.CLIENT_TX_PROPOSE: CallShape(EnclaveMessage, TxContext, Lane.CLIENTS),
    Call.PEER_INIT: CallShape(PeerHandshakeRequest, OpaqueBytes),
    Call.PEER_ACCEPT: CallShape(OpaqueBytes, Accepted),
    Call.PEER_CONNECT: CallShape(PeerHandshakeRequest, Connected),
    Call.PEER_CLOSE: CallShape(OpaqueBytes, Nothing),
    Call.PEER_TX_PROPOSE: CallShape(EnclaveMessage, TxContexts),
    Call.TX_IS_WELL_FORMED: CallShape(TxIsWellFormedRequest, WellFormedTx, Lane.CHECKS),
    Call.TXS_FOR_PEER: CallShape(TxsForPeerRequest, EnclaveMessage),
    Call.FORM_BLOCK: CallShape(FormBlockRequest, FormedBlock),
}


def encode_request(request_id: int, call: Call, body: Any) -> bytes:
    """A whole request frame.

    Raises:
        FrameTooLong: the body is above the limit.
    """
    encoded = protobuf.encode(body)
    return frame(protobuf.encode(BoundaryRequest(request_id, int(call), encoded)))


def decode_call(number: int) -> Call:
    """The call of a number.

    Raises:
        UnknownCall: there is none.
    """
    try:
        return Call(number)
    except ValueError:
        raise UnknownCall(number) from None
