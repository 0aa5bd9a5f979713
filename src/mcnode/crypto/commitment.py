"""Pedersen commitments: `value H_t + blinding G`, with a value base H_t of its own for each token.

Commitments travel as 32 bytes and are decoded only where a rule says so. Blindings are scalars of
32 bytes, reduced modulo the group order. [docs/protocol/crypto.md#13]
"""

from collections.abc import Sequence

from mcnode import _native
from mcnode.crypto.known_points import KnownPoints
from mcnode.crypto.ring_errors import InvalidCurvePoint, ValueNotConserved

POINT_BYTES = 32
SCALAR_BYTES = 32


def value_generator(token_id: int) -> bytes:
    """`H_t`, 32 bytes: the base that values of token `token_id` (64 bits) are committed to with."""
    return _native.value_generator(token_id)


def commit(value: int, blinding: bytes, token_id: int) -> bytes:
    """The commitment, 32 bytes, to a value of 64 bits. Constant time."""
    return _native.commit(value, blinding, token_id)


def check_points(
    points: Sequence[bytes], what: str = "commitment", known: KnownPoints | None = None
) -> None:
    """Check that every element is the encoding of a point; the identity is one.

    Raises:
        InvalidCurvePoint: the first that is none.
    """
    for position, point in enumerate(points):
        if len(point) != POINT_BYTES:
            raise InvalidCurvePoint(f"{what} {position}", point)
    bad = _native.first_invalid_point(b"".join(points), known)
    if bad is not None:
        raise InvalidCurvePoint(f"{what} {bad}", points[bad])


def check_balance(
    inputs: Sequence[bytes],
    outputs: Sequence[bytes],
    fee: int,
    fee_token_id: int,
    known: KnownPoints | None = None,
) -> None:
    """Check that outputs and fee are worth what the inputs are, over all tokens at once.

    The fee counts as a commitment with blinding 0.

    Raises:
        InvalidCurvePoint: a commitment is no point.
        ValueNotConserved: something is left over.
    """
    check_points(inputs, known=known)
    check_points(outputs, known=known)
    packed = b"".join(inputs), b"".join(outputs)
    if not _native.commitments_balance(*packed, fee, fee_token_id, known):
        raise ValueNotConserved("outputs and fee are not worth what the inputs are")
