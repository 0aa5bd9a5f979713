"""MLSAG ring signatures: one member of a ring spends, and nobody learns which.

The signature also shows that the amount is carried over into a new commitment, the pseudo-output,
and a key image that is the same whenever this output is spent. [docs/protocol/crypto.md#14]
"""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from mcnode import _native
from mcnode.crypto.commitment import POINT_BYTES, SCALAR_BYTES
from mcnode.crypto.keys import RistrettoPrivate
from mcnode.crypto.known_points import KnownPoints
from mcnode.crypto.ring_errors import (
    EmptyRing,
    IndexOutOfBounds,
    InvalidCurvePoint,
    InvalidKeyImage,
    InvalidSignature,
    LengthMismatch,
    RingSignatureError,
    ValueNotConserved,
)
from mcnode.crypto.rng import WIDE_BYTES, RandomBytes
from mcnode.errors import BugError

RESPONSES_PER_MEMBER = 2


class RingMember(NamedTuple):
    """An output as a ring signature sees it: two encoded points of 32 bytes each."""

    target_key: bytes
    commitment: bytes


class RingSignatureLike(Protocol):
    """Anything with the parts of a signature, such as the `RingMLSAG` message."""

    @property
    def c_zero(self) -> bytes:
        """The challenge of member 0, a scalar."""

    @property
    def responses(self) -> Sequence[bytes]:
        """Two scalars for each member, in ring order."""

    @property
    def key_image(self) -> bytes:
        """An encoded point."""


@dataclasses.dataclass(frozen=True, slots=True)
class RingSignature:
    """The parts of a signature, all of 32 bytes."""

    c_zero: bytes
    responses: tuple[bytes, ...]
    key_image: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class RingSecrets:
    """What the signer knows of the output it spends and of the pseudo-output it makes."""

    real_index: int = dataclasses.field(repr=False)
    onetime_private_key: RistrettoPrivate
    value: int = dataclasses.field(repr=False)
    token_id: int = dataclasses.field(repr=False)
    blinding: bytes = dataclasses.field(repr=False)
    """Of the spent output's commitment, a scalar."""
    output_blinding: bytes = dataclasses.field(repr=False)
    """Of the pseudo-output commitment, a scalar."""


def key_image(onetime_private_key: RistrettoPrivate) -> bytes:
    """`x Hp(xG)`, 32 bytes: the mark that an output leaves when it is spent. Constant time."""
    return _native.key_image(onetime_private_key.to_bytes())


def sign(
    message: bytes,
    ring: Sequence[RingMember],
    secrets: RingSecrets,
    random_bytes: RandomBytes,
) -> RingSignature:
    """Sign as the member at `secrets.real_index`; the pseudo-output commitment is implied.

    Draws 64 bytes for each scalar: two responses for each other member in ring order, then the two
    nonces; so the same bytes give the same signature. Constant time.

    Raises:
        IndexOutOfBounds: there is no such member.
        InvalidCurvePoint: a key or commitment of the ring is no point.
        ValueNotConserved: the member's commitment does not open to value and blinding.
    """
    if not 0 <= secrets.real_index < len(ring):
        raise IndexOutOfBounds(secrets.real_index, len(ring))
    packed = _pack_ring(ring)
    fault, position, c_zero, responses, image = _native.mlsag_sign(
        message,
        packed,
        secrets.real_index,
        secrets.onetime_private_key.to_bytes(),
        secrets.value,
        secrets.blinding,
        secrets.output_blinding,
        secrets.token_id,
        random_bytes(RESPONSES_PER_MEMBER * WIDE_BYTES * len(ring)),
    )
    if fault:
        raise _error_of(fault, position, ring)
    cut = range(0, len(responses), SCALAR_BYTES)
    return RingSignature(c_zero, tuple(responses[at : at + SCALAR_BYTES] for at in cut), image)


def check_ring_signature(
    message: bytes,
    ring: Sequence[RingMember],
    output_commitment: bytes,
    signature: RingSignatureLike,
    known: KnownPoints | None = None,
) -> None:
    """Check a signature over `message` (any length) and its pseudo-output commitment.

    Scalars are reduced modulo the group order. Variable time, as all of this is public. Points of
    the ring are looked up in `known` and left there.

    Raises:
        EmptyRing: there are no members.
        InvalidCurvePoint: a key or commitment of the ring is no point.
        LengthMismatch: there are not two responses for each member.
        InvalidKeyImage: the key image is no point.
        InvalidCurvePoint: the output commitment is no point.
        InvalidSignature: the challenges do not close.
    """
    if not ring:
        raise EmptyRing
    fault, position = _native.mlsag_verify(
        message,
        _pack_ring(ring),
        output_commitment,
        signature.c_zero,
        b"".join(signature.responses),
        signature.key_image,
        known,
    )
    match fault:
        case 0:
            return
        case 2:
            raise LengthMismatch(RESPONSES_PER_MEMBER * len(ring), len(signature.responses))
        case 3:
            raise InvalidKeyImage(signature.key_image)
        case 4:
            raise InvalidCurvePoint("output commitment", output_commitment)
        case _:
            raise _error_of(fault, position, ring)


def _pack_ring(ring: Sequence[RingMember]) -> bytes:
    for member in ring:
        for point in member:
            if len(point) != POINT_BYTES:
                raise InvalidCurvePoint("key or commitment of a ring member", point)
    return b"".join(point for member in ring for point in member)


def _error_of(fault: int, position: int, ring: Sequence[RingMember]) -> RingSignatureError:
    match fault:
        case 1:
            index, part = divmod(position, 2)
            what = ("target key", "commitment")[part]
            return InvalidCurvePoint(f"{what} of ring member {index}", ring[index][part])
        case 5:
            return InvalidSignature()
        case 6:
            return ValueNotConserved("the spent commitment has another value or blinding")
        case _:
            raise BugError(f"native ring signature gave fault {fault}")
