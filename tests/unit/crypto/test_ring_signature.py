"""Ring signatures: who can make them, what they bind, in which order faults are named."""

import dataclasses
from collections.abc import Callable

import pytest

from mcnode import _native
from mcnode.crypto.commitment import commit
from mcnode.crypto.keys import RistrettoPrivate
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
from mcnode.crypto.ring_signature import (
    RingMember,
    RingSecrets,
    RingSignature,
    check_ring_signature,
    key_image,
    sign,
)
from mcnode.crypto.rng import ChaCha12Rng, random_scalar

NO_POINT = b"\xff" * 32
ORDER = 2**252 + 27742317777372353535851937790883648493
MESSAGE = b"thirty-two bytes or any other count"


@dataclasses.dataclass
class Made:
    ring: list[RingMember]
    secrets: RingSecrets
    output: bytes
    signature: RingSignature

    def check(self, message: bytes = MESSAGE, **changes: bytes | tuple[bytes, ...]) -> None:
        signature = dataclasses.replace(self.signature, **changes)  # type: ignore[arg-type]
        check_ring_signature(message, self.ring, self.output, signature)


def make(size: int = 5, real_index: int = 2, token_id: int = 0) -> Made:
    rng = ChaCha12Rng(bytes([size, real_index]) * 16)
    private, blinding, value = RistrettoPrivate(random_scalar(rng)), random_scalar(rng), 2**64 - 1
    ring = [
        RingMember(
            RistrettoPrivate(random_scalar(rng)).public_key().to_bytes(),
            commit(index, random_scalar(rng), token_id),
        )
        for index in range(size)
    ]
    ring[real_index] = RingMember(
        private.public_key().to_bytes(), commit(value, blinding, token_id)
    )
    secrets = RingSecrets(real_index, private, value, token_id, blinding, random_scalar(rng))
    output = commit(value, secrets.output_blinding, token_id)
    return Made(ring, secrets, output, sign(MESSAGE, ring, secrets, rng))


@pytest.mark.parametrize(("size", "real_index"), [(1, 0), (2, 1), (11, 0), (11, 10), (16, 7)])
def test_the_owner_can_sign(size: int, real_index: int) -> None:
    made = make(size, real_index)
    made.check()
    assert made.signature.key_image == key_image(made.secrets.onetime_private_key)
    assert len(made.signature.responses) == 2 * size


def test_the_key_image_is_that_of_the_spent_output_in_any_ring() -> None:
    made = make()
    public = made.ring[2].target_key
    hashed = _native.hash_to_point(b"mc_onetime_key_hash_to_point", public)
    private = made.secrets.onetime_private_key.to_bytes()
    assert made.signature.key_image == _native.point_multiply(private, hashed)
    alone = dataclasses.replace(made.secrets, real_index=0)
    other = sign(b"other", [made.ring[2]], alone, ChaCha12Rng(bytes(32)))
    assert other.key_image == made.signature.key_image
    assert other.c_zero != made.signature.c_zero


def test_the_same_random_bytes_give_the_same_signature() -> None:
    made = make()
    drawn: list[int] = []

    def draw(count: int) -> bytes:
        drawn.append(count)
        return b"\x05" * count

    first = sign(MESSAGE, made.ring, made.secrets, draw)
    assert sign(MESSAGE, made.ring, made.secrets, draw) == first
    assert sum(drawn) == 2 * 64 * 2 * len(made.ring)


def changed_message(made: Made) -> None:
    made.check(MESSAGE + b"\x00")


def changed_output(made: Made) -> None:
    made.output = made.ring[0].commitment
    made.check()


def swapped_members(made: Made) -> None:
    made.ring[0], made.ring[1] = made.ring[1], made.ring[0]
    made.check()


def other_key_image(made: Made) -> None:
    made.check(key_image=made.ring[0].target_key)


def identity_key_image(made: Made) -> None:
    made.check(key_image=bytes(32))


def other_response(made: Made) -> None:
    made.check(responses=(bytes(32), *made.signature.responses[1:]))


def other_challenge(made: Made) -> None:
    made.check(c_zero=bytes(32))


@pytest.mark.parametrize(
    "change",
    [
        changed_message,
        changed_output,
        swapped_members,
        other_key_image,
        identity_key_image,
        other_response,
        other_challenge,
    ],
)
def test_everything_is_bound(change: Callable[[Made], None]) -> None:
    with pytest.raises(InvalidSignature):
        change(make())


def test_scalars_are_reduced() -> None:
    made = make()
    beyond = int.from_bytes(made.signature.c_zero, "little") + ORDER
    made.check(c_zero=beyond.to_bytes(32, "little"))


def test_faults_are_named_in_order() -> None:
    """Each fault is repaired in turn, and the next one shows."""
    made = make()
    ring = list(made.ring)
    made.ring[1] = RingMember(NO_POINT, NO_POINT)
    made.output = NO_POINT
    responses = made.signature.responses[:-1]
    made.signature = RingSignature(bytes(32), responses, NO_POINT)
    with pytest.raises(InvalidCurvePoint, match="target key of ring member 1"):
        made.check()
    made.ring[1] = RingMember(ring[1].target_key, NO_POINT)
    with pytest.raises(InvalidCurvePoint, match="commitment of ring member 1"):
        made.check()
    made.ring[1] = ring[1]
    with pytest.raises(LengthMismatch) as mismatch:
        made.check()
    assert mismatch.value.parts == (10, 9)
    made.signature = dataclasses.replace(made.signature, responses=(*responses, bytes(32)))
    with pytest.raises(InvalidKeyImage):
        made.check()
    made.signature = dataclasses.replace(made.signature, key_image=bytes(32))
    with pytest.raises(InvalidCurvePoint, match="output commitment"):
        made.check()
    made.output = bytes(32)
    with pytest.raises(InvalidSignature):
        made.check()


def test_an_empty_ring_is_refused() -> None:
    made = make()
    with pytest.raises(EmptyRing):
        check_ring_signature(MESSAGE, [], made.output, made.signature)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"real_index": 5}, IndexOutOfBounds),
        ({"real_index": -1}, IndexOutOfBounds),
        ({"value": 1}, ValueNotConserved),
        ({"blinding": bytes(32)}, ValueNotConserved),
        ({"token_id": 1}, ValueNotConserved),
    ],
)
def test_signing_refuses_what_would_not_verify(
    changes: dict[str, object], error: type[RingSignatureError]
) -> None:
    made = make()
    secrets = dataclasses.replace(made.secrets, **changes)  # type: ignore[arg-type]
    with pytest.raises(error):
        sign(MESSAGE, made.ring, secrets, ChaCha12Rng(bytes(32)))


def test_signing_refuses_a_ring_with_something_that_is_no_point() -> None:
    made = make()
    made.ring[4] = RingMember(made.ring[4].target_key, NO_POINT)
    with pytest.raises(InvalidCurvePoint, match="commitment of ring member 4"):
        sign(MESSAGE, made.ring, made.secrets, ChaCha12Rng(bytes(32)))


def test_points_of_another_length_are_refused() -> None:
    made = make()
    made.ring[0] = RingMember(bytes(31), bytes(33))
    with pytest.raises(InvalidCurvePoint, match="ring member"):
        made.check()


def test_secrets_do_not_show() -> None:
    secrets = make().secrets
    shown = repr(secrets)
    for hidden in (secrets.blinding, secrets.output_blinding):
        assert hidden.hex() not in shown
        assert repr(hidden) not in shown
    assert str(secrets.value) not in shown


def test_native_signing_refuses_arguments_that_do_not_fit() -> None:
    made = make()
    ring = b"".join(point for member in made.ring for point in member)
    arguments = (1, bytes(32), bytes(32), 0)
    with pytest.raises(ValueError, match="128 bytes a member"):
        _native.mlsag_sign(MESSAGE, ring, 2, bytes(32), *arguments, bytes(64))
    with pytest.raises(ValueError, match="outside the ring"):
        _native.mlsag_sign(MESSAGE, ring, 5, bytes(32), *arguments, bytes(640))
    with pytest.raises(ValueError, match="not a multiple of 64"):
        _native.mlsag_sign(MESSAGE, ring[:-1], 2, bytes(32), *arguments, bytes(640))
